//! From the text form to the IR, the inverse of [`super::print`].
//!
//! A text is any number of functions. `;` begins a comment; a comment that is a line of its own and reads
//! `; word: anything` is a [`Directive`]. Names are numbered in the order of the text. A name must be bound before it is
//! used, in the order of the text; whether it is also visible there, and whether anything has the right type, is for
//! `verify` to say. Every mistake is reported with its line and column, several at once.

mod stmt;

use super::lex::{Spot, Token, lex};
use super::print::print_type;
use super::{Atom, Block, Const, Func, ScalarType, Type, Var};
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
        funcs: HashMap::new(),
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
    /// The functions so far, and the line of each.
    funcs: HashMap<String, u32>,
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
        let line = self.here().line;
        match self.funcs.get(&*name) {
            Some(first) => {
                let text = format!("@{name} is a function already, on line {first}");
                let twice = self.error_at::<()>(self.at, text);
                twice.unwrap_or_else(|mistake| self.report(mistake));
            }
            None => {
                self.funcs.insert(name.to_string(), line);
            }
        }
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
}
