//! Whether a function is a valid program: from a function to everything that is wrong with it.
//!
//! **Names.** Every name is bound once: as a size, a parameter, a result of a statement, an index, a counter, a carried
//! name, or a parameter of a lambda. It is visible from there to the end of its block and in the blocks inside; the
//! results of a statement not in its own blocks. The sinks of a par see the names of its body; a lambda sees what is
//! visible outside the par, and its parameters.
//!
//! **Sizes.** What stands in a shape is a `u64` and visible where the name is bound; the type of a result may name an
//! earlier result of the same statement, that of a carried name an earlier carried name. The shape of a parameter
//! consists of sizes of the function and constants, and each size stands in one at least. Two shapes are equal if their
//! atoms are, or if checks that stand before say that they are. Where values leave a block (`if`, `loop`), a size that leaves with them is known by its new name.
//! The shape of what a par collects does not depend on the iteration.
//!
//! **Types.** Every result has the type that its expression gives it. Operands of scalar operations are scalars of the
//! types of the row; indices, extents and lengths are `u64`; conditions are `bool`. `cast` takes any scalar, `bits` any
//! but `bool` to the same width. An access has at least one index and not more than dimensions. A combining operation is
//! a row whose law says that it reduces, of one value; a lambda takes twice as many scalars as there are values. All
//! destinations of a scatter are equally long. A check has as many operands as its fault's text. The number of
//! elements of a `reshape` is not verified: it may depend on the run.
//!
//! **Stages.** [`Stage::Typed`]: no par has a level. [`Stage::Scheduled`]: every par has levels, outer before inner.

use super::print::Printer;
use super::types::Class;
use super::{
    Atom, Block, Check, Combine, Data, Expr, Fault, Func, Index, Lambda, Loop, LoopKind, Par,
    Place, ScalarOp, ScalarType, Sink, SinkKind, Stmt, Type, Var, print, walk,
};
use std::collections::HashMap;
use std::fmt;

/// How far a function has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// As elaborated, or optimised.
    Typed,
    /// After `schedule`.
    Scheduled,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// What.
    pub message: String,
    /// The statement, counted in the order of the text from 0; `None` for the signature and the results.
    pub stmt: Option<usize>,
    /// Where the user wrote it.
    pub place: Place,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with a function.
///
/// ```
/// use dsl_runtime::ir::{parse::parse, verify::{Stage, verify}};
/// let module = parse("func @f(%x: f32) -> f64 {\n  %y: f64 = add %x, 1.0\n  return %y\n}").unwrap();
/// let violations = verify(&module.funcs[0], Stage::Typed).unwrap_err();
/// assert_eq!(violations[0].to_string(), "add does not take (f32, f64)");
/// ```
pub fn verify(func: &Func, stage: Stage) -> Result<(), Vec<Violation>> {
    let mut verifier = Verifier {
        func,
        stage,
        bound: vec![false; func.vars.len()],
        visible: vec![false; func.vars.len()],
        scope: vec![],
        compared: HashMap::new(),
        equal: vec![],
        count: 0,
        stmt: None,
        place: Place::default(),
        printer: None,
        found: vec![],
    };
    verifier.func();
    if verifier.found.is_empty() {
        Ok(())
    } else {
        Err(verifier.found)
    }
}

/// The function with each violation as a comment before its statement; those of no statement stand first.
pub fn annotate(func: &Func, violations: &[Violation]) -> String {
    let notes = violations
        .iter()
        .map(|v| (v.stmt, format!("; error: {}", v.message)));
    print::print_with_notes(func, notes.collect())
}

struct Verifier<'f> {
    func: &'f Func,
    stage: Stage,
    bound: Vec<bool>,
    visible: Vec<bool>,
    /// The visible names in the order in which they were bound.
    scope: Vec<Var>,
    /// Comparisons of `u64` that are visible: the name of the answer, and what is compared.
    compared: HashMap<Var, [Atom; 2]>,
    /// What checks say to be equal: each first one means its second one, in this order.
    equal: Vec<(Atom, Atom)>,
    /// Statements seen.
    count: usize,
    /// The statement under way.
    stmt: Option<usize>,
    place: Place,
    /// For the texts of names.
    printer: Option<Printer<'f>>,
    found: Vec<Violation>,
}

impl<'f> Verifier<'f> {
    fn error(&mut self, message: impl Into<String>) {
        self.found.push(Violation {
            message: message.into(),
            stmt: self.stmt,
            place: self.place,
        });
    }

    fn printer(&mut self) -> &Printer<'f> {
        let func = self.func;
        self.printer
            .get_or_insert_with(|| Printer::new(func, false))
    }

    fn text(&mut self, atom: Atom) -> String {
        self.printer().atom(atom, Some(ScalarType::U64))
    }

    fn type_text(&mut self, ty: &Type) -> String {
        self.printer().type_text(ty)
    }

    // Names.

    fn known(&self, var: Var) -> bool {
        (var.0 as usize) < self.func.vars.len()
    }

    /// Binds a name whose type names only what is visible.
    fn bind(&mut self, var: Var) {
        if !self.known(var) {
            let text = self.text(var.into());
            return self.error(format!("{text} is not in the table of names"));
        }
        let func = self.func;
        for &size in &func.ty(var).shape {
            self.scalar(size, ScalarType::U64, "a length");
        }
        if std::mem::replace(&mut self.bound[var.0 as usize], true) {
            let text = self.text(var.into());
            self.error(format!("{text} is bound more than once"));
        }
        self.visible[var.0 as usize] = true;
        self.scope.push(var);
    }

    fn bind_index(&mut self, var: Var, what: &str) {
        self.bind(var);
        if self.known(var) && *self.func.ty(var) != Type::index() {
            let text = self.text(var.into());
            self.error(format!("{what} {text} is not u64"));
        }
    }

    /// What `f` binds is visible only there.
    fn scoped<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> T {
        let (outside, equal) = (self.scope.len(), self.equal.len());
        let result = f(self);
        self.equal.truncate(equal);
        for var in self.scope.drain(outside..) {
            self.visible[var.0 as usize] = false;
        }
        result
    }

    /// The type of an operand; `None` if it is not visible, which is reported.
    fn ty(&mut self, atom: Atom) -> Option<Type> {
        match atom {
            Atom::Var(var) if self.visible.get(var.0 as usize) == Some(&true) => {
                Some(self.func.ty(var).clone())
            }
            Atom::Var(_) => {
                let text = self.text(atom);
                self.error(format!("{text} is not visible here"));
                None
            }
            Atom::Const(value) => {
                let most = match value.ty {
                    ScalarType::Bool => 1,
                    ty => u64::MAX >> (64 - ty.bits()),
                };
                if value.bits > most {
                    self.error(format!("{:#x} has more bits than {}", value.bits, value.ty));
                }
                Some(Type::scalar(value.ty))
            }
        }
    }

    fn types(&mut self, atoms: &[Atom]) -> Option<Vec<Type>> {
        let types: Vec<_> = atoms.iter().map(|&atom| self.ty(atom)).collect();
        types.into_iter().collect()
    }

    fn scalar(&mut self, atom: Atom, wanted: ScalarType, what: &str) {
        if let Some(ty) = self.ty(atom)
            && ty != Type::scalar(wanted)
        {
            let (text, ty) = (self.text(atom), self.type_text(&ty));
            self.error(format!("{what} is {wanted}, but {text} is {ty}"));
        }
    }

    /// Notes what a condition that holds says of sizes.
    fn learn(&mut self, cond: Atom) {
        let sides = cond.as_var().and_then(|var| self.compared.get(&var));
        if let Some([a, b]) = sides.map(|sides| sides.map(|side| self.meant(side)))
            && a != b
        {
            self.equal.push((a, b));
        }
    }

    /// The size that stands for all that are equal to it.
    fn meant(&self, size: Atom) -> Atom {
        let step = |size, &(from, to)| if size == from { to } else { size };
        self.equal.iter().fold(size, step)
    }

    fn agrees(&self, found: &Type, wanted: &Type) -> bool {
        let same = |(&a, &b): (&Atom, &Atom)| a == b || self.meant(a) == self.meant(b);
        found.elem == wanted.elem
            && found.shape.len() == wanted.shape.len()
            && found.shape.iter().zip(&wanted.shape).all(same)
    }

    fn equal(&mut self, found: &Type, wanted: &Type, what: &str) {
        if !self.agrees(found, wanted) {
            let (found, wanted) = (self.type_text(found), self.type_text(wanted));
            self.error(format!("{what} is {found}, but must be {wanted}"));
        }
    }

    fn count(&mut self, found: usize, wanted: usize, what: &str) -> bool {
        if found != wanted {
            self.error(format!("{what}: {found}, but must be {wanted}"));
        }
        found == wanted
    }

    // Statements.

    fn func(&mut self) {
        let func = self.func;
        for &size in &func.sizes {
            self.bind_index(size, "the size");
        }
        for &param in &func.params {
            self.bind(param);
            if self.known(param) {
                for size in walk::sizes(func.ty(param)) {
                    if !func.sizes.contains(&size) {
                        let (size, param) = (self.text(size.into()), self.text(param.into()));
                        self.error(format!(
                            "{size} in the type of {param} is no size of the function"
                        ));
                    }
                }
            }
        }
        for &size in &func.sizes {
            let stands = |&&param: &&Var| {
                self.known(param) && walk::sizes(func.ty(param)).any(|known| known == size)
            };
            if !func.params.iter().any(|param| stands(&param)) {
                let size = self.text(size.into());
                self.error(format!("the size {size} stands in no parameter"));
            }
        }
        self.block(&func.body);
        self.stmt = None;
        self.types(&func.body.results);
    }

    /// The statements of a block, whose names stay visible.
    fn block(&mut self, block: &Block) {
        for stmt in &block.stmts {
            let before = (self.stmt, self.place);
            self.stmt = Some(self.count);
            self.place = stmt.place;
            self.count += 1;
            self.stmt(stmt);
            (self.stmt, self.place) = before;
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        let expected = self.expr(&stmt.expr, &stmt.defs);
        for &def in &stmt.defs {
            self.bind(def);
        }
        let Some(expected) = expected else { return };
        if self.count(stmt.defs.len(), expected.len(), "results") {
            for (&def, wanted) in stmt.defs.iter().zip(&expected) {
                if self.known(def) {
                    let text = self.text(def.into());
                    self.equal(self.func.ty(def), wanted, &text);
                }
            }
        }
    }

    /// The types of the results, which are called `defs`; `None` where a mistake hides them.
    fn expr(&mut self, expr: &Expr, defs: &[Var]) -> Option<Vec<Type>> {
        let one = |ty| Some(vec![ty]);
        match expr {
            Expr::Op(op, atoms) => {
                if let (ScalarOp::Eq, [answer], &[a, b]) = (op, defs, &atoms[..]) {
                    self.compared.insert(*answer, [a, b]);
                }
                self.op(*op, atoms).and_then(|ty| one(Type::scalar(ty)))
            }
            Expr::Cast(to, atom) => {
                let ty = self.ty(*atom)?;
                if !ty.is_scalar() {
                    self.error("cast takes a scalar");
                }
                one(Type::scalar(*to))
            }
            Expr::Bits(to, atom) => {
                let ty = self.ty(*atom)?;
                let bool = [ty.elem, *to].iter().any(|ty| ty.class() == Class::Bool);
                if !ty.is_scalar() || bool || ty.elem.bits() != to.bits() {
                    let ty = self.type_text(&ty);
                    self.error(format!(
                        "bits takes scalars of equal width, none of them bool, but not {ty} to {to}"
                    ));
                }
                one(Type::scalar(*to))
            }
            Expr::Index(index) => self.access(index).and_then(one),
            Expr::Update(index, value) => {
                let inner = self.access(index);
                let value = self.ty(*value)?;
                self.equal(&value, &inner?, "the new value");
                one(self.func.ty(index.array).clone())
            }
            Expr::Array(atoms) => self.array(atoms, defs).and_then(one),
            Expr::Data(data) => one(self.data(data)),
            Expr::Reshape(array, shape) => {
                let ty = self.ty((*array).into());
                for &size in shape {
                    self.scalar(size, ScalarType::U64, "a length");
                }
                one(Type::array(ty?.elem, shape.clone()))
            }
            Expr::Check(check) => {
                self.check(check);
                self.learn(check.cond);
                Some(vec![])
            }
            Expr::If(cond, then, other) => {
                self.scalar(*cond, ScalarType::Bool, "the condition of `if`");
                for block in [then, other] {
                    self.scoped(|v| {
                        v.block(block);
                        v.yields(&block.results, defs);
                    });
                }
                self.declared(defs)
            }
            Expr::Loop(inner) => self.looping(inner, defs),
            Expr::Par(par) => self.par(par, defs),
        }
    }

    fn op(&mut self, op: ScalarOp, atoms: &[Atom]) -> Option<ScalarType> {
        let types = self.types(atoms)?;
        let scalars: Vec<ScalarType> = types.iter().map(|ty| ty.elem).collect();
        let result = op
            .result(&scalars)
            .filter(|_| types.iter().all(Type::is_scalar));
        if result.is_none() {
            let types: Vec<String> = types.iter().map(|ty| self.type_text(ty)).collect();
            self.error(format!(
                "{} does not take ({})",
                op.name(),
                types.join(", ")
            ));
        }
        result
    }

    /// The type of what an access reaches.
    fn access(&mut self, index: &Index) -> Option<Type> {
        for &atom in &index.indices {
            self.scalar(atom, ScalarType::U64, "an index");
        }
        let ty = self.ty(index.array.into())?;
        let given = index.indices.len();
        if given == 0 || given > ty.rank() {
            let array = self.text(index.array.into());
            self.error(format!(
                "{given} indices into {array}, whose rank is {}",
                ty.rank()
            ));
            return None;
        }
        Some(Type::array(ty.elem, &ty.shape[given..]))
    }

    fn array(&mut self, atoms: &[Atom], defs: &[Var]) -> Option<Type> {
        let types = self.types(atoms)?;
        let Some(first) = types.first() else {
            let &def = defs.first().filter(|&&def| self.known(def))?;
            let mut ty = self.func.ty(def).clone();
            if ty.is_scalar() {
                ty.shape.push(Atom::size(0));
            }
            ty.shape[0] = Atom::size(0);
            return Some(ty);
        };
        for ty in &types {
            self.equal(ty, first, "an element");
        }
        let mut shape = vec![Atom::size(atoms.len() as u64)];
        shape.extend(&first.shape);
        Some(Type::array(first.elem, shape))
    }

    fn data(&mut self, data: &Data) -> Type {
        let product = data
            .shape
            .iter()
            .try_fold(1usize, |n, &len| n.checked_mul(len));
        if product != Some(data.bits.len()) {
            self.error(format!(
                "{} elements do not fill the shape",
                data.bits.len()
            ));
        }
        let elements = data.bits.iter().map(|&bits| super::Const {
            ty: data.elem,
            bits,
        });
        let errors = self.found.len();
        for element in elements {
            self.ty(element.into());
            if self.found.len() > errors {
                break;
            }
        }
        let shape: Vec<Atom> = data
            .shape
            .iter()
            .map(|&len| Atom::size(len as u64))
            .collect();
        Type::array(data.elem, shape)
    }

    fn check(&mut self, check: &Check) {
        self.scalar(check.cond, ScalarType::Bool, "the condition of `check`");
        for ty in self.types(&check.operands).unwrap_or_default() {
            if !ty.is_scalar() {
                self.error("the operands of a check are scalars");
            }
        }
        if !matches!(check.fault, Fault::Assert(_)) {
            let text = check.fault.text();
            let wanted = (0..3).filter(|n| text.contains(&format!("{{{n}}}")));
            let (found, wanted) = (check.operands.len(), wanted.count());
            if !text.contains("..}") || found <= wanted {
                let what = format!("operands of `{}`", check.fault.name());
                self.count(found, wanted, &what);
            }
        }
    }

    /// Values that are called `names` elsewhere must have the types of these names, where a name that is one of `names`
    /// means its value.
    fn agree(&mut self, names: &[Var], values: &[Atom], types: &[Type], what: &str) {
        for (at, found) in types.iter().enumerate() {
            if !self.known(names[at]) {
                continue;
            }
            let mut wanted = self.func.ty(names[at]).clone();
            for size in &mut wanted.shape {
                if let Some(at) = names.iter().position(|&name| *size == name.into()) {
                    *size = values[at];
                }
            }
            let value = self.text(values[at]);
            self.equal(found, &wanted, &format!("{what} {value}"));
        }
    }

    /// What a block yields, for `names`.
    fn yields(&mut self, results: &[Atom], names: &[Var]) {
        let types = self.types(results);
        if self.count(results.len(), names.len(), "values that the block yields")
            && let Some(types) = types
        {
            self.agree(names, results, &types, "the yielded");
        }
    }

    /// The types of names that [`Verifier::agree`] has compared already.
    fn declared(&self, defs: &[Var]) -> Option<Vec<Type>> {
        let types = defs
            .iter()
            .map(|&def| self.known(def).then(|| self.func.ty(def).clone()));
        types.collect()
    }

    fn looping(&mut self, inner: &Loop, defs: &[Var]) -> Option<Vec<Type>> {
        let (names, inits): (Vec<Var>, Vec<Atom>) = inner.carried.iter().copied().unzip();
        let types = self.types(&inits);
        if let LoopKind::For { extent, .. } = inner.kind {
            self.scalar(extent, ScalarType::U64, "the number of rounds");
        }
        self.scoped(|v| {
            if let LoopKind::For { index, .. } = inner.kind {
                v.bind_index(index, "the counter");
            }
            names.iter().for_each(|&name| v.bind(name));
            if let Some(types) = types {
                v.agree(&names, &inits, &types, "the first value");
            }
            if let LoopKind::While(cond) = &inner.kind {
                v.scoped(|v| {
                    v.block(cond);
                    if v.count(cond.results.len(), 1, "values that the condition yields") {
                        v.scalar(
                            cond.results[0],
                            ScalarType::Bool,
                            "the condition of the loop",
                        );
                    }
                });
            }
            v.block(&inner.body);
            v.yields(&inner.body.results, &names);
        });
        if !self.count(defs.len(), names.len(), "results of the loop") {
            return None;
        }
        let types = self.declared(defs)?;
        let values: Vec<Atom> = defs.iter().map(|&def| def.into()).collect();
        self.agree(&names, &values, &types, "the result");
        Some(types)
    }

    fn par(&mut self, par: &Par, defs: &[Var]) -> Option<Vec<Type>> {
        self.scalar(par.extent, ScalarType::U64, "the number of iterations");
        let scheduled = !par.levels.is_empty();
        if scheduled != (self.stage == Stage::Scheduled) {
            self.error(if scheduled {
                "a par has levels before it is scheduled"
            } else {
                "a scheduled par has no level"
            });
        }
        if !par.levels.is_sorted_by(|a, b| a < b) {
            self.error("the levels of a par stand outer before inner, each once");
        }
        if !par.body.results.is_empty() {
            self.error("the body of a par yields nothing: its sinks do");
        }
        let values = self.scoped(|v| {
            v.bind_index(par.index, "the index");
            v.block(&par.body);
            let values = par.sinks.iter().map(|sink| v.types(&sink.values));
            values.collect::<Vec<_>>()
        });
        let mut results = vec![];
        let mut complete = true;
        for (sink, values) in par.sinks.iter().zip(values) {
            let outside = self.place;
            self.place = sink.place;
            let outer = self.types(&sink.outer);
            let count = match (&values, &outer) {
                (Some(values), Some(outer)) => self.sink(sink, outer, values),
                _ => None,
            };
            if let Some(Combine::Lambda(lambda)) = &sink.combine {
                self.scoped(|v| v.lambda(lambda));
            }
            self.place = outside;
            match (count, values, outer) {
                (Some(count), Some(values), Some(outer)) => {
                    let at = results.len();
                    let lead = match sink.kind {
                        SinkKind::Filter => defs.get(at).map(|&def| def.into()),
                        _ => Some(par.extent),
                    };
                    let lead = lead.unwrap_or(par.extent);
                    results.extend(sink_results(sink.kind, lead, outer, values));
                    complete &= results.len() == at + count;
                }
                _ => complete = false,
            }
        }
        complete.then_some(results)
    }

    /// Verifies the operands of a sink and gives the number of its results.
    fn sink(&mut self, sink: &Sink, outer: &[Type], values: &[Type]) -> Option<usize> {
        let name = sink.kind.name();
        if sink.combine.is_some() != sink.kind.combines() {
            let hint = if sink.kind.combines() {
                "needs"
            } else {
                "takes no"
            };
            self.error(format!("{name} {hint} combining function"));
            return None;
        }
        // Values that combine, by pairs of what stands outside and inside.
        let (pairs, fits): (&[Type], bool) = match sink.kind {
            SinkKind::Collect => (&[], outer.is_empty() && values.len() == 1),
            SinkKind::Filter => (&[], outer.is_empty() && !values.is_empty()),
            SinkKind::Scatter | SinkKind::ScatterWith => {
                let fits = !outer.is_empty() && values.len() == outer.len() + 1;
                (values.get(1..).unwrap_or(&[]), fits)
            }
            _ => (values, !outer.is_empty() && values.len() == outer.len()),
        };
        if !fits {
            let (outer, values) = (outer.len(), values.len());
            self.error(format!("{name} does not take {outer} + {values} operands"));
            return None;
        }
        let scatters = matches!(sink.kind, SinkKind::Scatter | SinkKind::ScatterWith);
        match sink.kind {
            SinkKind::Filter => self.scalar_type(&values[0], ScalarType::Bool, "the predicate"),
            _ if scatters && values[0] == Type::scalar(ScalarType::I64) => {}
            _ if scatters => self.scalar_type(&values[0], ScalarType::U64, "the index"),
            _ => {}
        }
        if matches!(sink.kind, SinkKind::Collect | SinkKind::Filter) {
            for size in values.iter().flat_map(walk::sizes) {
                if !self.visible[size.0 as usize] {
                    let size = self.text(size.into());
                    self.error(format!("the length {size} varies with the iteration"));
                }
            }
        }
        for (outer, value) in outer.iter().zip(pairs) {
            let mut wanted = outer.clone();
            if scatters {
                if wanted.is_scalar() {
                    self.error(format!("the destination of {name} is a scalar"));
                    return None;
                }
                wanted.shape.remove(0);
            }
            self.equal(value, &wanted, &format!("the value of {name}"));
        }
        let lead = |ty: &Type| self.meant(ty.shape[0]);
        if scatters && outer.iter().any(|ty| lead(ty) != lead(&outer[0])) {
            self.error(format!("the destinations of {name} are not equally long"));
        }
        if let Some(combine) = &sink.combine {
            self.combine(name, combine, pairs);
        }
        Some(sink.results())
    }

    fn scalar_type(&mut self, ty: &Type, wanted: ScalarType, what: &str) {
        self.equal(ty, &Type::scalar(wanted), what);
    }

    /// A combining function must take the values two by two.
    fn combine(&mut self, name: &str, combine: &Combine, values: &[Type]) {
        if values.iter().any(|ty| !ty.is_scalar()) {
            return self.error(format!("the values of {name} are not scalars"));
        }
        match combine {
            Combine::Op(op) => {
                let ty = values[0].elem;
                if !op.row().laws.reduces || op.result(&[ty, ty]) != Some(ty) {
                    self.error(format!("{} does not combine {ty}", op.name()));
                }
                self.count(
                    values.len(),
                    1,
                    &format!("values that {} combines", op.name()),
                );
            }
            Combine::Lambda(Lambda { params, .. }) => {
                let k = values.len();
                if self.count(params.len(), 2 * k, "parameters of the lambda") {
                    for (&param, value) in params.iter().zip(values.iter().chain(values)) {
                        if self.known(param) {
                            self.equal(self.func.ty(param), value, "a parameter of the lambda");
                        }
                    }
                }
            }
        }
    }

    fn lambda(&mut self, lambda: &Lambda) {
        lambda.params.iter().for_each(|&param| self.bind(param));
        self.block(&lambda.body);
        let names = &lambda.params[..lambda.params.len() / 2];
        self.yields(&lambda.body.results, names);
    }
}

/// The types of the results of a sink that is valid.
fn sink_results(kind: SinkKind, lead: Atom, outer: Vec<Type>, values: Vec<Type>) -> Vec<Type> {
    let longer = |mut ty: Type| {
        ty.shape.insert(0, lead);
        ty
    };
    match kind {
        SinkKind::Reduce | SinkKind::Scatter | SinkKind::ScatterWith => outer,
        SinkKind::Filter => {
            let kept = values.into_iter().skip(1).map(longer);
            std::iter::once(Type::index()).chain(kept).collect()
        }
        _ => values.into_iter().map(longer).collect(),
    }
}
