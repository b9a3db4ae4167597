//! The conformance suite with arguments that are cut among the ranks, in odd places.
//!
//! `CUPROUS_CONFORMANCE_PART=sink/scan.cup` runs that part of the suite only.

#[path = "cut/mod.rs"]
mod cut;
#[path = "watch/mod.rs"]
mod watch;

use cuprous_cpu as _;
use cuprous_interp as _;
use cuprous_mpi::{Policy, World};
use cuprous_opencl as _;
use cut::{Cutting, How};
use dsl_runtime::conformance::{self, Limit};
use dsl_runtime::place::Place;
use std::path::Path;

const EAGER: Policy = Policy {
    small: 0,
    blocks: false,
};

/// `number`: where arguments are cut; 0 for arguments that are not.
fn conforms(ranks: usize, policy: Policy, inside: Place, number: u64, limit: Limit) {
    let part = std::env::var("CUPROUS_CONFORMANCE_PART").unwrap_or_default();
    let dir = Path::new(conformance::DIR).join(part);
    let what = format!("the suite over {inside}");
    let reports = watch::run(&what, ranks, |comm| {
        let world = World::with_policy(comm, policy);
        match number {
            0 => {
                let place = world.place(inside.clone());
                let place = place.backend().unwrap().unwrap();
                conformance::run_limited(&**place, &dir, limit)
            }
            _ => {
                let place = Cutting::new(&world, inside.clone(), How::Oddly(number));
                conformance::run_limited(&place, &dir, limit)
            }
        }
    });
    for (rank, report) in reports.iter().enumerate() {
        assert!(!report.outcomes.is_empty(), "there is no suite at {dir:?}");
        assert!(
            report.failed().next().is_none(),
            "rank {rank} of {ranks}: {report}"
        );
    }
    println!("{ranks} ranks: {}", reports[0]);
}

#[test]
fn two_ranks() {
    conforms(2, Policy::default(), Place::interp(), 1, Limit::default());
}

#[test]
fn three_eager_ranks() {
    conforms(3, EAGER, Place::interp(), 2, Limit::default());
}

#[test]
fn seven_ranks() {
    conforms(7, Policy::default(), Place::interp(), 3, Limit::default());
}

#[test]
fn seven_eager_ranks() {
    conforms(7, EAGER, Place::interp(), 4, Limit::default());
}

#[test]
fn three_ranks_of_processors() {
    conforms(
        3,
        Policy::default(),
        Place::cpu_threads(1),
        5,
        Limit::default(),
    );
}

/// The first device; why there is none is printed.
fn device() -> Option<Place> {
    let place = Place::opencl();
    if let Err(why) = &place {
        println!("SKIPPED  ranks with devices: {}", why.message());
    }
    place.ok()
}

/// Every run line compiles many functions, which takes a device long.
const SMALL: Limit = Limit { size: Some(300) };

#[test]
fn two_ranks_with_a_device() {
    if let Some(place) = device() {
        conforms(2, EAGER, place, 0, SMALL);
    }
}

#[test]
fn three_ranks_with_a_device() {
    if let Some(place) = device() {
        conforms(3, EAGER, place, 6, SMALL);
    }
}
