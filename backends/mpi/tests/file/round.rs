//! What is written is read again, on any number of ranks.

use crate::folder::{Folder, names};
use crate::{RANKS, distributions, elements, read, write};
use cuprous_mpi::Distribution;
use cuprous_mpi::comm::collective::checks;
use cuprous_mpi::comm::threads::run;
use cuprous_mpi::file::npy::{self, Header};
use dsl_runtime::ir::ScalarType;
use std::fs;

const SHAPES: &[&[usize]] = &[
    &[],
    &[0],
    &[1],
    &[5],
    &[9000],
    &[3, 4],
    &[4, 0],
    &[0, 4],
    &[6, 1, 3],
    &[13, 2, 1, 3],
];

#[test]
fn every_type_and_shape_on_any_ranks() {
    let folder = Folder::new("round");
    let path = folder.join("x.npy");
    let mut case = 0;
    for &elem in ScalarType::ALL {
        for shape in SHAPES {
            let count = shape.iter().product();
            let all = elements(elem, count);
            let rows = shape.first().copied().unwrap_or(1);
            let (from, to) = (RANKS[case % 4], RANKS[case / 4 % 4]);
            let cut = &distributions(rows, from)[case / 16 % 4];
            write(&path, elem, shape, &all, cut);
            let header = run(to, |comm| npy::header(&*comm, &path).unwrap());
            let want = Header::new(elem, shape).unwrap();
            assert!(header.iter().all(|header| *header == want));
            for at in 0..4 {
                let cut = |rows| distributions(rows, to)[at].clone();
                assert_eq!(read(&path, cut, to), all, "{elem} {shape:?} {from} → {to}");
            }
            assert_eq!(names(&folder), ["x.npy"]);
            // Sixteen pairs of ranks, four cuts: the steps have no common factor with them.
            case += 5;
        }
    }
}

#[test]
fn the_bytes_do_not_depend_on_the_ranks() {
    let folder = Folder::new("bytes");
    let path = folder.join("x.npy");
    let all = elements(ScalarType::F32, 5000 * 3);
    let header = Header::new(ScalarType::F32, &[5000, 3]).unwrap();
    let want = [header.encode(), all.clone()].concat();
    for ranks in RANKS {
        for cut in &distributions(5000, ranks) {
            write(&path, ScalarType::F32, &[5000, 3], &all, cut);
            assert!(fs::read(&path).unwrap() == want, "{ranks} ranks, {cut:?}");
        }
    }
}

#[test]
fn a_shorter_array_in_place_of_a_longer_one() {
    let folder = Folder::new("shorter");
    let path = folder.join("x.npy");
    for count in [1000, 10] {
        let all = elements(ScalarType::I64, count);
        write(
            &path,
            ScalarType::I64,
            &[count],
            &all,
            &Distribution::even(count, 3),
        );
        assert_eq!(read(&path, |rows| Distribution::even(rows, 2), 2), all);
        assert_eq!(fs::metadata(&path).unwrap().len(), 128 + 8 * count as u64);
    }
}

/// What an interrupted call left does not harm.
#[test]
fn the_file_of_an_interrupted_call_is_overwritten() {
    let folder = Folder::new("interrupted");
    let path = folder.join("x.npy");
    fs::write(folder.join("x.npy.part"), vec![7; 10_000]).unwrap();
    let all = elements(ScalarType::U16, 10);
    write(
        &path,
        ScalarType::U16,
        &[10],
        &all,
        &Distribution::even(10, 2),
    );
    assert_eq!(read(&path, |rows| Distribution::even(rows, 1), 1), all);
    assert_eq!(names(&folder), ["x.npy"]);
}

#[test]
fn messages() {
    let folder = Folder::new("messages");
    let path = folder.join("x.npy");
    for ranks in RANKS {
        let rounds = u64::from(ranks.next_power_of_two().trailing_zeros());
        let check = if checks() { rounds } else { 0 };
        run(ranks, |comm| {
            let cut = Distribution::even(ranks, ranks);
            let before = comm.sent();
            npy::write(&*comm, &path, ScalarType::U8, &[ranks], &cut, &[7]).unwrap();
            let written = comm.sent();
            let header = npy::header(&*comm, &path).unwrap();
            let opened = comm.sent();
            npy::read(&*comm, &path, &header, &cut).unwrap();
            let read = comm.sent();
            assert!((written - before).messages <= 6 * rounds + check);
            assert!((opened - written).messages <= 2 * rounds);
            assert_eq!((read - opened).messages, rounds + check);
        });
    }
}

/// Stretches of more than 2³¹ bytes, and places in the file beyond: for who has 5 GB of memory.
#[test]
fn big_files() {
    if std::env::var("CUPROUS_MPI_BIG").is_err() {
        eprintln!("skipped: CUPROUS_MPI_BIG=1 asks for it");
        return;
    }
    let folder = Folder::new("big");
    let path = folder.join("x.npy");
    let count = (1_usize << 31) + 10_000;
    let value = |at: usize| (at % 251) as u8;
    let all: Vec<u8> = (0..count).map(value).collect();
    for ranks in [1, 2] {
        write(
            &path,
            ScalarType::U8,
            &[count],
            &all,
            &Distribution::even(count, ranks),
        );
    }
    drop(all);
    for ranks in [1, 3] {
        let right = run(ranks, |comm| {
            let header = npy::header(&*comm, &path).unwrap();
            let rows = Distribution::even(count, ranks);
            let own = npy::read(&*comm, &path, &header, &rows).unwrap();
            own.iter()
                .zip(rows.range(comm.rank()))
                .all(|(&byte, at)| byte == value(at))
        });
        assert_eq!(right, vec![true; ranks]);
    }
}
