//! What the model says of the primitives on many ranks, for a program of a stated size.

use super::model::{Constants, Cost, Machine, levels};
use super::time;

/// How many ranks.
const RANKS: usize = 10_000;

/// Values of all ranks, eight bytes each; as a grid, so many rows of so many values.
const VALUES: f64 = 1e10;
const WIDTH: f64 = 1e5;

/// Values of an array that is replicated: 10⁷.
const REPLICATED: f64 = 1e7;

/// A block of the canonical order.
const BLOCK: f64 = 4096.0;

/// Prints the table for a typical network and for these.
pub fn print(here: &Machine) {
    println!(
        "{RANKS} ranks, {VALUES:.0e} values of 8 bytes, rows of {WIDTH:.0e} (predicted, not measured)"
    );
    println!(
        "primitive                                     messages       bytes     typical        here"
    );
    for (name, cost) in table() {
        println!(
            "{name:<44} {:>9.0} {:>11.0} {} {}",
            cost.messages,
            cost.bytes,
            time(Constants::TYPICAL.seconds(cost)),
            time(here.seconds(cost))
        );
    }
}

fn table() -> Vec<(&'static str, Cost)> {
    let (levels, others) = (levels(RANKS), RANKS as f64 - 1.0);
    let own = VALUES / RANKS as f64;
    let blocks = (own / BLOCK).ceil();
    let cost = |messages, bytes| Cost { messages, bytes };
    // All-gathers of parts that all know the length of.
    let gathered = |values: f64| cost(levels, others * values * 8.0);
    let stretches = 2.0 * blocks.log2().ceil();
    // A value for each pair of ranks, by Bruck's algorithm.
    let lengths = cost(levels, levels * 4.0 * (others + 2.0));
    let pairs = cost(others, own * 8.0);
    vec![
        ("map", cost(0.0, 0.0)),
        (
            "shift, window, stencil: a row from each side",
            cost(2.0, 2.0 * WIDTH * 8.0),
        ),
        ("reduce", gathered(stretches)),
        ("scan", gathered(blocks)),
        ("filter: counts", gathered(1.0)),
        (
            "filter: all own rows move to a neighbour",
            cost(1.0, own * 8.0),
        ),
        ("replication of 10⁷ values", cost(levels, REPLICATED * 8.0)),
        ("gather at random: indices, once", lengths + pairs),
        ("gather at random: values", pairs),
    ]
}
