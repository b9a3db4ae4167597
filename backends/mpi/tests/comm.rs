//! Communicators whose ranks are threads, and the one of a single rank.

mod checks;

use cuprous_mpi::comm::alone::Alone;
use cuprous_mpi::comm::collective::barrier;
use cuprous_mpi::comm::threads::run;
use cuprous_mpi::comm::{Broken, Communicator, Receive};
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn threads_do_all_that_ranks_do() {
    for ranks in [1, 2, 3, 4, 5, 7] {
        run(ranks, |comm| checks::all(&*comm));
    }
}

#[test]
fn one_rank_needs_no_library() {
    checks::all(&Alone);
    let into = &mut [0];
    let other = Receive { from: 1, into };
    let result = Alone.exchange(&[], &mut [other]);
    assert_eq!(result, Err(Broken::Gone { rank: 1 }));
}

#[test]
fn what_ranks_return_is_in_their_order() {
    let ranks = run(5, |comm| (comm.rank(), comm.size()));
    assert_eq!(ranks, [(0, 5), (1, 5), (2, 5), (3, 5), (4, 5)]);
}

/// The text of the panic of what this runs.
fn panic_of(body: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(body)).unwrap_err();
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast::<&str>().unwrap().to_string(),
    }
}

/// The panic that comes out is the first one, not that of a rank that waited for it.
#[test]
fn a_panic_ends_all_ranks() {
    for ranks in [1, 2, 3, 4, 7] {
        let text = panic_of(|| {
            run(ranks, |comm| {
                barrier(&*comm).unwrap();
                if comm.rank() == ranks / 2 {
                    panic!("rank {} has had enough", ranks / 2);
                }
                loop {
                    barrier(&*comm).unwrap();
                }
            });
        });
        assert_eq!(text, format!("rank {} has had enough", ranks / 2));
    }
}

#[test]
fn a_waiting_rank_learns_who_is_gone() {
    let results = run(3, |comm| match comm.rank() {
        0 => barrier(&*comm),
        _ => Ok(()),
    });
    assert_eq!(results[0], Err(Broken::Gone { rank: 2 }));
}

#[test]
fn an_abort_is_a_panic() {
    let text = panic_of(|| {
        run(3, |comm| match comm.rank() {
            1 => comm.abort("no way on"),
            _ => barrier(&*comm).unwrap(),
        });
    });
    assert_eq!(text, "no way on");
}
