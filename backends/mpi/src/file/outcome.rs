//! How all ranks come to the same outcome, whichever of them fails.

use super::pack::{Pack, Unpack};
use super::{FileError, Problem};
use crate::comm::Communicator;
use crate::comm::collective::{all_gather_equal, broadcast_any};

/// What this rank has, if no rank has a problem; otherwise the problem of the lowest rank that has one. Nobody returns before
/// all have called. Cost: ⌈log₂ p⌉ messages and p − 1 bytes; a broadcast more where there is a problem.
pub(crate) fn agreed<T>(comm: &dyn Communicator, here: Result<T, Problem>) -> Result<T, FileError> {
    let failed = all_gather_equal(comm, &[u8::from(here.is_err())])?;
    let first = failed.iter().position(|&failed| failed != 0);
    match (first, here) {
        (None, Ok(value)) => Ok(value),
        (first, here) => {
            let rank = first.unwrap_or(comm.rank());
            let mut pack = Pack::default();
            if let Err(problem) = here {
                problem.pack(&mut pack);
            }
            let bytes = broadcast_any(comm, rank, pack.0)?;
            let problem = Problem::unpack(&mut Unpack(&bytes));
            Err(FileError::File { rank, problem })
        }
    }
}

/// Gives every rank the bytes, or the problem, that rank 0 has when it has done this. Cost: that of
/// [`broadcast_any`].
pub(in crate::file) fn told(
    comm: &dyn Communicator,
    work: impl FnOnce() -> Result<Vec<u8>, Problem>,
) -> Result<Vec<u8>, FileError> {
    const DONE: u8 = 0;
    const FAILED: u8 = 1;
    let mut bytes = vec![];
    if comm.rank() == 0 {
        bytes = match work() {
            Ok(mut bytes) => {
                bytes.push(DONE);
                bytes
            }
            Err(problem) => {
                let mut pack = Pack::default();
                problem.pack(&mut pack);
                pack.0.push(FAILED);
                pack.0
            }
        };
    }
    let mut bytes = broadcast_any(comm, 0, bytes)?;
    match bytes.pop() {
        Some(FAILED) => {
            let problem = Problem::unpack(&mut Unpack(&bytes));
            Err(FileError::File { rank: 0, problem })
        }
        _ => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;
    use crate::comm::threads::run;
    use std::path::Path;

    fn problem(rank: usize) -> Problem {
        Problem::of(Kind::Full, Path::new("x"), rank, "")
    }

    #[test]
    fn all_get_the_problem_of_the_lowest_rank_that_has_one() {
        for ranks in [1, 2, 3, 7] {
            for first in 0..=ranks {
                let results = run(ranks, |comm| {
                    let rank = comm.rank();
                    let here = match rank >= first && (rank - first) % 2 == 0 {
                        true => Err(problem(rank)),
                        false => Ok(rank),
                    };
                    agreed(&*comm, here)
                });
                for (rank, result) in results.into_iter().enumerate() {
                    let want = match first == ranks {
                        true => Ok(rank),
                        false => Err(FileError::File {
                            rank: first,
                            problem: problem(first),
                        }),
                    };
                    assert_eq!(result, want);
                }
            }
        }
    }

    #[test]
    fn all_are_told() {
        for ranks in [1, 2, 3, 7] {
            let results = run(ranks, |comm| {
                let bytes = vec![comm.rank() as u8; 3];
                let told_bytes = told(&*comm, || Ok(bytes));
                (told_bytes, told(&*comm, || Err(problem(5))))
            });
            for (bytes, failed) in results {
                assert_eq!(bytes, Ok(vec![0; 3]));
                let problem = problem(5);
                assert_eq!(failed, Err(FileError::File { rank: 0, problem }));
            }
        }
    }
}
