//! From the linked backends to a table of the places of this machine.

use dsl_runtime::Place;
use dsl_runtime::backend::{BACKENDS, Registration};
use std::fmt::Write;

/// Every place: its name on a line of its own, and below it what its backend says of it, or why it cannot be used.
pub fn list() -> String {
    let mut text = block(
        "native",
        &[("runs", "the function as rustc has compiled it".into())],
    );
    let mut backends: Vec<&Registration> = BACKENDS.iter().collect();
    backends.sort_by_key(|backend| (backend.rank, backend.name));
    for backend in backends {
        let devices = (backend.devices)();
        if devices == 0 {
            text += &block(backend.name, &described(backend.name));
            continue;
        }
        let numbers = 0..devices;
        let names: Vec<String> = numbers.map(|k| format!("{}:{k}", backend.name)).collect();
        let first = names.iter().find(|name| name.parse::<Place>().is_ok());
        if let Some(first) = first {
            text += &block(backend.name, &[("stands for", first.clone())]);
        }
        for name in &names {
            text += &block(name, &described(name));
        }
    }
    text
}

fn described(name: &str) -> Vec<(&'static str, String)> {
    match name.parse::<Place>() {
        Ok(place) => match place.backend() {
            Ok(Some(backend)) => backend.describe(),
            _ => vec![],
        },
        Err(error) => vec![("cannot be used", error.message())],
    }
}

fn block(name: &str, rows: &[(&'static str, String)]) -> String {
    let mut text = format!("{name}\n");
    for (what, value) in rows {
        let _ = writeln!(text, "    {what:<15} {value}");
    }
    text
}
