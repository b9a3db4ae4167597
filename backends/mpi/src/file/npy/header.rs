//! The header of a file: bytes ⇄ element type, order and shape.

use super::super::pack::{Pack, Unpack};
use super::super::{Kind, Problem, disk};
use super::dtype;
use super::literal::{Value, dictionary};
use dsl_runtime::ir::ScalarType;
use std::borrow::Cow;
use std::fmt::{self, Write};
use std::path::Path;

/// What the header of a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The type of an element.
    pub elem: ScalarType,
    /// The lengths, outermost first. None for an array without dimensions, which has one element.
    pub shape: Vec<usize>,
    /// Whether the first index runs fastest in the file.
    pub fortran: bool,
    /// Whether the most significant byte of an element comes first.
    pub big_endian: bool,
    /// Where the elements begin, in bytes from the beginning of the file.
    pub data_start: u64,
}

const MAGIC: &[u8] = b"\x93NUMPY";

/// Of what NumPy makes the length of headers a multiple.
const ALIGN: usize = 64;

/// NumPy leaves room for a first length of so many digits, so that arrays can grow in place.
const DIGITS: usize = 21;

/// The longest header that is read: NumPy's are longer only for types of hundreds of fields.
const LONGEST: usize = 1 << 16;

/// How many dimensions arrays have, at most: as many as in NumPy, whose headers then fit in version 1.0.
const DIMENSIONS: usize = 64;

/// How many bytes stand before the text of a header in version 1.0.
const SHORT: usize = 10;

/// How many in later ones, whose length has four bytes.
const PREFIX: usize = 12;

/// How many bytes rows, and all of them, have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) row: usize,
    pub(super) all: usize,
}

impl Header {
    /// That of an array as it is written: in C order and the machine's byte order.
    ///
    /// ```
    /// use cuprous_mpi::file::npy::Header;
    /// use dsl_runtime::ir::ScalarType;
    /// let header = Header::new(ScalarType::F64, &[3, 4])?;
    /// assert_eq!((header.rows(), header.data_start), (3, 128));
    /// # Ok::<(), cuprous_mpi::file::Problem>(())
    /// ```
    ///
    /// # Errors
    /// [`Kind::Shape`] if so many elements cannot be addressed, or there are more dimensions than NumPy's 64.
    pub fn new(elem: ScalarType, shape: &[usize]) -> Result<Header, Problem> {
        let mut header = Header {
            elem,
            shape: shape.to_vec(),
            fortran: false,
            big_endian: cfg!(target_endian = "big") && elem.bytes() > 1,
            data_start: 0,
        };
        header.sizes()?;
        header.data_start = header.encode().len() as u64;
        // Once more: the elements begin later.
        header.sizes()?;
        Ok(header)
    }

    /// The first bytes of a file, up to the elements, as NumPy writes them. [`Header::data_start`] is not in them: it is their
    /// length.
    ///
    /// # Panics
    /// If there are so many dimensions that version 1.0 has no length for the header: not for those of [`Header::new`] and
    /// [`Header::parse`].
    pub fn encode(&self) -> Vec<u8> {
        let mut text = format!(
            "{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}",
            dtype::name(self.elem, self.big_endian),
            if self.fortran { "True" } else { "False" },
            Tuple(&self.shape),
        );
        let grows = match self.fortran {
            true => self.shape.last(),
            false => self.shape.first(),
        };
        if let Some(length) = grows {
            let room = DIGITS - length.to_string().len();
            text.extend(std::iter::repeat_n(' ', room));
        }
        // NumPy adds 64 blanks where none are needed.
        let begun = SHORT + text.len() + 1;
        let length = begun + ALIGN - begun % ALIGN - SHORT;
        let length16 = u16::try_from(length).expect("at most 64 dimensions");
        let mut bytes = [MAGIC, &[1, 0], &length16.to_le_bytes()].concat();
        bytes.extend_from_slice(text.as_bytes());
        bytes.resize(SHORT + length - 1, b' ');
        bytes.push(b'\n');
        bytes
    }

    /// Reads the header that these first bytes of a file begin with.
    ///
    /// ```
    /// use cuprous_mpi::file::{Kind, npy::Header};
    /// let problem = Header::parse(b"P5 640 480").unwrap_err();
    /// assert_eq!(problem.kind, Kind::Magic);
    /// ```
    ///
    /// # Errors
    /// Those of the contents: [`Kind::Magic`], [`Kind::Version`], [`Kind::Header`], [`Kind::Dtype`], [`Kind::Shape`];
    /// [`Kind::Truncated`] if the bytes end before the header does.
    pub fn parse(bytes: &[u8]) -> Result<Header, Problem> {
        let (text, data_start) = text(bytes)?;
        let malformed = |found: String, expected: &str| problem(Kind::Header, found, expected);
        let entries = dictionary(&text).map_err(|wrong| malformed(wrong.found, wrong.expected))?;
        let keys = || {
            let keys: Vec<_> = entries.iter().map(|(key, _)| format!("{key:?}")).collect();
            format!("the keys {}", shown(&keys.join(" ")))
        };
        let (mut descr, mut order, mut shape) = (None, None, None);
        for (key, value) in &entries {
            let place = match *key {
                "descr" => &mut descr,
                "fortran_order" => &mut order,
                "shape" => &mut shape,
                _ => return Err(malformed(keys(), KEYS)),
            };
            if place.replace(value).is_some() {
                return Err(malformed(keys(), KEYS));
            }
        }
        let (Some(descr), Some(order), Some(shape)) = (descr, order, shape) else {
            return Err(malformed(keys(), KEYS));
        };
        let (elem, big_endian) = match descr {
            Value::Text(name) => dtype::parse(name),
            _ => None,
        }
        .ok_or_else(|| problem(Kind::Dtype, display(descr), dtype::all()))?;
        let Value::Bool(fortran) = *order else {
            let found = format!("'fortran_order': {}", display(order));
            return Err(malformed(found, "True or False"));
        };
        let Value::Numbers(lengths) = shape else {
            let found = format!("'shape': {}", display(shape));
            return Err(malformed(found, "a tuple of whole numbers"));
        };
        let lengths: Result<Vec<usize>, _> = lengths.iter().map(|text| text.parse()).collect();
        let lengths = lengths.map_err(|_| problem(Kind::Shape, display(shape), LENGTHS))?;
        let header = Header {
            elem,
            shape: lengths,
            fortran,
            big_endian,
            data_start,
        };
        header.sizes()?;
        Ok(header)
    }

    /// How many rows there are: the first length, or one where there is no dimension.
    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// The number of bytes of rows, where a file can have so many.
    pub(super) fn sizes(&self) -> Result<Sizes, Problem> {
        let mut lengths = self.shape.iter().skip(1);
        let row = lengths.try_fold(self.elem.bytes(), |bytes, &n| bytes.checked_mul(n));
        let sizes = row.and_then(|row| {
            let all = row.checked_mul(self.rows())?;
            let end = self.data_start.checked_add(all as u64)?;
            // Both a stretch of memory and a place in a file are signed numbers.
            let fits = isize::try_from(row.max(all)).is_ok() && i64::try_from(end).is_ok();
            let fits = fits && self.shape.len() <= DIMENSIONS;
            fits.then_some(Sizes { row, all })
        });
        sizes.ok_or_else(|| {
            let found = format!(
                "{} of {}",
                shown(&Tuple(&self.shape).to_string()),
                self.elem
            );
            problem(Kind::Shape, found, LENGTHS)
        })
    }

    /// Where the elements end in the file.
    pub(super) fn end(&self) -> u64 {
        let all = self.sizes().map_or(0, |sizes| sizes.all as u64);
        self.data_start.saturating_add(all)
    }

    pub(in crate::file) fn pack(&self, into: &mut Pack) {
        into.text(self.elem.name());
        into.number(u64::from(self.fortran));
        into.number(u64::from(self.big_endian));
        into.number(self.data_start);
        into.number(self.shape.len() as u64);
        self.shape.iter().for_each(|&n| into.number(n as u64));
    }

    pub(in crate::file) fn unpack(from: &mut Unpack<'_>) -> Header {
        Header {
            elem: ScalarType::parse(&from.text()).expect("the name of a type"),
            fortran: from.number() != 0,
            big_endian: from.number() != 0,
            data_start: from.number(),
            shape: (0..from.number()).map(|_| from.number() as usize).collect(),
        }
    }
}

const KEYS: &str = "'descr', 'fortran_order' and 'shape', each once";
const LENGTHS: &str = "at most 64 lengths from 0, of less than 2^63 bytes together";

/// Reads the header of a file, and that the file is as long as it says.
pub(in crate::file) fn load(path: &Path) -> Result<Header, Problem> {
    let bytes = disk::prefix(path, (PREFIX + LONGEST) as u64)?;
    let header = Header::parse(&bytes).map_err(|problem| problem.at(path))?;
    let length = std::fs::metadata(path).map_err(|error| Problem::io(path, "open it", &error))?;
    let (found, expected) = (length.len(), header.end());
    match found < expected {
        true => Err(truncated(found, expected).at(path)),
        false => Ok(header),
    }
}

pub(super) fn truncated(found: u64, expected: u64) -> Problem {
    let expected = format!("at least {expected}");
    problem(Kind::Truncated, format!("{found} bytes"), expected)
}

/// The text of the header, and where it ends.
fn text(bytes: &[u8]) -> Result<(Cow<'_, str>, u64), Problem> {
    let short = |expected: usize| truncated(bytes.len() as u64, expected as u64);
    let magic = &bytes[..MAGIC.len().min(bytes.len())];
    if !MAGIC.starts_with(magic) {
        let found = format!("it begins with \"{}\"", magic.escape_ascii());
        let expected = format!("\"{}\"", MAGIC.escape_ascii());
        return Err(problem(Kind::Magic, found, expected));
    }
    let &[_, _, _, _, _, _, major, minor, low, high, ref rest @ ..] = bytes else {
        return Err(short(SHORT));
    };
    let short_length = usize::from(low) | usize::from(high) << 8;
    let (start, length) = match (major, minor, rest) {
        (1, 0, _) => (SHORT, short_length),
        (2 | 3, 0, &[third, fourth, ..]) => (
            PREFIX,
            short_length | usize::from(third) << 16 | usize::from(fourth) << 24,
        ),
        (2 | 3, 0, _) => return Err(short(PREFIX)),
        _ => {
            let found = format!("version {major}.{minor}");
            return Err(problem(Kind::Version, found, "1.0, 2.0 or 3.0"));
        }
    };
    if length > LONGEST {
        let found = format!("it is {length} bytes long");
        let expected = format!("at most {LONGEST}");
        return Err(problem(Kind::Header, found, expected));
    }
    let end = start + length;
    let text = bytes.get(start..end).ok_or_else(|| short(end))?;
    let text = match major {
        3 => String::from_utf8_lossy(text),
        // Latin-1: bytes are code points.
        _ if !text.is_ascii() => text.iter().map(|&byte| char::from(byte)).collect(),
        _ => String::from_utf8_lossy(text),
    };
    Ok((text, end as u64))
}

fn problem(kind: Kind, found: impl fmt::Display, expected: impl fmt::Display) -> Problem {
    Problem::of(kind, Path::new(""), found, expected)
}

/// A value as it stands in the file, or its beginning.
fn display(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => format!("'{}'", shown(text)),
        Value::Bool(value) => value.to_string(),
        Value::Numbers(numbers) => format!("({})", shown(&numbers.join(", "))),
        Value::Other(text) => shown(text),
    }
}

/// The beginning of a text that may be long.
fn shown(text: &str) -> String {
    const SHOWN: usize = 80;
    let begin: String = text.chars().take(SHOWN).collect();
    let end = if begin.len() < text.len() { "…" } else { "" };
    // Quotes as they are: a type is quoted as in NumPy.
    let begin: String = begin
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    begin + end
}

/// Lengths as Python writes a tuple.
struct Tuple<'a>(&'a [usize]);

impl fmt::Display for Tuple<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('(')?;
        for (at, length) in self.0.iter().enumerate() {
            let before = if at > 0 { ", " } else { "" };
            write!(f, "{before}{length}")?;
        }
        f.write_str(if self.0.len() == 1 { ",)" } else { ")" })
    }
}

#[cfg(test)]
mod tests;
