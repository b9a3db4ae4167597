//! Headers: those of NumPy, and damaged ones.

use super::*;
use ScalarType::*;

/// The bytes of a file of this version whose header is this text.
fn file(version: u8, text: &[u8]) -> Vec<u8> {
    let length = (text.len() as u32).to_le_bytes();
    let length = &length[..if version == 1 { 2 } else { 4 }];
    [MAGIC, &[version, 0], length, text].concat()
}

fn kind(text: &str) -> Kind {
    Header::parse(&file(1, text.as_bytes())).unwrap_err().kind
}

/// Written by NumPy 2.4: np.save of np.zeros((3, 4)).
const NUMPY: &str = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }";

/// What NumPy makes of it: blanks, up to 128 bytes.
fn numpy() -> Vec<u8> {
    file(1, format!("{NUMPY:117}\n").as_bytes())
}

#[test]
fn the_bytes_are_those_of_numpy() {
    let header = Header::new(F64, &[3, 4]).unwrap();
    if cfg!(target_endian = "little") {
        assert_eq!(header.encode(), numpy());
    }
    assert_eq!(Header::parse(&numpy()).unwrap().shape, [3, 4]);
}

#[test]
fn parse_and_encode_are_inverse() {
    let shapes: [&[usize]; 8] = [
        &[],
        &[0],
        &[7],
        &[3, 4],
        &[1, 2, 3, 4],
        &[usize::MAX >> 20, 1],
        &[0, 1 << 40],
        &[1; 64],
    ];
    for shape in shapes {
        for &elem in ScalarType::ALL {
            for (fortran, big_endian) in [(false, false), (true, false), (false, true)] {
                let mut header = Header {
                    fortran,
                    big_endian: big_endian && elem.bytes() > 1,
                    ..Header::new(elem, shape).unwrap()
                };
                let bytes = header.encode();
                header.data_start = bytes.len() as u64;
                assert!(bytes.len().is_multiple_of(64));
                assert_eq!(Header::parse(&bytes), Ok(header));
            }
        }
    }
}

#[test]
fn all_versions_and_other_spellings() {
    for (version, text) in [
        (
            1,
            "{'descr': '<i2', 'fortran_order': True, 'shape': (3, 4)}",
        ),
        (2, "{\"shape\":(3,4),'fortran_order':True,'descr':'<i2',}\n"),
        (
            3,
            " {'shape' : ( 3L , 4L , ) , 'fortran_order':True,'descr':'<i2'}  \n\n",
        ),
    ] {
        let bytes = file(version, text.as_bytes());
        let want = Header {
            elem: I16,
            shape: vec![3, 4],
            fortran: true,
            big_endian: false,
            data_start: bytes.len() as u64,
        };
        assert_eq!(Header::parse(&bytes), Ok(want));
    }
}

#[test]
fn no_file_of_this_format() {
    let parse = |bytes: &[u8]| Header::parse(bytes).unwrap_err();
    assert_eq!(parse(b"").kind, Kind::Truncated);
    assert_eq!(parse(b"\x93NUM").kind, Kind::Truncated);
    assert_eq!(parse(b"NUMPY").kind, Kind::Magic);
    assert_eq!(parse(b"PK\x03\x04 an .npz file").kind, Kind::Magic);
    assert_eq!(parse(b"\x93NUMPY\x01").kind, Kind::Truncated);
    assert_eq!(parse(b"\x93NUMPY\x02\x00\x01\x00").kind, Kind::Truncated);
    assert_eq!(parse(b"\x93NUMPY\x04\x00\x00\x00").kind, Kind::Version);
    assert_eq!(parse(b"\x93NUMPY\x01\x01\x00\x00").kind, Kind::Version);
    assert_eq!(
        parse(b"\x93NUMPY\x03\x00\xff\xff\xff\xff{").to_string(),
        "the header is malformed: it is 4294967295 bytes long, expected at most 65536; save the array again with numpy.save"
    );
    for end in 0..numpy().len() {
        assert_eq!(parse(&numpy()[..end]).kind, Kind::Truncated);
    }
}

#[test]
fn malformed_headers() {
    let good = NUMPY;
    for (from, to, want) in [
        ("}", "", Kind::Header),
        ("}", "} # and more", Kind::Header),
        ("'shape': (3, 4), ", "", Kind::Header),
        ("'shape'", "'shapes'", Kind::Header),
        ("'shape'", "b'shape'", Kind::Header),
        ("(3, 4)", "(3, 4), 'shape': (3, 4)", Kind::Header),
        ("(3, 4)", "(3, 4), 'extra': 1", Kind::Header),
        ("False", "0", Kind::Header),
        ("False", "'False'", Kind::Header),
        ("(3, 4)", "[3, 4]", Kind::Header),
        ("(3, 4)", "12", Kind::Header),
        ("(3, 4)", "(3, '4')", Kind::Header),
        ("(3, 4)", "(3, 4.0)", Kind::Header),
        ("(3, 4)", "(-3, 4)", Kind::Shape),
        ("(3, 4)", "(18446744073709551616, 4)", Kind::Shape),
        ("(3, 4)", "(4294967296, 4294967296)", Kind::Shape),
        ("(3, 4)", "(9223372036854775807,)", Kind::Shape),
        ("(3, 4)", "(1152921504606846975,)", Kind::Shape),
        ("(3, 4)", "(0, 9223372036854775807)", Kind::Shape),
        ("(3, 4)", &format!("({})", "1, ".repeat(65)), Kind::Shape),
        ("'<f8'", "'<c16'", Kind::Dtype),
        ("'<f8'", "'<f2'", Kind::Dtype),
        ("'<f8'", "'|O'", Kind::Dtype),
        ("'<f8'", "'<U7'", Kind::Dtype),
        ("'<f8'", "'<M8[ns]'", Kind::Dtype),
        ("'<f8'", "''", Kind::Dtype),
        ("'<f8'", "None", Kind::Dtype),
        ("'<f8'", "[('a', '<f8'), ('b', '<i4', (2,))]", Kind::Dtype),
    ] {
        let text = good.replace(from, to);
        assert_eq!(kind(&text), want, "{text}");
    }
    assert!(Header::parse(&file(1, good.as_bytes())).is_ok());
}

#[test]
fn other_types_are_named() {
    let text = "{'descr': '<c16', 'fortran_order': False, 'shape': (), }";
    let problem = Header::parse(&file(1, text.as_bytes())).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "elements of this type cannot be read: '<c16', expected one of |b1 |i1 <i2 <i4 <i8 |u1 <u2 <u4 <u8 <f4 <f8 (or > for <); \
         convert the array before it is saved, as with array.astype('<f8')"
    );
    let text = "{'descr': [('größe', '<f8')], 'fortran_order': False, 'shape': (), }";
    let problem = Header::parse(&file(3, text.as_bytes())).unwrap_err();
    assert_eq!(problem.found, "[('größe', '<f8')]");
    let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
    assert_eq!(Header::parse(&file(2, &latin)), Err(problem));
    // Bytes that are no UTF-8.
    assert_eq!(
        Header::parse(&file(3, &latin)).unwrap_err().kind,
        Kind::Dtype
    );
}

/// Whatever the bytes are, there is an answer; and a header that is read is one that can be written.
#[test]
fn damaged_headers() {
    let seeds = [
        numpy(),
        file(
            2,
            b"{'descr': '>i4', 'fortran_order': True, 'shape': (7,), }\n",
        ),
        file(
            3,
            "{'descr': [('größe', '<f8')], 'shape': (), 'fortran_order': False}".as_bytes(),
        ),
    ];
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
        "'shape'",
        "0",
        "99999999999",
        "ü",
        "\n",
        "\0",
        "|b1",
        "<u8",
    ];
    let mut state = 1_u64;
    let mut next = move |below: usize| {
        // Splitmix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below.max(1) as u64) as usize
    };
    let mut read = 0;
    for _ in 0..20_000 {
        let mut bytes = seeds[next(seeds.len())].clone();
        for _ in 0..1 + next(4) {
            let at = next(bytes.len());
            let end = (at + next(20)).min(bytes.len());
            match next(6) {
                0 if at < bytes.len() => bytes[at] = next(256) as u8,
                1 if at < bytes.len() => bytes[at] ^= 1 << next(8),
                2 => drop(bytes.drain(at..end)),
                3 => bytes.extend_from_within(at..end),
                4 => {
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ => {
                    let word = WORDS[next(WORDS.len())].repeat(1 + next(3) * next(40));
                    bytes.splice(at..at, word.into_bytes());
                }
            }
        }
        if let Ok(header) = Header::parse(&bytes) {
            read += 1;
            let mut again = Header::parse(&header.encode()).unwrap();
            again.data_start = header.data_start;
            assert_eq!(again, header);
        }
    }
    assert!(read > 1000, "{read} of them could be read");
}
