//! Files that others write, and what others make of ours.

use crate::folder::Folder;
use crate::{RANKS, distributions, elements, read, write};
use cuprous_mpi::Distribution;
use cuprous_mpi::file::npy::Header;
use dsl_runtime::ir::ScalarType;
use ndarray::{Array, Array2, Array3, ArrayD, IxDyn, ShapeBuilder};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An array in every order of elements and bytes, put together by hand.
#[test]
fn orders_of_elements_and_bytes() {
    let folder = Folder::new("orders");
    let path = folder.join("x.npy");
    let shapes: &[&[usize]] = &[
        &[],
        &[7],
        &[0, 3],
        &[3, 0],
        &[1, 9],
        &[9, 1],
        &[5, 7],
        &[40, 2, 3],
        &[4, 3, 1, 5],
    ];
    for &elem in ScalarType::ALL {
        for shape in shapes {
            orders(&path, elem, shape, &RANKS);
        }
    }
}

/// Columns of several pieces, with gaps that are read over and gaps that are not, and buffers of some columns.
#[test]
fn large_arrays_in_fortran_order() {
    let folder = Folder::new("fortran");
    let path = folder.join("x.npy");
    orders(&path, ScalarType::U16, &[70_001, 3], &[1, 3]);
    orders(&path, ScalarType::U8, &[3, 200_003], &[2]);
    orders(&path, ScalarType::F64, &[9001, 70], &[1, 7]);
    orders(&path, ScalarType::F32, &[101, 103, 107], &[1, 3]);
}

fn orders(path: &Path, elem: ScalarType, shape: &[usize], ranks: &[usize]) {
    let size = elem.bytes();
    let count: usize = shape.iter().product();
    let all = elements(elem, count);
    let numbers: Array<usize, IxDyn> = Array::from_iter(0..count)
        .into_shape_with_order(shape)
        .unwrap();
    for (fortran, big_endian) in [(true, false), (true, true), (false, true)] {
        let order: Vec<usize> = match fortran {
            true => numbers.t().iter().copied().collect(),
            false => numbers.iter().copied().collect(),
        };
        let element = |at: usize| {
            let mut bytes = all[at * size..][..size].to_vec();
            if big_endian != cfg!(target_endian = "big") {
                bytes.reverse();
            }
            bytes
        };
        let header = Header {
            fortran,
            big_endian: big_endian && size > 1,
            ..Header::new(elem, shape).unwrap()
        };
        let bytes: Vec<u8> = order.into_iter().flat_map(element).collect();
        fs::write(path, [header.encode(), bytes].concat()).unwrap();
        for &ranks in ranks {
            for at in 0..4 {
                let found = read(path, |rows| distributions(rows, ranks)[at].clone(), ranks);
                assert!(found == all, "{elem} {shape:?} on {ranks}, {at}");
            }
        }
    }
}

/// NumPy appends several arrays to one file; any byte but 0 is true.
#[test]
fn what_stands_after_the_array_and_other_truths() {
    let folder = Folder::new("after");
    let path = folder.join("x.npy");
    let header = Header::new(ScalarType::Bool, &[4]).unwrap().encode();
    fs::write(&path, [&header[..], &[0, 1, 2, 255], b"more"].concat()).unwrap();
    for ranks in RANKS {
        let found = read(&path, |rows| Distribution::even(rows, ranks), ranks);
        assert_eq!(found, [0, 1, 1, 1]);
    }
}

fn i32s(bytes: &[u8]) -> Vec<i32> {
    let numbers = bytes.as_chunks().0.iter();
    numbers.map(|&bytes| i32::from_ne_bytes(bytes)).collect()
}

#[test]
fn ndarray_npy_writes_what_is_read() {
    let folder = Folder::new("ndarray-npy-writes");
    let path = folder.join("x.npy");
    let value = |(i, j, k): (usize, usize, usize)| (100 * i + 10 * j + k) as i32;
    let rows = Array3::from_shape_fn((5, 3, 4), value);
    let columns = Array3::from_shape_fn((5, 3, 4).f(), value);
    for array in [&rows, &columns] {
        ndarray_npy::write_npy(&path, array).unwrap();
        for ranks in RANKS {
            let found = read(&path, |rows| Distribution::even(rows, ranks), ranks);
            assert_eq!(i32s(&found), rows.as_slice().unwrap());
        }
    }
}

#[test]
fn ndarray_npy_reads_what_is_written() {
    let folder = Folder::new("ndarray-npy-reads");
    let path = folder.join("x.npy");
    let shapes: &[&[usize]] = &[&[], &[7], &[0], &[5, 3, 4], &[2, 0], &[2, 1, 2, 3]];
    for shape in shapes {
        let rows = shape.first().copied().unwrap_or(1);
        let all = elements(ScalarType::I32, shape.iter().product());
        write(
            &path,
            ScalarType::I32,
            shape,
            &all,
            &Distribution::even(rows, 3),
        );
        let array: ArrayD<i32> = ndarray_npy::read_npy(&path).unwrap();
        assert_eq!(array.shape(), *shape);
        assert_eq!(array.as_slice().unwrap(), i32s(&all));
    }
}

/// A file of the examples: heights of a landscape, written by NumPy.
#[test]
fn a_file_of_real_data() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data/jacksboro_elevation.npy");
    let want: Array2<i16> = ndarray_npy::read_npy(&path).unwrap();
    for ranks in RANKS {
        let found = read(&path, |rows| Distribution::even(rows, ranks), ranks);
        let heights = found.as_chunks().0.iter().map(|&it| i16::from_ne_bytes(it));
        assert!(heights.eq(want.iter().copied()));
    }
}

/// Runs a program of Python with NumPy in a folder; whether there is NumPy.
fn numpy(folder: &Path, program: &str) -> bool {
    let python = |program: &str| {
        let mut command = Command::new("python3");
        command.current_dir(folder).args(["-c", program]).output()
    };
    if !python("import numpy").is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no python3 with numpy");
        return false;
    }
    let output = python(program).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    true
}

/// Every type, order of bytes and elements, and version of the format by NumPy itself; then NumPy's bytes are ours.
#[test]
fn numpy_writes_what_is_read_and_reads_what_is_written() {
    let folder = Folder::new("numpy");
    const WRITE: &str = r"
import numpy as np, io
number = 0
for code in 'b1 i1 i2 i4 i8 u1 u2 u4 u8 f4 f8'.split():
    for shape in [(), (0,), (11,), (5, 3), (3, 0), (4, 3, 2), (2, 2, 2, 3)]:
        count = int(np.prod(shape))
        plain = (np.arange(count) * 37 % 101 - (code[0] != 'u') * 50).reshape(shape).astype('<' + code)
        for order, endian in [('C', '<'), ('F', '<'), ('C', '>'), ('F', '>')]:
            array = np.array(plain, dtype=endian + code, order=order)
            version = [None, (1, 0), (2, 0), (3, 0)][number % 4]
            with open(f'{number}.npy', 'wb') as file:
                np.lib.format.write_array(file, array, version)
            np.save(f'{number}.plain.npy', plain)
            number += 1
";
    if !numpy(&folder, WRITE) {
        return;
    }
    let mut number = 0;
    let name =
        |number: usize, what: &str| -> PathBuf { folder.join(format!("{number}{what}.npy")) };
    while name(number, "").exists() {
        let (from, to) = (RANKS[number % 4], RANKS[number / 4 % 4]);
        let all = read(
            &name(number, ""),
            |rows| Distribution::even(rows, from),
            from,
        );
        let plain = fs::read(name(number, ".plain")).unwrap();
        let header = Header::parse(&plain).unwrap();
        if cfg!(target_endian = "little") {
            let path = name(number, ".ours");
            let cut = Distribution::even(header.rows(), to);
            write(&path, header.elem, &header.shape, &all, &cut);
            assert!(fs::read(&path).unwrap() == plain, "file {number}");
        }
        number += 1;
    }
    assert_eq!(number, 11 * 7 * 4);
    const READ: &str = r"
import numpy as np, glob
for path in glob.glob('*.ours.npy'):
    ours, plain = np.load(path), np.load(path.replace('ours', 'plain'))
    assert ours.dtype == plain.dtype and ours.shape == plain.shape and (ours == plain).all(), path
";
    assert!(numpy(&folder, READ));
}
