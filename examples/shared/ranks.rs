//! What the examples of many ranks have in common: what stands behind their names, where they compute, who speaks.
#![allow(dead_code)]

use cuprous::mpi::World;
use cuprous::prelude::*;

/// What stands behind the name of the program.
pub struct Arguments(Vec<String>);

impl Arguments {
    /// All of it.
    pub fn read() -> Arguments {
        Arguments(std::env::args().skip(1).collect())
    }

    /// Whether there is this word; takes it.
    pub fn flag(&mut self, name: &str) -> bool {
        let at = self.0.iter().position(|word| word == name);
        at.map(|at| self.0.remove(at)).is_some()
    }

    /// What stands behind this word; takes both.
    pub fn value(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|word| word == name)?;
        self.0.remove(at);
        match at < self.0.len() {
            true => Some(self.0.remove(at)),
            false => refuse(&format!("{name} needs a value")),
        }
    }

    /// The next number.
    pub fn number(&mut self, what: &str, default: usize) -> usize {
        match self.0.is_empty() {
            true => default,
            false => parsed(what, &self.0.remove(0)),
        }
    }

    /// There is nothing more.
    pub fn end(self) {
        if let Some(word) = self.0.first() {
            refuse(&format!("nobody knows what {word} means"));
        }
    }
}

/// A text as a number.
pub fn parsed(what: &str, text: &str) -> usize {
    text.parse()
        .unwrap_or_else(|_| refuse(&format!("{what}: {text} is no number")))
}

fn refuse(text: &str) -> ! {
    eprintln!("{text}; the first lines of the example say how to run it");
    std::process::exit(2)
}

/// Where to compute: on every rank, at its processors, or at its OpenCL device with `--opencl`. The standard error hears how
/// many ranks there are: what is printed is the same for any number.
pub fn cluster(world: &World, arguments: &mut Arguments) -> Result<Place, cuprous::Error> {
    let inside = match arguments.flag("--opencl") {
        true => Place::opencl()?,
        false => Place::cpu(),
    };
    let cluster = world.place(inside);
    if world.rank() == 0 {
        eprintln!("ranks: {}, each at {cluster}", world.size());
    }
    Ok(cluster)
}

/// Prints a line, once.
pub fn say(world: &World, text: impl std::fmt::Display) {
    if world.rank() == 0 {
        println!("{text}");
    }
}

/// Says what was checked, and ends the job with an error if it does not hold on some rank.
pub fn check(world: &World, what: &str, holds: bool) {
    if world.rank() == 0 || !holds {
        super::shared::check(what, holds);
    }
}

/// A number that tells arrays apart whose bits differ (FNV-1a).
pub fn hash(values: &[f64]) -> u64 {
    let bytes = values
        .iter()
        .flat_map(|value| value.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
