//! Damaged headers of files: the reader answers, and what it accepts can be written.

use crate::damage::damaged;
use cuprous_mpi::file::npy::Header;
use dsl_runtime::ir::ScalarType;
use std::sync::LazyLock;

/// Headers of every type, and what is in those of others.
static CORPUS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let shapes: [&[usize]; 5] = [&[], &[0], &[17], &[3, 4], &[2, 0, 1, 99_999]];
    let mut files = vec![];
    for (&elem, shape) in ScalarType::ALL.iter().zip(shapes.into_iter().cycle()) {
        for (fortran, big_endian) in [(false, false), (true, true)] {
            let header = Header::new(elem, shape).expect("a shape that can be addressed");
            let header = Header {
                fortran,
                big_endian,
                ..header
            };
            files.push(header.encode());
        }
    }
    let structured =
        "{'descr': [('größe', '<f8'), ('b', '|S3', (2,))], 'fortran_order': False, 'shape': (1,)}";
    for version in [2, 3] {
        let prefix = [
            &b"\x93NUMPY"[..],
            &[version, 0],
            &(structured.len() as u32).to_le_bytes(),
        ];
        files.push([&prefix.concat(), structured.as_bytes()].concat());
    }
    files
});

/// Pieces that mean something to the reader.
const WORDS: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "'",
    "\"",
    ",",
    ":",
    "\\",
    "-",
    "True",
    "False",
    "L",
    "'descr': ",
    "'shape': ",
    "0",
    "18446744073709551616",
    "4294967296",
    "<f8",
    ">i2",
    "|b1",
    "1, ",
    "ü",
    "\n",
    "\0",
    " ",
];

/// One damaged header.
pub fn one(seed: u64) -> Result<(), String> {
    let bytes = damaged(seed, &CORPUS, WORDS);
    let Ok(header) = Header::parse(&bytes) else {
        return Ok(());
    };
    match Header::parse(&header.encode()) {
        Ok(again)
            if again
                == (Header {
                    data_start: again.data_start,
                    ..header.clone()
                }) =>
        {
            Ok(())
        }
        other => Err(format!("{header:?} becomes {other:?}")),
    }
}
