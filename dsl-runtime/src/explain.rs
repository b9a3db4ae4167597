//! A scheduled function → its plan, for people: what was fused into which stage, where each stage runs, what it reads, writes
//! and computes, and which arrays are made.

use crate::ir::{
    Atom, Block, Combine, Expr, Func, Index, Level, Loop, LoopKind, Par, Place, ScalarOp,
    ScalarType, Sink, SinkKind, Stmt, Type, Var, VarSet,
};
use std::fmt::Write;

/// What one round of a loop body does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Cost {
    /// Bytes read from arrays.
    read: u64,
    /// Bytes written to arrays.
    write: u64,
    /// Floating-point operations; `fma` is two.
    flops: u64,
    /// Mathematical functions that are left as such.
    math: u64,
    /// Other operations.
    ops: u64,
}

/// The plan of a function.
///
/// Every `par` that passes have left is a stage. Its bytes and operations are those of one round of its own body: what
/// stages and loops inside it do stands at these.
///
/// ```
/// use dsl_runtime::{explain::explain, ir::parse::parse};
/// let module = parse("func @twice[%n](%x: [%n]f32) -> [%n]f32 {
///   %y: [%n]f32 = par (%i in 0..%n) {
///     %v: f32 = index.in %x[%i]
///     %w: f32 = add %v, %v
///     collect %w
///   }
///   return %y
/// }").unwrap();
/// let plan = explain(&module.funcs[0]);
/// assert!(plan.contains("stage 1: par 0..%n -> collect %y"), "{plan}");
/// assert!(plan.contains("each round: reads 4 B, writes 4 B, 1 flop"), "{plan}");
/// ```
pub fn explain(func: &Func) -> String {
    let mut plan = Plan {
        func,
        text: String::new(),
        stages: 0,
        made: vec![],
    };
    plan.block(&func.body, 1);
    let mut head = match plan.stages {
        0 => "no parallel stage\n".to_string(),
        1 => "1 stage\n".to_string(),
        n => format!("{n} stages\n"),
    };
    head.push_str(&plan.text);
    head.push_str(&plan.arrays());
    head
}

struct Plan<'f> {
    func: &'f Func,
    text: String,
    stages: usize,
    /// Arrays that come into being outside every par.
    made: Vec<Var>,
}

impl Plan<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.text, "{:indent$}{text}", "", indent = depth * 2);
    }

    fn block(&mut self, block: &Block, depth: usize) {
        for stmt in &block.stmts {
            match &stmt.expr {
                Expr::Par(par) => {
                    self.note(stmt);
                    self.par(stmt, par, depth);
                }
                Expr::Loop(one) => {
                    self.note(stmt);
                    self.sequential(one, stmt.place, depth);
                }
                Expr::If(_, then, or_else) if has_stage(then) || has_stage(or_else) => {
                    self.line(depth, &format!("if{}", self.at(stmt.place)));
                    self.block(then, depth + 1);
                    if has_stage(or_else) {
                        self.line(depth, "else");
                        self.block(or_else, depth + 1);
                    }
                }
                Expr::Update(..) | Expr::Array(_) | Expr::Data(_) => self.note(stmt),
                _ => {}
            }
        }
    }

    fn note(&mut self, stmt: &Stmt) {
        let arrays = stmt
            .defs
            .iter()
            .filter(|&&def| !self.func.ty(def).is_scalar());
        self.made.extend(arrays);
    }

    fn par(&mut self, stmt: &Stmt, par: &Par, depth: usize) {
        self.stages += 1;
        let mut defs = stmt.defs.iter();
        let sinks: Vec<String> = par
            .sinks
            .iter()
            .map(|sink| {
                let names = defs.by_ref().take(Self::results(sink));
                let names: Vec<String> = names.map(|&def| self.name(def)).collect();
                format!("{} {}", combined(sink), names.join(", "))
            })
            .collect();
        let head = format!(
            "stage {}: par 0..{} -> {}{}",
            self.stages,
            self.atom(par.extent),
            sinks.join("; "),
            self.at(stmt.place)
        );
        self.line(depth, &head);
        let levels: Vec<&str> = par.levels.iter().map(|level| words(*level)).collect();
        if !levels.is_empty() {
            self.line(depth + 1, &format!("on {}", levels.join(", ")));
        }
        let mut cost = self.cost(&par.body);
        for sink in &par.sinks {
            cost.write += self.written(sink);
            match &sink.combine {
                Some(Combine::Op(op)) => self.count(*op, sink.values.last().copied(), &mut cost),
                Some(Combine::Lambda(lambda)) => cost = cost.and(self.cost(&lambda.body)),
                None => {}
            }
        }
        self.line(depth + 1, &format!("each round: {}", cost.text()));
        let whole = self.whole(par);
        if !whole.is_empty() {
            self.line(depth + 1, &format!("uses {}", whole.join(", ")));
        }
        let noted = self.made.len();
        self.block(&par.body, depth + 1);
        self.made.truncate(noted);
    }

    fn sequential(&mut self, one: &Loop, place: Place, depth: usize) {
        let carried: Vec<String> = one
            .carried
            .iter()
            .filter(|(var, _)| !self.func.ty(*var).is_scalar())
            .map(|(var, _)| self.name(*var))
            .collect();
        let carries = match carried.is_empty() {
            true => String::new(),
            false => format!(", carrying {}", carried.join(", ")),
        };
        let how = match &one.kind {
            LoopKind::For { extent, .. } => format!("loop 0..{}", self.atom(*extent)),
            LoopKind::While(_) => "loop while".to_string(),
        };
        self.line(depth, &format!("{how}{carries}{}", self.at(place)));
        let cost = self.cost(&one.body);
        if cost != Cost::default() {
            self.line(depth + 1, &format!("each round: {}", cost.text()));
        }
        let noted = self.made.len();
        self.block(&one.body, depth + 1);
        self.made.truncate(noted);
    }

    /// What one round of a block does; loops and pars inside it have lines of their own.
    fn cost(&self, block: &Block) -> Cost {
        let mut cost = Cost::default();
        for stmt in &block.stmts {
            match &stmt.expr {
                Expr::Op(op, operands) => self.count(*op, operands.last().copied(), &mut cost),
                Expr::Cast(..) | Expr::Check(_) => cost.ops += 1,
                Expr::Index(index) if self.func.ty(stmt.defs[0]).is_scalar() => {
                    cost.read += self.func.ty(index.array).elem.bytes() as u64;
                }
                Expr::Update(index, _) => {
                    cost.write += self.func.ty(index.array).elem.bytes() as u64
                }
                Expr::If(_, then, or_else) => {
                    let (then, or_else) = (self.cost(then), self.cost(or_else));
                    cost = cost.and(if then.weight() >= or_else.weight() {
                        then
                    } else {
                        or_else
                    });
                }
                _ => {}
            }
        }
        cost
    }

    fn count(&self, op: ScalarOp, operand: Option<Atom>, cost: &mut Cost) {
        let ty = operand.map(|atom| self.func.atom_type(atom).elem);
        match (ty.is_some_and(ScalarType::is_float), op) {
            (_, op) if matches!(op.row().meaning, crate::ir::op::Meaning::Math) => cost.math += 1,
            (true, ScalarOp::Select) | (false, _) => cost.ops += 1,
            (true, ScalarOp::Fma) => cost.flops += 2,
            (true, _) => cost.flops += 1,
        }
    }

    /// Bytes that one round of a sink writes.
    fn written(&self, sink: &Sink) -> u64 {
        let bytes = |atom: &Atom| {
            let ty = self.func.atom_type(*atom);
            match ty.is_scalar() {
                true => ty.elem.bytes() as u64,
                false => 0,
            }
        };
        match sink.kind {
            SinkKind::Reduce => 0,
            SinkKind::Filter | SinkKind::Scatter | SinkKind::ScatterWith => {
                sink.values.iter().skip(1).map(bytes).sum()
            }
            _ => sink.values.iter().map(bytes).sum(),
        }
    }

    /// The number of results of a sink.
    fn results(sink: &Sink) -> usize {
        match sink.kind {
            SinkKind::Scatter | SinkKind::ScatterWith => sink.outer.len(),
            _ => sink.values.len(),
        }
    }

    /// The arrays from outside that a par reads.
    fn whole(&self, par: &Par) -> Vec<String> {
        let mut read = VarSet::new();
        arrays_read(&par.body, &mut read);
        let mut inside = VarSet::new();
        defined(&par.body, &mut inside);
        read.difference(&inside)
            .map(|&var| format!("{}: {}", self.name(var), self.ty(self.func.ty(var))))
            .collect()
    }

    fn arrays(&self) -> String {
        let results = &self.func.body.results;
        let mut text = String::new();
        for &var in &self.made {
            let role = match results.contains(&Atom::Var(var)) {
                true => "result",
                false => "intermediate",
            };
            let _ = writeln!(
                text,
                "  {role} {}: {}",
                self.name(var),
                self.ty(self.func.ty(var))
            );
        }
        if text.is_empty() {
            return "arrays made: none\n".to_string();
        }
        format!("arrays made:\n{text}")
    }

    fn name(&self, var: Var) -> String {
        format!("%{}", self.func.vars[var.0 as usize].name)
    }

    fn atom(&self, atom: Atom) -> String {
        match atom {
            Atom::Var(var) => self.name(var),
            Atom::Const(value) => value.bits.to_string(),
        }
    }

    fn ty(&self, ty: &Type) -> String {
        let dims = ty.shape.iter().map(|&atom| self.atom(atom));
        match ty.is_scalar() {
            true => ty.elem.to_string(),
            false => format!("[{}]{}", dims.collect::<Vec<_>>().join(", "), ty.elem),
        }
    }

    fn at(&self, place: Place) -> String {
        let source = self.func.sources.get(usize::from(place.source));
        match source.filter(|_| place.span.line > 0) {
            Some(source) => format!("  ({}:{})", source.file, place.span.line),
            None => String::new(),
        }
    }
}

impl Cost {
    fn and(self, other: Cost) -> Cost {
        Cost {
            read: self.read + other.read,
            write: self.write + other.write,
            flops: self.flops + other.flops,
            math: self.math + other.math,
            ops: self.ops + other.ops,
        }
    }

    fn weight(self) -> u64 {
        self.flops + self.ops + 20 * self.math + self.read + self.write
    }

    fn text(self) -> String {
        let mut text = format!("reads {} B, writes {} B", self.read, self.write);
        let mut add = |n: u64, one: &str, many: &str| match n {
            0 => {}
            1 => text.push_str(&format!(", 1 {one}")),
            n => text.push_str(&format!(", {n} {many}")),
        };
        add(self.flops, "flop", "flops");
        add(self.math, "function", "functions");
        add(self.ops, "other operation", "other operations");
        text
    }
}

fn combined(sink: &Sink) -> String {
    match &sink.combine {
        Some(Combine::Op(op)) => format!("{} {}", sink.kind.name(), op.name()),
        Some(Combine::Lambda(_)) => format!("{} by a function", sink.kind.name()),
        None => sink.kind.name().to_string(),
    }
}

fn words(level: Level) -> &'static str {
    match level {
        Level::Ranks => "ranks",
        Level::Grid => "all work-items",
        Level::Group => "a group",
        Level::Threads => "all threads",
        Level::Simd => "vector lanes",
        Level::Seq => "one thread, in order",
    }
}

fn has_stage(block: &Block) -> bool {
    block.stmts.iter().any(|stmt| match &stmt.expr {
        Expr::Par(_) | Expr::Loop(_) => true,
        Expr::If(_, then, or_else) => has_stage(then) || has_stage(or_else),
        _ => false,
    })
}

/// All blocks of a statement but those of combining functions.
fn blocks(expr: &Expr) -> Vec<&Block> {
    match expr {
        Expr::If(_, then, or_else) => vec![then, or_else],
        Expr::Par(par) => vec![&par.body],
        Expr::Loop(one) => match &one.kind {
            LoopKind::While(test) => vec![test, &one.body],
            LoopKind::For { .. } => vec![&one.body],
        },
        _ => vec![],
    }
}

fn arrays_read(block: &Block, read: &mut VarSet) {
    for stmt in &block.stmts {
        if let Expr::Index(Index { array, .. }) | Expr::Update(Index { array, .. }, _) = &stmt.expr
        {
            read.insert(*array);
        }
        blocks(&stmt.expr)
            .into_iter()
            .for_each(|inner| arrays_read(inner, read));
    }
}

fn defined(block: &Block, names: &mut VarSet) {
    for stmt in &block.stmts {
        names.extend(&stmt.defs);
        if let Expr::Loop(one) = &stmt.expr {
            names.extend(one.carried.iter().map(|(var, _)| *var));
        }
        blocks(&stmt.expr)
            .into_iter()
            .for_each(|inner| defined(inner, names));
    }
}
