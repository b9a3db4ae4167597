//! The notation of signatures in the table of methods → terms that inference instantiates.
//!
//! | written | means |
//! |---|---|
//! | `S` | the receiver's type |
//! | `T`, `N` | the receiver's element type and length |
//! | another capital letter | a type of its own for each call |
//! | `f32`, `usize`, `bool`, … | a scalar |
//! | `(A, B)`, `[A]`, `[A; N]`, `[A; 4]` | a tuple, a sequence, fixed arrays |
//! | `iter A`, `opt A`, `ord` | an iterator, an `Option`, an `Ordering` |
//! | `fn(A) -> B` | a closure or a path to a function |
//! | `seq A`, `into A` | whatever is a sequence of `A`, whatever can be iterated with items `A` |
//! | `int A` | `A`, which is an integer |
//! | `unsigned A`, `signed A` | the unsigned or signed integer as wide as `A` |
//! | `nd A`, `sub A`, `nd1 A`, `nd2 A`, … | an array of `A` of the receiver's rank, of one less, of this rank |
//! | `shape` | what `dim()` of the receiver returns |
//! | `slice` | `s![…]` |
//! | `..` | any arguments |

use crate::syntax::Scalar;

/// A method's parameters and result.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// The parameters behind the receiver.
    pub params: Vec<Term>,
    /// Whether any further arguments may follow.
    pub open: bool,
    /// The result.
    pub result: Term,
}

/// A type of a signature.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// The receiver.
    Own,
    /// A variable by its letter.
    Var(u8),
    /// A scalar.
    Scalar(Scalar),
    /// A tuple.
    Tuple(Vec<Term>),
    /// A sequence.
    Seq(Box<Term>),
    /// A fixed array and its length.
    Array(Box<Term>, Box<Term>),
    /// An iterator.
    Iter(Box<Term>),
    /// An `Option`.
    Option(Box<Term>),
    /// An `Ordering`.
    Ordering,
    /// A closure.
    Fn(Vec<Term>, Box<Term>),
    /// Whatever is a sequence of this.
    SeqLike(Box<Term>),
    /// Whatever can be iterated with these items.
    IntoIter(Box<Term>),
    /// An integer.
    Int(Box<Term>),
    /// The unsigned integer of the same width.
    Unsigned(Box<Term>),
    /// The signed integer of the same width.
    Signed(Box<Term>),
    /// An ndarray array: rank of the receiver less this.
    Nd(usize, Box<Term>),
    /// An ndarray array of this rank.
    Ranked(usize, Box<Term>),
    /// The length of a fixed array.
    Len(usize),
    /// The receiver's shape.
    Shape,
    /// `s![…]` of any rank.
    Slice,
}

/// The scalar types by name.
pub(crate) const SCALARS: &[(&str, Scalar)] = &[
    ("bool", Scalar::Bool),
    ("i8", Scalar::I8),
    ("i16", Scalar::I16),
    ("i32", Scalar::I32),
    ("i64", Scalar::I64),
    ("isize", Scalar::Isize),
    ("u8", Scalar::U8),
    ("u16", Scalar::U16),
    ("u32", Scalar::U32),
    ("u64", Scalar::U64),
    ("usize", Scalar::Usize),
    ("f32", Scalar::F32),
    ("f64", Scalar::F64),
];

impl Signature {
    /// Reads a signature of the table; panics on a malformed one, which a test of the table rules out.
    pub(super) fn parse(text: &'static str) -> Signature {
        let mut reader = Reader {
            tokens: tokens(text),
            text,
        };
        reader.expect("(");
        let mut params = vec![];
        let mut open = false;
        while !reader.eat(")") {
            if reader.eat("..") {
                open = true;
            } else {
                params.push(reader.term());
            }
            reader.eat(",");
        }
        reader.expect("->");
        let result = reader.term();
        assert!(reader.tokens.is_empty(), "signature `{text}` goes on");
        Signature {
            params,
            open,
            result,
        }
    }
}

/// The words and signs, the last one first.
fn tokens(text: &'static str) -> Vec<&'static str> {
    let mut all = vec![];
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first.is_alphanumeric() {
            rest.find(|c: char| !c.is_alphanumeric())
                .unwrap_or(rest.len())
        } else if rest.starts_with("->") || rest.starts_with("..") {
            2
        } else {
            first.len_utf8()
        };
        all.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    all.reverse();
    all
}

struct Reader {
    tokens: Vec<&'static str>,
    text: &'static str,
}

impl Reader {
    fn eat(&mut self, token: &str) -> bool {
        let found = self.tokens.last() == Some(&token);
        if found {
            self.tokens.pop();
        }
        found
    }

    fn expect(&mut self, token: &str) {
        assert!(self.eat(token), "signature `{}` lacks `{token}`", self.text);
    }

    fn list(&mut self, close: &str) -> Vec<Term> {
        let mut terms = vec![];
        while !self.eat(close) {
            terms.push(self.term());
            self.eat(",");
        }
        terms
    }

    fn boxed(&mut self) -> Box<Term> {
        Box::new(self.term())
    }

    fn term(&mut self) -> Term {
        let token = self.tokens.pop().unwrap_or("the end");
        if let Some((_, scalar)) = SCALARS.iter().find(|(name, _)| *name == token) {
            return Term::Scalar(*scalar);
        }
        if let Ok(number) = token.parse() {
            return Term::Len(number);
        }
        match token {
            "S" => Term::Own,
            "(" => Term::Tuple(self.list(")")),
            "[" => {
                let element = self.boxed();
                let term = if self.eat(";") {
                    Term::Array(element, self.boxed())
                } else {
                    Term::Seq(element)
                };
                self.expect("]");
                term
            }
            "iter" => Term::Iter(self.boxed()),
            "opt" => Term::Option(self.boxed()),
            "ord" => Term::Ordering,
            "seq" => Term::SeqLike(self.boxed()),
            "into" => Term::IntoIter(self.boxed()),
            "int" => Term::Int(self.boxed()),
            "unsigned" => Term::Unsigned(self.boxed()),
            "signed" => Term::Signed(self.boxed()),
            "nd" => Term::Nd(0, self.boxed()),
            "sub" => Term::Nd(1, self.boxed()),
            "nd1" => Term::Ranked(1, self.boxed()),
            "nd2" => Term::Ranked(2, self.boxed()),
            "nd3" => Term::Ranked(3, self.boxed()),
            "shape" => Term::Shape,
            "slice" => Term::Slice,
            "fn" => {
                self.expect("(");
                let params = self.list(")");
                self.expect("->");
                Term::Fn(params, self.boxed())
            }
            letter if letter.len() == 1 && letter.as_bytes()[0].is_ascii_uppercase() => {
                Term::Var(letter.as_bytes()[0])
            }
            other => panic!("signature `{}` has `{other}`", self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_closures_and_sequences() {
        let signature = Signature::parse("(fn(T, T) -> T, seq int I, [T; N]) -> opt (usize, [T])");
        let t = || Term::Var(b'T');
        assert_eq!(
            signature.params,
            [
                Term::Fn(vec![t(), t()], Box::new(t())),
                Term::SeqLike(Box::new(Term::Int(Box::new(Term::Var(b'I'))))),
                Term::Array(Box::new(t()), Box::new(Term::Var(b'N'))),
            ]
        );
        assert_eq!(
            signature.result,
            Term::Option(Box::new(Term::Tuple(vec![
                Term::Scalar(Scalar::Usize),
                Term::Seq(Box::new(t()))
            ])))
        );
    }
}
