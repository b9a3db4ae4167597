//! A par as a rank sees it: what it reads of which arrays, and what the place inside is given to do.

pub mod derive;
pub mod reach;
pub mod separate;
pub mod sight;
pub mod unit;
pub mod uses;
