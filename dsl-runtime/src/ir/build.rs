//! Makes statements: from an operation and its operands to a statement with fresh names of the right types, at the
//! current place, at the end of the innermost open block. Folds nothing and checks nothing: `verify` does.

use super::{
    Atom, Block, Check, Combine, Data, Expr, Fault, Func, Index, Lambda, Loop, LoopKind, Par,
    Place, ScalarOp, ScalarType, Sink, SinkKind, Stmt, Type, Var,
};

/// Makes statements of one function.
///
/// ```
/// use dsl_runtime::ir::{Atom, Func, ScalarOp, ScalarType, Type, build::Builder};
/// let mut func = Func::empty("double");
/// let n = func.var("n", Type::index());
/// let x = func.var("x", Type::array(ScalarType::F64, [n.into()]));
/// func.sizes.push(n);
/// func.params.push(x);
/// let mut b = Builder::new(&mut func);
/// let y = b.par("i", n, false, |b, i| {
///     let v = b.index(x, [i]);
///     let w = b.op(ScalarOp::Add, [v, v]);
///     let sink = b.collect(w);
///     vec![sink]
/// });
/// b.ret([y[0].into()]);
/// ```
pub struct Builder<'f> {
    /// The function: names are made in it; its body is written by [`Builder::ret`].
    pub func: &'f mut Func,
    /// The place of the statements to come.
    pub place: Place,
    open: Vec<Vec<Stmt>>,
}

impl<'f> Builder<'f> {
    /// Builds the outermost block.
    pub fn new(func: &'f mut Func) -> Builder<'f> {
        Builder {
            func,
            place: Place::default(),
            open: vec![vec![]],
        }
    }

    /// Ends the outermost block: its statements are appended to the function's body, and its results are these.
    pub fn ret(self, results: impl Into<Vec<Atom>>) {
        let (mut stmts, func) = self.finish();
        func.body.stmts.append(&mut stmts);
        func.body.results = results.into();
    }

    /// Ends the outermost block and hands its statements out.
    ///
    /// # Panics
    /// Where an inner block is still open.
    pub fn finish(mut self) -> (Vec<Stmt>, &'f mut Func) {
        let stmts = self.open.pop().expect("the outermost block");
        assert!(self.open.is_empty(), "{} blocks are open", self.open.len());
        (stmts, self.func)
    }

    /// Opens a block inside: statements go there until [`Builder::end`].
    pub fn begin(&mut self) {
        self.open.push(vec![]);
    }

    /// Closes the innermost block.
    ///
    /// # Panics
    /// Where none was opened by [`Builder::begin`].
    pub fn end(&mut self, results: impl Into<Vec<Atom>>) -> Block {
        assert!(self.open.len() > 1, "no inner block is open");
        Block {
            stmts: self.open.pop().expect("more than one"),
            results: results.into(),
        }
    }

    /// The block that `f` fills; `f` returns its results.
    pub fn block(&mut self, f: impl FnOnce(&mut Builder<'f>) -> Vec<Atom>) -> Block {
        self.begin();
        let results = f(self);
        self.end(results)
    }

    /// A fresh name.
    pub fn var(&mut self, name: impl Into<String>, ty: Type) -> Var {
        self.func.var(name, ty)
    }

    /// Appends a statement as it is.
    pub fn push_stmt(&mut self, stmt: Stmt) {
        self.open.last_mut().expect("an open block").push(stmt);
    }

    /// Appends a statement that binds these names.
    pub fn push(&mut self, defs: impl Into<Vec<Var>>, expr: Expr) {
        let place = self.place;
        self.push_stmt(Stmt {
            defs: defs.into(),
            expr,
            place,
        });
    }

    /// Appends a statement with one result of type `ty`.
    pub fn bind(&mut self, name: &str, ty: Type, expr: Expr) -> Var {
        let var = self.var(name, ty);
        self.push([var], expr);
        var
    }

    /// The type of an operand.
    pub fn ty(&self, atom: Atom) -> Type {
        self.func.atom_type(atom)
    }

    /// A scalar operation.
    ///
    /// # Panics
    /// Where the operands' types do not fit its row.
    pub fn op(&mut self, op: ScalarOp, operands: impl Into<Vec<Atom>>) -> Atom {
        let operands = operands.into();
        let types: Vec<ScalarType> = operands.iter().map(|&atom| self.ty(atom).elem).collect();
        let Some(ty) = op.result(&types) else {
            panic!("{} does not take {types:?}", op.name());
        };
        self.bind("t", Type::scalar(ty), Expr::Op(op, operands))
            .into()
    }

    /// `cast`.
    pub fn cast(&mut self, to: ScalarType, value: Atom) -> Atom {
        self.bind("t", Type::scalar(to), Expr::Cast(to, value))
            .into()
    }

    /// `bits`.
    pub fn bits(&mut self, to: ScalarType, value: Atom) -> Atom {
        self.bind("t", Type::scalar(to), Expr::Bits(to, value))
            .into()
    }

    fn access(&mut self, array: Var, indices: Vec<Atom>, checked: bool) -> Atom {
        let ty = self.func.ty(array);
        let inner = Type::array(ty.elem, &ty.shape[indices.len()..]);
        let index = Index {
            array,
            indices,
            checked,
        };
        self.bind("t", inner, Expr::Index(index)).into()
    }

    /// `index`: an element, or the sub-array where there are fewer indices than dimensions.
    pub fn index(&mut self, array: Var, indices: impl Into<Vec<Atom>>) -> Atom {
        self.access(array, indices.into(), true)
    }

    /// `index.in`: proven to lie inside.
    pub fn index_in(&mut self, array: Var, indices: impl Into<Vec<Atom>>) -> Atom {
        self.access(array, indices.into(), false)
    }

    /// `update`, checked.
    pub fn update(&mut self, array: Var, indices: impl Into<Vec<Atom>>, value: Atom) -> Var {
        let index = Index {
            array,
            indices: indices.into(),
            checked: true,
        };
        self.bind("t", self.func.ty(array).clone(), Expr::Update(index, value))
    }

    /// `array` of at least one element.
    ///
    /// # Panics
    /// Where there is no element: nothing tells its type.
    pub fn array(&mut self, elements: impl Into<Vec<Atom>>) -> Var {
        let elements = elements.into();
        let inner = self.ty(*elements.first().expect("an element"));
        let mut shape = vec![Atom::size(elements.len() as u64)];
        shape.extend(inner.shape);
        self.bind("t", Type::array(inner.elem, shape), Expr::Array(elements))
    }

    /// `data`.
    pub fn data(&mut self, data: Data) -> Var {
        let shape: Vec<Atom> = data.shape.iter().map(|&n| Atom::size(n as u64)).collect();
        self.bind("t", Type::array(data.elem, shape), Expr::Data(data))
    }

    /// `reshape`.
    pub fn reshape(&mut self, array: Var, shape: impl Into<Vec<Atom>>) -> Var {
        let shape = shape.into();
        let ty = Type::array(self.func.ty(array).elem, shape.clone());
        self.bind("t", ty, Expr::Reshape(array, shape))
    }

    /// `check`.
    pub fn check(&mut self, fault: Fault, cond: Atom, operands: impl Into<Vec<Atom>>) {
        let check = Check {
            cond,
            fault,
            operands: operands.into(),
        };
        self.push([], Expr::Check(check));
    }

    /// Fresh names for `values` of a block that ends: a value in the type of another becomes the name of that one.
    fn rebind(&mut self, values: &[(String, Atom)]) -> Vec<Var> {
        let mut fresh: Vec<Var> = vec![];
        for (name, value) in values {
            let mut ty = self.ty(*value);
            for size in &mut ty.shape {
                let at = values[..fresh.len()]
                    .iter()
                    .position(|(_, known)| known == size);
                if let (Some(at), Atom::Var(_)) = (at, *size) {
                    *size = fresh[at].into();
                }
            }
            fresh.push(self.var(name.clone(), ty));
        }
        fresh
    }

    /// `if`. The names of the results have the types of the results of `then`, where a size that is itself an earlier
    /// result becomes the name of that result.
    pub fn branch(
        &mut self,
        cond: Atom,
        then: impl FnOnce(&mut Builder<'f>) -> Vec<Atom>,
        other: impl FnOnce(&mut Builder<'f>) -> Vec<Atom>,
    ) -> Vec<Var> {
        let then = self.block(then);
        let other = self.block(other);
        let values: Vec<_> = then
            .results
            .iter()
            .map(|&atom| ("t".into(), atom))
            .collect();
        let defs = self.rebind(&values);
        self.push(defs.clone(), Expr::If(cond, then, other));
        defs
    }

    /// A carried name for each first value, typed like [`Builder::branch`] types its results.
    fn carry(&mut self, inits: &[(&str, Atom)]) -> Vec<Var> {
        let values: Vec<_> = inits
            .iter()
            .map(|&(name, atom)| (name.into(), atom))
            .collect();
        self.rebind(&values)
    }

    fn close_loop(
        &mut self,
        kind: LoopKind,
        names: Vec<Var>,
        inits: &[(&str, Atom)],
        body: Block,
    ) -> Vec<Var> {
        let values: Vec<_> = names
            .iter()
            .map(|&var| (self.func.vars[var.0 as usize].name.clone(), var.into()))
            .collect();
        let defs = self.rebind(&values);
        let carried = names
            .into_iter()
            .zip(inits.iter().map(|&(_, init)| init))
            .collect();
        self.push(
            defs.clone(),
            Expr::Loop(Loop {
                kind,
                carried,
                body,
            }),
        );
        defs
    }

    /// `loop for`: `inits` are names and first values; `body` gets the counter and the carried names and returns the
    /// next values.
    pub fn counted(
        &mut self,
        extent: impl Into<Atom>,
        inits: &[(&str, Atom)],
        body: impl FnOnce(&mut Builder<'f>, Atom, &[Var]) -> Vec<Atom>,
    ) -> Vec<Var> {
        let names = self.carry(inits);
        let index = self.var("i", Type::index());
        let body = self.block(|b| body(b, index.into(), &names));
        let extent = extent.into();
        self.close_loop(LoopKind::For { index, extent }, names, inits, body)
    }

    /// `loop while`: `cond` returns a `bool`, `body` the next values.
    pub fn repeat(
        &mut self,
        inits: &[(&str, Atom)],
        cond: impl FnOnce(&mut Builder<'f>, &[Var]) -> Atom,
        body: impl FnOnce(&mut Builder<'f>, &[Var]) -> Vec<Atom>,
    ) -> Vec<Var> {
        let names = self.carry(inits);
        let cond = self.block(|b| vec![cond(b, &names)]);
        let body = self.block(|b| body(b, &names));
        self.close_loop(LoopKind::While(cond), names, inits, body)
    }

    /// `par`: `body` gets the index and returns the sinks. The results are those of the sinks in order.
    pub fn par(
        &mut self,
        index: &str,
        extent: impl Into<Atom>,
        inner: bool,
        body: impl FnOnce(&mut Builder<'f>, Atom) -> Vec<Sink>,
    ) -> Vec<Var> {
        let index = self.var(index, Type::index());
        self.begin();
        let sinks = body(self, index.into());
        let body = self.end([]);
        let par = Par {
            index,
            extent: extent.into(),
            body,
            sinks,
            inner,
            levels: vec![],
        };
        self.push_par(par)
    }

    /// Appends a par whose parts exist already; its results get fresh names.
    pub fn push_par(&mut self, par: Par) -> Vec<Var> {
        let mut defs = vec![];
        for sink in &par.sinks {
            self.sink_results(sink, par.extent, &mut defs);
        }
        self.push(defs.clone(), Expr::Par(par));
        defs
    }

    fn sink_results(&mut self, sink: &Sink, extent: Atom, defs: &mut Vec<Var>) {
        let mut lead = extent;
        let values = match sink.kind {
            SinkKind::Filter => {
                let kept = self.var("n", Type::index());
                defs.push(kept);
                lead = kept.into();
                &sink.values[1..]
            }
            SinkKind::Reduce | SinkKind::Scatter | SinkKind::ScatterWith => &sink.outer[..],
            _ => &sink.values[..],
        };
        for &value in values {
            let mut ty = self.ty(value);
            if !matches!(
                sink.kind,
                SinkKind::Reduce | SinkKind::Scatter | SinkKind::ScatterWith
            ) {
                ty.shape.insert(0, lead);
            }
            let def = self.var("t", ty);
            defs.push(def);
        }
    }

    /// A sink of any kind, at the current place.
    pub fn sink(
        &self,
        kind: SinkKind,
        combine: Option<Combine>,
        outer: impl Into<Vec<Atom>>,
        values: impl Into<Vec<Atom>>,
    ) -> Sink {
        Sink {
            kind,
            outer: outer.into(),
            values: values.into(),
            combine,
            place: self.place,
        }
    }

    /// `collect`.
    pub fn collect(&self, value: Atom) -> Sink {
        self.sink(SinkKind::Collect, None, [], [value])
    }

    /// `reduce` with an operation of the table.
    pub fn reduce(&self, op: ScalarOp, start: Atom, value: Atom) -> Sink {
        self.sink(SinkKind::Reduce, Some(Combine::Op(op)), [start], [value])
    }

    /// A combining function of k pairs of these types; `body` gets the left and the right k and returns k values.
    pub fn lambda(
        &mut self,
        types: &[ScalarType],
        body: impl FnOnce(&mut Builder<'f>, &[Atom], &[Atom]) -> Vec<Atom>,
    ) -> Lambda {
        let both = ["a", "b"].map(|name| {
            let params = types.iter().map(|&ty| self.var(name, Type::scalar(ty)));
            params.collect::<Vec<Var>>()
        });
        let params = both.concat();
        let atoms: Vec<Atom> = params.iter().map(|&var| var.into()).collect();
        let (left, right) = atoms.split_at(types.len());
        let body = self.block(|b| body(b, left, right));
        Lambda { params, body }
    }
}
