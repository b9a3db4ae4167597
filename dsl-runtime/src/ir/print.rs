//! From the IR to its text form, the inverse of [`super::parse`].
//!
//! Every name is printed unique: the first of equal names as it is, the others with `.1`, `.2`, … A constant is printed
//! without its type where the text around it tells the type (`operand_type`), otherwise as `1:u64`. Floats are
//! printed with the fewest digits that give the same bits, NaNs other than the usual one as bits (`0x7fc00001`).
//! Places are no part of the text; [`print_with_places`] adds them as comments.

use super::op::Signature;
use super::types::FromConst;
use super::{
    Atom, Block, Check, Combine, Const, Data, Expr, Fault, Func, Index, Loop, LoopKind, Par, Place,
    ScalarOp, ScalarType, Sink, SinkKind, Stmt, Type, Var, walk,
};
use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write};

/// The text of a function, with a line break at its end.
///
/// ```
/// let text = "func @half[%n](%x: [%n]f64, %i: u64) -> f64 {
///   %v: f64 = index %x[%i]
///   %h: f64 = mul %v, 0.5
///   return %h
/// }
/// ";
/// let module = dsl_runtime::ir::parse::parse(text).unwrap();
/// assert_eq!(dsl_runtime::ir::print::print(&module.funcs[0]), text);
/// ```
pub fn print(func: &Func) -> String {
    Printer::new(func, false).func()
}

/// The text of a function with the line and column of each statement behind it, as a comment.
pub fn print_with_places(func: &Func) -> String {
    Printer::new(func, true).func()
}

/// The text of a function with lines before its statements, which are counted in the order of the text; what belongs to
/// no statement stands first.
pub(super) fn print_with_notes(func: &Func, notes: Vec<(Option<usize>, String)>) -> String {
    let mut printer = Printer::new(func, false);
    let (stmts, whole): (Vec<_>, Vec<_>) = notes.into_iter().partition(|(stmt, _)| stmt.is_some());
    for (_, note) in whole {
        printer.out += &note;
        printer.out.push('\n');
    }
    for (stmt, note) in stmts {
        printer
            .notes
            .entry(stmt.unwrap_or(0))
            .or_default()
            .push(note);
    }
    printer.func()
}

/// The text of one statement of a function, as it stands in [`print()`] but not indented.
pub fn print_stmt(func: &Func, stmt: &Stmt) -> String {
    let mut printer = Printer::new(func, false);
    printer.stmt(stmt);
    printer.out
}

/// The text of one name of a function, as it stands in [`print()`]: `%x.1`.
pub fn print_var(func: &Func, var: Var) -> String {
    Printer::new(func, false).name(var)
}

/// The text of a type of a function.
pub fn print_type(func: &Func, ty: &Type) -> String {
    Printer::new(func, false).type_text(ty)
}

/// The text of a constant: bare where `context` is its type.
pub fn print_const(value: Const, context: Option<ScalarType>) -> String {
    let mut text = String::new();
    constant(&mut text, value, context).expect("a String takes everything");
    text
}

/// The function as [`super::parse`] would read it from its own text: names numbered in the order of the text and
/// unique, without places and sources. Two functions with the same text have equal canonical forms.
pub fn canonical(func: &Func) -> Func {
    let mut unique = func.clone();
    for (info, name) in unique.vars.iter_mut().zip(Names::new(func).of) {
        info.name = name;
    }
    unique.sources.clear();
    renumbered(&unique, Some(Place::default()))
}

/// The function with its names numbered in the order of the text, its statements at `place` (or their own).
pub(super) fn renumbered(func: &Func, place: Option<Place>) -> Func {
    let mut to = Func::empty(func.name.clone());
    let mut copier = walk::Copier::between(func, &mut to);
    copier.place = place;
    let sizes = func.sizes.iter().map(|&var| copier.bind(var)).collect();
    let params = func.params.iter().map(|&var| copier.bind(var)).collect();
    let body = copier.block(&func.body);
    Func {
        sizes,
        params,
        body,
        ..to
    }
}

impl fmt::Display for Func {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&print(self))
    }
}

/// The type of a constant that stands as operand `at` of an operation whose result has type `result` and whose first
/// operand that is a name has type `named`: printer and parser leave it out of the text.
pub(super) fn operand_type(
    op: ScalarOp,
    at: usize,
    result: Option<ScalarType>,
    named: Option<ScalarType>,
) -> Option<ScalarType> {
    match (op.row().signature, at) {
        (Signature::Unary(_) | Signature::Binary(_) | Signature::Ternary(_), _) => result,
        (Signature::Select, 0) => Some(ScalarType::Bool),
        (Signature::WithI32(_), 1) => Some(ScalarType::I32),
        (Signature::Select | Signature::WithI32(_), _) => result,
        (Signature::Compare(_) | Signature::Count(_), _) => named,
    }
}

/// A unique text for each name.
struct Names {
    of: Vec<String>,
}

impl Names {
    fn new(func: &Func) -> Names {
        let reserved: HashSet<&str> = func.vars.iter().map(|info| info.name.as_str()).collect();
        let mut used: HashSet<String> = HashSet::new();
        let mut next: HashMap<&str, usize> = HashMap::new();
        let mut of = vec![None; func.vars.len()];
        let mut order: Vec<Var> = [&func.sizes[..], &func.params[..]].concat();
        walk::defs(&func.body, &mut |var| order.push(var));
        order.extend((0..func.vars.len() as u32).map(Var));
        for var in order {
            let Some(slot @ None) = of.get_mut(var.0 as usize) else {
                continue;
            };
            let name = func.vars[var.0 as usize].name.as_str();
            let mut unique = name.to_string();
            if used.contains(name) {
                let base = base(name);
                let count = next.entry(base).or_insert(0);
                while used.contains(&unique) || reserved.contains(unique.as_str()) {
                    *count += 1;
                    unique = format!("{base}.{count}");
                }
            }
            used.insert(unique.clone());
            *slot = Some(unique);
        }
        Names {
            of: of.into_iter().flatten().collect(),
        }
    }
}

/// `x` of `x.12`.
fn base(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((base, digits)) if !base.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            base
        }
        _ => name,
    }
}

/// Whether a name is written without quotes: letters, digits and `_`, with single dots between them.
pub(super) fn is_plain(name: &str) -> bool {
    name.split('.')
        .all(|part| !part.is_empty() && part.chars().all(is_word))
}

/// Whether a character may stand in an unquoted name.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn constant(out: &mut impl Write, value: Const, context: Option<ScalarType>) -> fmt::Result {
    let Const { ty, bits } = value;
    let valid = if ty == ScalarType::Bool {
        bits <= 1
    } else {
        bits <= u64::MAX >> (64 - ty.bits())
    };
    macro_rules! float {
        ($rust:ty) => {{
            let float = <$rust>::from_const(value);
            if float.to_bits() == <$rust>::NAN.to_bits() {
                write!(out, "nan")?
            } else if float.is_nan() {
                write!(out, "{bits:#x}")?
            } else {
                write!(out, "{float:?}")?
            }
        }};
    }
    match ty {
        _ if !valid => write!(out, "{bits:#x}")?,
        ScalarType::Bool => return write!(out, "{}", bits == 1),
        ScalarType::F32 => float!(f32),
        ScalarType::F64 => float!(f64),
        _ if ty.class() == super::types::Class::Signed => {
            let unused = 64 - ty.bits();
            write!(out, "{}", ((bits << unused) as i64) >> unused)?
        }
        _ => write!(out, "{bits}")?,
    }
    if context == Some(ty) {
        Ok(())
    } else {
        write!(out, ":{ty}")
    }
}

/// The text under way.
pub(super) struct Printer<'f> {
    func: &'f Func,
    names: Names,
    /// Lines before the statement of that number.
    notes: HashMap<usize, Vec<String>>,
    /// Statements printed.
    count: usize,
    places: bool,
    depth: usize,
    out: String,
}

impl<'f> Printer<'f> {
    pub(super) fn new(func: &'f Func, places: bool) -> Printer<'f> {
        Printer {
            func,
            names: Names::new(func),
            notes: HashMap::new(),
            count: 0,
            places,
            depth: 0,
            out: String::new(),
        }
    }

    fn func(mut self) -> String {
        let func = self.func;
        self.out.push_str("func @");
        if is_plain(&func.name) {
            self.out.push_str(&func.name);
        } else {
            quoted(&mut self.out, &func.name);
        }
        if !func.sizes.is_empty() {
            let sizes = self.list(&func.sizes, |p, &size| p.name(size));
            self.push(&["[", &sizes, "]"]);
        }
        let params = self.list(&func.params, |p, &param| p.typed(param));
        self.push(&["(", &params, ")"]);
        let types: Vec<Option<ScalarType>> = func
            .body
            .results
            .iter()
            .map(|&atom| self.elem(atom))
            .collect();
        if !types.is_empty() {
            let types = self.list(&func.body.results, |p, &atom| p.result_type(atom));
            self.push(&[" -> ", &types]);
        }
        self.out.push_str(" {");
        self.block(&func.body, "return", &types);
        self.line("}");
        self.out.push('\n');
        self.out
    }

    /// The type of a result as the signature shows it: lengths that are no sizes or parameters are `?`.
    fn result_type(&self, atom: Atom) -> String {
        let ty = match atom {
            Atom::Const(value) => return value.ty.to_string(),
            Atom::Var(var) => match self.func.vars.get(var.0 as usize) {
                Some(info) => &info.ty,
                None => return "?".into(),
            },
        };
        if ty.is_scalar() {
            return ty.elem.to_string();
        }
        let shape = self.list(&ty.shape, |p, &size| match size {
            Atom::Var(var) if !p.is_signature(var) => "?".into(),
            size => p.atom(size, Some(ScalarType::U64)),
        });
        format!("[{shape}]{}", ty.elem)
    }

    fn is_signature(&self, var: Var) -> bool {
        self.func.sizes.contains(&var) || self.func.params.contains(&var)
    }

    fn push(&mut self, parts: &[&str]) {
        parts.iter().for_each(|part| self.out.push_str(part));
    }

    fn line(&mut self, text: &str) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n("  ", self.depth));
        self.out.push_str(text);
    }

    fn list<T>(&self, items: &[T], text: impl Fn(&Self, &T) -> String) -> String {
        let texts: Vec<String> = items.iter().map(|item| text(self, item)).collect();
        texts.join(", ")
    }

    fn name(&self, var: Var) -> String {
        match self.names.of.get(var.0 as usize) {
            Some(name) if is_plain(name) => format!("%{name}"),
            Some(name) => {
                let mut text = "%".to_string();
                quoted(&mut text, name);
                text
            }
            None => format!("%?{}", var.0),
        }
    }

    fn typed(&self, var: Var) -> String {
        match self.func.vars.get(var.0 as usize) {
            Some(info) => format!("{}: {}", self.name(var), self.type_text(&info.ty)),
            None => self.name(var),
        }
    }

    pub(super) fn type_text(&self, ty: &Type) -> String {
        if ty.is_scalar() {
            return ty.elem.to_string();
        }
        let shape = self.list(&ty.shape, |p, &size| p.atom(size, Some(ScalarType::U64)));
        format!("[{shape}]{}", ty.elem)
    }

    fn elem(&self, atom: Atom) -> Option<ScalarType> {
        match atom {
            Atom::Const(value) => Some(value.ty),
            Atom::Var(var) => Some(self.func.vars.get(var.0 as usize)?.ty.elem),
        }
    }

    fn elem_of(&self, var: Var) -> Option<ScalarType> {
        self.elem(var.into())
    }

    pub(super) fn atom(&self, atom: Atom, context: Option<ScalarType>) -> String {
        match atom {
            Atom::Var(var) => self.name(var),
            Atom::Const(value) => print_const(value, context),
        }
    }

    fn atoms(&self, atoms: &[Atom], context: Option<ScalarType>) -> String {
        self.list(atoms, |p, &atom| p.atom(atom, context))
    }

    /// Atoms whose types are known one by one.
    fn typed_atoms(&self, atoms: &[Atom], types: &[Option<ScalarType>]) -> String {
        let types = types.iter().copied().chain(std::iter::repeat(None));
        let items: Vec<_> = atoms.iter().zip(types).collect();
        self.list(&items, |p, &(&atom, ty)| p.atom(atom, ty))
    }

    /// The lines of a block, without its braces.
    fn block(&mut self, block: &Block, word: &str, types: &[Option<ScalarType>]) {
        self.depth += 1;
        self.stmts(block);
        if !block.results.is_empty() {
            let results = self.typed_atoms(&block.results, types);
            self.line(&format!("{word} {results}"));
        }
        self.depth -= 1;
    }

    fn stmts(&mut self, block: &Block) {
        for stmt in &block.stmts {
            for note in self.notes.remove(&self.count).unwrap_or_default() {
                self.line(&note);
            }
            self.count += 1;
            self.line("");
            self.stmt(stmt);
            self.place(stmt.place);
        }
    }

    fn place(&mut self, place: Place) {
        if self.places && place.span.line > 0 {
            let Place { source, span } = place;
            let file = self
                .func
                .sources
                .get(source as usize)
                .map_or("", |s| s.file);
            self.out
                .push_str(&format!(" ; {file}:{}:{}", span.line, span.column));
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        if !stmt.defs.is_empty() {
            let defs = self.list(&stmt.defs, |p, &def| p.typed(def));
            self.push(&[&defs, " = "]);
        }
        let types: Vec<_> = stmt.defs.iter().map(|&def| self.elem_of(def)).collect();
        self.expr(&stmt.expr, &types);
    }

    fn index(&self, index: &Index) -> String {
        let indices = self.atoms(&index.indices, Some(ScalarType::U64));
        let unchecked = if index.checked { "" } else { ".in" };
        format!("{unchecked} {}[{indices}]", self.name(index.array))
    }

    fn expr(&mut self, expr: &Expr, types: &[Option<ScalarType>]) {
        let result = types.first().copied().flatten();
        let text = match expr {
            Expr::Op(op, atoms) => {
                let named = atoms.iter().find_map(|atom| self.elem_of(atom.as_var()?));
                let types: Vec<_> = (0..atoms.len())
                    .map(|at| operand_type(*op, at, result, named))
                    .collect();
                format!("{} {}", op.name(), self.typed_atoms(atoms, &types))
            }
            Expr::Cast(to, atom) => format!("cast {to} {}", self.atom(*atom, None)),
            Expr::Bits(to, atom) => format!("bits {to} {}", self.atom(*atom, None)),
            Expr::Index(index) => format!("index{}", self.index(index)),
            Expr::Update(index, value) => {
                let value = self.atom(*value, self.elem_of(index.array));
                format!("update{} = {value}", self.index(index))
            }
            Expr::Array(atoms) => format!("array [{}]", self.atoms(atoms, result)),
            Expr::Data(data) => self.data(data),
            Expr::Reshape(array, shape) => {
                let shape = self.atoms(shape, Some(ScalarType::U64));
                format!("reshape {} [{shape}]", self.name(*array))
            }
            Expr::Check(check) => self.check(check),
            Expr::If(cond, then, other) => {
                let cond = self.atom(*cond, Some(ScalarType::Bool));
                self.push(&["if ", &cond, " {"]);
                self.block(then, "yield", types);
                self.line("} else {");
                self.block(other, "yield", types);
                self.line("}");
                return;
            }
            Expr::Loop(inner) => return self.looping(inner),
            Expr::Par(par) => return self.par(par, types),
        };
        self.out.push_str(&text);
    }

    fn data(&self, data: &Data) -> String {
        let Data { elem, shape, bits } = data;
        let shape: Vec<String> = shape.iter().map(|n| n.to_string()).collect();
        let elements = bits.iter().map(|&bits| Const { ty: *elem, bits });
        let elements: Vec<_> = elements.map(|c| print_const(c, Some(*elem))).collect();
        format!(
            "data [{}]{elem} {{{}}}",
            shape.join(", "),
            elements.join(", ")
        )
    }

    fn check(&self, check: &Check) -> String {
        let mut text = format!("check {} ", check.fault.name());
        if let Fault::Assert(message) = &check.fault {
            quoted(&mut text, message);
            text.push(' ');
        }
        text += &self.atom(check.cond, Some(ScalarType::Bool));
        for &operand in &check.operands {
            text.push_str(", ");
            text += &self.atom(operand, Some(ScalarType::U64));
        }
        text
    }

    fn looping(&mut self, inner: &Loop) {
        let types: Vec<_> = inner
            .carried
            .iter()
            .map(|&(var, _)| self.elem_of(var))
            .collect();
        let carried = self.list(&inner.carried, |p, &(var, init)| {
            format!("{} = {}", p.typed(var), p.atom(init, p.elem_of(var)))
        });
        match &inner.kind {
            LoopKind::For { index, extent } => {
                let extent = self.atom(*extent, Some(ScalarType::U64));
                let index = self.name(*index);
                self.push(&[
                    "loop for ",
                    &index,
                    " in 0..",
                    &extent,
                    " (",
                    &carried,
                    ") {",
                ]);
            }
            LoopKind::While(cond) => {
                self.push(&["loop while (", &carried, ") {"]);
                self.block(cond, "yield", &[Some(ScalarType::Bool)]);
                self.line("} {");
            }
        }
        self.block(&inner.body, "yield", &types);
        self.line("}");
    }

    fn par(&mut self, par: &Par, types: &[Option<ScalarType>]) {
        self.out
            .push_str(if par.inner { "par.inner" } else { "par" });
        if !par.levels.is_empty() {
            let levels: Vec<&str> = par.levels.iter().map(|level| level.name()).collect();
            self.push(&["[", &levels.join(" "), "]"]);
        }
        let extent = self.atom(par.extent, Some(ScalarType::U64));
        let index = self.name(par.index);
        self.push(&[" (", &index, " in 0..", &extent, ") {"]);
        self.depth += 1;
        self.stmts(&par.body);
        let mut types = types;
        for sink in &par.sinks {
            let (mine, rest) = types.split_at(sink.results().min(types.len()));
            self.line("");
            self.sink(sink, mine);
            self.place(sink.place);
            types = rest;
        }
        self.depth -= 1;
        self.line("}");
    }

    fn sink(&mut self, sink: &Sink, types: &[Option<ScalarType>]) {
        self.push(&[sink.kind.name(), " "]);
        match &sink.combine {
            Some(Combine::Op(op)) => self.push(&[op.name(), " "]),
            Some(Combine::Lambda(lambda)) => {
                let params = self.list(&lambda.params, |p, &param| p.typed(param));
                self.push(&["(", &params, ") {"]);
                let types: Vec<_> = lambda.params.iter().map(|&var| self.elem_of(var)).collect();
                self.block(&lambda.body, "yield", &types);
                self.line("} ");
            }
            None => {}
        }
        let mut operands = sink.outer.clone();
        operands.extend(&sink.values);
        let contexts = sink_types(sink.kind, operands.len(), types);
        let operands = self.typed_atoms(&operands, &contexts);
        self.out.push_str(&operands);
    }
}

/// The types of the operands of a sink, in order, from those of its results.
pub(super) fn sink_types(
    kind: SinkKind,
    operands: usize,
    results: &[Option<ScalarType>],
) -> Vec<Option<ScalarType>> {
    let outer = outer_count(kind, operands);
    let result = |at: usize| results.get(at).copied().flatten();
    (0..operands)
        .map(|at| match kind {
            SinkKind::Collect => result(at),
            SinkKind::Filter if at == 0 => Some(ScalarType::Bool),
            SinkKind::Filter => result(at),
            SinkKind::Scatter | SinkKind::ScatterWith if at == outer => Some(ScalarType::U64),
            SinkKind::Scatter | SinkKind::ScatterWith if at > outer => result(at - outer - 1),
            _ if at >= outer => result(at - outer),
            _ => result(at),
        })
        .collect()
}

/// How many of the operands of a sink stand in `outer`.
pub(super) fn outer_count(kind: SinkKind, operands: usize) -> usize {
    match kind {
        SinkKind::Collect | SinkKind::Filter => 0,
        SinkKind::Scatter | SinkKind::ScatterWith => operands.saturating_sub(1) / 2,
        _ => operands / 2,
    }
}
