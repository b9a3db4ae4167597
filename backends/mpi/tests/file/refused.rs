//! What is refused: every rank gets the same error, and nothing is left behind.

use crate::folder::{Folder, names};
use crate::{RANKS, elements, error, read, write};
use cuprous_mpi::Distribution;
use cuprous_mpi::comm::Communicator;
use cuprous_mpi::comm::threads::run;
use cuprous_mpi::file::npy::{self, Header};
use cuprous_mpi::file::{FileError, Kind};
use dsl_runtime::ir::ScalarType;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

fn problem(error: FileError) -> (usize, Kind) {
    match error {
        FileError::File { rank, problem } => (rank, problem.kind),
        FileError::Broken(broken) => panic!("{broken}"),
    }
}

#[test]
fn files_that_are_none() {
    let folder = Folder::new("none");
    let path = folder.join("x.npy");
    let good = [
        Header::new(ScalarType::F64, &[5]).unwrap().encode(),
        vec![0; 40],
    ]
    .concat();
    let complex = String::from_utf8_lossy(&good[10..]).replace("<f8", "<c8");
    let cases: Vec<(Vec<u8>, Kind)> = vec![
        (vec![], Kind::Truncated),
        (good[..100].to_vec(), Kind::Truncated),
        (good[..good.len() - 1].to_vec(), Kind::Truncated),
        (b"height,width\n1,2\n".to_vec(), Kind::Magic),
        ([&good[..6], &[9, 0], &good[8..]].concat(), Kind::Version),
        ([&good[..10], complex.as_bytes()].concat(), Kind::Dtype),
        ([&good[..10], &[b' '; 118][..]].concat(), Kind::Header),
    ];
    for ranks in RANKS {
        for (bytes, kind) in &cases {
            fs::write(&path, bytes).unwrap();
            let error = error(ranks, |comm| npy::header(comm, &path));
            let text = error.to_string();
            assert!(text.contains("x.npy: "), "{text}");
            assert_eq!(problem(error), (0, *kind), "{text}");
        }
        let missing = error(ranks, |comm| npy::header(comm, folder.join("y.npy")));
        assert_eq!(problem(missing), (0, Kind::Missing));
        let directory = error(ranks, |comm| npy::header(comm, &*folder));
        assert_eq!(problem(directory), (0, Kind::Io));
        let device = error(ranks, |comm| npy::header(comm, "/dev/zero"));
        assert_eq!(problem(device), (0, Kind::Io));
    }
    // A header alone does not make memory for what the file does not have.
    let huge = Header::new(ScalarType::F64, &[1 << 59]).unwrap();
    fs::write(&path, huge.encode()).unwrap();
    let header = error(2, |comm| npy::header(comm, &path));
    assert_eq!(problem(header), (0, Kind::Truncated));
    let rows = error(2, |comm| {
        npy::read(comm, &path, &huge, &Distribution::even(1 << 59, 2))
    });
    assert_eq!(problem(rows), (0, Kind::Truncated));
}

#[test]
fn headers_made_by_hand() {
    let folder = Folder::new("by-hand");
    let path = folder.join("x.npy");
    let good = Header::new(ScalarType::F64, &[5]).unwrap();
    fs::write(&path, [good.encode(), vec![0; 40]].concat()).unwrap();
    for (shape, data_start) in [
        (vec![5, usize::MAX], 128),
        (vec![5], u64::MAX),
        (vec![5; 65], 128),
    ] {
        let header = Header {
            shape,
            data_start,
            ..good.clone()
        };
        let found = error(3, |comm| {
            npy::read(comm, &path, &header, &Distribution::even(5, 3))
        });
        assert_eq!(problem(found), (0, Kind::Shape));
    }
    let header = Header {
        data_start: 129,
        ..good
    };
    let found = error(3, |comm| {
        npy::read(comm, &path, &header, &Distribution::even(5, 3))
    });
    assert_eq!(problem(found), (0, Kind::Truncated));
}

/// The file is there for rank 0, which reads the header, and shorter or missing when the others come.
#[test]
fn ranks_that_see_other_files() {
    let folder = Folder::new("other-files");
    let path = folder.join("x.npy");
    for ranks in [2, 3, 7] {
        let all = elements(ScalarType::U32, 10);
        write(
            &path,
            ScalarType::U32,
            &[10],
            &all,
            &Distribution::even(10, ranks),
        );
        let header = Header::new(ScalarType::U32, &[10]).unwrap();
        for (other, bytes, kind) in [
            ("missing.npy", None, Kind::Missing),
            (
                "short.npy",
                Some([header.encode(), vec![0; 39]].concat()),
                Kind::Truncated,
            ),
        ] {
            if let Some(bytes) = bytes {
                fs::write(folder.join(other), bytes).unwrap();
            }
            let found = error(ranks, |comm| {
                let name = if comm.rank() + 1 == ranks {
                    other
                } else {
                    "x.npy"
                };
                npy::read(
                    comm,
                    folder.join(name),
                    &header,
                    &Distribution::even(10, ranks),
                )
            });
            assert_eq!(problem(found), (ranks - 1, kind));
        }
    }
}

#[test]
fn distributions_and_bytes_of_other_arrays() {
    let folder = Folder::new("arguments");
    let path = folder.join("x.npy");
    for ranks in RANKS {
        let put = |comm: &dyn Communicator, shape: &[usize], rows: &Distribution, own: &[u8]| {
            npy::write(comm, &path, ScalarType::U8, shape, rows, own)
        };
        let rows = Distribution::even(7 * ranks, ranks);
        let found = error(ranks, |comm| put(comm, &[7 * ranks + 1], &rows, &[0; 7]));
        assert_eq!(problem(found), (0, Kind::Rows));
        let more = Distribution::even(7 * ranks, ranks + 1);
        let found = error(ranks, |comm| put(comm, &[7 * ranks], &more, &[0; 7]));
        assert_eq!(problem(found), (0, Kind::Rows));
        let last = ranks - 1;
        let found = error(ranks, |comm| {
            let length = if comm.rank() == last { 6 } else { 7 };
            put(comm, &[7 * ranks], &rows, &[0; 7][..length])
        });
        assert_eq!(problem(found), (last, Kind::Length));
        let found = error(ranks, |comm| {
            put(comm, &[7 * ranks, usize::MAX], &rows, &[0; 7])
        });
        assert_eq!(problem(found), (0, Kind::Shape));
        assert_eq!(names(&folder), [""; 0]);
        let header = Header::new(ScalarType::U8, &[7 * ranks]).unwrap();
        let found = error(ranks, |comm| npy::read(comm, &path, &header, &more));
        assert_eq!(problem(found), (0, Kind::Rows));
    }
}

/// After an error the file is as it was before, and the temporary one is gone.
fn stays(folder: &Path, ranks: usize, fails: impl Fn() -> (usize, Kind), want: (usize, Kind)) {
    let path = folder.join("x.npy");
    let all = elements(ScalarType::U32, 10);
    write(
        &path,
        ScalarType::U32,
        &[10],
        &all,
        &Distribution::even(10, ranks),
    );
    let before = names(folder);
    assert_eq!(fails(), want);
    assert_eq!(names(folder), before);
    assert_eq!(
        read(&path, |rows| Distribution::even(rows, ranks), ranks),
        all
    );
}

#[test]
fn a_rank_that_cannot_write() {
    let folder = Folder::new("cannot-write");
    for ranks in [2, 3, 7] {
        for bad in 0..ranks {
            let fails = || {
                problem(error(ranks, |comm| {
                    let name = if comm.rank() == bad {
                        "missing/x.npy"
                    } else {
                        "x.npy"
                    };
                    write_a_row(comm, &folder.join(name))
                }))
            };
            // Rank 0 makes the file; where it makes another one, the others do not find theirs.
            stays(&folder, ranks, fails, (bad, Kind::Missing));
        }
    }
}

/// Writes a file of a row for each rank.
fn write_a_row(comm: &dyn Communicator, path: &Path) -> Result<(), FileError> {
    let ranks = comm.size();
    let rows = Distribution::even(ranks, ranks);
    npy::write(comm, path, ScalarType::U8, &[ranks], &rows, &[1])
}

/// A device that is always full stands for the temporary file of one rank.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let folder = Folder::new("full");
    let full = folder.join("full");
    fs::create_dir(&full).unwrap();
    for ranks in [1, 2, 3] {
        for bad in 0..ranks {
            let fails = || {
                let part = full.join("x.npy.part");
                symlink("/dev/full", &part).unwrap();
                let found = problem(error(ranks, |comm| {
                    let name = if comm.rank() == bad {
                        "full/x.npy"
                    } else {
                        "x.npy"
                    };
                    write_a_row(comm, &folder.join(name))
                }));
                // Rank 0 removes what it made.
                let _ = fs::remove_file(&part);
                found
            };
            stays(&folder, ranks, fails, (bad, Kind::Full));
        }
    }
}

#[test]
fn a_folder_in_place_of_the_file() {
    let folder = Folder::new("in-place");
    let path = folder.join("x.npy");
    fs::create_dir_all(path.join("inside")).unwrap();
    for ranks in RANKS {
        let rows = Distribution::even(ranks, ranks);
        let found = error(ranks, |comm| {
            npy::write(comm, &path, ScalarType::U8, &[ranks], &rows, &[1])
        });
        assert_eq!(problem(found), (0, Kind::Io));
        assert_eq!(names(&folder), ["x.npy"]);
    }
}

/// Where that is checked, ranks that pass other arguments find out before anything is written.
#[test]
fn ranks_that_do_not_write_the_same() {
    if !cuprous_mpi::comm::collective::checks() {
        return;
    }
    let folder = Folder::new("mismatch");
    let path = folder.join("x.npy");
    let results = run(3, |comm| {
        let rows = Distribution::even(3, 3);
        let elem = [ScalarType::U8, ScalarType::I8][comm.rank() % 2];
        npy::write(&*comm, &path, elem, &[3], &rows, &[1])
    });
    assert!(
        results
            .iter()
            .all(|it| matches!(it, Err(FileError::Broken(_))))
    );
    assert_eq!(names(&folder), [""; 0]);
}
