//! The `#[kernel]` attribute: a function → itself, and a checked surface tree of it beside it.

mod attr;
mod fallback;
mod name;
mod read;
mod refuse;
mod scope;
mod source;
