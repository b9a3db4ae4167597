//! The statements of lanes.

use super::Lanes;
use super::value::{Kind, mask, vector};
use crate::render::op;
use crate::render::types;
use crate::sink::gathers;
use dsl_runtime::ir::order::{INNER_LANES, SHORT};
use dsl_runtime::ir::types::Class;
use dsl_runtime::ir::{
    Atom, Block, Combine, Const, Expr, Par, ScalarOp, ScalarType, Sink, Stmt, Var, walk,
};
use dsl_runtime::pass::effect;

/// A way that costs at most this much is gone whether a lane wants to or not.
const CHEAP: u32 = 8;

impl Lanes<'_, '_> {
    pub(super) fn stmt(&mut self, stmt: &Stmt) {
        self.body.text.from(stmt.place);
        let mut all_same = true;
        walk::operands(&stmt.expr, &mut |atom| all_same &= self.same(atom));
        match &stmt.expr {
            Expr::Op(_, _) | Expr::Cast(..) | Expr::Bits(..) | Expr::Check(_) if all_same => {
                self.body.stmt(stmt);
            }
            Expr::Op(op, operands) if self.agreed.contains(&stmt.defs[0]) => {
                let ty = self.body.func.atom_type(operands[0]).elem;
                let first = |lanes: &Self, atom: Atom| match atom.as_var() {
                    Some(var) => match lanes.kind(var) {
                        Some(Kind::Near(first)) => first.clone(),
                        _ => lanes.body.atom(atom),
                    },
                    None => lanes.body.atom(atom),
                };
                let x = [first(self, operands[0]), first(self, operands[1])];
                self.body.bind(stmt.defs[0], &op::expression(*op, ty, &x));
            }
            Expr::Op(op, operands) => self.op(stmt.defs[0], *op, operands),
            Expr::Cast(to, from) => self.cast(stmt.defs[0], *to, *from),
            Expr::Bits(to, from) => self.each(|lanes| {
                let value = format!("as_{}({})", vector(*to, lanes.count), lanes.vector(*from));
                lanes.bind(stmt.defs[0], &value, 0);
            }),
            Expr::Check(check) => self.each(|lanes| {
                let size = lanes.mask_size(check.cond);
                let wrong = format!("~{}", lanes.mask(check.cond, size));
                lanes.fail_where(&wrong, size);
            }),
            Expr::Index(index) => match self.body.func.ty(stmt.defs[0]).is_scalar() {
                true if all_same => self.body.stmt(stmt),
                true => self.each(|lanes| lanes.index(stmt.defs[0], index)),
                false => self.body.stmt(stmt),
            },
            Expr::If(cond, then, other) => self.branch(*cond, then, other, &stmt.defs),
            Expr::Loop(inner) => self.looping(inner, &stmt.defs),
            Expr::Par(par) => self.nest(par, &stmt.defs),
            Expr::Update(..) | Expr::Array(_) | Expr::Data(_) | Expr::Reshape(..) => {
                unreachable!("lanes have no arrays of their own")
            }
        }
    }

    fn op(&mut self, def: Var, op: ScalarOp, operands: &[Atom]) {
        use ScalarOp::*;
        let last = *operands.last().expect("an operand");
        let ty = self.body.func.atom_type(last).elem;
        if let (Add | Sub, ScalarType::U64 | ScalarType::I64) = (op, ty)
            && let Some(first) = self.moved(op, operands)
        {
            let name = self.body.name(def);
            let own = types::name(ty);
            self.line(format!("const {own} {name} = {first};"));
            return self.set(def, Kind::Near(name));
        }
        self.each(|lanes| lanes.one(def, op, operands, ty));
    }

    fn one(&mut self, def: Var, op: ScalarOp, operands: &[Atom], ty: ScalarType) {
        use ScalarOp::*;
        if op == Select {
            return self.select(def, operands, ty);
        }
        if ty == ScalarType::Bool {
            let size = operands
                .iter()
                .map(|&x| self.mask_size(x))
                .max()
                .unwrap_or(4);
            let x: Vec<String> = operands.iter().map(|&x| self.mask(x, size)).collect();
            let value = match op {
                And => format!("{} & {}", x[0], x[1]),
                Or => format!("{} | {}", x[0], x[1]),
                Xor | Ne => format!("{} ^ {}", x[0], x[1]),
                Eq => format!("~({} ^ {})", x[0], x[1]),
                Not => format!("~{}", x[0]),
                _ => unreachable!("other operations on truth values do not fit"),
            };
            return self.bind(def, &value, size);
        }
        let mut x: Vec<String> = operands.iter().map(|&x| self.vector(x)).collect();
        if op.can_fail(ty) {
            self.divisor(ty, operands, &mut x);
        }
        let value = op::vector(op, ty, self.count, &x);
        self.bind(def, &value, ty.bytes());
    }

    /// The first lane's value where each further lane has one more.
    fn moved(&self, op: ScalarOp, operands: &[Atom]) -> Option<String> {
        let near = |atom: Atom| match atom.as_var().and_then(|var| self.kind(var)) {
            Some(Kind::Near(first)) => Some(first.clone()),
            _ => None,
        };
        let ty = self.body.func.atom_type(operands[0]).elem;
        let x = match (op, near(operands[0]), near(operands[1])) {
            (_, Some(first), None) if self.same(operands[1]) => {
                [first, self.body.atom(operands[1])]
            }
            (ScalarOp::Add, None, Some(first)) if self.same(operands[0]) => {
                [self.body.atom(operands[0]), first]
            }
            _ => return None,
        };
        Some(op::expression(op, ty, &x))
    }

    fn select(&mut self, def: Var, operands: &[Atom], ty: ScalarType) {
        let bytes = ty.bytes();
        if ty == ScalarType::Bool {
            let size = operands
                .iter()
                .map(|&x| self.mask_size(x))
                .max()
                .unwrap_or(4);
            let x: Vec<String> = operands.iter().map(|&x| self.mask(x, size)).collect();
            let value = format!("({0} & {1}) | (~{0} & {2})", x[0], x[1], x[2]);
            return self.bind(def, &value, size);
        }
        let (yes, no) = (self.vector(operands[1]), self.vector(operands[2]));
        let value = format!("{} ? {yes} : {no}", self.mask(operands[0], bytes));
        self.bind(def, &value, 0);
    }

    /// Tests divisors, and gives lanes that are not on their way one that divides everything.
    fn divisor(&mut self, ty: ScalarType, operands: &[Atom], x: &mut [String]) {
        let bytes = ty.bytes();
        let divisor = operands[1].as_const();
        let own = vector(ty, self.count);
        if divisor.is_none_or(|divisor| divisor.bits == 0) {
            self.fail_where(&format!("({} == ({own})(0))", x[1]), bytes);
        }
        let ones = u64::MAX >> (64 - ty.bits());
        let signed = ty.class() == Class::Signed;
        if signed && divisor.is_none_or(|divisor| divisor.bits == ones) {
            let least = types::constant(Const {
                ty,
                bits: 1 << (ty.bits() - 1),
            });
            let over = format!(
                "(({} == ({own})({least})) & ({} == ({own})(-1)))",
                x[0], x[1]
            );
            self.fail_where(&over, bytes);
        }
        if divisor.is_none()
            && let Some(on) = self.on(bytes)
        {
            x[1] = format!("({on} ? {} : ({own})(1))", x[1]);
        }
    }

    fn cast(&mut self, def: Var, to: ScalarType, from: Atom) {
        let ty = self.body.func.atom_type(from).elem;
        if let (ScalarType::U64 | ScalarType::I64, ScalarType::U64 | ScalarType::I64) = (ty, to)
            && let Some(Kind::Near(first)) = from.as_var().and_then(|var| self.kind(var)).cloned()
        {
            let name = self.body.name(def);
            let own = types::name(to);
            self.line(format!("const {own} {name} = ({own}){first};"));
            return self.set(def, Kind::Near(name));
        }
        self.each(|lanes| lanes.converted(def, ty, to, from));
    }

    fn converted(&mut self, def: Var, ty: ScalarType, to: ScalarType, from: Atom) {
        let own = vector(to, self.count);
        let value = match (ty, to) {
            (ScalarType::Bool, ScalarType::Bool) => {
                let size = self.mask_size(from);
                let value = self.mask(from, size);
                return self.bind(def, &value, size);
            }
            (ScalarType::Bool, _) => {
                let size = self.mask_size(from);
                format!("convert_{own}(-{})", self.mask(from, size))
            }
            (ty, ScalarType::Bool) => {
                let zero = vector(ty, self.count);
                let value = format!("({} != ({zero})(0))", self.vector(from));
                return self.bind(def, &value, ty.bytes());
            }
            _ => {
                let x = self.vector(from);
                if ty == to {
                    x
                } else if ty.is_float() && to.is_integer() {
                    format!(
                        "convert_{own}_sat({x} != {x} ? ({})(0) : {x})",
                        vector(ty, self.count)
                    )
                } else {
                    format!("convert_{own}({x})")
                }
            }
        };
        self.bind(def, &value, 0);
    }

    /// The type of the variable that a name that differs lives in; a truth value is a mask of four bytes.
    pub(super) fn variable(&self, ty: ScalarType) -> (String, Kind, usize) {
        match ty {
            ScalarType::Bool => (mask(4, self.count), Kind::Mask(4), 4),
            ty => (vector(ty, self.count), Kind::Vector, ty.bytes()),
        }
    }

    /// Variables for a name, with their first value.
    pub(super) fn declare(&mut self, var: Var, value: Option<Atom>) {
        let (own, kind, _) = self.variable(self.body.func.ty(var).elem);
        self.each(|lanes| {
            let begin = match value {
                Some(value) => lanes.value(value),
                None => format!("({own})(0)"),
            };
            let name = lanes.name(var);
            lanes.line(format!("{own} {name} = {begin};"));
        });
        self.set(var, kind);
    }

    /// The operand as its variable wants it.
    pub(super) fn value(&self, atom: Atom) -> String {
        match self.body.func.atom_type(atom).elem {
            ScalarType::Bool => self.mask(atom, 4),
            _ => self.vector(atom),
        }
    }

    /// The masks of lanes that are on their way and for which the truth value holds (or does not), as names.
    fn narrowed(&mut self, cond: Atom, not: bool) -> Vec<String> {
        let stem = self.stem("on");
        let mut masks = vec![];
        self.each(|lanes| {
            let holds = lanes.mask(cond, 4);
            let holds = if not { format!("~{holds}") } else { holds };
            let all = match lanes.on(4) {
                None => holds,
                Some(on) => format!("{on} & {holds}"),
            };
            let name = lanes.of(&stem);
            lanes.line(format!("const {} {name} = {all};", mask(4, lanes.count)));
            masks.push(name);
        });
        masks
    }

    /// Names get values.
    pub(super) fn assign(&mut self, vars: &[Var], atoms: &[Atom], masks: Option<&[String]>) {
        for (&var, &atom) in vars.iter().zip(atoms) {
            let (_, _, bytes) = self.variable(self.body.func.ty(var).elem);
            self.each(|lanes| {
                let (name, value) = (lanes.name(var), lanes.value(atom));
                let value = match masks {
                    Some(masks) => {
                        let on = lanes.resized(&masks[lanes.side], 4, bytes);
                        format!("{on} ? {value} : {name}")
                    }
                    None => value,
                };
                if value != name {
                    lanes.line(format!("{name} = {value};"));
                }
            });
        }
    }

    fn branch(&mut self, cond: Atom, then: &Block, other: &Block, defs: &[Var]) {
        if self.same(cond) {
            defs.iter().for_each(|&def| self.declare(def, None));
            let cond = self.body.atom(cond);
            self.line(format!("if ({cond}) {{"));
            self.stmts(&then.stmts);
            self.assign(defs, &then.results, None);
            self.line("} else {");
            self.stmts(&other.stmts);
            self.assign(defs, &other.results, None);
            return self.line("}");
        }
        // Where one way computes nothing, all lanes go it first.
        let sides = match (then.stmts.is_empty(), other.stmts.is_empty()) {
            (_, true) => {
                for (&def, &result) in defs.iter().zip(&other.results) {
                    self.declare(def, Some(result));
                }
                vec![(then, false)]
            }
            (true, false) => {
                for (&def, &result) in defs.iter().zip(&then.results) {
                    self.declare(def, Some(result));
                }
                vec![(other, true)]
            }
            (false, false) => {
                defs.iter().for_each(|&def| self.declare(def, None));
                vec![(then, false), (other, true)]
            }
        };
        for (block, not) in sides {
            let masks = self.narrowed(cond, not);
            let cheap = effect::block_cost(block) <= CHEAP
                && block.stmts.iter().all(|stmt| {
                    let plain = matches!(stmt.expr, Expr::Op(..) | Expr::Cast(..) | Expr::Bits(..));
                    plain && !effect::can_fail(self.body.func, stmt)
                });
            if cheap {
                self.line("{");
            } else {
                let any = self.any_of(&masks);
                self.line(format!("if ({any}) {{"));
            }
            self.under(masks.clone(), |lanes| {
                lanes.stmts(&block.stmts);
                lanes.assign(defs, &block.results, Some(&masks));
            });
            self.line("}");
        }
    }

    /// A reduction that each lane does for itself. Where the order asks for interleaved sums, one after the other is
    /// summed: each takes its values in the same order as if all were summed together.
    fn nest(&mut self, par: &Par, defs: &[Var]) {
        let short = par
            .extent
            .as_const()
            .is_some_and(|n| n.bits <= SHORT as u64);
        let spread = |sink: &Sink| {
            matches!(sink.combine, Some(Combine::Op(_)))
                && effect::shows_order(self.body.func, sink)
                && !short
        };
        let any = par.sinks.iter().any(spread);
        let n = self.body.atom(par.extent);
        let i = self.body.name(par.index);
        let stem = self.body.fresh("r");
        let mut defs = defs.iter().copied();
        let mut all: Vec<(Sink, Vec<String>, Vec<Var>, bool)> = vec![];
        for (s, sink) in par.sinks.iter().enumerate() {
            let spread = spread(sink);
            let mut names = vec![];
            for (k, &start) in sink.outer.iter().enumerate() {
                let own = vector(self.body.func.atom_type(start).elem, self.count);
                let name = format!("{stem}_{s}_{k}");
                let value = self.vector(start);
                self.line(format!("{own} {name} = {value};"));
                names.push(name);
            }
            let defs = defs.by_ref().take(sink.results()).collect();
            all.push((sink.clone(), names, defs, spread));
        }
        let sums = |name: &String| format!("{name}_s");
        if any {
            self.line(format!(
                "const ulong {stem}_way = {n} > {SHORT} ? {INNER_LANES} : 1;"
            ));
            for (sink, names, _, _) in all.iter().filter(|one| one.3) {
                let own = vector(self.body.func.atom_type(sink.outer[0]).elem, self.count);
                self.line(format!("{own} {}[{INNER_LANES}];", sums(&names[0])));
            }
            self.line(format!("for (ulong l = 0; l < {stem}_way; l++) {{"));
            for (sink, names, _, _) in all.iter().filter(|one| one.3) {
                let ty = self.body.func.atom_type(sink.outer[0]).elem;
                let own = vector(ty, self.count);
                let Some(Combine::Op(op)) = sink.combine else {
                    unreachable!()
                };
                let identity = types::constant(op.identity(ty).expect("what reduces has one"));
                let start = self.vector(sink.outer[0]);
                let name = &names[0];
                self.line(format!(
                    "{own} {name}_a = {stem}_way > 1 ? ({own})({identity}) : {start};"
                ));
            }
            self.line(format!(
                "for (ulong {i} = l; {i} < {n}; {i} += {stem}_way) {{"
            ));
        } else {
            self.line(format!("for (ulong {i} = 0; {i} < {n}; {i}++) {{"));
        }
        let asks = self.body.ahead && gathers(&par.body.stmts);
        let before = std::mem::replace(&mut self.asks, asks);
        self.stmts(&par.body.stmts);
        self.asks = before;
        for (sink, names, _, spread) in &all {
            let to: Vec<String> = match spread {
                true => vec![format!("{}_a", names[0])],
                false => names.clone(),
            };
            self.combine(sink, &to);
        }
        self.line("}");
        if any {
            for (_, names, _, _) in all.iter().filter(|one| one.3) {
                self.line(format!("{}[l] = {}_a;", sums(&names[0]), names[0]));
            }
            self.line("}");
            for (sink, names, _, _) in all.iter().filter(|one| one.3) {
                let ty = self.body.func.atom_type(sink.outer[0]).elem;
                let Some(Combine::Op(op)) = sink.combine else {
                    unreachable!()
                };
                let s = sums(&names[0]);
                self.line(format!("if ({stem}_way > 1) {{"));
                let mut half = INNER_LANES / 2;
                while half > 0 {
                    for l in 0..half {
                        let x = [format!("{s}[{l}]"), format!("{s}[{}]", l + half)];
                        let value = op::vector(op, ty, self.count, &x);
                        self.line(format!("{s}[{l}] = {value};"));
                    }
                    half /= 2;
                }
                let start = self.vector(sink.outer[0]);
                let value = op::vector(op, ty, self.count, &[start, format!("{s}[0]")]);
                self.line(format!("{} = {value};", names[0]));
                self.line("} else {");
                self.line(format!("{} = {s}[0];\n}}", names[0]));
            }
        }
        for (_, names, defs, _) in all {
            for (def, name) in defs.into_iter().zip(names) {
                self.body.alias(def, name);
                self.set(def, Kind::Vector);
            }
        }
    }

    /// `to = to op values`.
    fn combine(&mut self, sink: &Sink, to: &[String]) {
        match sink.combine.as_ref().expect("a reduction combines") {
            Combine::Op(op) => {
                let ty = self.body.func.atom_type(sink.values[0]).elem;
                let x = [to[0].clone(), self.vector(sink.values[0])];
                let value = op::vector(*op, ty, self.count, &x);
                self.line(format!("{} = {value};", to[0]));
            }
            Combine::Lambda(lambda) => {
                self.line("{");
                let values: Vec<String> = sink.values.iter().map(|&v| self.vector(v)).collect();
                for (&param, value) in lambda.params.iter().zip(to.iter().chain(&values)) {
                    self.bind(param, value, 4);
                }
                self.stmts(&lambda.body.stmts);
                for (to, &result) in to.iter().zip(&lambda.body.results) {
                    let value = self.vector(result);
                    self.line(format!("{to} = {value};"));
                }
                self.line("}");
            }
        }
    }
}
