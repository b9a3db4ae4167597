//! What a version holds, as a text: a line a name. Scalars stand there as constants do in the text form of programs, which keeps
//! their bits.
//!
//! ```text
//! cuprous checkpoint 1
//! array height f64 512 512
//! scalar step u64 17
//! end
//! ```

use super::super::{Kind, Problem};
use dsl_runtime::ir::parse::parse_const;
use dsl_runtime::ir::print::print_const;
use dsl_runtime::ir::{Const, ScalarType};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// The name of the file in the folder of a version.
pub(super) const NAME: &str = "contents";

/// How many bytes of it are read.
pub(super) const LONGEST: u64 = 1 << 26;

const FIRST: &str = "cuprous checkpoint 1";
const LAST: &str = "end";

/// The longest name, in bytes: that of its file has to fit where 255 do.
const LONGEST_NAME: usize = 200;

/// An array: its file has the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Array {
    pub(super) name: String,
    pub(super) elem: ScalarType,
    pub(super) shape: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) arrays: Vec<Array>,
    pub(super) scalars: Vec<(String, Const)>,
}

/// The file of an array in the folder of a version.
pub(super) fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.npy"))
}

impl Contents {
    /// Whether the names can be used, and each scalar is a value of its type.
    pub(super) fn check(&self, folder: &Path) -> Result<(), Problem> {
        let mut seen = HashSet::new();
        let arrays = self.arrays.iter().map(|array| &array.name);
        for name in arrays.chain(self.scalars.iter().map(|(name, _)| name)) {
            let refused = |expected: &str| {
                let found = format!("{name:?}");
                Err(Problem::of(Kind::Name, folder, found, expected))
            };
            let letter = |c: char| c.is_alphanumeric() || "-_+.[]".contains(c);
            if name.is_empty() || name.len() > LONGEST_NAME {
                return refused("1 to 200 bytes");
            }
            if name.starts_with('.') || !name.chars().all(letter) {
                return refused("letters, digits and - _ + . [ ], not with a dot first");
            }
            // There are file systems that take capitals for small letters.
            if !seen.insert(name.to_lowercase()) {
                return refused("names that differ, by more than capitals");
            }
        }
        for (name, value) in &self.scalars {
            let text = print_const(*value, Some(value.ty));
            if parse_const(&text, value.ty) != Ok(*value) {
                let found = format!("{name}, {text} of type {}", value.ty);
                return Err(Problem::of(Kind::Value, folder, found, ""));
            }
        }
        Ok(())
    }

    pub(super) fn text(&self) -> String {
        let mut lines = vec![FIRST.to_string()];
        for Array { name, elem, shape } in &self.arrays {
            let mut line = format!("array {name} {elem}");
            shape.iter().for_each(|n| line.push_str(&format!(" {n}")));
            lines.push(line);
        }
        for (name, value) in &self.scalars {
            let (ty, text) = (value.ty, print_const(*value, Some(value.ty)));
            lines.push(format!("scalar {name} {ty} {text}"));
        }
        lines.push(LAST.to_string());
        lines.join("\n") + "\n"
    }

    pub(super) fn parse(bytes: &[u8], path: &Path) -> Result<Contents, Problem> {
        let text = String::from_utf8_lossy(bytes);
        let damaged = |found: &str, expected: &str| {
            let found: String = found.chars().take(80).collect();
            let found = format!("{:?}", found);
            Problem::of(Kind::Damaged, path, found, expected)
        };
        let mut contents = Contents {
            arrays: vec![],
            scalars: vec![],
        };
        let mut lines = text.lines();
        let first = lines.next().unwrap_or("");
        if first != FIRST {
            return Err(damaged(first, FIRST));
        }
        for line in lines.by_ref() {
            if line == LAST {
                // A name from elsewhere could lead out of the folder.
                contents.check(path).map_err(|problem| Problem {
                    kind: Kind::Damaged,
                    ..problem
                })?;
                return match lines.next() {
                    None => Ok(contents),
                    Some(line) => Err(damaged(line, "nothing after the end")),
                };
            }
            contents.add(line).ok_or_else(|| {
                damaged(line, "array NAME TYPE LENGTH… or scalar NAME TYPE VALUE")
            })?;
        }
        Err(damaged("", LAST))
    }

    /// Adds what a line says.
    fn add(&mut self, line: &str) -> Option<()> {
        let mut words = line.split(' ');
        let (what, name) = (words.next()?, words.next()?.to_string());
        let elem = ScalarType::parse(words.next()?)?;
        match what {
            "array" => {
                let shape: Result<Vec<usize>, _> = words.map(str::parse).collect();
                let shape = shape.ok()?;
                self.arrays.push(Array { name, elem, shape });
            }
            "scalar" => {
                let value = parse_const(words.next()?, elem).ok()?;
                self.scalars.push((name, value));
                if words.next().is_some() {
                    return None;
                }
            }
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalars(scalars: Vec<(&str, Const)>) -> Contents {
        let scalars = scalars.into_iter().map(|(name, v)| (name.into(), v));
        Contents {
            arrays: vec![],
            scalars: scalars.collect(),
        }
    }

    fn parsed(text: &str) -> Result<Contents, Kind> {
        Contents::parse(text.as_bytes(), Path::new("x")).map_err(|problem| problem.kind)
    }

    #[test]
    fn scalars_keep_their_bits() {
        let mut all = vec![];
        for (at, &ty) in ScalarType::ALL.iter().enumerate() {
            let most = u64::MAX >> (64 - ty.bits());
            for (number, bits) in [0, 1, most / 3, most / 2 + 1, most].into_iter().enumerate() {
                let bits = if ty == ScalarType::Bool {
                    bits & 1
                } else {
                    bits
                };
                all.push((format!("x{at}.{number}"), Const { ty, bits }));
            }
        }
        all.push((
            "signalling".into(),
            Const {
                ty: ScalarType::F64,
                bits: 0x7ff0_0000_0000_0001,
            },
        ));
        let contents = Contents {
            arrays: vec![],
            scalars: all,
        };
        assert_eq!(contents.check(Path::new("x")), Ok(()));
        assert_eq!(parsed(&contents.text()), Ok(contents));
    }

    #[test]
    fn the_text() {
        let mut contents = scalars(vec![("step", Const::u64(17)), ("dt", Const::f64(-0.1))]);
        contents.arrays.push(Array {
            name: "height".into(),
            elem: ScalarType::F64,
            shape: vec![512, 3],
        });
        contents.arrays.push(Array {
            name: "mean".into(),
            elem: ScalarType::I8,
            shape: vec![],
        });
        let text = "cuprous checkpoint 1\narray height f64 512 3\narray mean i8\nscalar step u64 17\n\
                    scalar dt f64 -0.1\nend\n";
        assert_eq!(contents.text(), text);
        assert_eq!(parsed(text), Ok(contents));
    }

    #[test]
    fn names() {
        let kind = |names: &[&str]| {
            let all = names.iter().map(|name| (*name, Const::u8(0))).collect();
            scalars(all).check(Path::new("x")).err().map(|it| it.kind)
        };
        for good in ["a", "u[0]", "größe", "x.y-z_1+", &"x".repeat(200)] {
            assert_eq!(kind(&[good]), None, "{good}");
        }
        let long = "x".repeat(201);
        for bad in [
            "", ".", "..", ".a", "a/b", "a\\b", "a b", "a\n", "\0", &long,
        ] {
            assert_eq!(kind(&[bad]), Some(Kind::Name), "{bad:?}");
        }
        assert_eq!(kind(&["a", "b", "a"]), Some(Kind::Name));
        assert_eq!(kind(&["a", "A"]), Some(Kind::Name));
        let wrong = Const {
            ty: ScalarType::I8,
            bits: 256,
        };
        let problem = scalars(vec![("a", wrong)]).check(Path::new("x"));
        assert_eq!(problem.unwrap_err().kind, Kind::Value);
    }

    #[test]
    fn damaged_texts() {
        let good = "cuprous checkpoint 1\narray a f64 5\nscalar b u64 17\nend\n";
        assert!(parsed(good).is_ok());
        for (from, to) in [
            ("checkpoint 1", "checkpoint 2"),
            ("array a", "arrays a"),
            ("f64 5", "f64 5 "),
            ("f64 5", "f64 -5"),
            ("f64 5", "f46 5"),
            ("u64 17", "u64"),
            ("u64 17", "u64 17 18"),
            ("u64 17", "bool 17"),
            ("end\n", ""),
            ("end\n", "en"),
            ("end\n", "end\nend\n"),
        ] {
            assert_eq!(
                parsed(&good.replace(from, to)),
                Err(Kind::Damaged),
                "{from} → {to}"
            );
        }
        assert_eq!(parsed(""), Err(Kind::Damaged));
        // Nothing that is read leads out of the folder.
        assert_eq!(parsed(&good.replace(" a ", " ../a ")), Err(Kind::Damaged));
    }
}
