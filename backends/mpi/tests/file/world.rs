//! Distributed arrays in files, as users write and read them.

use crate::RANKS;
use crate::folder::Folder;
use cuprous_cpu as _;
use cuprous_mpi::comm::threads::run;
use cuprous_mpi::{DistributedArray, World};
use dsl_runtime::array::Array;
use dsl_runtime::error::Error;
use std::path::Path;

/// All ranks have the same error, and its text has this.
#[track_caller]
fn fails<T: std::fmt::Debug>(results: Vec<Result<T, Error>>, has: &str) {
    let errors: Vec<Error> = results.into_iter().map(Result::unwrap_err).collect();
    for error in &errors {
        assert_eq!(error.code(), "CU0312", "{error}");
        assert!(error.to_string().contains(has), "no {has:?} in {error}");
        assert!(error.to_string().contains("help: "), "{error}");
        assert_eq!(error.to_string(), errors[0].to_string());
    }
}

fn write(ranks: usize, path: &Path) {
    run(ranks, |comm| {
        let world = World::of(comm);
        let u = world.from_fn2((7, 3), |(i, j)| (10 * i + j) as u16);
        world.write_npy(path, &u.unwrap()).unwrap();
    });
}

#[test]
fn any_ranks_read_what_others_wrote() {
    let folder = Folder::new("world-any");
    for (at, from) in RANKS.into_iter().enumerate() {
        let to = RANKS[(at + 1) % RANKS.len()];
        let (matrix, vector) = (folder.join("matrix.npy"), folder.join("vector.npy"));
        run(from, |comm| {
            let world = World::of(comm);
            let flags = world.from_fn(20_000, |i| i % 3 == 0).unwrap();
            world.write_npy(&vector, &flags).unwrap();
            let points = world.from_fn2((9, 5), |(i, j)| [i as f32, j as f32]);
            world.write_npy(&matrix, &points.unwrap()).unwrap();
        });
        run(to, |comm| {
            let world = World::of(comm);
            let flags = world.read_npy::<bool>(&vector).unwrap();
            let same = world.from_fn(20_000, |_| 0u8).unwrap();
            // Cut as what is made here.
            assert_eq!(flags.distribution(), same.distribution());
            assert!(
                flags
                    .to_vec()
                    .iter()
                    .enumerate()
                    .all(|(i, &flag)| flag == (i % 3 == 0))
            );
            let points = world.read_npy::<[f32; 2]>(&matrix).unwrap();
            assert_eq!(points.shape(), [9, 5]);
            assert_eq!(points.to_vec()[13], [2.0, 3.0]);
            // The last lengths may as well be dimensions.
            let flat = world.read_npy::<f32>(&matrix).unwrap();
            assert_eq!(flat.shape(), [9, 5, 2]);
        });
    }
}

#[test]
fn arrays_that_every_rank_has_and_parts_of_any_length() {
    let folder = Folder::new("world-every");
    for ranks in RANKS {
        let path = folder.join("x.npy");
        run(ranks, |comm| {
            let world = World::of(comm);
            world
                .write_npy(&path, &Array::from(vec![5i64, -6, 7]))
                .unwrap();
            assert_eq!(world.read_npy::<i64>(&path).unwrap().to_vec(), [5, -6, 7]);
            let part = vec![world.rank() as u8; world.rank() % 3];
            let odd = world.from_local(part).unwrap();
            world.write_npy(&path, &odd).unwrap();
            assert_eq!(world.read_npy::<u8>(&path).unwrap().to_vec(), odd.to_vec());
        });
    }
}

#[test]
fn a_number_that_numpy_saved_is_an_array_of_one() {
    let folder = Folder::new("world-number");
    let path = folder.join("pi.npy");
    let header = cuprous_mpi::file::npy::Header::new(dsl_runtime::ir::ScalarType::F64, &[]);
    let bytes = [header.unwrap().encode(), 3.5f64.to_le_bytes().to_vec()].concat();
    std::fs::write(&path, bytes).unwrap();
    run(3, |comm| {
        let x = World::of(comm).read_npy::<f64>(&path).unwrap();
        assert_eq!((x.shape(), x.to_vec()), (&[1][..], vec![3.5]));
    });
}

#[test]
fn what_is_wrong_with_a_file_is_the_same_error_on_all_ranks() {
    let folder = Folder::new("world-wrong");
    let path = folder.join("u.npy");
    write(2, &path);
    for ranks in RANKS {
        let read = |path: &Path| run(ranks, |comm| World::of(comm).read_npy::<i64>(path));
        fails(read(&path), "it has another type: u16 [7, 3], expected i64");
        fails(read(&folder.join("none.npy")), "there is no such file");
        let pairs = run(ranks, |comm| World::of(comm).read_npy::<(u16, u16)>(&path));
        fails(
            pairs,
            "the elements have several parts: 2 in an element, expected one",
        );
        let triples = run(ranks, |comm| World::of(comm).read_npy::<[u16; 2]>(&path));
        fails(triples, "expected u16 with [2] as the last lengths");
        let written = run(ranks, |comm| {
            let world = World::of(comm);
            let u = world.from_fn(3, |i| i as f64)?;
            world.write_npy(folder.join("no/such/u.npy"), &u)
        });
        fails(written, "there is no such file or folder");
    }
}

#[test]
fn an_array_of_other_ranks_is_refused() {
    let folder = Folder::new("world-other");
    run(2, |comm| {
        let world = World::of(comm);
        let x = world.from_fn(5, |i| i as u8).unwrap();
        let swapped = world.split(0, 1 - world.rank() as u64).unwrap();
        let error = swapped.write_npy(folder.join("x.npy"), &x).unwrap_err();
        assert_eq!(error.code(), "CU0311", "{error}");
        let saving = swapped.checkpoint(&*folder).array("x", &x);
        assert_eq!(saving.save().unwrap_err().code(), "CU0311");
    });
}

#[test]
fn checkpoints_keep_elements_of_several_scalars() {
    let folder = Folder::new("world-checkpoint");
    for (from, to) in [(1, 3), (3, 2), (2, 7), (7, 1)] {
        run(from, |comm| {
            let world = World::of(comm);
            assert_eq!(world.restore(&*folder).unwrap().is_some(), from > 1);
            let pairs = world.from_fn(9_000, |i| (i as u32, -(i as f64))).unwrap();
            let every = Array::from(vec![1.5f32, 2.5]);
            let checkpoint = world.checkpoint(&*folder).array("pairs", &pairs);
            let checkpoint = checkpoint.array("every", &every).scalar("dt", 0.1);
            checkpoint.scalar("on", true).save().unwrap();
        });
        run(to, |comm| {
            let saved = World::of(comm).restore(&*folder).unwrap().unwrap();
            let pairs = saved.array::<(u32, f64)>("pairs").unwrap();
            assert_eq!(pairs.to_vec()[8_999], (8_999, -8_999.0));
            assert_eq!(saved.array::<f32>("every").unwrap().to_vec(), [1.5, 2.5]);
            assert_eq!(saved.scalar::<f64>("dt").unwrap(), 0.1);
            assert!(saved.scalar::<bool>("on").unwrap());
            for error in [
                saved.scalar::<f32>("dt").unwrap_err(),
                saved.scalar::<f64>("t").unwrap_err(),
                saved.array::<f64>("every").unwrap_err(),
                saved.array::<f64>("pairs").unwrap_err(),
            ] {
                assert_eq!(error.code(), "CU0312", "{error}");
            }
        });
    }
    let names = run(3, |comm| {
        let world = World::of(comm);
        let x = world.from_fn(3, |i| i as u8)?;
        world.checkpoint(&*folder).array("no/name", &x).save()
    });
    fails(names, "the name cannot be used");
}
