//! The statements: from what the names stand for to what the results stand for.

use crate::profile;
use crate::value::{Array, Column, Datum};
use dsl_runtime::array::Arg;
use dsl_runtime::backend::Failure;
use dsl_runtime::ir::{
    Atom, Block, Const, Data, Expr, Fault, Func, Index, Loop, LoopKind, Place, ScalarOp, Stmt,
    Type, Var, op,
};

/// A run of a function.
pub struct Run<'f> {
    pub(crate) func: &'f Func,
    in_place: &'f [bool],
    /// What each name stands for.
    names: Vec<Datum>,
}

/// A failure of the program's own.
pub fn fault(fault: Fault, operands: impl Into<Vec<Const>>, place: Place) -> Failure {
    Failure::Fault {
        fault,
        operands: operands.into(),
        place,
    }
}

impl<'f> Run<'f> {
    /// Nothing is bound yet.
    pub fn new(func: &'f Func, in_place: &'f [bool]) -> Run<'f> {
        Run {
            func,
            in_place,
            names: vec![Datum::Nothing; func.vars.len()],
        }
    }

    /// Binds the arguments and the sizes in their shapes, and runs the body.
    pub fn func(&mut self, args: &[Arg<'_>]) -> Result<Vec<Datum>, Failure> {
        let func = self.func;
        for (&param, arg) in func.params.iter().zip(args) {
            let value = match arg {
                Arg::Scalar(value) => Datum::Scalar(*value),
                Arg::Array(view) => {
                    for (&length, &found) in func.ty(param).shape.iter().zip(view.shape()) {
                        self.length(length, found)?;
                    }
                    let place = Place::default();
                    let mut column = Column::room(view.elem(), view.shape(), place)?;
                    for value in view.iter() {
                        column.push_scalar(value)?;
                    }
                    Datum::Array(column.finish(view.shape().to_vec()))
                }
                Arg::Stored(_) => {
                    let text = "an array wherever it is, where a view is due";
                    return Err(Failure::Internal(text.into()));
                }
            };
            self.bind(param, value);
        }
        self.block(&func.body)
    }

    /// A length of an argument: binds the size, or must agree with it.
    fn length(&mut self, length: Atom, found: usize) -> Result<(), Failure> {
        let found = Const::u64(found as u64);
        if let Atom::Var(size) = length
            && let Datum::Nothing = self.names[size.0 as usize]
        {
            self.bind(size, Datum::Scalar(found));
        }
        let wanted = self.scalar(length);
        if wanted == found {
            return Ok(());
        }
        let operands = [wanted, found];
        Err(fault(Fault::ShapeMismatch, operands, Place::default()))
    }

    /// Lets a name stand for a value.
    pub fn bind(&mut self, var: Var, value: Datum) {
        self.names[var.0 as usize] = value;
    }

    /// The value of an operand.
    pub fn value(&self, atom: Atom) -> Datum {
        match atom {
            Atom::Var(var) => self.names[var.0 as usize].clone(),
            Atom::Const(value) => Datum::Scalar(value),
        }
    }

    /// The value of a scalar operand.
    pub fn scalar(&self, atom: Atom) -> Const {
        match atom {
            Atom::Const(value) => value,
            Atom::Var(var) => match &self.names[var.0 as usize] {
                Datum::Scalar(value) => *value,
                other => unreachable!("the verifier has seen a scalar, not {other:?}"),
            },
        }
    }

    /// The value of an operand that is a length or an index.
    pub fn size(&self, atom: Atom) -> usize {
        self.scalar(atom).bits as usize
    }

    /// The lengths of a type.
    pub fn shape(&self, ty: &Type) -> Vec<usize> {
        ty.shape.iter().map(|&size| self.size(size)).collect()
    }

    /// What is known of a function's names.
    pub fn ty(&self, atom: Atom) -> Type {
        self.func.atom_type(atom)
    }

    fn array(&self, var: Var) -> &Array {
        match &self.names[var.0 as usize] {
            Datum::Array(array) => array,
            other => unreachable!("the verifier has seen an array, not {other:?}"),
        }
    }

    /// Runs the statements of a block.
    pub fn stmts(&mut self, block: &Block) -> Result<(), Failure> {
        block.stmts.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    /// Runs a block and gives its results. Its own names let go of their arrays.
    pub fn block(&mut self, block: &Block) -> Result<Vec<Datum>, Failure> {
        self.stmts(block)?;
        let results = block.results.iter().map(|&atom| self.value(atom)).collect();
        for def in block.stmts.iter().flat_map(|stmt| &stmt.defs) {
            if let Datum::Array(_) = self.names[def.0 as usize] {
                self.bind(*def, Datum::Nothing);
            }
        }
        Ok(results)
    }

    fn stmt(&mut self, stmt: &Stmt) -> Result<(), Failure> {
        let place = stmt.place;
        let value = match &stmt.expr {
            Expr::Op(op, atoms) => Datum::Scalar(self.op(*op, atoms, place)?),
            Expr::Cast(to, atom) => Datum::Scalar(op::cast(*to, self.scalar(*atom))),
            Expr::Bits(to, atom) => Datum::Scalar(Const {
                ty: *to,
                bits: self.scalar(*atom).bits,
            }),
            Expr::Index(index) => {
                let (first, rank) = self.locate(index, place)?;
                if rank == 0 {
                    profile::read_element();
                }
                self.array(index.array).part(first, rank)
            }
            Expr::Update(index, value) => {
                let (first, _) = self.locate(index, place)?;
                let value = self.value(*value);
                let mut array = self.array(index.array).clone();
                if self.in_place[stmt.defs[0].0 as usize] {
                    self.bind(index.array, Datum::Nothing);
                }
                array.set(first, &value, place)?;
                Datum::Array(array)
            }
            Expr::Array(atoms) => Datum::Array(self.build(atoms, stmt)?),
            Expr::Data(data) => Datum::Array(constant(data, place)?),
            Expr::Reshape(array, shape) => {
                let shape: Vec<usize> = shape.iter().map(|&size| self.size(size)).collect();
                let array = self.array(*array);
                let elements = shape.iter().try_fold(1usize, |n, &len| n.checked_mul(len));
                if !shape.contains(&0) && elements != Some(array.len())
                    || shape.contains(&0) && array.len() != 0
                {
                    let wanted = elements.map_or(u64::MAX, |n| n as u64);
                    let operands = [Const::u64(array.len() as u64), Const::u64(wanted)];
                    return Err(fault(Fault::ShapeMismatch, operands, place));
                }
                Datum::Array(array.reshaped(shape))
            }
            Expr::Check(check) => {
                if self.scalar(check.cond).bits == 0 {
                    let operands: Vec<Const> = check
                        .operands
                        .iter()
                        .map(|&atom| self.scalar(atom))
                        .collect();
                    return Err(fault(check.fault.clone(), operands, place));
                }
                return Ok(());
            }
            Expr::If(cond, then, other) => {
                let taken = if self.scalar(*cond).bits != 0 {
                    then
                } else {
                    other
                };
                let results = self.block(taken)?;
                return self.bind_all(&stmt.defs, results);
            }
            Expr::Loop(inner) => {
                let results = self.looping(inner)?;
                return self.bind_all(&stmt.defs, results);
            }
            Expr::Par(par) => {
                let results = self.par(par, place)?;
                return self.bind_all(&stmt.defs, results);
            }
        };
        self.bind(stmt.defs[0], value);
        Ok(())
    }

    fn bind_all(&mut self, vars: &[Var], values: Vec<Datum>) -> Result<(), Failure> {
        for (&var, value) in vars.iter().zip(values) {
            self.bind(var, value);
        }
        Ok(())
    }

    fn op(&self, op: ScalarOp, atoms: &[Atom], place: Place) -> Result<Const, Failure> {
        let mut operands = [Const::bool(false); 3];
        for (operand, &atom) in operands.iter_mut().zip(atoms) {
            *operand = self.scalar(atom);
        }
        apply(op, &operands[..atoms.len()], place)
    }

    /// The number of the first element that an access reaches, and the rank of what it reaches.
    fn locate(&self, index: &Index, place: Place) -> Result<(usize, usize), Failure> {
        let array = self.array(index.array);
        let mut first = 0;
        for (&atom, &length) in index.indices.iter().zip(&array.shape) {
            let at = self.scalar(atom);
            if at.bits >= length as u64 {
                let operands = [at, Const::u64(length as u64)];
                return Err(fault(Fault::IndexOutOfBounds, operands, place));
            }
            first = first * length + at.bits as usize;
        }
        let (_, inner) = array.shape.split_at(index.indices.len());
        Ok((first * inner.iter().product::<usize>(), inner.len()))
    }

    fn build(&self, atoms: &[Atom], stmt: &Stmt) -> Result<Array, Failure> {
        let ty = self.func.ty(stmt.defs[0]);
        let shape = self.shape(ty);
        let mut column = Column::room(ty.elem, &shape, stmt.place)?;
        for &atom in atoms {
            column.push(&self.value(atom))?;
        }
        Ok(column.finish(shape))
    }

    fn looping(&mut self, inner: &Loop) -> Result<Vec<Datum>, Failure> {
        let names: Vec<Var> = inner.carried.iter().map(|&(var, _)| var).collect();
        let mut values: Vec<Datum> = inner
            .carried
            .iter()
            .map(|&(_, init)| self.value(init))
            .collect();
        let mut round = 0;
        loop {
            let more = match &inner.kind {
                LoopKind::For { index, extent } => {
                    self.bind(*index, Datum::Scalar(Const::u64(round)));
                    round < self.scalar(*extent).bits
                }
                LoopKind::While(cond) => {
                    self.bind_all(&names, values)?;
                    let more = matches!(self.block(cond)?[..], [Datum::Scalar(c)] if c.bits != 0);
                    values = self.release(&names);
                    more
                }
            };
            if !more {
                return Ok(values);
            }
            self.bind_all(&names, values)?;
            values = self.block(&inner.body)?;
            self.release(&names);
            round += 1;
        }
    }

    /// Takes values from their names.
    fn release(&mut self, names: &[Var]) -> Vec<Datum> {
        let take = |&var: &Var| std::mem::replace(&mut self.names[var.0 as usize], Datum::Nothing);
        names.iter().map(take).collect()
    }
}

/// The value of a scalar operation.
pub fn apply(op: ScalarOp, operands: &[Const], place: Place) -> Result<Const, Failure> {
    match op.eval(operands) {
        Some(Ok(value)) => Ok(value),
        Some(Err(over @ (Fault::DivideOverflow | Fault::RemainderOverflow))) => {
            Err(fault(over, operands, place))
        }
        Some(Err(other)) => Err(fault(other, [], place)),
        None => unreachable!("compile has refused {}", op.name()),
    }
}

fn constant(data: &Data, place: Place) -> Result<Array, Failure> {
    let mut column = Column::room(data.elem, &data.shape, place)?;
    for &bits in data.bits.iter() {
        column.push_scalar(Const {
            ty: data.elem,
            bits,
        })?;
    }
    Ok(column.finish(data.shape.clone()))
}
