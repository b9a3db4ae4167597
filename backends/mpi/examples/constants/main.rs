//! The constants of the cost model on the present communicator: what a message costs (α) and what a byte costs (β), and whether
//! the collective operations take what the model says. `docs/cost-of-distribution.md` explains it.
//!
//! ```text
//! cargo build --release -p cuprous-mpi --example constants
//! mpirun -n 4 target/release/examples/constants
//! ```

mod collective;
mod measure;
mod model;
mod primitive;

use cuprous_mpi::comm::{Broken, Communicator, Receive, Send, mpi};
use measure::{Case, medians};
use model::{Cost, Machine};

/// How long the messages are.
const SIZES: [usize; 9] = [
    8,
    64,
    512,
    4 << 10,
    32 << 10,
    256 << 10,
    2 << 20,
    16 << 20,
    64 << 20,
];

fn main() -> Result<(), Broken> {
    let comm = mpi::init()?;
    let comm = &*comm;
    let messages: Vec<Case> = SIZES.iter().map(|&size| message(comm, size)).collect();
    let operations = collective::all(comm);
    let (names, costs): (Vec<String>, Vec<Cost>) = operations
        .iter()
        .map(|case| (case.name.clone(), case.cost))
        .unzip();
    // All in turn: what disturbs the machine for a while disturbs all of them.
    let seconds = medians(comm, messages.into_iter().chain(operations).collect())?;
    if comm.rank() > 0 {
        return Ok(());
    }
    let (messages, operations) = seconds.split_at(SIZES.len());
    println!("{comm:?}\n");
    if comm.size() == 1 {
        println!("one rank: no messages; what the calls themselves take");
        for (size, seconds) in SIZES.iter().zip(messages) {
            println!("  {size:>10} bytes to itself {}", time(*seconds));
        }
        for (name, seconds) in names.iter().zip(operations) {
            println!("  {name:<32}{}", time(*seconds));
        }
        return Ok(());
    }
    let points: Vec<(f64, f64)> = SIZES
        .iter()
        .map(|&size| size as f64)
        .zip(messages.iter().copied())
        .collect();
    let fitted = Machine::fit(&points);
    println!("an exchange with the neighbours in a ring: one message sent, one received");
    println!("       bytes    measured       model  measured / model        GB/s");
    for (size, seconds) in points {
        let model = fitted.seconds(Cost {
            messages: 1.0,
            bytes: size,
        });
        println!(
            "{size:>12} {} {} {:>17.2} {:>11.3}",
            time(seconds),
            time(model),
            seconds / model,
            size / seconds / 1e9
        );
    }
    println!("\nup to 256 KiB: {}", fitted.short);
    println!("from 2 MiB:    {}\n", fitted.long);
    println!(
        "operation                       messages       bytes    measured       model  measured / model"
    );
    for ((name, cost), seconds) in names.iter().zip(costs).zip(operations) {
        let model = fitted.seconds(cost);
        println!(
            "{name:<30} {:>9} {:>11} {} {} {:>17.2}",
            cost.messages,
            cost.bytes,
            time(*seconds),
            time(model),
            seconds / model
        );
    }
    println!();
    primitive::print(&fitted);
    Ok(())
}

/// A message to the next rank of the ring, while one comes from the rank before.
fn message(comm: &dyn Communicator, size: usize) -> Case {
    let ranks = comm.size();
    let (to, from) = ((comm.rank() + 1) % ranks, (comm.rank() + ranks - 1) % ranks);
    let mut into = vec![0; size];
    let cost = match ranks {
        1 => Cost::default(),
        _ => Cost {
            messages: 1.0,
            bytes: size as f64,
        },
    };
    let name = format!("exchange of {size} B");
    Case::of_written(name, cost, vec![1; size], move |comm, bytes| {
        let into = &mut into;
        comm.exchange(&[Send { to, bytes }], &mut [Receive { from, into }])
    })
}

/// A time in twelve columns.
pub fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:>8.2} µs", s * 1e6),
        s if s < 1.0 => format!("{:>8.2} ms", s * 1e3),
        s => format!("{s:>8.2} s "),
    }
}
