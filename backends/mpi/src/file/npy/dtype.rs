//! NumPy's names of element types.

use dsl_runtime::ir::ScalarType::{self, *};

/// A row: the type, and its name without the byte order.
const TABLE: &[(ScalarType, &str)] = &[
    (Bool, "b1"),
    (I8, "i1"),
    (I16, "i2"),
    (I32, "i4"),
    (I64, "i8"),
    (U8, "u1"),
    (U16, "u2"),
    (U32, "u4"),
    (U64, "u8"),
    (F32, "f4"),
    (F64, "f8"),
];

/// What NumPy calls a type in this byte order: `<f8`.
pub(super) fn name(elem: ScalarType, big_endian: bool) -> String {
    let order = match (elem.bytes(), big_endian) {
        (1, _) => '|',
        (_, true) => '>',
        (_, false) => '<',
    };
    let row = TABLE.iter().find(|(of, _)| *of == elem);
    format!("{order}{}", row.expect("a row for every type").1)
}

/// The type of this name, and whether its byte order is big endian.
pub(super) fn parse(name: &str) -> Option<(ScalarType, bool)> {
    let order = name.chars().next()?;
    let (elem, _) = TABLE
        .iter()
        .find(|(_, code)| name[order.len_utf8()..] == **code)?;
    match (order, elem.bytes()) {
        ('<' | '>' | '|' | '=', 1) => Some((*elem, false)),
        ('<' | '>', _) => Some((*elem, order == '>')),
        _ => None,
    }
}

/// All names that can be read, for errors.
pub(super) fn all() -> String {
    let names: Vec<String> = TABLE.iter().map(|(elem, _)| name(*elem, false)).collect();
    format!("one of {} (or > for <)", names.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_types_are_inverse() {
        for &elem in ScalarType::ALL {
            for big in [false, true] {
                let want = (elem, big && elem.bytes() > 1);
                assert_eq!(parse(&name(elem, big)), Some(want));
            }
        }
        for other in [
            "", "<", "f8", "<f", "|f8", "=f8", "<c16", "<f2", "|S3", "ü", "<f88",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
