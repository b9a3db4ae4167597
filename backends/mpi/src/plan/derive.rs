//! Functions for the place inside: from a par to what one rank does of it (`share`), and from combining functions to what joins
//! what ranks have (`combine`).

mod combine;
mod partial;
mod rewrite;
mod share;

pub use combine::{chain, combined, deliver, join};
pub use share::share;

use dsl_runtime::backend::{Backend, CompileError, Executable};
use dsl_runtime::ir::{
    Atom, Block, Combine, Expr, Func, ScalarType, Sink, Stmt, Type, Var, VarSet, walk,
};
use dsl_runtime::pass;
use std::sync::Arc;

/// How a rank has the rows that an access reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// It has the whole array.
    Whole,
    /// From some row on.
    Window,
    /// From some row on, around the end of the array, and from its beginning.
    Around,
    /// Those that the elements of another array name, one after the other.
    Named,
}

/// What a function for the place inside takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Param {
    /// The number of the first iteration.
    First,
    /// The number of iterations.
    Count,
    /// A scalar of the program's.
    Scalar(Var),
    /// An array of the program's, whole.
    Whole(Var),
    /// Rows of an array.
    Window(Var),
    /// The number of the first of these rows.
    Start(Var),
    /// Rows of the first array that the second one names.
    Named(Var, Var),
    /// For each element that this rank sees of the second array, which of these rows it names.
    Places(Var, Var),
    /// What a sink begins with (the value of a scan, an array to scatter into): of which sink, which of its values.
    Begin(usize, usize),
}

/// A function that the place inside has compiled.
pub struct Local {
    /// What it takes.
    pub params: Vec<Param>,
    /// It.
    pub run: Arc<dyn Executable>,
    /// Its IR, for people.
    pub func: Func,
}

/// Compiles a function for the place inside.
fn compile(inner: &dyn Backend, func: Func) -> Result<Local, CompileError> {
    let broken = |broken: pass::Broken| {
        CompileError::Internal(format!("pass {}: {}", broken.pass, broken.report))
    };
    let scheduled = pass::pipeline(&func, &inner.caps()).map_err(broken)?;
    let typed = Arc::new(func);
    Ok(Local {
        params: vec![],
        run: inner.compile(&scheduled, &typed)?,
        func: scheduled,
    })
}

/// A function in the making.
struct Making {
    out: Func,
    params: Vec<Param>,
}

impl Making {
    /// With the names of `func`.
    fn of(func: &Func, name: String) -> Making {
        Making {
            out: Func {
                vars: func.vars.clone(),
                sources: func.sources.clone(),
                ..Func::empty(name)
            },
            params: vec![],
        }
    }

    fn param(&mut self, param: Param, var: Var) -> Var {
        self.params.push(param);
        self.out.params.push(var);
        var
    }

    fn scalar(&mut self, param: Param, name: &str, ty: Type) -> Var {
        let var = self.out.var(name, ty);
        self.param(param, var)
    }

    /// The names in these lengths are bound by the array that they stand in.
    fn bind(&mut self, shape: &[Atom]) {
        for size in shape.iter().filter_map(|size| size.as_var()) {
            if !self.out.sizes.contains(&size) {
                self.out.sizes.push(size);
            }
        }
    }

    fn whole(&mut self, var: Var) {
        let shape = self.out.ty(var).shape.clone();
        self.bind(&shape);
        self.param(Param::Whole(var), var);
    }

    /// An array like `var`, with any number of rows, of this type.
    fn rows(&mut self, param: Param, var: Var, elem: ScalarType) -> Var {
        let name = self.out.vars[var.0 as usize].name.clone();
        let mut shape = self.out.ty(var).shape.clone();
        self.bind(&shape[1..]);
        let rows = self.out.var(format!("{name}_rows"), Type::index());
        self.out.sizes.push(rows);
        shape[0] = rows.into();
        let array = self.out.var(name, Type::array(elem, shape));
        self.param(param, array)
    }

    /// Takes the scalars that are free in its statements and that no array binds.
    fn scalars(&mut self, free: &VarSet) {
        for &var in free {
            if self.out.ty(var).is_scalar()
                && !self.out.sizes.contains(&var)
                && !self.out.params.contains(&var)
            {
                self.param(Param::Scalar(var), var);
            }
        }
    }

    /// Takes what the combining function of a sink needs from outside.
    fn combining(&mut self, func: &Func, sink: &Sink) {
        let Some(Combine::Lambda(lambda)) = &sink.combine else {
            return;
        };
        let mut free = walk::free(&func.vars, &lambda.body);
        lambda.params.iter().for_each(|var| {
            free.remove(var);
        });
        for &var in free.iter().filter(|var| !func.ty(**var).is_scalar()) {
            self.whole(var);
        }
        self.scalars(&free);
    }

    fn finish(mut self, inner: &dyn Backend) -> Result<Local, CompileError> {
        // Arrays bind sizes: what has been taken as a scalar before an array that binds it must go.
        let sizes = self.out.sizes.clone();
        let mut kept = vec![];
        for (param, &var) in self.params.drain(..).zip(&self.out.params) {
            if !(matches!(param, Param::Scalar(_)) && sizes.contains(&var)) {
                kept.push((param, var));
            }
        }
        self.out.params = kept.iter().map(|&(_, var)| var).collect();
        let params = kept.into_iter().map(|(param, _)| param).collect();
        walk::stmts_mut(&mut self.out.body, &mut |stmt| {
            if let Expr::Par(par) = &mut stmt.expr {
                par.levels.clear();
            }
        });
        Ok(Local {
            params,
            ..compile(inner, self.out)?
        })
    }
}

/// Statements as a function of what they need, with these results: what every rank does.
pub fn everywhere(
    inner: &dyn Backend,
    func: &Func,
    stmts: &[Stmt],
    results: &[Atom],
) -> Result<Local, CompileError> {
    let mut making = Making::of(func, func.name.clone());
    let block = Block {
        stmts: stmts.to_vec(),
        results: results.to_vec(),
    };
    let free = walk::free(&func.vars, &block);
    for &var in free.iter().filter(|var| !func.ty(**var).is_scalar()) {
        making.whole(var);
    }
    making.scalars(&free);
    making.out.body = block;
    making.finish(inner)
}
