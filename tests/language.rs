//! The words of the language, one small kernel each: every place computes what the function as written computes, to the same
//! bits on all compiled places, and every place fails in the same way.

// Kernels in every spelling that users may write, not only the shortest.
#![allow(clippy::all)]

#[macro_use]
#[path = "language/harness.rs"]
mod harness;

#[path = "language/generic.rs"]
mod generic;
#[path = "language/iterator.rs"]
mod iterator;
#[path = "language/length.rs"]
mod length;
#[path = "language/matrix.rs"]
mod matrix;
#[path = "language/method.rs"]
mod method;
#[path = "language/primitive.rs"]
mod primitive;
#[path = "language/scalar.rs"]
mod scalar;
#[path = "language/statement.rs"]
mod statement;
