//! What a name stands for while a function is interpreted: a scalar, or an array of shared bytes.

use dsl_runtime::backend::Failure;
use dsl_runtime::ir::{Const, Place, ScalarType};
use std::rc::Rc;

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum Datum {
    /// Not bound, or moved away.
    Nothing,
    /// A scalar.
    Scalar(Const),
    /// An array.
    Array(Array),
}

/// An array or a sub-array, row-major. Clones share the memory until one is written.
#[derive(Clone, Debug)]
pub struct Array {
    /// The type of an element.
    pub elem: ScalarType,
    /// The lengths.
    pub shape: Vec<usize>,
    /// The first byte in the memory.
    start: usize,
    memory: Rc<Vec<u8>>,
}

/// The bytes of an array; `u128::MAX` if the product overflows.
pub fn size(elem: ScalarType, shape: &[usize]) -> u128 {
    if shape.contains(&0) {
        return 0;
    }
    shape
        .iter()
        .try_fold(elem.bytes() as u128, |n, &len| n.checked_mul(len as u128))
        .unwrap_or(u128::MAX)
}

/// An array that grows at its end: elements of one type.
#[derive(Debug)]
pub struct Column {
    elem: ScalarType,
    bytes: Vec<u8>,
    place: Place,
}

impl Column {
    /// Room for an array of this shape; it still has no element.
    pub fn room(elem: ScalarType, shape: &[usize], place: Place) -> Result<Column, Failure> {
        let mut column = Column {
            elem,
            bytes: vec![],
            place,
        };
        column.reserve(size(elem, shape))?;
        Ok(column)
    }

    fn reserve(&mut self, more: u128) -> Result<(), Failure> {
        let room = usize::try_from(more).map(|more| self.bytes.try_reserve(more));
        if let Ok(Ok(())) = room {
            return Ok(());
        }
        Err(Failure::OutOfMemory {
            bytes: more.saturating_add(self.bytes.len() as u128),
            place: self.place,
        })
    }

    /// Appends a scalar, or the elements of an array.
    pub fn push(&mut self, value: &Datum) -> Result<(), Failure> {
        match value {
            Datum::Scalar(value) => self.push_scalar(*value),
            Datum::Array(array) => {
                let bytes = array.bytes();
                self.reserve(bytes.len() as u128)?;
                self.bytes.extend_from_slice(bytes);
                Ok(())
            }
            Datum::Nothing => unreachable!("the verifier has seen every name bound"),
        }
    }

    /// Appends a scalar.
    pub fn push_scalar(&mut self, value: Const) -> Result<(), Failure> {
        let width = self.elem.bytes();
        if self.bytes.capacity() - self.bytes.len() < width {
            self.reserve(width as u128)?;
        }
        self.bytes
            .extend_from_slice(&value.bits.to_le_bytes()[..width]);
        Ok(())
    }

    /// The elements, as an array of this shape.
    pub fn finish(self, shape: Vec<usize>) -> Array {
        debug_assert_eq!(size(self.elem, &shape), self.bytes.len() as u128);
        Array {
            elem: self.elem,
            shape,
            start: 0,
            memory: Rc::new(self.bytes),
        }
    }
}

impl Array {
    /// The number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    fn bytes(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.len() * self.elem.bytes()]
    }

    /// Element `k` in row-major order.
    pub fn get(&self, k: usize) -> Const {
        let width = self.elem.bytes();
        let at = self.start + k * width;
        let mut bits = [0; 8];
        bits[..width].copy_from_slice(&self.memory[at..at + width]);
        Const {
            ty: self.elem,
            bits: u64::from_le_bytes(bits),
        }
    }

    /// The elements in row-major order.
    pub fn iter(&self) -> impl Iterator<Item = Const> + '_ {
        (0..self.len()).map(|k| self.get(k))
    }

    /// The element, or the sub-array of the last dimensions, whose first element is number `k`.
    pub fn part(&self, k: usize, rank: usize) -> Datum {
        if rank == 0 {
            return Datum::Scalar(self.get(k));
        }
        Datum::Array(Array {
            elem: self.elem,
            shape: self.shape[self.shape.len() - rank..].to_vec(),
            start: self.start + k * self.elem.bytes(),
            memory: self.memory.clone(),
        })
    }

    /// The same elements under another shape with as many.
    pub fn reshaped(&self, shape: Vec<usize>) -> Array {
        Array {
            shape,
            ..self.clone()
        }
    }

    /// Writes the element or sub-array that begins with element `k`; copies the array first if somebody else sees it.
    pub fn set(&mut self, k: usize, value: &Datum, place: Place) -> Result<(), Failure> {
        if Rc::get_mut(&mut self.memory).is_none() {
            let mut own = Column::room(self.elem, &self.shape, place)?;
            own.bytes.extend_from_slice(self.bytes());
            *self = own.finish(std::mem::take(&mut self.shape));
        }
        let width = self.elem.bytes();
        let at = self.start + k * width;
        let memory = Rc::get_mut(&mut self.memory).expect("nobody else sees it");
        match value {
            Datum::Scalar(value) => {
                memory[at..at + width].copy_from_slice(&value.bits.to_le_bytes()[..width]);
            }
            Datum::Array(array) => {
                let bytes = array.bytes();
                memory[at..at + bytes.len()].copy_from_slice(bytes);
            }
            Datum::Nothing => unreachable!("the verifier has seen every name bound"),
        }
        Ok(())
    }
}
