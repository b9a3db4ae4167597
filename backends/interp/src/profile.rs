//! What the runs of a thread have done: as the interpreter defines what a program does, it also counts it.

use std::cell::Cell;

thread_local! {
    static READS: Cell<u64> = const { Cell::new(0) };
}

/// How many elements of arrays programs have read on the calling thread since it began.
///
/// ```
/// use cuprous_interp::{Interp, profile};
/// use dsl_runtime::array::{Arg, Dense};
/// use dsl_runtime::backend::Backend;
/// use dsl_runtime::ir::{ScalarType, parse::parse};
/// use std::sync::Arc;
///
/// let text = "
/// func @sum[%n](%x: [%n]f64) -> f64 {
///   %s: f64 = par (%i in 0..%n) {
///     %v: f64 = index %x[%i]
///     reduce add 0.0, %v
///   }
///   return %s
/// }";
/// let func = Arc::new(parse(text).unwrap().funcs.remove(0));
/// let x = Dense::from_bits(ScalarType::F64, vec![3], [0; 3]).unwrap();
/// let before = profile::reads();
/// let sum = Interp.compile(&func, &func).unwrap();
/// sum.run(&[Arg::Array(x.view())], &mut [None]).unwrap();
/// assert_eq!(profile::reads() - before, 3);
/// ```
pub fn reads() -> u64 {
    READS.get()
}

pub(crate) fn read_element() {
    READS.set(READS.get() + 1);
}
