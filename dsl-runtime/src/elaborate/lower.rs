//! From the typed surface tree to the IR, by symbolic evaluation: a kernel is run on values that stand for what will be
//! there at run time (`value`), and what it computes is written down as statements (`build`).
//!
//! Kernels that it calls are run in place, so they are inlined. Tuples, closures, options and views exist only as values;
//! control flow that leaves a construct early becomes flags; a branch or a loop yields the variables that it changes.

mod build;
mod call;
mod consume;
mod control;
mod env;
mod expr;
mod flat;
mod iterator;
mod length;
mod merge;
mod method;
mod mistake;
mod nd;
mod operator;
mod option;
mod pattern;
mod place;
mod primitive;
mod repeat;
mod scalar;
mod sequence;
mod value;

pub use mistake::Code;

use super::infer::infer;
use super::ty::{Dim, GenericArg, Leaf, Mistake, Ty, Typed};
use crate::ir::{Atom, Block, Func, Place, Type, Var};
use crate::syntax::{self, Kernel};
use env::{Env, Target};
use std::collections::HashMap;
use std::rc::Rc;
use value::Value;

/// What the lowering of a piece of a kernel gives.
type R<T> = Result<T, Box<Mistake>>;

/// A kernel that is being run: its types, and which source its places refer to.
struct Frame {
    typed: Rc<Typed>,
    source: u16,
}

/// The lowering of one function.
struct Lower {
    func: Func,
    /// The blocks that are open, innermost last.
    blocks: Vec<build::Open>,
    next_block: u32,
    /// The block that each name is defined in; 0 for what is visible everywhere.
    homes: Vec<u32>,
    known: HashMap<build::Known, Var>,
    /// Truths that say whether a shape has as many elements as there are, with that number and the shape.
    fits: Vec<(Var, Vec<Atom>)>,
    /// How large values of type `u64` can be, where that is less than what the type holds.
    limits: HashMap<Var, u64>,
    /// Shapes that arrays are known to have, with the block where that is known.
    shapes: Vec<(u32, Vec<Atom>)>,
    env: Env,
    targets: Vec<Target>,
    version: u64,
    frame: Rc<Frame>,
    place: Place,
    /// How many pars stand around what is being lowered.
    depth: usize,
    instances: HashMap<(*const Kernel, Vec<GenericArg>), Rc<Typed>>,
    /// The kernels that are being run, outermost first.
    running: Vec<call::Running>,
}

/// Turns a kernel into the IR, for one choice of its generic arguments (one for each of [`Kernel::generics`]).
///
/// Parameters and results follow the rule at [`Leaf`]: each open dimension of each parameter is a size of its own. The
/// function's sources are the kernel's own, then those of the kernels that were inlined.
pub fn lower(kernel: &'static Kernel, generics: &[GenericArg]) -> Result<Func, Mistake> {
    let typed = Rc::new(infer(kernel, generics)?);
    let mut func = Func::empty(kernel.name);
    func.sources.push(kernel.source);
    let mut lower = Lower {
        func,
        blocks: vec![],
        next_block: 0,
        homes: vec![],
        known: HashMap::new(),
        fits: vec![],
        limits: HashMap::new(),
        shapes: vec![],
        env: Env::default(),
        targets: vec![],
        version: 0,
        frame: Rc::new(Frame {
            typed: typed.clone(),
            source: 0,
        }),
        place: Place::default(),
        depth: 0,
        instances: HashMap::new(),
        running: vec![],
    };
    lower
        .instances
        .insert((kernel as *const Kernel, generics.to_vec()), typed);
    lower.function(kernel, generics).map_err(|mistake| *mistake)
}

impl Lower {
    fn function(mut self, kernel: &'static Kernel, generics: &[GenericArg]) -> R<Func> {
        let typed = self.frame.typed.clone();
        let mut arguments = vec![];
        for (param, ty) in kernel.params.iter().zip(&typed.params) {
            self.at(param.span);
            let name = match param.pattern.kind {
                syntax::PatternKind::Bind { name, .. } => name,
                _ => "arg",
            };
            arguments.push(self.parameter(name, ty)?);
        }
        self.open();
        self.at(kernel.body.span);
        let (value, finals) = self.run(kernel, generics, arguments)?;
        self.at(kernel.body.span);
        let mut results = self.flatten(&value, &typed.result)?;
        for (value, ty) in finals {
            results.extend(self.flatten(&value, &ty)?);
        }
        let Block { stmts, .. } = self.close(vec![]);
        self.func.body = Block { stmts, results };
        Ok(self.func)
    }

    /// The parameters of the IR for a parameter of the kernel, and the value that they make.
    fn parameter(&mut self, name: &str, ty: &Ty) -> R<Value> {
        let Some(leaves) = ty.leaves() else {
            return Err(self.mistake(
                Code::Missing,
                "a kernel that is called from outside cannot take a parameter of this type",
                "use scalars, tuples, slices and ndarray arrays; closures are for kernels called from kernels",
            ));
        };
        let nodes = value::dim_nodes(ty);
        let mut sizes: HashMap<usize, Var> = HashMap::new();
        let mut atoms = vec![];
        let count = leaves.len();
        for (k, (Leaf { elem, dims }, nodes)) in leaves.into_iter().zip(nodes).enumerate() {
            let mut shape: Vec<Atom> = vec![];
            for (dim, node) in dims.into_iter().zip(nodes) {
                shape.push(match dim {
                    Dim::Fixed(n) => Atom::size(n as u64),
                    Dim::Open => match sizes.get(&node) {
                        Some(&size) => size.into(),
                        None => {
                            let suffix = match sizes.len() {
                                0 => String::new(),
                                n => n.to_string(),
                            };
                            let size = self.var(&format!("len_{name}{suffix}"), Type::index());
                            self.func.sizes.push(size);
                            sizes.insert(node, size);
                            size.into()
                        }
                    },
                });
            }
            let name = if count == 1 {
                name.to_string()
            } else {
                format!("{name}_{k}")
            };
            match shape[..] {
                [Atom::Var(length)] => self.limit_length(length, elem),
                _ => self.remember_shape(&shape),
            }
            let var = self.var(&name, Type::array(elem, shape));
            self.func.params.push(var);
            atoms.push(Atom::Var(var));
        }
        Ok(self.rebuild(ty, &mut atoms.into_iter()))
    }

    /// What follows stands here in the source.
    fn at(&mut self, span: syntax::Span) {
        self.place = Place {
            source: self.frame.source,
            span,
        };
    }

    /// The type of an expression of the kernel that is being run.
    fn ty(&self, expr: &'static syntax::Expr) -> Ty {
        self.frame.typed.ty(expr).clone()
    }
}
