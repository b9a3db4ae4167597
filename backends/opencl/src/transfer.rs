//! Between host memory and the device: arguments on their way there, results on their way back.

use crate::device::{Buffer, Device, Refused, Stopped};
use dsl_runtime::array::{Arg, ArrayView, Dense, Remote, Stored};
use dsl_runtime::backend::Failure;
use dsl_runtime::ir::{Place, ScalarType};
use std::mem::MaybeUninit;
use std::sync::Arc;

/// An array in the memory of a device.
#[derive(Debug)]
pub struct OnDevice {
    /// The memory.
    pub buffer: Buffer,
    /// The type of an element.
    pub elem: ScalarType,
    /// The lengths.
    pub shape: Vec<usize>,
}

impl Remote for OnDevice {
    fn fetch(&self) -> Result<Dense, Failure> {
        let host = self.buffer.host();
        let host = host.map_err(|refused| failure(refused, Place::default()))?;
        // SAFETY: the buffer holds the elements, which kernels have written before `host` returned, and is never written again.
        Ok(unsafe { Dense::from_buffer(self.elem, self.shape.clone(), host) })
    }
}

/// An argument on the device.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The memory.
    pub buffer: Buffer,
    /// Whether it is memory of the caller's, which must not be used any more when the run is over.
    pub lent: bool,
}

/// An array in host memory, as a buffer.
pub fn send(device: &Device, view: &ArrayView<'_>) -> Result<Sent, Failure> {
    let refused = |refused| failure(refused, Place::default());
    let bytes = view.elements() * view.elem().bytes();
    if view.is_contiguous() {
        // SAFETY: the view is a borrow of these bytes, and the executor drops the buffer and waits before the run is over.
        let buffer = unsafe { device.lend(view.data(), bytes) }.map_err(refused)?;
        return Ok(Sent { buffer, lent: true });
    }
    let dense = view.to_dense().ok_or(Failure::OutOfMemory {
        bytes: bytes as u128,
        place: Place::default(),
    })?;
    let buffer = device.adopt(dense.buffer, bytes).map_err(refused)?;
    Ok(Sent {
        buffer,
        lent: false,
    })
}

/// An array wherever it is: its copy on this device, which is made now if there is none.
pub fn send_stored(device: &Device, owner: u64, stored: &Stored) -> Result<Sent, Failure> {
    let remote = stored.remote_or(owner, |dense| {
        let bytes = stored.elements() * stored.elem().bytes();
        let buffer = device.adopt(dense.buffer.clone(), bytes);
        let buffer = buffer.map_err(|refused| failure(refused, Place::default()))?;
        Ok(Arc::new(OnDevice {
            buffer,
            elem: stored.elem(),
            shape: stored.shape().to_vec(),
        }) as Arc<dyn Remote>)
    })?;
    match remote.downcast::<OnDevice>() {
        Some(there) => Ok(Sent {
            buffer: there.buffer.clone(),
            lent: false,
        }),
        None => Err(Failure::Internal(
            "another backend has this device's number".into(),
        )),
    }
}

/// An argument, if it is an array.
pub fn send_arg(device: &Device, owner: u64, arg: &Arg<'_>) -> Result<Option<Sent>, Failure> {
    match arg {
        Arg::Scalar(_) => Ok(None),
        Arg::Array(view) => send(device, view).map(Some),
        Arg::Stored(stored) => send_stored(device, owner, stored).map(Some),
    }
}

/// What a device that refuses memory says to the user.
pub fn failure(refused: Refused, place: Place) -> Failure {
    match refused {
        Refused::TooLarge {
            device,
            bytes,
            limit,
            free,
        } => Failure::TooLarge {
            bytes: bytes as u128,
            free: free as u128,
            limit: limit as u128,
            device: device.to_string(),
            place,
        },
        Refused::Host { bytes, .. } => Failure::OutOfMemory {
            bytes: bytes as u128,
            place,
        },
        Refused::Stopped(stopped) => stop(stopped),
    }
}

/// What a device that does not go on says to the user.
pub fn stop(stopped: Stopped) -> Failure {
    match stopped.is_internal() {
        true => Failure::Internal(stopped.to_string()),
        false => Failure::Device {
            text: stopped.to_string(),
        },
    }
}

/// The first words of a buffer; waits.
pub fn words(device: &Device, buffer: &Buffer, count: usize) -> Result<Vec<u64>, Failure> {
    let mut bytes = vec![MaybeUninit::<u8>::uninit(); count * 8];
    device.read(buffer, 0, &mut bytes).map_err(stop)?;
    let word = |eight: &[MaybeUninit<u8>]| {
        // SAFETY: the read has succeeded, and so has filled all bytes.
        u64::from_ne_bytes(std::array::from_fn(|at| unsafe { eight[at].assume_init() }))
    };
    Ok(bytes.chunks_exact(8).map(word).collect())
}
