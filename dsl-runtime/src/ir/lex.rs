//! From the characters of the text form to its tokens and directives.

use super::parse::{Directive, ParseError};
use super::print::is_word;
use std::borrow::Cow;

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'t> {
    /// `par.inner`, `f64`, `nan`.
    Word(&'t str),
    /// `%x.1`, without the sign.
    Name(Cow<'t, str>),
    /// `@f`, without the sign.
    Func(Cow<'t, str>),
    /// `-1.5e3`, `0x7f`, `-inf`.
    Number(&'t str),
    /// `"text"`, unquoted.
    Text(String),
    /// A sign: one of `()[]{}:,=?`, `..` or `->`.
    Sign(&'t str),
    /// The end of the text.
    End,
}

/// A token and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Spot<'t> {
    pub token: Token<'t>,
    pub line: u32,
    pub column: u32,
    /// Whether it is the first of its line.
    pub first: bool,
}

/// All tokens, ended by [`Token::End`]; the directives; what could not be read.
pub(super) struct Lexed<'t> {
    pub tokens: Vec<Spot<'t>>,
    pub directives: Vec<Directive>,
    pub errors: Vec<ParseError>,
}

/// Reads the text from its beginning to its end, once.
pub(super) fn lex(text: &str) -> Lexed<'_> {
    let mut lexer = Lexer {
        rest: text,
        line: 1,
        column: 1,
        first: true,
        lexed: Lexed {
            tokens: vec![],
            directives: vec![],
            errors: vec![],
        },
    };
    while lexer.token() {}
    lexer.lexed
}

struct Lexer<'t> {
    rest: &'t str,
    line: u32,
    column: u32,
    first: bool,
    lexed: Lexed<'t>,
}

impl<'t> Lexer<'t> {
    /// Takes `bytes` bytes, which contain no line break.
    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        self.column += taken.chars().count() as u32;
        taken
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// The number of leading bytes whose characters satisfy `f`.
    fn span(&self, f: impl Fn(char) -> bool) -> usize {
        self.rest.find(|c| !f(c)).unwrap_or(self.rest.len())
    }

    fn blank(&mut self) {
        loop {
            match self.peek() {
                Some('\n') => {
                    self.rest = &self.rest[1..];
                    self.line += 1;
                    self.column = 1;
                    self.first = true;
                }
                Some(';') => {
                    let comment = self.take(self.span(|c| c != '\n'));
                    if self.first {
                        self.directive(&comment[1..]);
                    }
                }
                Some(c) if c.is_whitespace() => {
                    self.take(c.len_utf8());
                }
                _ => return,
            }
        }
    }

    fn directive(&mut self, comment: &str) {
        let Some((name, text)) = comment.split_once(':') else {
            return;
        };
        let name = name.trim();
        if !name.is_empty() && name.chars().all(is_word) {
            self.lexed.directives.push(Directive {
                line: self.line,
                name: name.to_string(),
                text: text.trim().to_string(),
            });
        }
    }

    fn error(&mut self, line: u32, column: u32, message: impl Into<String>) {
        if self.lexed.errors.len() < super::parse::MAX_ERRORS {
            self.lexed.errors.push(ParseError {
                line,
                column,
                message: message.into(),
            });
        }
    }

    /// Reads one token; false at the end.
    fn token(&mut self) -> bool {
        self.blank();
        let (line, column, first) = (self.line, self.column, self.first);
        self.first = false;
        let Some(c) = self.peek() else {
            self.lexed.tokens.push(Spot {
                token: Token::End,
                line,
                column,
                first: true,
            });
            return false;
        };
        let token = match c {
            '%' => self.sigil(Token::Name),
            '@' => self.sigil(Token::Func),
            '"' => self.text().map(Token::Text),
            '0'..='9' => Ok(self.number()),
            '-' if self.rest.starts_with("->") => Ok(Token::Sign(self.take(2))),
            '-' => match self.rest[1..].chars().next() {
                Some('0'..='9') => Ok(self.number()),
                _ if self.rest.starts_with("-inf") => Ok(Token::Number(self.take(4))),
                _ => Err("a sign that stands alone; negative numbers are written without a space"),
            },
            '.' if self.rest.starts_with("..") => Ok(Token::Sign(self.take(2))),
            '(' | ')' | '[' | ']' | '{' | '}' | ':' | ',' | '=' | '?' => {
                Ok(Token::Sign(self.take(1)))
            }
            c if is_word(c) => Ok(Token::Word(self.word())),
            _ => Err("a character that has no meaning here"),
        };
        match token {
            Ok(token) => self.lexed.tokens.push(Spot {
                token,
                line,
                column,
                first,
            }),
            Err(message) => {
                if self.column == column && self.line == line {
                    self.take(c.len_utf8());
                }
                self.error(line, column, message);
            }
        }
        true
    }

    fn sigil(
        &mut self,
        make: impl Fn(Cow<'t, str>) -> Token<'t>,
    ) -> Result<Token<'t>, &'static str> {
        self.take(1);
        match self.peek() {
            Some('"') => Ok(make(Cow::Owned(self.text()?))),
            Some(c) if is_word(c) => Ok(make(Cow::Borrowed(self.word()))),
            _ => Err("a sign without a name behind it"),
        }
    }

    /// Letters, digits and `_`, with single dots between them.
    fn word(&mut self) -> &'t str {
        let whole = self.rest;
        let mut len = 0;
        loop {
            len += self.take(self.span(is_word)).len();
            let mut next = self.rest.chars();
            if next.next() != Some('.') || !next.next().is_some_and(is_word) {
                return &whole[..len];
            }
            len += self.take(1).len();
        }
    }

    fn number(&mut self) -> Token<'t> {
        let bytes = self.rest.as_bytes();
        let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
        let digits = |mut i: usize| {
            while at(i).is_ascii_digit() {
                i += 1;
            }
            i
        };
        let start = usize::from(at(0) == b'-');
        let mut end = digits(start);
        if at(start) == b'0' && at(start + 1) == b'x' {
            end = start + 2;
            while at(end).is_ascii_hexdigit() {
                end += 1;
            }
            return Token::Number(self.take(end));
        }
        if at(end) == b'.' && at(end + 1).is_ascii_digit() {
            end = digits(end + 1);
        }
        if matches!(at(end), b'e' | b'E') {
            let sign = usize::from(matches!(at(end + 1), b'+' | b'-'));
            let exponent = digits(end + 1 + sign);
            if exponent > end + 1 + sign {
                end = exponent;
            }
        }
        Token::Number(self.take(end))
    }

    fn text(&mut self) -> Result<String, &'static str> {
        self.take(1);
        let mut text = String::new();
        loop {
            let plain = self.take(self.span(|c| !matches!(c, '"' | '\\' | '\n')));
            text.push_str(plain);
            match self.peek() {
                Some('"') => {
                    self.take(1);
                    return Ok(text);
                }
                Some('\\') => {
                    self.take(1);
                    text.push(self.escape()?);
                }
                _ => return Err("a text without its closing quotation mark"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, &'static str> {
        let c = self.peek().filter(|&c| c != '\n');
        self.take(c.map_or(0, char::len_utf8));
        match c {
            Some('n') => Ok('\n'),
            Some(c @ ('"' | '\\')) => Ok(c),
            Some('u') if self.rest.starts_with('{') => {
                self.take(1);
                let digits = self.take(self.span(|c| c.is_ascii_hexdigit()));
                let code = u32::from_str_radix(digits, 16)
                    .ok()
                    .and_then(char::from_u32);
                match (code, self.peek()) {
                    (Some(code), Some('}')) => {
                        self.take(1);
                        Ok(code)
                    }
                    _ => Err("no character has this number"),
                }
            }
            _ => Err("an unknown escape; there are \\n, \\\", \\\\ and \\u{…}"),
        }
    }
}
