//! The mistakes that inference reports: a table of their codes.

use crate::elaborate::code::codes;
use crate::elaborate::ty::Mistake;
use crate::syntax::{Source, Span};

codes! {
    /// A kind of mistake that types show.
    Mismatch "CU0101" "an expression has another type than its place asks for";
    Method "CU0102" "a method that values of this type do not have in kernels";
    Arguments "CU0103" "a call with another number of arguments";
    Field "CU0104" "a field that a value of this type does not have";
    Unknown "CU0105" "a type that cannot be inferred";
    Index "CU0106" "an index on a value that has no such elements";
    Function "CU0107" "a function or associated constant that kernels do not have";
    Refused "CU0108" "something that rustc accepts and kernels do not have";
    Iterate "CU0109" "a loop or adaptor over a value that has no elements";
    Call "CU0110" "a call of a value that is no function";
    Length "CU0111" "the length of a fixed array is not a constant";
    Unsupported "CU0112" "a type that kernels do not have";
    Operator "CU0114" "an operator on operands that do not have it";
    Cast "CU0115" "a cast between types that do not cast";
}

/// What to add to a remedy where two types do not fit: rustc has accepted them, so it knows another method by that name.
pub(super) const OWN: &str = "; kernels know methods by their names, so a trait method of your own needs a name that they do not know";

impl Code {
    /// A mistake of this kind.
    pub fn mistake(
        self,
        source: Source,
        span: Span,
        text: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Mistake {
        Mistake {
            code: self.code(),
            text: text.into(),
            remedy: remedy.into(),
            source,
            span,
        }
    }
}

/// The known name that a name is most likely a slip of.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = name.chars().count() / 3 + 1;
    known
        .map(|other| (distance(name, other), other))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, other)| other)
}

/// The number of characters to change, add or leave out (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut above = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let best = (above + usize::from(x != *y))
                .min(row[j] + 1)
                .min(row[j + 1] + 1);
            above = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_near() {
        let known = ["minimum", "maximum", "zip", "zip3"];
        assert_eq!(nearest("minmum", known.into_iter()), Some("minimum"));
        assert_eq!(nearest("zipp", known.into_iter()), Some("zip"));
        assert_eq!(nearest("println", known.into_iter()), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn codes_differ() {
        let codes: std::collections::HashSet<_> =
            Code::ALL.iter().map(|code| code.code()).collect();
        assert_eq!(codes.len(), Code::ALL.len());
    }
}
