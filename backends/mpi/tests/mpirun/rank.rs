//! What the ranks do.

use super::across::Across;
use super::checks;
use cuprous_mpi::comm::collective::{all_gather, barrier};
use cuprous_mpi::comm::{Broken, Communicator, Receive, Send, mpi};
use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
use std::ffi::{c_int, c_void};
use std::panic::catch_unwind;
use std::process::{Command, exit};

/// The argument that makes the test a rank.
pub const TASK: &str = "--task";

/// What a rank says when it is about to go.
pub const NOW: &str = "NOW";

/// Does what is asked for. An error is for `main` to return.
pub fn run(task: &str) -> Result<(), String> {
    if task == "theirs" {
        theirs();
        return Ok(());
    }
    let comm = mpi::init().unwrap();
    if task.starts_with("hosts") {
        hosts(comm, task == "hosts_abort");
        return Ok(());
    }
    let comm = &*comm;
    match task {
        "checks" => {
            if format!("{comm:?}") == "Alone" {
                let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
                assert!(!maps.contains("libmpi"));
            }
            checks::all(comm);
            barrier(comm).unwrap();
            if comm.rank() == 0 {
                println!("{} ranks did it all", comm.size());
            }
        }
        "caught" => {
            catch_unwind(|| panic!("nobody minds")).unwrap_err();
            barrier(comm).unwrap();
            if comm.rank() == 0 {
                println!("{} ranks went on", comm.size());
            }
            // Caught right before the end.
            catch_unwind(|| panic!("nobody minds")).unwrap_err();
        }
        "big" => big(comm),
        "own" => own(comm),
        task => one_goes(comm, task)?,
    }
    Ok(())
}

/// All the checks, and how much goes to other hosts meanwhile. Then the job may be aborted.
fn hosts(comm: Box<dyn Communicator>, abort: bool) {
    let comm = Across::new(comm).unwrap();
    checks::all(&comm);
    let bytes = all_gather(&comm, &comm.bytes().to_le_bytes()).unwrap();
    let bytes: u64 = bytes
        .into_iter()
        .map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap()))
        .sum();
    if comm.rank() == 0 {
        let (ranks, hosts) = (comm.size(), comm.hosts());
        println!("{ranks} ranks did it all on {hosts} hosts; bytes to the other host: {bytes}");
        if abort {
            comm.abort("the end");
        }
    }
    // Where the first rank aborts, the others come no further.
    barrier(&comm).unwrap();
}

/// Rank 1, or the only one, goes; the others wait for it.
fn one_goes(comm: &dyn Communicator, task: &str) -> Result<(), String> {
    barrier(comm).unwrap();
    if comm.rank() == 1 || comm.size() == 1 {
        println!("{NOW}");
        go(comm, task)?;
    }
    barrier(comm).unwrap();
    unreachable!("not all came");
}

fn go(comm: &dyn Communicator, task: &str) -> Result<(), String> {
    match task {
        "panic" => panic!("no way on for rank 1"),
        "under_way" => {
            let into = &mut [0; 100];
            let mut never = [Receive { from: 0, into }];
            let mut work = || panic!("no way on for rank 1");
            comm.overlap(&[], &mut never, &mut work).unwrap();
        }
        "exit" => exit(3),
        "error" => return Err("an error of rank 1".into()),
        "abort" => comm.abort("rank 1 aborts"),
        "thread_abort" => std::thread::scope(|scope| {
            scope.spawn(|| {
                // The main thread is in a call of MPI then.
                std::thread::sleep(std::time::Duration::from_millis(300));
                comm.abort("a thread of rank 1 aborts")
            });
            let into = &mut [0; 100];
            let never = Receive { from: 0, into };
            comm.exchange(&[], &mut [never]).unwrap();
        }),
        "kill" => {
            let id = std::process::id().to_string();
            Command::new("kill").args(["-9", &id]).status().unwrap();
        }
        task => unreachable!("{task}"),
    }
    Ok(())
}

/// A message of three pieces from the first rank to the second.
fn big(comm: &dyn Communicator) {
    const LENGTH: usize = (2 << 30) + 5;
    let byte = |at: usize| (at ^ (at >> 24)) as u8;
    let mut bytes = vec![0; LENGTH];
    if comm.rank() == 0 {
        bytes
            .iter_mut()
            .enumerate()
            .for_each(|(at, one)| *one = byte(at));
        let bytes = &bytes;
        comm.exchange(&[Send { to: 1, bytes }], &mut []).unwrap();
    } else {
        let (from, into) = (0, &mut bytes[..]);
        comm.exchange(&[], &mut [Receive { from, into }]).unwrap();
        assert!(bytes.iter().enumerate().all(|(at, one)| *one == byte(at)));
        println!("2 ranks have it");
    }
}

/// The world, by its handle.
fn own(comm: &dyn Communicator) {
    let handle = match comm {
        comm if format!("{comm:?}").contains("MPICH") => 0x4400_0000,
        comm if format!("{comm:?}").contains("ABI") => 0x101,
        // SAFETY: the symbol is the communicator, which is passed on.
        _ => unsafe {
            let world = Library::this().get::<*const u8>(b"ompi_mpi_comm_world\0");
            *world.unwrap() as usize
        },
    };
    // SAFETY: the handle is that of the world, which MPI has been initialised with.
    let mine = unsafe { mpi::from_raw(handle) }.unwrap();
    assert_eq!((mine.rank(), mine.size()), (comm.rank(), comm.size()));
    let ranks = all_gather(&*mine, &[comm.rank() as u8]).unwrap();
    assert_eq!(ranks.concat(), [0, 1]);
    let bytes = &[1, 2, 3];
    let into = &mut [0; 3];
    let (to, from) = (1 - comm.rank(), 1 - comm.rank());
    let (send, receive) = (Send { to, bytes }, Receive { from, into });
    mine.exchange(&[send], &mut [receive]).unwrap();
    if comm.rank() == 0 {
        println!("{} ranks of its own", mine.size());
    }
}

/// A program that initialises and finalises MPI itself.
fn theirs() {
    type Init = unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int;
    type Finalize = unsafe extern "C" fn() -> c_int;
    let names: &[&str] = match std::env::var_os("OMPI_COMM_WORLD_SIZE") {
        Some(_) => &["libmpi.so.40"],
        None => &["libmpi.so.12", "libmpich.so.12", "libmpi_abi.so.1"],
    };
    // SAFETY: both are declared as MPI does; nobody else has initialised it.
    unsafe {
        let open = |name: &&str| Library::open(Some(*name), RTLD_NOW | RTLD_GLOBAL).ok();
        let library = names.iter().find_map(open).unwrap();
        let null = std::ptr::null_mut();
        assert_eq!(library.get::<Init>(b"MPI_Init\0").unwrap()(null, null), 0);
        let comm = mpi::init().unwrap();
        checks::work(&*comm);
        let (rank, size) = (comm.rank(), comm.size());
        drop(comm);
        assert_eq!(library.get::<Finalize>(b"MPI_Finalize\0").unwrap()(), 0);
        assert!(matches!(mpi::from_raw(0), Err(Broken::Unavailable(_))));
        if rank == 0 {
            println!("{size} ranks of theirs");
        }
    }
}
