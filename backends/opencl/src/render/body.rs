//! The statements of a body in OpenCL C, for one iteration at a time: names become constants of C, blocks become blocks. A
//! failure leaves the kernel (`FAIL`): what it has written is thrown away, and another run says what went wrong.

use super::array::{Held, private};
use super::own;
use super::text::Text;
use super::{op, types};
use dsl_runtime::ir::{
    Atom, Block, Const, Expr, Func, Index, Loop, LoopKind, ScalarOp, ScalarType, Stmt, Type, Var,
    VarSet, walk,
};
use dsl_runtime::pass::effect;
use std::collections::HashMap;

/// Code in the making.
pub struct Body<'f> {
    /// The function that the names belong to.
    pub func: &'f Func,
    /// What stands already.
    pub text: Text,
    /// What array names stand for.
    pub arrays: HashMap<Var, Held>,
    /// Arrays that are to be made right here.
    pub homes: HashMap<Var, String>,
    /// Whether the work-item needs a stack.
    pub stack: bool,
    /// Constant arrays that are used, in the order of their parameters: the name that each has.
    pub data: Vec<Var>,
    /// Where the iterations go from the right: the name of the position that is counted from there.
    pub position: Option<String>,
    /// Whether memory is asked for ahead of its use.
    pub ahead: bool,
    /// Names of scalars that are not their own.
    names: HashMap<Var, String>,
    /// Updates that work in place.
    in_place: VarSet,
    fresh: usize,
}

impl<'f> Body<'f> {
    /// For a run of statements after which these names are needed.
    pub fn new(func: &'f Func, stmts: &[Stmt], needed: &VarSet) -> Body<'f> {
        Body {
            func,
            text: Text::default(),
            arrays: HashMap::new(),
            homes: HashMap::new(),
            stack: false,
            data: vec![],
            position: None,
            ahead: false,
            names: HashMap::new(),
            in_place: own::in_place(func, stmts, needed),
            fresh: 0,
        }
    }

    /// Adds lines.
    pub fn line(&mut self, text: impl AsRef<str>) {
        self.text.line(text);
    }

    /// A name that nothing else has.
    pub fn fresh(&mut self, stem: &str) -> String {
        self.fresh += 1;
        format!("{stem}{}", self.fresh)
    }

    /// The name of a scalar or array.
    pub fn name(&self, var: Var) -> String {
        if let Some(name) = self.names.get(&var) {
            return name.clone();
        }
        own_name(self.func, var)
    }

    /// Has a name stand for what another stands for.
    pub fn alias(&mut self, var: Var, name: String) {
        self.names.insert(var, name);
    }

    /// A scalar operand.
    pub fn atom(&self, atom: Atom) -> String {
        match atom {
            Atom::Const(value) => types::constant(value),
            Atom::Var(var) => self.name(var),
        }
    }

    /// Scalar operands.
    pub fn atoms(&self, atoms: &[Atom]) -> Vec<String> {
        atoms.iter().map(|&atom| self.atom(atom)).collect()
    }

    /// What an array's name stands for.
    pub fn held(&self, var: Var) -> Held {
        let held = self.arrays.get(&var);
        held.cloned()
            .unwrap_or_else(|| unreachable!("{} is made before it is used", self.name(var)))
    }

    /// Binds a scalar to an expression.
    pub fn bind(&mut self, var: Var, expression: &str) {
        let (ty, name) = (types::name(self.func.ty(var).elem), self.name(var));
        self.line(format!("const {ty} {name} = {expression};"));
    }

    /// Fails where the condition holds.
    pub fn fail_if(&mut self, condition: &str) {
        self.line(format!("if ({condition}) FAIL"));
    }

    /// The statements of a block.
    pub fn block(&mut self, block: &Block) {
        block.stmts.iter().for_each(|stmt| self.stmt(stmt));
    }

    /// A statement.
    pub fn stmt(&mut self, stmt: &Stmt) {
        self.text.from(stmt.place);
        let def = stmt.defs.first().copied();
        match &stmt.expr {
            Expr::Op(op, operands) => {
                let result = self.op(*op, operands);
                self.bind(def.expect("a result"), &result);
            }
            Expr::Cast(to, from) => {
                let ty = self.func.atom_type(*from).elem;
                let result = op::cast(ty, *to, &self.atom(*from));
                self.bind(def.expect("a result"), &result);
            }
            Expr::Bits(to, from) => {
                let ty = self.func.atom_type(*from).elem;
                let result = op::bits(ty, *to, &self.atom(*from));
                self.bind(def.expect("a result"), &result);
            }
            Expr::Index(index) => self.index(def.expect("a result"), index),
            Expr::Update(index, value) => self.update(def.expect("a result"), index, *value),
            Expr::Array(elements) => {
                let def = def.expect("a result");
                let elem = self.func.ty(def).elem;
                let each = match elements.first() {
                    Some(&first) => self.stride(&self.func.atom_type(first).shape),
                    None => "1UL".into(),
                };
                let held = self.make(def);
                for (at, &element) in elements.iter().enumerate() {
                    self.store(&held, elem, &format!("{at} * {each}"), element);
                }
            }
            Expr::Data(_) => {
                let def = def.expect("a result");
                self.data.push(def);
                self.arrays.insert(def, Held::Global(self.name(def)));
            }
            Expr::Reshape(array, _) => {
                let held = self.held(*array);
                self.arrays.insert(def.expect("a result"), held);
            }
            Expr::Check(check) => {
                let cond = self.atom(check.cond);
                self.fail_if(&format!("!({cond})"));
            }
            Expr::If(cond, then, other) => self.branch(*cond, then, other, &stmt.defs),
            Expr::Loop(inner) => self.looping(inner, &stmt.defs),
            Expr::Par(par) => self.nest(par, &stmt.defs),
        }
    }

    /// The expression of an operation, behind the tests of a divisor.
    fn op(&mut self, op: ScalarOp, operands: &[Atom]) -> String {
        let last = *operands.last().expect("an operand");
        let ty = self.func.atom_type(last).elem;
        let x = self.atoms(operands);
        let fails = op.can_fail(ty);
        if fails {
            let divisor = operands[1].as_const();
            if divisor.is_none_or(|divisor| divisor.bits == 0) {
                self.fail_if(&format!("{} == 0", x[1]));
            }
            let ones = u64::MAX >> (64 - ty.bits());
            let signed = ty.class() == dsl_runtime::ir::types::Class::Signed;
            if signed && divisor.is_none_or(|divisor| divisor.bits == ones) {
                let least = types::constant(Const {
                    ty,
                    bits: 1 << (ty.bits() - 1),
                });
                self.fail_if(&format!("{} == {least} && {} == -1", x[0], x[1]));
            }
        }
        op::expression(op, ty, &x)
    }

    /// Tests indices.
    fn inside(&mut self, index: &Index) -> Vec<String> {
        let shape = self.func.ty(index.array).shape.clone();
        let indices = self.atoms(&index.indices);
        if index.checked {
            for (at, &length) in indices.iter().zip(&shape) {
                let length = self.atom(length);
                self.fail_if(&format!("{at} >= {length}"));
            }
        }
        indices
    }

    fn index(&mut self, def: Var, index: &Index) {
        let indices = self.inside(index);
        let ty = self.func.ty(index.array).clone();
        let held = self.held(index.array);
        let at = self.offset(&ty.shape, &indices);
        if indices.len() == ty.rank() {
            let element = format!("{}[{at}]", held.base());
            let value = types::from_memory(ty.elem, &element);
            return self.bind(def, &value);
        }
        match held {
            Held::Global(base) => {
                let (own, name) = (types::stored(ty.elem), self.name(def));
                self.line(format!(
                    "__global const {own}* const {name} = {base} + {at};"
                ));
                self.arrays.insert(def, Held::Global(name));
            }
            Held::Private(base) => {
                let to = self.make(def);
                let count = self.stride(&self.func.ty(def).shape);
                self.move_all(&to, ty.elem, &format!("({base} + {at})"), &count);
            }
        }
    }

    /// Element by element from where a pointer points to.
    pub fn move_all(&mut self, to: &Held, elem: ScalarType, from: &str, count: &str) {
        let (q, own) = (self.fresh("q"), types::stored(elem));
        let to = match to {
            Held::Private(name) => name.clone(),
            Held::Global(base) => format!("((__global {own}*){base})"),
        };
        self.line(format!(
            "for (ulong {q} = 0; {q} < {count}; {q}++) {to}[{q}] = {from}[{q}];"
        ));
    }

    fn update(&mut self, def: Var, index: &Index, value: Atom) {
        let indices = self.inside(index);
        let ty = self.func.ty(index.array).clone();
        let at = self.offset(&ty.shape, &indices);
        let old = self.held(index.array);
        let held = match self.in_place.contains(&def) {
            true => {
                self.arrays.insert(def, old.clone());
                old
            }
            false => {
                let new = self.make(def);
                let count = self.stride(&ty.shape);
                self.move_all(&new, ty.elem, old.base(), &count);
                new
            }
        };
        self.store(&held, ty.elem, &at, value);
    }

    /// Declares variables that a branch or loop assigns to.
    fn declare(&mut self, vars: &[Var]) {
        for &var in vars {
            let ty = self.func.ty(var).clone();
            let (own, name) = (types::stored(ty.elem), self.name(var));
            if ty.is_scalar() {
                self.line(format!("{} {name};", types::name(ty.elem)));
            } else if let Some(count) = private(&ty) {
                self.line(format!("{own} {name}[{}];", count.max(1)));
                self.arrays.insert(var, Held::Private(name));
            } else {
                self.line(format!("__global const {own}* {name};"));
                self.arrays.insert(var, Held::Global(name));
            }
        }
    }

    /// `vars = atoms`, at once.
    fn assign(&mut self, vars: &[Var], atoms: &[Atom]) {
        // What another assignment changes is set aside first.
        let clash = |at: usize, atom: Atom| {
            let from = atom.as_var().map(|var| self.target(var));
            from.is_some_and(|from| vars[..at].iter().any(|&var| self.target(var) == from))
        };
        let aside: Vec<bool> = atoms
            .iter()
            .enumerate()
            .map(|(at, &atom)| clash(at, atom))
            .collect();
        let mut values = vec![];
        for (&atom, aside) in atoms.iter().zip(aside) {
            let ty = self.func.atom_type(atom);
            let mut value = match atom.as_var() {
                Some(var) if !ty.is_scalar() => self.held(var).base().to_owned(),
                _ => self.atom(atom),
            };
            if aside {
                let name = self.fresh("old");
                let own = types::stored(ty.elem);
                if ty.is_scalar() {
                    self.line(format!("const {} {name} = {value};", types::name(ty.elem)));
                } else if let Some(count) = private(&ty) {
                    self.line(format!("{own} {name}[{}];", count.max(1)));
                    self.move_all(
                        &Held::Private(name.clone()),
                        ty.elem,
                        &value,
                        &format!("{count}UL"),
                    );
                } else {
                    self.line(format!("__global const {own}* const {name} = {value};"));
                }
                value = name;
            }
            values.push(value);
        }
        for (&var, value) in vars.iter().zip(values) {
            let ty = self.func.ty(var).clone();
            match private(&ty) {
                Some(count) => {
                    let to = self.held(var);
                    if to.base() != value {
                        self.move_all(&to, ty.elem, &value, &format!("{count}UL"));
                    }
                }
                None => {
                    let name = self.target(var);
                    if name != value {
                        self.line(format!("{name} = {value};"));
                    }
                }
            }
        }
    }

    /// The variable that a name lives in.
    fn target(&self, var: Var) -> String {
        match self.arrays.get(&var) {
            Some(held) => held.base().to_owned(),
            None => self.name(var),
        }
    }

    fn branch(&mut self, cond: Atom, then: &Block, other: &Block, defs: &[Var]) {
        self.declare(defs);
        let cond = self.atom(cond);
        self.line(format!("if ({cond}) {{"));
        self.block(then);
        self.hand(defs, &then.results);
        if !other.stmts.is_empty() || !defs.is_empty() {
            self.line("} else {");
            self.block(other);
            self.hand(defs, &other.results);
        }
        self.line("}");
    }

    /// `vars = atoms`, where an array of constant lengths may go to a name whose lengths vary.
    fn hand(&mut self, vars: &[Var], atoms: &[Atom]) {
        let before = self.lift(vars, atoms);
        self.assign(vars, atoms);
        self.arrays.extend(before);
    }

    /// Copies arrays that are values in private memory to the stack where they go to pointers. Returns what their names stood
    /// for.
    fn lift(&mut self, vars: &[Var], atoms: &[Atom]) -> Vec<(Var, Held)> {
        let mut before = vec![];
        for (&var, &atom) in vars.iter().zip(atoms) {
            let Some(from) = atom.as_var() else { continue };
            let ty = self.func.ty(from).clone();
            if ty.is_scalar() || private(self.func.ty(var)).is_some() {
                continue;
            }
            let held = self.held(from);
            if let Held::Private(base) = &held {
                let (copy, count) = (self.fresh("own"), self.count(&ty.shape));
                self.grab(ty.elem, &copy, &count);
                let to = Held::Global(copy);
                self.move_all(&to, ty.elem, base, &count);
                self.arrays.insert(from, to);
                before.push((from, held));
            }
        }
        before
    }

    fn looping(&mut self, inner: &Loop, defs: &[Var]) {
        let vars: Vec<Var> = inner.carried.iter().map(|&(var, _)| var).collect();
        let inits: Vec<Atom> = inner.carried.iter().map(|&(_, init)| init).collect();
        self.declare(&vars);
        let pointers: Vec<usize> = (0..vars.len())
            .filter(|&at| matches!(self.arrays.get(&vars[at]), Some(Held::Global(_))))
            .collect();
        let copied = own::copies(self.func, inner);
        self.enter(&vars, &inits, copied);
        let allocates = self.allocates(inner);
        let floor = self.fresh("floor");
        if allocates {
            self.stack = true;
            self.line(format!(
                "const ulong {floor} = top;\nulong {floor}_end = top;"
            ));
        }
        match &inner.kind {
            LoopKind::For { index, extent } => {
                let (name, extent) = (self.name(*index), self.atom(*extent));
                self.line(format!(
                    "for (ulong {name} = 0; {name} < {extent}; {name}++) {{"
                ));
            }
            LoopKind::While(cond) => {
                self.line("for (;;) {");
                self.block(cond);
                let cond = self.atom(cond.results[0]);
                self.line(format!("if (!({cond})) break;"));
            }
        }
        self.block(&inner.body);
        let before = self.lift(&vars, &inner.body.results);
        let settled = match allocates && !pointers.is_empty() {
            true => self.settle(&inner.body.results, &pointers, &floor),
            false => HashMap::new(),
        };
        if settled.is_empty() {
            self.assign(&vars, &inner.body.results);
            if allocates {
                self.line(format!("top = {floor};"));
            }
        } else {
            let (mut scalars, mut atoms) = (vec![], vec![]);
            for (at, (&var, &atom)) in vars.iter().zip(&inner.body.results).enumerate() {
                if !settled.contains_key(&at) {
                    scalars.push(var);
                    atoms.push(atom);
                }
            }
            self.assign(&scalars, &atoms);
            for (&at, pointer) in &settled {
                let name = self.target(vars[at]);
                self.line(format!("{name} = {pointer};"));
            }
        }
        self.arrays.extend(before);
        self.line("}");
        for (&def, &var) in defs.iter().zip(&vars) {
            match self.arrays.get(&var).cloned() {
                Some(held) => {
                    self.arrays.insert(def, held);
                }
                None => self.alias(def, self.name(var)),
            }
        }
    }

    /// The first values; arrays that the loop writes in place are copied.
    fn enter(&mut self, vars: &[Var], inits: &[Atom], copied: bool) {
        for (&var, &init) in vars.iter().zip(inits) {
            let ty = self.func.atom_type(init);
            if let (true, None, Some(from)) = (copied, private(self.func.ty(var)), init.as_var())
                && !ty.is_scalar()
            {
                let (copy, count) = (self.fresh("own"), self.count(&ty.shape));
                let from = self.held(from).base().to_owned();
                self.grab(ty.elem, &copy, &count);
                self.move_all(&Held::Global(copy.clone()), ty.elem, &from, &count);
                let name = self.target(var);
                self.line(format!("{name} = {copy};"));
            } else {
                self.hand(&[var], &[init]);
            }
        }
    }

    /// Whether a round may take from the stack.
    fn allocates(&self, inner: &Loop) -> bool {
        let mut found = false;
        let mut look = |block: &Block| {
            walk::stmts(block, &mut |stmt| {
                found |= stmt.defs.iter().any(|&def| {
                    let ty = self.func.ty(def);
                    let makes = matches!(
                        stmt.expr,
                        Expr::Array(_)
                            | Expr::Par(_)
                            | Expr::Update(..)
                            | Expr::Loop(_)
                            | Expr::If(..)
                    );
                    makes && !ty.is_scalar() && private(ty).is_none()
                }) || matches!(stmt.expr, Expr::Par(_));
            });
        };
        look(&inner.body);
        if let LoopKind::While(cond) = &inner.kind {
            look(cond);
        }
        // A value in private memory that goes to a pointer is copied to the stack.
        let lifted = |(&(var, _), &result): (&(Var, Atom), &Atom)| {
            private(self.func.ty(var)).is_none() && private(&self.func.atom_type(result)).is_some()
        };
        found || inner.carried.iter().zip(&inner.body.results).any(lifted)
    }

    /// Brings the arrays that a round has made, and that the next one needs, down to where the round's memory began: by way
    /// of the top of the stack. Returns the expressions of the new pointers.
    fn settle(
        &mut self,
        results: &[Atom],
        pointers: &[usize],
        floor: &str,
    ) -> HashMap<usize, String> {
        let held: Vec<(usize, Var, String)> = pointers
            .iter()
            .filter_map(|&at| {
                let var = results[at].as_var()?;
                Some((at, var, self.held(var).base().to_owned()))
            })
            .collect();
        let mut settled = HashMap::new();
        for (at, var, base) in &held {
            let (name, own) = (self.fresh("next"), types::stored(self.func.ty(*var).elem));
            self.line(format!("__global const {own}* {name} = {base};"));
            settled.insert(*at, name);
        }
        let above: Vec<String> = held
            .iter()
            .map(|(at, ..)| format!("MINE({}, {floor}_end)", settled[at]))
            .collect();
        self.line(format!("if ({}) {{", above.join(" || ")));
        let start = self.fresh("start");
        self.line(format!("const ulong {start} = top;"));
        let mut copies = vec![];
        for (at, var, _) in &held {
            let ty = self.func.ty(*var).clone();
            let (copy, next) = (self.fresh("copy"), settled[at].clone());
            let count = self.stride(&ty.shape);
            self.line(format!("const bool {copy}_moves = MINE({next}, {floor});"));
            self.line(format!("const ulong {copy}_at = top;"));
            self.line(format!("if ({copy}_moves) {{"));
            self.grab(ty.elem, &copy, &count);
            self.move_all(&Held::Global(copy.clone()), ty.elem, &next, &count);
            self.line("}");
            copies.push((ty.elem, copy, next, count));
        }
        // One by one: what lies between them has no value.
        for (elem, copy, next, count) in copies {
            let own = types::stored(elem);
            let (from, down) = (self.fresh("from"), self.fresh("down"));
            self.line(format!("if ({copy}_moves) {{"));
            self.line(format!(
                "__global const {own}* const {from} = (__global const {own}*)(stack + {copy}_at);"
            ));
            self.line(format!(
                "__global {own}* const {down} = (__global {own}*)(stack + {floor} + ({copy}_at - {start}));"
            ));
            self.move_all(&Held::Global(down.clone()), elem, &from, &count);
            self.line(format!("{next} = {down};\n}}"));
        }
        self.line(format!("{floor}_end = {floor} + (top - {start});\n}}"));
        self.line(format!("top = {floor}_end;"));
        settled
    }

    /// Evaluates a combining function: `targets = left op right`. The targets are variables, which may be operands.
    pub fn combine(
        &mut self,
        combine: &dsl_runtime::ir::Combine,
        types: &[Type],
        targets: &[String],
        left: &[String],
        right: &[String],
    ) {
        match combine {
            dsl_runtime::ir::Combine::Op(op) => {
                let x = [left[0].clone(), right[0].clone()];
                let value = op::expression(*op, types[0].elem, &x);
                self.line(format!("{} = {value};", targets[0]));
            }
            dsl_runtime::ir::Combine::Lambda(lambda) => {
                self.line("{");
                for (&param, value) in lambda.params.iter().zip(left.iter().chain(right)) {
                    self.bind(param, value);
                }
                self.block(&lambda.body);
                let results = self.atoms(&lambda.body.results);
                for ((result, ty), target) in results.iter().zip(types).zip(targets) {
                    let _ = ty;
                    self.line(format!("{target} = {result};"));
                }
                self.line("}");
            }
        }
    }
}

/// A name that is the user's as far as C allows, and nobody else's.
pub fn own_name(func: &Func, var: Var) -> String {
    let user = &func.vars[var.0 as usize].name;
    let clean: String = user
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .take(24)
        .collect();
    let clean = clean.trim_matches('_');
    match clean.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => format!("{clean}_{}", var.0),
        _ => format!("v_{}", var.0),
    }
}

/// Whether the statements can fail.
pub fn can_fail(func: &Func, stmts: &[Stmt]) -> bool {
    stmts.iter().any(|stmt| effect::can_fail(func, stmt))
}
