//! A place whose executables get their array arguments cut among the ranks, in odd places, or as views of any strides: so that all
//! programs of a suite are run on such arguments.

use cuprous_mpi::{DistributedArray, Distribution, World};
use dsl_runtime::array::{Arg, Array, ArrayView, ArrayViewMut, Dense, Element, Stored, Value};
use dsl_runtime::backend::{Backend, Caps, CompileError, Executable, Failure};
use dsl_runtime::ir::{Func, ScalarType};
use dsl_runtime::place::Place;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Where arguments are cut.
#[derive(Clone, Copy, Debug)]
pub enum How {
    /// Evenly.
    #[allow(dead_code)]
    Evenly,
    /// In odd places, or not at all; in other ones for another number.
    #[allow(dead_code)]
    Oddly(u64),
}

/// A distributed place whose arguments are cut.
#[derive(Debug)]
pub struct Cutting {
    world: World,
    place: Arc<dyn Backend>,
    how: How,
}

impl Cutting {
    /// Around the place that the ranks of this world have with `inside`.
    pub fn new(world: &World, inside: Place, how: How) -> Cutting {
        let place = world.place(inside).backend().unwrap().unwrap().clone();
        Cutting {
            world: world.clone(),
            place,
            how,
        }
    }
}

impl Backend for Cutting {
    fn name(&self) -> String {
        format!("{} with arguments that are cut", self.place.name())
    }
    fn caps(&self) -> Caps {
        self.place.caps()
    }
    fn target(&self) -> String {
        self.place.target()
    }
    fn resident(&self) -> bool {
        true
    }
    fn compile(
        &self,
        scheduled: &Func,
        typed: &Arc<Func>,
    ) -> Result<Arc<dyn Executable>, CompileError> {
        Ok(Arc::new(Run {
            world: self.world.clone(),
            inner: self.place.compile(scheduled, typed)?,
            how: self.how,
        }))
    }
}

struct Run {
    world: World,
    inner: Arc<dyn Executable>,
    how: How,
}

/// An argument as it is handed on.
enum Given<'a> {
    AsItIs(Arg<'a>),
    Stored(Stored),
    Strided(Dense, Vec<usize>, Vec<isize>, isize),
}

impl Executable for Run {
    fn run(
        &self,
        args: &[Arg<'_>],
        into: &mut [Option<ArrayViewMut<'_>>],
    ) -> Result<Vec<Value>, Failure> {
        let shapes: Vec<Vec<usize>> = args.iter().map(|arg| arg.shape().to_vec()).collect();
        let call = match self.how {
            How::Evenly => 1,
            How::Oddly(number) => hash(&(number, &shapes)),
        };
        let given: Vec<Given<'_>> = args
            .iter()
            .enumerate()
            .map(|(at, arg)| match arg {
                Arg::Array(view) => match self.how {
                    How::Evenly => {
                        let rows = Distribution::even(view.shape()[0], self.world.size());
                        Given::Stored(cut(&self.world, view, &rows))
                    }
                    How::Oddly(_) => oddly(&self.world, view, hash(&(call, at))),
                },
                _ => Given::AsItIs(arg.clone()),
            })
            .collect();
        let args: Vec<Arg<'_>> = given.iter().map(Given::arg).collect();
        let result = self.inner.run(&args, into);
        // What a run has seen it may keep: so some calls are made again.
        let again = call.is_multiple_of(3) && into.iter().all(Option::is_none);
        match again {
            true => self.inner.run(&args, into),
            false => result,
        }
    }
    fn code(&self) -> String {
        self.inner.code()
    }
    fn explain(&self) -> String {
        self.inner.explain()
    }
}

impl Given<'_> {
    fn arg(&self) -> Arg<'_> {
        match self {
            Given::AsItIs(arg) => arg.clone(),
            Given::Stored(stored) => Arg::Stored(stored),
            Given::Strided(dense, shape, strides, offset) => {
                let data = dense.view().data().wrapping_byte_offset(*offset);
                // SAFETY: `strided` has put the elements there.
                let view =
                    unsafe { ArrayView::from_raw(dense.elem, &shape[..], &strides[..], data) };
                Arg::Array(view)
            }
        }
    }
}

fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// An argument in one of the ways in which it can be had.
fn oddly<'a>(world: &World, view: &ArrayView<'a>, hash: u64) -> Given<'a> {
    let (rows, ranks) = (view.shape()[0], world.size());
    let parts = match hash % 8 {
        0 => return Given::AsItIs(Arg::Array(view.clone())),
        1 => return strided(view),
        2 => return Given::Stored(view.to_dense().unwrap().into()),
        3 => Distribution::even(rows, ranks),
        4 => Distribution::blocks(rows, ranks),
        5 => all_on_one(rows, ranks, (hash / 8) as usize % ranks),
        _ => uneven(rows, ranks, hash / 8),
    };
    Given::Stored(cut(world, view, &parts))
}

/// All rows on one rank.
pub fn all_on_one(rows: usize, ranks: usize, one: usize) -> Distribution {
    Distribution::of_parts((0..ranks).map(|rank| if rank == one { rows } else { 0 }))
}

/// Parts that are empty on some ranks, in the middle too.
pub fn uneven(rows: usize, ranks: usize, hash: u64) -> Distribution {
    let weights: Vec<u64> = (0..ranks).map(|rank| hash >> (3 * rank) & 7).collect();
    let weight = |&weight: &u64| weight.saturating_sub(3);
    let all: u64 = weights.iter().map(weight).sum();
    if all == 0 {
        return all_on_one(rows, ranks, ranks - 1);
    }
    let mut bound = 0;
    let mut before = 0;
    let parts = weights.iter().map(|one| {
        before += weight(one);
        let next = (rows as u128 * u128::from(before) / u128::from(all)) as usize;
        let part = next - bound;
        bound = next;
        part
    });
    Distribution::of_parts(parts.collect::<Vec<_>>())
}

/// An array that every rank has, as one that is cut.
pub fn cut(world: &World, view: &ArrayView<'_>, rows: &Distribution) -> Stored {
    macro_rules! by_type {
        ($($name:ident $t:ty),*) => {
            match view.elem() {
                $(ScalarType::$name => typed::<$t>(world, view, rows),)*
            }
        };
    }
    by_type!(Bool bool, I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64, F32 f32, F64 f64)
}

fn typed<T: Element>(world: &World, view: &ArrayView<'_>, rows: &Distribution) -> Stored {
    let part = view.clone().rows(rows.range(world.rank()));
    let part = part.to_dense().unwrap().into();
    let part = Array::<T>::from_parts(view.shape().len(), vec![part], Place::interp());
    let cut = world.from_local(part).unwrap();
    assert_eq!(cut.distribution().as_ref(), Some(rows));
    cut.leaves()[0].clone()
}

/// The same elements: backwards along the first dimension, every second one along the last.
fn strided<'a>(view: &ArrayView<'a>) -> Given<'a> {
    let (shape, elem) = (view.shape().to_vec(), view.elem());
    let mut wide = shape.clone();
    let bytes = elem.bytes() as isize;
    if let Some(last) = wide.last_mut() {
        *last *= 2;
    }
    let first = shape[0];
    let mut bits = vec![];
    for row in (0..first).rev() {
        let one = view.clone().rows(row..row + 1);
        bits.extend(one.iter().flat_map(|value| [value.bits, 1]));
    }
    let dense = Dense::from_bits(elem, wide.clone(), bits).unwrap();
    let mut strides: Vec<isize> = dsl_runtime::array::contiguous(&wide, elem.bytes()).to_vec();
    if let Some(last) = strides.last_mut() {
        *last = 2 * bytes;
    }
    let offset = strides[0] * first.saturating_sub(1) as isize;
    strides[0] = -strides[0];
    Given::Strided(dense, shape, strides, offset)
}
