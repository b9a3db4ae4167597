//! Files that all ranks read and write: that it works between processes, too.

use cuprous_mpi::Distribution;
use cuprous_mpi::comm::Communicator;
use cuprous_mpi::comm::collective::{all_gather, barrier, broadcast_any};
use cuprous_mpi::file::checkpoint::{Checkpoint, Entry};
use cuprous_mpi::file::{Kind, npy};
use dsl_runtime::ir::{Const, ScalarType};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Saves an array and a checkpoint, and reads them cut otherwise; and a rank that cannot.
pub fn work(comm: &dyn Communicator) {
    // Tests run at the same time, in one process or in several.
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("cuprous-mpi-files-{}-{number}", std::process::id());
    let name = broadcast_any(comm, 0, name.into_bytes()).unwrap();
    let folder = std::env::temp_dir().join(String::from_utf8(name).unwrap());
    array(comm, &folder);
    checkpoint(comm, &folder);
    error(comm, &folder);
    barrier(comm).unwrap();
    if comm.rank() == 0 {
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

const ROWS: usize = 20;

fn bytes(rows: &Distribution, rank: usize) -> Vec<u8> {
    rows.range(rank).map(|row| 3 * row as u8).collect()
}

/// Distributions that have next to nothing in common.
fn cuts(ranks: usize) -> [Distribution; 2] {
    let last = (0..ranks).map(|rank| if rank + 1 == ranks { ROWS } else { 0 });
    [
        Distribution::even(ROWS, ranks),
        Distribution::of_parts(last),
    ]
}

fn array(comm: &dyn Communicator, folder: &Path) {
    if comm.rank() == 0 {
        std::fs::create_dir(folder).unwrap();
    }
    barrier(comm).unwrap();
    let path = folder.join("x.npy");
    for rows in cuts(comm.size()) {
        let own = bytes(&rows, comm.rank());
        npy::write(comm, &path, ScalarType::U8, &[ROWS], &rows, &own).unwrap();
        let header = npy::header(comm, &path).unwrap();
        for rows in cuts(comm.size()) {
            let own = npy::read(comm, &path, &header, &rows).unwrap();
            assert_eq!(own, bytes(&rows, comm.rank()));
        }
    }
}

fn checkpoint(comm: &dyn Communicator, folder: &Path) {
    for step in 0..3 {
        let rows = &cuts(comm.size())[step % 2];
        let entry = Entry {
            name: "x",
            elem: ScalarType::U8,
            shape: &[ROWS],
            rows,
            own: &bytes(rows, comm.rank()),
        };
        let step = Const::u64(step as u64);
        Checkpoint::save(comm, folder, &[entry], &[("step", step)]).unwrap();
        let saved = Checkpoint::open(comm, folder).unwrap().unwrap();
        assert_eq!(saved.scalar("step"), Ok(step));
        for rows in cuts(comm.size()) {
            let own = saved.read(comm, "x", &rows).unwrap();
            assert_eq!(own, bytes(&rows, comm.rank()));
        }
    }
}

fn error(comm: &dyn Communicator, folder: &Path) {
    let last = comm.rank() + 1 == comm.size();
    let path = folder.join(if last { "missing/y.npy" } else { "y.npy" });
    let rows = Distribution::even(comm.size(), comm.size());
    let written = npy::write(comm, path, ScalarType::U8, &[comm.size()], &rows, &[1]);
    let error = written.unwrap_err();
    assert_eq!(error.kind(), Some(Kind::Missing));
    let texts = all_gather(comm, error.to_string().as_bytes()).unwrap();
    assert!(texts.iter().all(|text| *text == texts[0]));
    assert!(!folder.join("y.npy").exists() && !folder.join("y.npy.part").exists());
}
