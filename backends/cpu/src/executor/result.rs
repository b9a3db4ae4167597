//! The end of a run: from what the names stand for to what the caller gets.

use super::{Held, Stop, Walk};
use crate::plan::Source;
use crate::transfer;
use dsl_runtime::array::{Dense, HostBuffer, Value};
use dsl_runtime::backend::Failure;
use dsl_runtime::ir::{Const, Place, ScalarType};
use std::sync::Arc;

impl Walk<'_, '_> {
    /// Whether the caller's memory for a result, if there is any, has the result's shape.
    pub(super) fn fits(&self, result: usize) -> bool {
        let plan = &*self.image.plan;
        match (plan.results[result], self.into.get(result)) {
            (Source::Array(slot), Some(Some(view))) => {
                let lengths = plan.arrays[slot as usize].shape.iter();
                lengths
                    .map(|&len| self.scalar(len) as usize)
                    .eq(view.shape().iter().copied())
            }
            _ => true,
        }
    }

    /// The results, in the caller's memory where there is some.
    pub(super) fn results(&mut self) -> Result<Vec<Value>, Stop> {
        let plan = self.image.plan.clone();
        // First all that can fail.
        for (number, &result) in plan.results.iter().enumerate() {
            if let (Source::Array(slot), false) = (result, self.fits(number)) {
                let view = self.into[number].as_ref();
                return Err(Stop::Failure(Failure::ResultShape {
                    result: number,
                    expected: view.map_or(vec![], |view| view.shape().to_vec()),
                    found: self.shape(slot),
                }));
            }
        }
        let mut values = Vec::with_capacity(plan.results.len());
        for (number, &result) in plan.results.iter().enumerate() {
            values.push(match result {
                Source::Scalar(scalar, ty) => Value::Scalar(Const {
                    ty,
                    bits: self.scalar(scalar),
                }),
                Source::Array(_) if matches!(self.into.get(number), Some(Some(_))) => {
                    Value::Written
                }
                Source::Array(slot) => {
                    let again = plan.results[number + 1..].contains(&result);
                    Value::Array(self.dense(slot, again)?)
                }
            });
        }
        for (number, &result) in plan.results.iter().enumerate() {
            let early = number < 64 && self.written >> number & 1 == 1;
            if let (Source::Array(slot), Some(Some(view)), false) =
                (result, self.into.get(number), early)
            {
                // SAFETY: both have the same shape, and do not overlap: one is ours or another borrow.
                unsafe {
                    let held = self.held(slot);
                    transfer::copy(self.crew, view, held.data, held.strides.as_deref());
                }
            }
        }
        Ok(values)
    }

    /// An array in memory of its own.
    fn dense(&mut self, slot: u32, again: bool) -> Result<Dense, Stop> {
        let shape = self.shape(slot);
        let elem = self.info(slot).elem;
        let mut held = self.held(slot).clone();
        if !again {
            self.store.arrays[slot as usize] = None;
            // A later result may be another name of the same memory: then the reference is not the only one.
            let whole = |held: &Held| {
                held.strides.is_none()
                    && held
                        .handle
                        .as_ref()
                        .is_some_and(|handle| handle.data() == held.data)
            };
            if whole(&held)
                && let Some(handle) = held.handle.take()
            {
                match handle.into_buffer() {
                    Ok(buffer) => {
                        return Ok(finished(elem, shape, buffer));
                    }
                    Err(handle) => held.handle = Some(handle),
                }
            }
            self.store.arrays[slot as usize] = Some(held.clone());
        }
        let copy = self.densified(held, slot, Place::default())?;
        let handle = copy.handle.expect("a copy is ours");
        match handle.into_buffer() {
            Ok(buffer) => Ok(finished(elem, shape, buffer)),
            Err(_) => unreachable!("a copy is nobody else's"),
        }
    }
}

/// An array that a step has written, in memory of its own.
fn finished(elem: ScalarType, shape: Vec<usize>, buffer: HostBuffer) -> Dense {
    // SAFETY: each array of a run that has succeeded was made with room for its shape and written as a whole.
    unsafe { Dense::from_buffer(elem, shape, Arc::new(buffer)) }
}
