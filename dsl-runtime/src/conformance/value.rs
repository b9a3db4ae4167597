//! The values of run lines: from their text to arguments, and whether results are what a text says.

use crate::array::{Arg, Dense, Value};
use crate::backend::Failure;
use crate::ir::parse::parse_const;
use crate::ir::print::print_const;
use crate::ir::{Const, ScalarType, Type};

/// A value as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    /// `1.5`, `true`, `nan`, `0x7f`.
    Word(String),
    /// `[1, 2]`, `[[1, 2], [3, 4]]`.
    List(Vec<Literal>),
    /// `iota(10)`.
    Made(String, Vec<Literal>),
}

/// A value of a type: its lengths (none for a scalar) and its bits, row-major.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bits {
    pub elem: ScalarType,
    pub shape: Vec<usize>,
    pub bits: Vec<u64>,
}

/// How values are made by name: the name, the number of leading parameters that are not lengths, what element `k` is.
pub(crate) struct Generator {
    pub name: &'static str,
    pub parameters: usize,
    pub doc: &'static str,
    value: fn(ScalarType, &[Const], u64) -> Const,
}

/// All generators. Behind the parameters stand the lengths: `hash(7, 100, 3)` has the shape `[100, 3]`. Parameters are
/// `u64`, but that of `fill` has the type of the elements.
pub(crate) const GENERATORS: &[Generator] = &[
    Generator {
        name: "iota",
        parameters: 0,
        doc: "iota(n): 0, 1, 2, … in row-major order, cast as Rust's `as`",
        value: |ty, _, k| crate::ir::op::cast(ty, Const::u64(k)),
    },
    Generator {
        name: "fill",
        parameters: 1,
        doc: "fill(v, n): v everywhere",
        value: |_, given, _| given[0],
    },
    Generator {
        name: "bits",
        parameters: 1,
        doc: "bits(seed, n): any bits, every NaN among them",
        value: |ty, given, k| masked(ty, mix(given[0].bits, k)),
    },
    Generator {
        name: "hash",
        parameters: 1,
        doc: "hash(seed, n): any integer; a float from -1 to 1",
        value: |ty, given, k| {
            let bits = mix(given[0].bits, k);
            match ty {
                ScalarType::F32 => Const::f32((bits >> 40) as f32 / (1u64 << 23) as f32 - 1.0),
                ScalarType::F64 => Const::f64((bits >> 11) as f64 / (1u64 << 52) as f64 - 1.0),
                ty => masked(ty, bits),
            }
        },
    },
    Generator {
        name: "below",
        parameters: 2,
        doc: "below(m, seed, n): integers below m",
        value: |ty, given, k| {
            crate::ir::op::cast(ty, Const::u64(mix(given[1].bits, k) % given[0].bits.max(1)))
        },
    },
];

fn masked(ty: ScalarType, bits: u64) -> Const {
    let mask = if ty == ScalarType::Bool {
        1
    } else {
        u64::MAX >> (64 - ty.bits())
    };
    Const {
        ty,
        bits: bits & mask,
    }
}

/// SplitMix64 at position `k` of the stream `seed`.
pub(crate) fn mix(seed: u64, k: u64) -> u64 {
    let mut z = seed
        .wrapping_mul(0xd134_2543_de82_ef95)
        .wrapping_add(k.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Reads `value, value, …` up to the end of the text.
pub(crate) fn parse_list(text: &str) -> Result<Vec<Literal>, String> {
    let mut reader = Reader { rest: text };
    let values = reader.list(None, 0)?;
    if reader.rest.is_empty() {
        Ok(values)
    } else {
        Err(format!("unexpected `{}`", reader.rest))
    }
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn accept(&mut self, sign: char) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn list(&mut self, close: Option<char>, depth: usize) -> Result<Vec<Literal>, String> {
        let mut values = vec![];
        self.rest = self.rest.trim_start();
        loop {
            let ended = close.map_or(self.rest.is_empty(), |close| self.accept(close));
            if ended {
                return Ok(values);
            }
            if !values.is_empty() && !self.accept(',') {
                return match close {
                    Some(close) => Err(format!("expected `,` or `{close}` at `{}`", self.rest)),
                    None => Ok(values),
                };
            }
            values.push(self.value(depth + 1)?);
        }
    }

    fn value(&mut self, depth: usize) -> Result<Literal, String> {
        if depth > 8 {
            return Err("lists are nested too deeply".into());
        }
        if self.accept('[') {
            return Ok(Literal::List(self.list(Some(']'), depth)?));
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_');
        let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if word.is_empty() {
            return Err(format!("expected a value at `{}`", self.rest));
        }
        self.rest = rest.trim_start();
        if self.accept('(') {
            return Ok(Literal::Made(word.into(), self.list(Some(')'), depth)?));
        }
        Ok(Literal::Word(word.into()))
    }
}

impl Literal {
    /// The number of elements; of an integer, its value.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Literal::Word(word) => parse_const(word, ScalarType::U64).map_or(0, |value| value.bits),
            Literal::List(rows) => rows.iter().map(|row| row.elements()).sum(),
            Literal::Made(name, given) => {
                let generator = GENERATORS.iter().find(|row| row.name == name);
                let parameters = generator.map_or(0, |row| row.parameters);
                let lengths = given.iter().skip(parameters).map(Literal::size);
                lengths.fold(1, u64::saturating_mul)
            }
        }
    }

    fn elements(&self) -> u64 {
        match self {
            Literal::Word(_) => 1,
            others => others.size(),
        }
    }

    fn constant(&self, ty: ScalarType) -> Result<Const, String> {
        match self {
            Literal::Word(word) => parse_const(word, ty),
            _ => Err(format!("expected one value of type {ty}")),
        }
    }

    /// The value as one of this type; the lengths are what the text says.
    pub(crate) fn of_type(&self, ty: &Type) -> Result<Bits, String> {
        let (elem, rank) = (ty.elem, ty.rank());
        match self {
            _ if rank == 0 => Ok(Bits {
                elem,
                shape: vec![],
                bits: vec![self.constant(elem)?.bits],
            }),
            Literal::Word(word) => Err(format!("expected an array, found {word}")),
            Literal::List(rows) => {
                let inner = Type::array(elem, &ty.shape[1..]);
                let mut bits = vec![];
                let mut shape = vec![0; rank - 1];
                for (at, row) in rows.iter().enumerate() {
                    let mut row = row.of_type(&inner)?;
                    if at > 0 && row.shape != shape {
                        return Err("the rows have different lengths".into());
                    }
                    shape = row.shape;
                    bits.append(&mut row.bits);
                }
                shape.insert(0, rows.len());
                Ok(Bits { elem, shape, bits })
            }
            Literal::Made(name, given) => made(name, given, elem, rank),
        }
    }
}

fn made(name: &str, given: &[Literal], elem: ScalarType, rank: usize) -> Result<Bits, String> {
    let Some(generator) = GENERATORS.iter().find(|row| row.name == name) else {
        let names: Vec<&str> = GENERATORS.iter().map(|row| row.name).collect();
        return Err(format!(
            "no generator is called {name}; there are {}",
            names.join(", ")
        ));
    };
    if given.len() != generator.parameters + rank {
        let wanted = generator.parameters;
        return Err(format!(
            "{name} takes {wanted} parameters and {rank} lengths here"
        ));
    }
    let (parameters, lengths) = given.split_at(generator.parameters);
    let ty = if name == "fill" {
        elem
    } else {
        ScalarType::U64
    };
    let parameters = parameters.iter().map(|value| value.constant(ty));
    let parameters: Vec<Const> = parameters.collect::<Result<_, _>>()?;
    let lengths = lengths.iter().map(|value| value.constant(ScalarType::U64));
    let lengths = lengths.map(|len| len.map(|len| len.bits as usize));
    let shape: Vec<usize> = lengths.collect::<Result<_, _>>()?;
    let elements = shape.iter().try_fold(1usize, |n, &len| n.checked_mul(len));
    let Some(elements) = elements.filter(|&n| n <= 1 << 32) else {
        return Err(format!("{name} makes at most 2^32 elements"));
    };
    let value = |k| (generator.value)(elem, &parameters, k as u64).bits;
    Ok(Bits {
        elem,
        shape,
        bits: (0..elements).map(value).collect(),
    })
}

impl Bits {
    /// The value of a result, fetched if a device has it; `None` if it was written elsewhere.
    pub(crate) fn of_value(value: &Value) -> Result<Option<Bits>, Failure> {
        let array = match value {
            Value::Scalar(value) => {
                return Ok(Some(Bits {
                    elem: value.ty,
                    shape: vec![],
                    bits: vec![value.bits],
                }));
            }
            Value::Array(array) => array,
            Value::Stored(stored) => stored.dense()?,
            Value::Written => return Ok(None),
        };
        Ok(Some(Bits {
            elem: array.elem,
            shape: array.shape.clone(),
            bits: array.view().iter().map(|value| value.bits).collect(),
        }))
    }

    /// The value in memory, to be lent as an argument; `None` if memory cannot be had.
    pub(crate) fn hold(&self) -> Option<Held> {
        if self.shape.is_empty() {
            return Some(Held::Scalar(Const {
                ty: self.elem,
                bits: self.bits[0],
            }));
        }
        let bits = self.bits.iter().copied();
        Dense::from_bits(self.elem, self.shape.clone(), bits).map(Held::Array)
    }

    /// The number of an element that differs; NaNs are equal whatever their bits. `None` if all are equal; the shapes
    /// must be.
    pub(crate) fn difference(&self, other: &Bits) -> Option<usize> {
        let same = |(&a, &b)| usual(self.elem, a) == usual(self.elem, b);
        self.bits
            .iter()
            .zip(&other.bits)
            .position(|pair| !same(pair))
    }

    /// A number that changes with the elements and their order.
    pub(crate) fn digest(&self) -> u64 {
        let width = self.elem.bytes();
        self.bits.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &bits| {
            let bytes = usual(self.elem, bits).to_le_bytes();
            bytes[..width].iter().fold(hash, |hash, &byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
            })
        })
    }

    /// The text, shortened in its middle.
    pub(crate) fn text(&self) -> String {
        let element = |&bits: &u64| {
            print_const(
                Const {
                    ty: self.elem,
                    bits,
                },
                Some(self.elem),
            )
        };
        if self.shape.is_empty() {
            return element(&self.bits[0]);
        }
        if self.shape.len() > 1 {
            let inner = &self.shape[1..];
            let step: usize = inner.iter().product();
            let rows = (0..self.shape[0]).map(|at| {
                let row = Bits {
                    elem: self.elem,
                    shape: inner.to_vec(),
                    bits: self.bits[at * step..(at + 1) * step].to_vec(),
                };
                row.text()
            });
            return shortened(rows.collect());
        }
        shortened(self.bits.iter().map(element).collect())
    }
}

fn shortened(texts: Vec<String>) -> String {
    const SHOWN: usize = 64;
    let shown = texts[..texts.len().min(SHOWN)].join(", ");
    match texts.len() {
        0..=SHOWN => format!("[{shown}]"),
        len => format!("[{shown}, … {len} in all]"),
    }
}

/// The bits, or those of the usual NaN: the sign and payload of a NaN are no part of a result.
fn usual(elem: ScalarType, bits: u64) -> u64 {
    match elem {
        ScalarType::F32 if f32::from_bits(bits as u32).is_nan() => f32::NAN.to_bits().into(),
        ScalarType::F64 if f64::from_bits(bits).is_nan() => f64::NAN.to_bits(),
        _ => bits,
    }
}

/// A value that arguments borrow.
pub(crate) enum Held {
    Scalar(Const),
    Array(Dense),
}

impl Held {
    pub(crate) fn arg(&self) -> Arg<'_> {
        match self {
            Held::Scalar(value) => Arg::Scalar(*value),
            Held::Array(array) => Arg::Array(array.view()),
        }
    }
}
