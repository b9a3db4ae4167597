//! What holds of every communicator, whatever its ranks are. Run by threads and under `mpirun`.

mod files;

use cuprous_mpi::comm::collective::{
    GATHERED, agree, all_gather, all_gather_equal, all_to_all, barrier, broadcast, broadcast_any,
    gather, reduce, scan,
};
use cuprous_mpi::comm::{Broken, Communicator, Receive, Send};

/// All of them.
pub fn all(comm: &dyn Communicator) {
    work(comm);
    wrong_length(comm);
    barriers(comm);
}

/// What goes right.
pub fn work(comm: &dyn Communicator) {
    exchange(comm);
    overlap(comm);
    barriers(comm);
    broadcasts(comm);
    gathers(comm);
    all_gathers(comm);
    all_to_alls(comm);
    folds(comm, 0);
    folds(comm, GATHERED / comm.size());
    splits(comm);
    agrees(comm);
    counts(comm);
    files::work(comm);
}

/// Bytes that tell who they are from, who they are to, and where among them each is.
fn letter(from: usize, to: usize, length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| (7 * from + 31 * to + at) as u8)
        .collect()
}

/// From each to each, itself too, once with nothing in it, once short, once long.
fn exchange(comm: &dyn Communicator) {
    let (rank, size) = (comm.rank(), comm.size());
    for length in [0, 5, 3_000_000] {
        let out: Vec<Vec<u8>> = (0..size).map(|to| letter(rank, to, length + to)).collect();
        let mut into = vec![vec![0; length + rank]; size];
        let sends: Vec<Send<'_>> = out
            .iter()
            .enumerate()
            .map(|(to, bytes)| Send { to, bytes })
            .collect();
        let mut receives: Vec<Receive<'_>> = into
            .iter_mut()
            .enumerate()
            .map(|(from, into)| Receive { from, into })
            .collect();
        comm.exchange(&sends, &mut receives).unwrap();
        for (from, into) in into.iter().enumerate() {
            assert!(
                *into == letter(from, rank, length + rank),
                "{from} to {rank}"
            );
        }
    }
    comm.exchange(&[], &mut []).unwrap();
}

/// Work goes on while messages do, and messages arrive in the order of the calls.
fn overlap(comm: &dyn Communicator) {
    let (rank, size) = (comm.rank(), comm.size());
    if size == 1 || rank > 1 {
        return;
    }
    let other = 1 - rank;
    for turn in 0..3 {
        let (bytes, mut into, mut worked) = ([turn; 9], [0; 9], 0);
        let send = Send {
            to: other,
            bytes: &bytes,
        };
        let receive = Receive {
            from: other,
            into: &mut into,
        };
        let mut work = || worked += 1;
        comm.overlap(&[send], &mut [receive], &mut work).unwrap();
        assert_eq!((into, worked), ([turn; 9], 1));
    }
}

/// A message that is shorter than expected, or longer, is an error of the receiver.
fn wrong_length(comm: &dyn Communicator) {
    let rank = comm.rank();
    for expected in [2, 4] {
        let mut into = vec![0; expected];
        let receive = Receive {
            from: comm.size() - 1,
            into: &mut into,
        };
        let send = Send {
            to: 0,
            bytes: &[1, 2, 3],
        };
        let sends = if rank == comm.size() - 1 {
            vec![send]
        } else {
            vec![]
        };
        let mut receives = if rank == 0 { vec![receive] } else { vec![] };
        let result = comm.exchange(&sends, &mut receives);
        match rank {
            0 => assert!(matches!(
                result,
                Err(Broken::Length { .. } | Broken::Call { .. })
            )),
            _ => result.unwrap(),
        }
    }
}

/// Ends for all.
fn barriers(comm: &dyn Communicator) {
    for _ in 0..20 {
        barrier(comm).unwrap();
    }
}

/// From every root.
fn broadcasts(comm: &dyn Communicator) {
    for root in 0..comm.size() {
        for length in [0, 1, 100_000] {
            let mut bytes = match comm.rank() == root {
                true => letter(root, 0, length),
                false => vec![0; length],
            };
            broadcast(comm, root, &mut bytes).unwrap();
            assert!(bytes == letter(root, 0, length));
            let mine = letter(comm.rank(), 1, length + comm.rank());
            let bytes = broadcast_any(comm, root, mine).unwrap();
            assert!(bytes == letter(root, 1, length + root));
        }
    }
}

/// The parts of the ranks in the tests of gathering: their lengths differ, some are empty.
fn uneven(rank: usize, scale: usize) -> Vec<u8> {
    letter(rank, 0, rank % 3 * scale)
}

/// To every root.
fn gathers(comm: &dyn Communicator) {
    let (rank, size) = (comm.rank(), comm.size());
    for root in 0..size {
        for scale in [0, 1, 50_000] {
            let parts = gather(comm, root, &uneven(rank, scale)).unwrap();
            let all = (0..size).map(|rank| uneven(rank, scale)).collect();
            assert!(parts == (rank == root).then_some(all));
        }
    }
}

fn all_gathers(comm: &dyn Communicator) {
    let (rank, size) = (comm.rank(), comm.size());
    for scale in [0, 1, 50_000] {
        let parts = all_gather(comm, &uneven(rank, scale)).unwrap();
        assert!(
            parts
                == (0..size)
                    .map(|rank| uneven(rank, scale))
                    .collect::<Vec<_>>()
        );
        let parts = all_gather_equal(comm, &letter(rank, 0, scale)).unwrap();
        let all = (0..size).flat_map(|rank| letter(rank, 0, scale));
        assert!(parts == all.collect::<Vec<_>>());
    }
}

fn all_to_alls(comm: &dyn Communicator) {
    let (rank, size) = (comm.rank(), comm.size());
    for scale in [0, 1, 50_000] {
        let length = |from: usize, to: usize| (from + 2 * to) % 3 * scale;
        let parts: Vec<Vec<u8>> = (0..size)
            .map(|to| letter(rank, to, length(rank, to)))
            .collect();
        let received = all_to_all(comm, &parts).unwrap();
        let all = (0..size).map(|from| letter(from, rank, length(from, rank)));
        assert!(received == all.collect::<Vec<_>>());
    }
}

/// The order is that of the documentation, for parts that are gathered and for those that are not. Each part is the number of
/// its rank and some blanks.
fn folds(comm: &dyn Communicator, blanks: usize) {
    let part = format!("{}{}", comm.rank(), " ".repeat(blanks));
    let combine = |left: &[u8], right: &[u8]| {
        let text = |bytes| str::from_utf8(bytes).unwrap().trim_end();
        let (left, right) = (text(left), text(right));
        format!("({left}{right}){}", " ".repeat(blanks)).into_bytes()
    };
    let trees = ["0", "(01)", "((01)2)", "((01)(23))", "(((01)(23))4)"];
    let more = ["(((01)(23))(45))", "(((01)(23))((45)6))"];
    let trees = [&trees[..], &more[..]].concat();
    let whole = reduce(comm, part.as_bytes(), combine).unwrap();
    let tree = trees[comm.size() - 1];
    assert_eq!(str::from_utf8(&whole).unwrap().trim_end(), tree);
    let before = scan(comm, part.as_bytes(), combine).unwrap();
    let before = before.map(|bytes| String::from_utf8(bytes).unwrap());
    // What is before a rank is the tree of so many.
    let tree = comm.rank().checked_sub(1).map(|last| match last {
        6 => "((((01)(23))(45))6)",
        last => trees[last],
    });
    assert_eq!(before.as_deref().map(str::trim_end), tree);
}

/// Even ranks and odd ones, each in the reverse order; and parts of these.
fn splits(comm: &dyn Communicator) {
    let (rank, size) = (comm.rank(), comm.size());
    let color = if rank.is_multiple_of(2) { u64::MAX } else { 5 };
    let half = comm.split(color, (size - rank) as u64).unwrap();
    let mut members: Vec<usize> = (0..size).filter(|other| other % 2 == rank % 2).collect();
    members.reverse();
    assert_eq!(half.size(), members.len());
    assert_eq!(members[half.rank()], rank);
    let ranks = all_gather(&*half, &[rank as u8]).unwrap().concat();
    assert!(ranks.iter().map(|&rank| rank as usize).eq(members));
    let one = half.split(rank as u64, 0).unwrap();
    assert_eq!((one.rank(), one.size()), (0, 1));
    barrier(&*one).unwrap();
    // Equal keys: as before. The two communicators do not hear each other.
    let same = comm.split(0, 0).unwrap();
    assert_eq!((same.rank(), same.size()), (rank, size));
    barrier(&*same).unwrap();
    barrier(comm).unwrap();
}

fn agrees(comm: &dyn Communicator) {
    agree(comm, "a reduction").unwrap();
    if comm.size() == 1 {
        return;
    }
    let last = comm.size() - 1;
    let what = |rank| {
        if rank == last {
            "a scan"
        } else {
            "a reduction"
        }
    };
    let here = comm.rank();
    let other = if here == last { 0 } else { last };
    assert_eq!(
        agree(comm, what(here)),
        Err(Broken::Mismatch {
            here: what(here).into(),
            rank: other,
            there: what(other).into(),
        })
    );
}

/// Operations send as many messages as they say.
fn counts(comm: &dyn Communicator) {
    let levels = comm.size().next_power_of_two().trailing_zeros() as u64;
    let others = comm.size() as u64 - 1;
    let start = comm.sent();
    barrier(comm).unwrap();
    let sent = comm.sent() - start;
    assert_eq!((sent.messages, sent.bytes), (levels, 0));
    let start = comm.sent();
    all_gather_equal(comm, &[0; 100]).unwrap();
    let sent = comm.sent() - start;
    assert_eq!((sent.messages, sent.bytes), (levels, 100 * others));
    let start = comm.sent();
    reduce(comm, &[0; 8], |left, _| left.to_vec()).unwrap();
    let sent = comm.sent() - start;
    assert_eq!((sent.messages, sent.bytes), (2 * levels, 16 * others));
    let start = comm.sent();
    let part = vec![0; GATHERED];
    reduce(comm, &part, |left, _| left.to_vec()).unwrap();
    assert!((comm.sent() - start).messages <= 2 + 3 * levels);
    let start = comm.sent();
    let itself = Send {
        to: comm.rank(),
        bytes: &[1, 2],
    };
    let into = &mut [0; 2];
    let from = comm.rank();
    comm.exchange(&[itself], &mut [Receive { from, into }])
        .unwrap();
    assert_eq!((comm.sent() - start).messages, 0);
}
