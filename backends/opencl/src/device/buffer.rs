//! Memory of a device.

use super::api::{Answer, Memory};
use super::{Device, Refused, Stopped};
use dsl_runtime::array::HostBuffer;
use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A memory object, and what lies behind it.
pub(super) struct Store {
    // Released before the host memory that it wraps.
    pub memory: Memory,
    /// A number that no other memory object of the process has or had.
    pub id: u64,
    pub size: usize,
    /// The alignment of the host memory; 1 where it is the device's own.
    pub align: usize,
    /// Whether it is memory of the host.
    pub wrapped: bool,
    /// That memory, if it is not the caller's.
    pub host: Option<Arc<HostBuffer>>,
    /// The number of the last command that uses it.
    pub last: AtomicU64,
}

impl Store {
    fn new(memory: Memory, size: usize, align: usize) -> Store {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Store {
            memory,
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            size,
            align,
            wrapped: false,
            host: None,
            last: AtomicU64::new(0),
        }
    }
}

/// What becomes of the memory when it is dropped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Kept for the next buffer.
    Pool,
    /// Given back.
    Outside,
}

/// Memory of a device. Clones are the same memory; it goes back to the device's pool when the last is dropped.
#[derive(Clone)]
pub struct Buffer(Arc<Owned>);

struct Owned {
    device: Device,
    bytes: usize,
    /// The bytes of a scalar: the alignment of the elements in host memory.
    scalar: usize,
    origin: Origin,
    /// Taken out on drop alone.
    store: ManuallyDrop<Store>,
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes, {:?})", self.bytes(), self.device())
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: nobody uses it after its drop.
        let store = unsafe { ManuallyDrop::take(&mut self.store) };
        self.device.give_back(store, self.origin);
    }
}

impl Device {
    /// Keeps memory for later, or lets it go once no command uses it.
    fn give_back(&self, mut store: Store, origin: Origin) {
        let Ok(session) = self.session() else { return };
        // Host memory that somebody else looks at must not be written to by whoever gets it next.
        let ours = match &mut store.host {
            Some(host) => Arc::get_mut(host).is_some(),
            None => true,
        };
        let gone = match origin {
            Origin::Pool if ours => self.0.pool.put(store),
            _ => {
                self.0.pool.unclaim(store.size);
                vec![store]
            }
        };
        for store in gone {
            session.retire(self, store);
        }
    }

    fn too_large(&self, bytes: usize) -> Refused {
        Refused::TooLarge {
            device: self.info().name.clone(),
            bytes,
            limit: self.0.pool.largest,
            free: self.0.pool.free(),
        }
    }

    /// Makes room for `size` bytes, of which `bytes` were asked for, and what stands for them.
    fn make(
        &self,
        size: usize,
        bytes: usize,
        make: impl Fn() -> Result<Answer<Store>, Refused>,
    ) -> Result<Store, Refused> {
        let session = self.session()?;
        let pool = &self.0.pool;
        for store in pool.claim(size).map_err(|_| self.too_large(bytes))? {
            session.retire(self, store);
        }
        let made = match make() {
            Ok(Ok(store)) => return Ok(store),
            Ok(Err(failed)) if !failed.lacks_memory() => Ok(Err(failed)),
            _ => session
                .relieve(self)
                .map_err(Refused::from)
                .and_then(|()| make()),
        };
        let made = made.and_then(|made| made.map_err(|failed| self.stopped(failed).into()));
        made.inspect_err(|_| pool.unclaim(size))
    }

    /// Wraps memory of the host.
    ///
    /// # Safety
    /// As for `Context::wrap`.
    unsafe fn wrap(
        &self,
        data: *mut u8,
        size: usize,
        align: usize,
    ) -> Result<Answer<Store>, Refused> {
        // SAFETY: the caller vouches for the memory.
        let memory = unsafe { self.session()?.context.wrap(data, size) };
        Ok(memory.map(|memory| Store {
            wrapped: true,
            ..Store::new(memory, size, align)
        }))
    }

    fn own(&self, store: Store, bytes: usize, scalar: usize, origin: Origin) -> Buffer {
        Buffer(Arc::new(Owned {
            device: self.clone(),
            bytes,
            scalar,
            origin,
            store: ManuallyDrop::new(store),
        }))
    }

    fn host_memory(&self, len: usize, scalar: usize) -> Result<HostBuffer, Refused> {
        HostBuffer::uninit(len, scalar).ok_or_else(|| Refused::Host {
            device: self.info().name.clone(),
            bytes: len.saturating_mul(scalar),
        })
    }
}

/// Memory of `bytes` bytes for scalars of `scalar` bytes.
pub(super) fn of(device: &Device, bytes: usize, scalar: usize) -> Result<Buffer, Refused> {
    if !matches!(scalar, 1 | 2 | 4 | 8) {
        return Err(device.internal(format!("scalars of {scalar} bytes")).into());
    }
    let (pool, unified) = (&device.0.pool, device.info().unified);
    let size = pool.size(bytes).ok_or_else(|| device.too_large(bytes))?;
    let align = if unified { scalar } else { 1 };
    if let Some(store) = pool.take(size, align) {
        return Ok(device.own(store, bytes, scalar, Origin::Pool));
    }
    let session = device.session()?;
    let store = device.make(size, bytes, || {
        if !unified {
            let memory = session.context.memory(size);
            let store = memory.map(|memory| Store::new(memory, size, align));
            return Ok(store.and_then(|store| session.forget(device, &store).map(|()| store)));
        }
        let host = Arc::new(device.host_memory(size / scalar, scalar)?);
        // SAFETY: the store keeps the memory for as long as commands use it.
        let store = unsafe { device.wrap(host.as_ptr(), size, align) }?;
        Ok(store.map(|store| Store {
            host: Some(host),
            ..store
        }))
    })?;
    Ok(device.own(store, bytes, scalar, Origin::Pool))
}

pub(super) fn adopt(
    device: &Device,
    host: Arc<HostBuffer>,
    bytes: usize,
) -> Result<Buffer, Refused> {
    if bytes > host.bytes() {
        let size = host.bytes();
        return Err(device
            .internal(format!("{bytes} bytes of a host buffer of {size}"))
            .into());
    }
    if !device.info().unified || bytes == 0 {
        // SAFETY: `host` has as many bytes; the copy is made before the call returns.
        return unsafe { copied(device, host.as_ptr(), bytes) };
    }
    if bytes > device.0.pool.largest {
        return Err(device.too_large(bytes));
    }
    // SAFETY: the store keeps the memory for as long as commands use it.
    let store = device.make(bytes, bytes, || unsafe {
        device.wrap(host.as_ptr(), bytes, 1)
    })?;
    let store = Store {
        host: Some(host),
        ..store
    };
    Ok(device.own(store, bytes, 8, Origin::Outside))
}

/// # Safety
/// As for [`Device::lend`].
pub(super) unsafe fn lend(
    device: &Device,
    data: *const u8,
    bytes: usize,
) -> Result<Buffer, Refused> {
    if !device.info().unified || bytes == 0 {
        // SAFETY: as the caller vouches; the copy is made before the call returns.
        return unsafe { copied(device, data, bytes) };
    }
    if bytes > device.0.pool.largest {
        return Err(device.too_large(bytes));
    }
    // SAFETY: as the caller vouches; nothing writes through the pointer.
    let store = device.make(bytes, bytes, || unsafe {
        device.wrap(data.cast_mut(), bytes, 1)
    })?;
    Ok(device.own(store, bytes, 8, Origin::Outside))
}

/// A buffer with a copy of host memory.
///
/// # Safety
/// `data` is valid for reads of `bytes` bytes.
unsafe fn copied(device: &Device, data: *const u8, bytes: usize) -> Result<Buffer, Refused> {
    let buffer = device.buffer(bytes)?;
    if bytes > 0 {
        // SAFETY: the caller vouches for it.
        let data = unsafe { std::slice::from_raw_parts(data, bytes) };
        device.write(&buffer, 0, data)?;
    }
    Ok(buffer)
}

impl Buffer {
    /// Its size in bytes, as asked for.
    pub fn bytes(&self) -> usize {
        self.0.bytes
    }

    /// The device whose memory it is.
    pub fn device(&self) -> &Device {
        &self.0.device
    }

    /// Whether the other is the same memory.
    pub fn is(&self, other: &Buffer) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Waits, and returns the elements in host memory: the buffer's own where that is host memory, else a copy (counted). The
    /// memory may be longer than the buffer.
    ///
    /// Nobody may write to it. It holds still for as long as no command writes to the buffer; it remains valid, and holds still,
    /// when the buffer is dropped.
    pub fn host(&self) -> Result<Arc<HostBuffer>, Refused> {
        let (device, store) = (self.device(), self.store());
        if let Some(host) = &store.host {
            device.session()?.settle(device, store)?;
            return Ok(host.clone());
        }
        let scalar = self.0.scalar;
        let host = device.host_memory(self.bytes().div_ceil(scalar), scalar)?;
        // SAFETY: it has room for the bytes of the buffer.
        let into = unsafe { std::slice::from_raw_parts_mut(host.as_ptr().cast(), self.bytes()) };
        device.read(self, 0, into)?;
        Ok(Arc::new(host))
    }

    /// As [`Buffer::host`], and gives the buffer up: where nobody else has it, the host memory has no owner but the caller.
    pub fn take_host(self) -> Result<Arc<HostBuffer>, Refused> {
        let host = self.host()?;
        drop(self);
        Ok(host)
    }

    pub(super) fn store(&self) -> &Store {
        &self.0.store
    }

    /// Checks that it is memory of this device.
    pub(super) fn check(&self, device: &Device) -> Result<(), Stopped> {
        match self.device() == device {
            true => Ok(()),
            false => Err(device.internal(format!("a buffer of {:?}", self.device()))),
        }
    }
}
