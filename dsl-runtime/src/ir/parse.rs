//! From the text form to the IR, the inverse of [`super::print`].
//!
//! A text is any number of functions. `;` begins a comment; a comment that is a line of its own and reads
//! `; word: anything` is a [`Directive`]. Names are numbered in the order of the text. A name must be bound before it is
//! used, in the order of the text; whether it is also visible there, and whether anything has the right type, is for
//! `verify` to say. Every mistake is reported with its line and column, several at once.

use super::lex::{Spot, Token, lex};
use super::print::{operand_type, outer_count, print_type, sink_types};
use super::{
    Atom, Block, Check, Combine, Const, Data, Expr, Fault, Func, Index, Lambda, Level, Loop,
    LoopKind, Par, Place, ScalarOp, ScalarType, Sink, SinkKind, Stmt, Type, Var,
};
use std::collections::{HashMap, HashSet};
use std::fmt;

/// What a text contains.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Module {
    /// The functions, in order.
    pub funcs: Vec<Func>,
    /// The directives, in order.
    pub directives: Vec<Directive>,
}

/// A comment that says something to a tool: `; name: text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The line it stands on, from 1.
    pub line: u32,
    /// The word before the colon.
    pub name: String,
    /// What stands behind it.
    pub text: String,
}

/// A mistake in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, from 1.
    pub line: u32,
    /// The column, in characters from 1.
    pub column: u32,
    /// What is wrong and what is expected.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ParseError {}

/// Blocks in blocks, at most: keeps the recursion of whatever walks the IR within the stack.
pub const MAX_DEPTH: usize = 100;
/// Mistakes reported for one text, at most.
pub const MAX_ERRORS: usize = 50;

/// Reads a text. Never panics; takes time linear in its length.
///
/// ```
/// use dsl_runtime::ir::parse::parse;
/// let errors = parse("func @f(%x: f32) -> f32 {\n  %y: f32 = add %x, 1.0\n  return %z\n}").unwrap_err();
/// assert_eq!(errors[0].to_string(), "3:10: nothing before this binds %z");
/// ```
pub fn parse(text: &str) -> Result<Module, Vec<ParseError>> {
    let lexed = lex(text);
    let mut parser = Parser {
        tokens: lexed.tokens,
        at: 0,
        errors: lexed.errors,
        depth: 0,
        ended: false,
        func: Func::empty(""),
        names: HashMap::new(),
        unknown: HashSet::new(),
    };
    let mut funcs = vec![];
    while parser.peek() != &Token::End {
        match parser.function() {
            Ok(func) => funcs.push(func),
            Err(error) => {
                parser.report(error);
                parser.next();
                while !(parser.here().first && parser.peek() == &Token::Word("func"))
                    && parser.peek() != &Token::End
                {
                    parser.next();
                }
            }
        }
    }
    if parser.errors.is_empty() {
        return Ok(Module {
            funcs,
            directives: lexed.directives,
        });
    }
    parser
        .errors
        .sort_by_key(|error| (error.line, error.column));
    parser.errors.truncate(MAX_ERRORS);
    Err(parser.errors)
}

/// The constant that a word or number means as a value of type `ty`; the error says why it is none.
pub fn parse_const(text: &str, ty: ScalarType) -> Result<Const, String> {
    let wrong = || format!("{text} is no value of type {ty}");
    if let Some(digits) = text.strip_prefix("0x") {
        let bits = u64::from_str_radix(digits, 16).map_err(|_| wrong())?;
        let most = if ty == ScalarType::Bool {
            1
        } else {
            u64::MAX >> (64 - ty.bits())
        };
        return if bits <= most {
            Ok(Const { ty, bits })
        } else {
            Err(wrong())
        };
    }
    macro_rules! float {
        ($rust:ty) => {
            match text {
                "nan" => Ok(<$rust>::NAN.into()),
                "inf" => Ok(<$rust>::INFINITY.into()),
                "-inf" => Ok(<$rust>::NEG_INFINITY.into()),
                _ => match text.parse::<$rust>() {
                    Ok(value) if value.is_finite() => Ok(value.into()),
                    _ => Err(wrong()),
                },
            }
        };
    }
    macro_rules! integer {
        ($rust:ty) => {
            text.parse::<$rust>().map(Const::from).map_err(|_| wrong())
        };
    }
    match ty {
        ScalarType::Bool => text.parse::<bool>().map(Const::from).map_err(|_| wrong()),
        ScalarType::F32 => float!(f32),
        ScalarType::F64 => float!(f64),
        ScalarType::I8 => integer!(i8),
        ScalarType::I16 => integer!(i16),
        ScalarType::I32 => integer!(i32),
        ScalarType::I64 => integer!(i64),
        ScalarType::U8 => integer!(u8),
        ScalarType::U16 => integer!(u16),
        ScalarType::U32 => integer!(u32),
        ScalarType::U64 => integer!(u64),
    }
}

/// A mistake, or `None` where it has been reported before.
type Mistake = Option<ParseError>;
type Parsed<T> = Result<T, Mistake>;

/// An operand whose type may not be known yet.
enum Operand<'t> {
    Atom(Atom),
    Literal(&'t str, usize),
}

/// A length in the type of a result: `?` or an atom.
type Length = Option<Atom>;

struct Parser<'t> {
    tokens: Vec<Spot<'t>>,
    at: usize,
    errors: Vec<ParseError>,
    depth: usize,
    /// Whether the end of the text, or giving up, has been reported.
    ended: bool,
    func: Func,
    names: HashMap<String, Var>,
    /// Names that were used unbound, each reported once.
    unknown: HashSet<String>,
}

impl<'t> Parser<'t> {
    fn here(&self) -> &Spot<'t> {
        &self.tokens[self.at]
    }

    fn peek(&self) -> &Token<'t> {
        &self.here().token
    }

    fn next(&mut self) -> Token<'t> {
        let token = self.peek().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn report(&mut self, mistake: Mistake) {
        let Some(error) = mistake else { return };
        self.errors.push(error);
        if self.errors.len() >= MAX_ERRORS {
            self.stop();
        }
    }

    /// Reads nothing more.
    fn stop(&mut self) {
        self.at = self.tokens.len() - 1;
        self.ended = true;
    }

    /// The text ends inside a block: reported for the innermost one.
    fn unclosed<T>(&mut self) -> Parsed<T> {
        if std::mem::replace(&mut self.ended, true) {
            return Err(None);
        }
        self.expected("`}`")
    }

    fn error_at<T>(&self, at: usize, message: impl Into<String>) -> Parsed<T> {
        let spot = &self.tokens[at];
        Err(Some(ParseError {
            line: spot.line,
            column: spot.column,
            message: message.into(),
        }))
    }

    fn expected<T>(&self, what: &str) -> Parsed<T> {
        let found = match self.peek() {
            Token::Word(text) | Token::Number(text) | Token::Sign(text) => format!("`{text}`"),
            Token::Name(name) => format!("%{name}"),
            Token::Func(name) => format!("@{name}"),
            Token::Text(_) => "a text".into(),
            Token::End => "the end of the text".into(),
        };
        self.error_at(self.at, format!("expected {what}, found {found}"))
    }

    fn is(&self, sign: &'static str) -> bool {
        self.peek() == &Token::Sign(sign)
    }

    fn accept(&mut self, sign: &'static str) -> bool {
        let found = self.is(sign);
        if found {
            self.next();
        }
        found
    }

    fn sign(&mut self, sign: &'static str) -> Parsed<()> {
        if self.accept(sign) {
            Ok(())
        } else {
            self.expected(&format!("`{sign}`"))
        }
    }

    fn accept_word(&mut self, word: &'static str) -> bool {
        let found = self.peek() == &Token::Word(word);
        if found {
            self.next();
        }
        found
    }

    fn word(&mut self, word: &'static str) -> Parsed<()> {
        if self.accept_word(word) {
            Ok(())
        } else {
            self.expected(&format!("`{word}`"))
        }
    }

    /// `item, item, … close`, possibly none; takes the closing sign.
    fn list<T>(
        &mut self,
        close: &'static str,
        mut item: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mut items = vec![];
        if self.accept(close) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.accept(close) {
                return Ok(items);
            }
            self.sign(",")?;
        }
    }

    /// `item, item, …`, at least one.
    fn some<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.accept(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    // Names and types.

    /// A name that is bound here.
    fn bind(&mut self, ty: Type) -> Parsed<Var> {
        let at = self.at;
        let Token::Name(name) = self.peek().clone() else {
            return self.expected("a name such as %x");
        };
        self.next();
        let name = name.into_owned();
        if self.names.contains_key(&name) {
            return self.error_at(
                at,
                format!("%{name} is bound twice; every name is bound once"),
            );
        }
        let var = self.func.var(name.clone(), ty);
        self.names.insert(name, var);
        Ok(var)
    }

    /// `%x: T`.
    fn bind_typed(&mut self) -> Parsed<Var> {
        let var = self.bind(Type::scalar(ScalarType::U64))?;
        self.sign(":")?;
        let ty = self.ty()?;
        self.func.vars[var.0 as usize].ty = ty;
        Ok(var)
    }

    /// A name that is bound already.
    fn name(&mut self) -> Parsed<Var> {
        let at = self.at;
        let Token::Name(name) = self.peek().clone() else {
            return self.expected("a name such as %x");
        };
        self.next();
        match self.names.get(&*name) {
            Some(&var) => Ok(var),
            None if self.unknown.insert(name.to_string()) => {
                self.error_at(at, format!("nothing before this binds %{name}"))
            }
            None => Err(None),
        }
    }

    fn scalar_type(&mut self) -> Parsed<ScalarType> {
        if let Token::Word(word) = *self.peek()
            && let Some(ty) = ScalarType::parse(word)
        {
            self.next();
            return Ok(ty);
        }
        self.expected("a type such as f64")
    }

    fn ty(&mut self) -> Parsed<Type> {
        let shape = if self.accept("[") {
            self.list("]", Self::size)?
        } else {
            vec![]
        };
        Ok(Type::array(self.scalar_type()?, shape))
    }

    fn size(&mut self) -> Parsed<Atom> {
        self.atom(Some(ScalarType::U64))
    }

    fn elem_of(&self, var: Var) -> Option<ScalarType> {
        Some(self.func.ty(var).elem)
    }

    // Operands.

    fn operand(&mut self) -> Parsed<Operand<'t>> {
        let at = self.at;
        let text = match *self.peek() {
            Token::Number(text) | Token::Word(text @ ("nan" | "inf" | "true" | "false")) => text,
            Token::Name(_) => return Ok(Operand::Atom(self.name()?.into())),
            _ => return self.expected("a name or a constant"),
        };
        self.next();
        if self.accept(":") {
            let ty = self.scalar_type()?;
            return Ok(Operand::Atom(self.constant(text, at, Some(ty))?));
        }
        Ok(Operand::Literal(text, at))
    }

    fn constant(&self, text: &str, at: usize, ty: Option<ScalarType>) -> Parsed<Atom> {
        let bool = matches!(text, "true" | "false").then_some(ScalarType::Bool);
        let Some(ty) = bool.or(ty) else {
            return self.error_at(
                at,
                format!("nothing here tells the type of {text}; write {text}:i32, for example"),
            );
        };
        match parse_const(text, ty) {
            Ok(value) => Ok(value.into()),
            Err(message) => self.error_at(at, message),
        }
    }

    fn resolve(&self, operand: Operand<'t>, context: Option<ScalarType>) -> Parsed<Atom> {
        match operand {
            Operand::Atom(atom) => Ok(atom),
            Operand::Literal(text, at) => self.constant(text, at, context),
        }
    }

    fn atom(&mut self, context: Option<ScalarType>) -> Parsed<Atom> {
        let operand = self.operand()?;
        self.resolve(operand, context)
    }

    /// At least one operand, each of the type that `contexts` gives it.
    fn atoms(&mut self, contexts: &[Option<ScalarType>]) -> Parsed<Vec<Atom>> {
        let operands = self.some(Self::operand)?;
        let contexts = contexts.iter().copied().chain(std::iter::repeat(None));
        let pairs = operands.into_iter().zip(contexts);
        pairs
            .map(|(operand, ty)| self.resolve(operand, ty))
            .collect()
    }

    // Functions and blocks.

    fn function(&mut self) -> Parsed<Func> {
        self.word("func")?;
        let Token::Func(name) = self.peek().clone() else {
            return self.expected("the function's name such as @f");
        };
        self.next();
        self.func = Func::empty(name);
        self.depth = 0;
        self.names.clear();
        self.unknown.clear();
        if self.accept("[") {
            self.func.sizes = self.list("]", |p| p.bind(Type::index()))?;
        }
        self.sign("(")?;
        self.func.params = self.list(")", Self::bind_typed)?;
        let arrow = self.at;
        let declared = match self.accept("->") {
            true => self.some(Self::result_type)?,
            false => vec![],
        };
        let types: Vec<_> = declared.iter().map(|&(elem, _)| Some(elem)).collect();
        self.sign("{")?;
        self.func.body = self.block("return", &types)?;
        self.check_declared(arrow, &declared);
        Ok(std::mem::replace(&mut self.func, Func::empty("")))
    }

    fn result_type(&mut self) -> Parsed<(ScalarType, Vec<Length>)> {
        let mut shape = vec![];
        if self.accept("[") {
            shape = self.list("]", |p| {
                if p.accept("?") {
                    Ok(None)
                } else {
                    p.size().map(Some)
                }
            })?;
        }
        Ok((self.scalar_type()?, shape))
    }

    /// The types of the results must be those that the signature declares.
    fn check_declared(&mut self, at: usize, declared: &[(ScalarType, Vec<Length>)]) {
        if !self.errors.is_empty() {
            return;
        }
        let found = self.func.result_types();
        let fits = found.len() == declared.len()
            && found.iter().zip(declared).all(|(ty, (elem, shape))| {
                ty.elem == *elem
                    && ty.rank() == shape.len()
                    && ty
                        .shape
                        .iter()
                        .zip(shape)
                        .all(|(a, b)| b.is_none_or(|b| *a == b))
            });
        if !fits {
            let types: Vec<String> = found.iter().map(|ty| print_type(&self.func, ty)).collect();
            let message = match types.len() {
                0 => "the signature declares results, but nothing is returned".into(),
                _ => format!(
                    "the signature must declare what is returned: -> {}",
                    types.join(", ")
                ),
            };
            let mistake = self.error_at::<()>(at, message).unwrap_err();
            self.report(mistake);
        }
    }

    /// Statements and results up to the closing brace, which is taken.
    fn block(&mut self, word: &'static str, types: &[Option<ScalarType>]) -> Parsed<Block> {
        let mut block = Block::default();
        self.enter()?;
        while !self.accept("}") {
            if self.peek() == &Token::End {
                return self.unclosed();
            }
            let start = self.at;
            let parsed = if self.accept_word(word) {
                self.atoms(types).and_then(|results| {
                    block.results = results;
                    if self.is("}") {
                        Ok(())
                    } else {
                        self.expected("`}`")
                    }
                })
            } else {
                self.stmt().map(|stmt| block.stmts.push(stmt))
            };
            if let Err(mistake) = parsed {
                self.report(mistake);
                self.recover(start);
            }
        }
        self.depth -= 1;
        Ok(block)
    }

    fn enter(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth <= MAX_DEPTH {
            return Ok(());
        }
        let error = self.error_at(
            self.at,
            format!("more than {MAX_DEPTH} blocks in one another"),
        );
        self.stop();
        error
    }

    /// Goes to the beginning of the next statement of the block, or to its end, behind what begins at `start`.
    fn recover(&mut self, start: usize) {
        let mut depth = 0;
        loop {
            if depth == 0 && self.at > start && self.here().first {
                return;
            }
            match self.peek() {
                Token::End => return,
                Token::Sign("}") if depth == 0 => return,
                Token::Sign("}") => depth -= 1,
                Token::Sign("{") => depth += 1,
                _ => {}
            }
            self.next();
        }
    }

    // Statements.

    fn stmt(&mut self) -> Parsed<Stmt> {
        let mut defs = vec![];
        if matches!(self.peek(), Token::Name(_)) {
            defs = self.some(Self::bind_typed)?;
            self.sign("=")?;
        }
        let types: Vec<_> = defs.iter().map(|&def| self.elem_of(def)).collect();
        let expr = self.expr(&types)?;
        Ok(Stmt {
            defs,
            expr,
            place: Place::default(),
        })
    }

    fn expr(&mut self, types: &[Option<ScalarType>]) -> Parsed<Expr> {
        let result = types.first().copied().flatten();
        let Token::Word(word) = *self.peek() else {
            return self.expected("an operation");
        };
        let at = self.at;
        self.next();
        Ok(match word {
            "cast" => Expr::Cast(self.scalar_type()?, self.atom(None)?),
            "bits" => Expr::Bits(self.scalar_type()?, self.atom(None)?),
            "index" | "index.in" => Expr::Index(self.index(word == "index")?),
            "update" | "update.in" => {
                let index = self.index(word == "update")?;
                self.sign("=")?;
                let elem = self.elem_of(index.array);
                Expr::Update(index, self.atom(elem)?)
            }
            "array" => {
                self.sign("[")?;
                Expr::Array(self.list("]", |p| p.atom(result))?)
            }
            "data" => Expr::Data(self.data()?),
            "reshape" => {
                let array = self.name()?;
                self.sign("[")?;
                Expr::Reshape(array, self.list("]", Self::size)?)
            }
            "check" => Expr::Check(self.check()?),
            "if" => {
                let cond = self.atom(Some(ScalarType::Bool))?;
                self.sign("{")?;
                let then = self.block("yield", types)?;
                self.word("else")?;
                self.sign("{")?;
                Expr::If(cond, then, self.block("yield", types)?)
            }
            "loop" => Expr::Loop(self.looping()?),
            "par" | "par.inner" => Expr::Par(self.par(word == "par.inner", types)?),
            _ => match ScalarOp::parse(word) {
                Some(op) => self.op(op, result)?,
                None => return self.error_at(at, format!("there is no operation `{word}`")),
            },
        })
    }

    fn op(&mut self, op: ScalarOp, result: Option<ScalarType>) -> Parsed<Expr> {
        let operands = self.some(Self::operand)?;
        let named = operands.iter().find_map(|operand| match operand {
            Operand::Atom(Atom::Var(var)) => self.elem_of(*var),
            _ => None,
        });
        let numbered = operands.into_iter().enumerate();
        let atoms = numbered
            .map(|(at, operand)| self.resolve(operand, operand_type(op, at, result, named)));
        Ok(Expr::Op(op, atoms.collect::<Parsed<_>>()?))
    }

    fn index(&mut self, checked: bool) -> Parsed<Index> {
        let array = self.name()?;
        self.sign("[")?;
        Ok(Index {
            array,
            indices: self.list("]", Self::size)?,
            checked,
        })
    }

    fn data(&mut self) -> Parsed<Data> {
        let at = self.at;
        self.sign("[")?;
        let shape = self.list("]", |p| {
            let at = p.at;
            match p.size()? {
                Atom::Const(Const { bits, .. }) => Ok(bits as usize),
                Atom::Var(_) => p.error_at(at, "the shape of constant data is constant"),
            }
        })?;
        let elem = self.scalar_type()?;
        self.sign("{")?;
        let bits = self.list("}", |p| {
            let at = p.at;
            match p.atom(Some(elem))? {
                Atom::Const(value) if value.ty == elem => Ok(value.bits),
                _ => p.error_at(at, format!("expected a constant of type {elem}")),
            }
        })?;
        let wanted = shape.iter().try_fold(1usize, |n, &len| n.checked_mul(len));
        if wanted != Some(bits.len()) {
            return self.error_at(
                at,
                format!("{} elements do not fill this shape", bits.len()),
            );
        }
        Ok(Data {
            elem,
            shape,
            bits: bits.into(),
        })
    }

    fn check(&mut self) -> Parsed<Check> {
        let at = self.at;
        let Token::Word(word) = self.next() else {
            return self.error_at(at, "expected the name of a fault");
        };
        let fault = match (word, self.peek().clone()) {
            ("assert", Token::Text(message)) => {
                self.next();
                Fault::Assert(message)
            }
            ("assert", _) => return self.expected("the message of the assertion"),
            _ => match Fault::parse(word) {
                Some(fault) => fault,
                None => return self.error_at(at, format!("there is no fault `{word}`")),
            },
        };
        let cond = self.atom(Some(ScalarType::Bool))?;
        let mut operands = vec![];
        while self.accept(",") {
            operands.push(self.size()?);
        }
        Ok(Check {
            cond,
            fault,
            operands,
        })
    }

    fn looping(&mut self) -> Parsed<Loop> {
        let at = self.at;
        let Token::Word(word @ ("for" | "while")) = self.next() else {
            return self.error_at(at, "expected `for` or `while`");
        };
        let counter = if word == "for" {
            Some(self.range()?)
        } else {
            None
        };
        self.sign("(")?;
        let carried = self.list(")", |p| {
            let var = p.bind_typed()?;
            p.sign("=")?;
            Ok((var, p.atom(p.elem_of(var))?))
        })?;
        let types: Vec<_> = carried.iter().map(|&(var, _)| self.elem_of(var)).collect();
        self.sign("{")?;
        let kind = match counter {
            Some((index, extent)) => LoopKind::For { index, extent },
            None => {
                let cond = self.block("yield", &[Some(ScalarType::Bool)])?;
                self.sign("{")?;
                LoopKind::While(cond)
            }
        };
        Ok(Loop {
            kind,
            carried,
            body: self.block("yield", &types)?,
        })
    }

    /// `%i in 0..%n`.
    fn range(&mut self) -> Parsed<(Var, Atom)> {
        let index = self.bind(Type::index())?;
        self.word("in")?;
        if self.peek() != &Token::Number("0") {
            return self.expected("`0`: counting starts there");
        }
        self.next();
        self.sign("..")?;
        Ok((index, self.size()?))
    }

    fn par(&mut self, inner: bool, types: &[Option<ScalarType>]) -> Parsed<Par> {
        let mut levels = vec![];
        if self.accept("[") {
            while !self.accept("]") {
                let level = match *self.peek() {
                    Token::Word(word) => Level::parse(word),
                    _ => None,
                };
                match level {
                    Some(level) => levels.push(level),
                    None => return self.expected("a level such as `threads`"),
                }
                self.next();
            }
        }
        self.sign("(")?;
        let (index, extent) = self.range()?;
        self.sign(")")?;
        self.sign("{")?;
        self.enter()?;
        let mut par = Par {
            index,
            extent,
            body: Block::default(),
            sinks: vec![],
            inner,
            levels,
        };
        let mut types = types;
        while !self.accept("}") {
            if self.peek() == &Token::End {
                return self.unclosed();
            }
            let start = self.at;
            let kind = match *self.peek() {
                Token::Word(word) => SinkKind::parse(word),
                _ => None,
            };
            let parsed = match kind {
                Some(kind) => self.sink(kind, types).map(|sink| {
                    types = types.get(sink.results()..).unwrap_or(&[]);
                    par.sinks.push(sink);
                }),
                None if par.sinks.is_empty() => self.stmt().map(|stmt| par.body.stmts.push(stmt)),
                None => self.expected("a sink or `}`: statements stand before the sinks"),
            };
            if let Err(mistake) = parsed {
                self.report(mistake);
                self.recover(start);
            }
        }
        self.depth -= 1;
        Ok(par)
    }

    fn sink(&mut self, kind: SinkKind, types: &[Option<ScalarType>]) -> Parsed<Sink> {
        let at = self.at;
        self.next();
        let combine = match *self.peek() {
            Token::Sign("(") => Some(Combine::Lambda(self.lambda()?)),
            Token::Word(word) => match ScalarOp::parse(word) {
                Some(op) => {
                    self.next();
                    Some(Combine::Op(op))
                }
                None => None,
            },
            _ => None,
        };
        if combine.is_some() != kind.combines() {
            let name = kind.name();
            return self.error_at(
                at,
                match kind.combines() {
                    true => format!("{name} needs a combining function, such as `{name} add …`"),
                    false => format!("{name} takes no combining function"),
                },
            );
        }
        let operands = self.some(Self::operand)?;
        let contexts = sink_types(kind, operands.len(), types);
        let mut values: Vec<Atom> = vec![];
        for (operand, context) in operands.into_iter().zip(contexts) {
            values.push(self.resolve(operand, context)?);
        }
        let outer = values.drain(..outer_count(kind, values.len())).collect();
        Ok(Sink {
            kind,
            outer,
            values,
            combine,
            place: Place::default(),
        })
    }

    fn lambda(&mut self) -> Parsed<Lambda> {
        self.sign("(")?;
        let params = self.list(")", Self::bind_typed)?;
        let types: Vec<_> = params.iter().map(|&var| self.elem_of(var)).collect();
        self.sign("{")?;
        Ok(Lambda {
            params,
            body: self.block("yield", &types)?,
        })
    }
}
