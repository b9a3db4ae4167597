//! The same by hand: OpenCL through the `ocl` crate, with kernels of its own.

use ocl::builders::{KernelBuilder, ProgramBuilder};
use ocl::enums::{DeviceInfo, DeviceInfoResult};
use ocl::flags::DeviceType;
use ocl::{Buffer, Device, Kernel, OclPrm, Platform, ProQue, Queue};
use std::marker::PhantomData;

/// Work-items that go through chunks: enough for a fair division of labour, and chunks that stay in a cache.
const ITEMS: usize = 1024;
/// What a processor's arrays are aligned to.
const PAGE: usize = 4096;

/// A type that the kernels are compiled for.
pub trait Number: OclPrm {
    /// Its name in OpenCL C.
    const NAME: &'static str;
    /// How to ask for the vector width that a device prefers.
    const WIDTH: DeviceInfo;
}

impl Number for f32 {
    const NAME: &'static str = "float";
    const WIDTH: DeviceInfo = DeviceInfo::PreferredVectorWidthFloat;
}

impl Number for f64 {
    const NAME: &'static str = "double";
    const WIDTH: DeviceInfo = DeviceInfo::PreferredVectorWidthDouble;
}

/// A device's queue and the kernels for one type.
pub struct Machine<T> {
    que: ProQue,
    /// Whether the device is a processor, which works in the host's memory.
    cpu: bool,
    number: PhantomData<T>,
}

/// An array in the device's memory.
pub struct Room<T: OclPrm> {
    pub buffer: Buffer<T>,
    /// What the buffer lies in on a processor; it outlives the buffer.
    _memory: Vec<T>,
}

/// A sparse matrix in CSR on the device.
pub struct Csr<T: Number> {
    rows: Room<u32>,
    cols: Room<u32>,
    vals: Room<T>,
    /// Its number of rows and of columns.
    shape: (usize, usize),
}

/// A sparse matrix in ELL on the device: entry `k` of row `r` is at `k * n + r`.
pub struct Ell<T: Number> {
    cols: Room<u32>,
    vals: Room<T>,
    width: usize,
    /// Its number of rows and of columns.
    shape: (usize, usize),
}

/// The first device, a GPU if there is one, its platform, and whether it is a processor.
fn first() -> ocl::Result<(Platform, Device, bool)> {
    let mut devices = vec![];
    for platform in Platform::list() {
        for device in Device::list_all(platform)? {
            let cpu = match device.info(DeviceInfo::Type)? {
                DeviceInfoResult::Type(kind) => kind.contains(DeviceType::CPU),
                _ => false,
            };
            devices.push((platform, device, cpu));
        }
    }
    devices.sort_by_key(|device| device.2);
    devices.first().copied().ok_or_else(|| "no device".into())
}

/// An error unless this holds.
fn check(holds: bool, what: &str) -> ocl::Result<()> {
    match holds {
        true => Ok(()),
        false => Err(what.into()),
    }
}

impl<T: Number> Machine<T> {
    /// Opens the first device, and builds the kernels.
    pub fn open() -> ocl::Result<Self> {
        let (platform, device, cpu) = first()?;
        let width = match device.info(T::WIDTH)? {
            DeviceInfoResult::PreferredVectorWidthFloat(width) => width,
            DeviceInfoResult::PreferredVectorWidthDouble(width) => width,
            _ => 0,
        };
        let mut program = ProgramBuilder::new();
        program
            .src(include_str!("hand.cl"))
            .cmplr_opt("-cl-std=CL1.2 -cl-fast-relaxed-math")
            .cmplr_opt(format!("-DREAL={}", T::NAME))
            .cmplr_def("FP64", (size_of::<T>() == 8) as i32)
            .cmplr_def("WIDTH", width.clamp(4, 16) as i32);
        let mut builder = ProQue::builder();
        builder.platform(platform).device(device).prog_bldr(program);
        Ok(Machine {
            que: builder.build()?,
            cpu,
            number: PhantomData,
        })
    }

    /// An array of zeros: for a processor in huge pages, where the system has them, and with the alignment of vectors.
    pub fn room<U: OclPrm>(&self, n: usize) -> ocl::Result<Room<U>> {
        let builder = Buffer::builder().queue(self.que.queue().clone()).len(n);
        if !self.cpu {
            return Ok(Room {
                buffer: builder.fill_val(U::default()).build()?,
                _memory: vec![],
            });
        }
        let memory = vec![U::default(); n + PAGE / size_of::<U>()];
        let skip = memory.as_ptr().align_offset(PAGE);
        let inside = &memory[skip..][..n];
        #[cfg(target_os = "linux")]
        // SAFETY: pages of the vector; the advice changes no contents.
        unsafe {
            let start = inside.as_ptr().cast_mut().cast();
            libc::madvise(start, size_of_val(inside), libc::MADV_HUGEPAGE);
        }
        // SAFETY: the room keeps the memory longer than the buffer, and nobody else touches it.
        let buffer = unsafe { builder.use_host_slice(inside) }.build()?;
        Ok(Room {
            buffer,
            _memory: memory,
        })
    }

    /// An array of these elements.
    pub fn put<U: OclPrm>(&self, values: &[U]) -> ocl::Result<Room<U>> {
        let room = self.room(values.len())?;
        room.buffer.write(values).enq()?;
        Ok(room)
    }

    /// A matrix in CSR. The kernels trust what is checked here.
    pub fn csr(
        &self,
        (rows, cols, vals): (&[u32], &[u32], &[T]),
        columns: usize,
    ) -> ocl::Result<Csr<T>> {
        let whole = rows.first() == Some(&0) && rows.last() == Some(&(cols.len() as u32));
        check(whole && rows.is_sorted(), "the rows are no ranges")?;
        check(cols.len() == vals.len(), "not as many columns as values")?;
        let inside = cols.iter().all(|&col| (col as usize) < columns);
        check(inside, "a column is out of bounds")?;
        Ok(Csr {
            rows: self.put(rows)?,
            cols: self.put(cols)?,
            vals: self.put(vals)?,
            shape: (rows.len() - 1, columns),
        })
    }

    /// A matrix in ELL of so many entries a row. The kernels trust what is checked here.
    pub fn ell(
        &self,
        width: usize,
        (cols, vals): (&[u32], &[T]),
        columns: usize,
    ) -> ocl::Result<Ell<T>> {
        check(cols.len() == vals.len(), "not as many columns as values")?;
        let whole = width > 0 && cols.len().is_multiple_of(width);
        check(whole, "the last row is not whole")?;
        let inside = cols.iter().all(|&col| (col as usize) < columns);
        check(inside, "a column is out of bounds")?;
        Ok(Ell {
            cols: self.put(cols)?,
            vals: self.put(vals)?,
            width,
            shape: (cols.len() / width, columns),
        })
    }

    /// A kernel over so many work-items; they are groups of their own.
    fn kernel(&self, name: &str, items: usize) -> KernelBuilder<'_> {
        let mut builder = self.que.kernel_builder(name);
        builder.global_work_size(items).local_work_size(1);
        builder
    }

    /// `y = A x`, and waits for it.
    pub fn spmv_csr(&self, a: &Csr<T>, x: &Room<T>, y: &Room<T>) -> ocl::Result<()> {
        let shape = (y.buffer.len(), x.buffer.len());
        check(a.shape == shape, "the shapes do not fit")?;
        let mut kernel = self.kernel("spmv_csr", ITEMS);
        kernel.arg(a.shape.0 as u32);
        kernel.arg(&a.rows.buffer).arg(&a.cols.buffer);
        kernel.arg(&a.vals.buffer).arg(&x.buffer).arg(&y.buffer);
        enqueue(&kernel.build()?)?;
        self.que.finish()
    }

    /// `y = A x`, and waits for it.
    pub fn spmv_ell(&self, a: &Ell<T>, x: &Room<T>, y: &Room<T>) -> ocl::Result<()> {
        let shape = (y.buffer.len(), x.buffer.len());
        check(a.shape == shape, "the shapes do not fit")?;
        let mut kernel = self.kernel("spmv_ell", ITEMS);
        kernel.arg(a.shape.0 as u32).arg(a.width as u32);
        kernel.arg(&a.cols.buffer).arg(&a.vals.buffer);
        kernel.arg(&x.buffer).arg(&y.buffer);
        enqueue(&kernel.build()?)?;
        self.que.finish()
    }
}

/// Conjugate gradients for one matrix and one right side, with the kernels' arguments set and room for all vectors.
pub struct Solver {
    start: Kernel,
    product: Kernel,
    alpha: Kernel,
    advance: Kernel,
    beta: Kernel,
    turn: Kernel,
    /// `r r / diagonal`, alpha and beta.
    scalars: Room<f64>,
    /// The solution.
    pub x: Room<f64>,
    queue: Queue,
    /// What else the kernels refer to.
    _memory: (Csr<f64>, [Room<f64>; 6]),
}

impl Solver {
    /// Prepares `A x = b`.
    pub fn new(machine: &Machine<f64>, a: Csr<f64>, b: Room<f64>) -> ocl::Result<Solver> {
        let len = b.buffer.len();
        check(a.shape == (len, len), "the shapes do not fit")?;
        let (n, count) = (len as u32, ITEMS as u32);
        let (x, inverse) = (machine.room(len)?, machine.room(len)?);
        let [r, p, q] = [machine.room(len)?, machine.room(len)?, machine.room(len)?];
        let (parts, scalars) = (machine.room(ITEMS)?, machine.put(&[1.0; 3])?);
        let (rows, cols, vals) = (&a.rows.buffer, &a.cols.buffer, &a.vals.buffer);

        let mut start = machine.kernel("start", ITEMS);
        start.arg(n).arg(rows).arg(cols).arg(vals).arg(&b.buffer);
        start.arg(&inverse.buffer).arg(&x.buffer).arg(&r.buffer);
        start.arg(&p.buffer).arg(&parts.buffer);
        let mut product = machine.kernel("product", ITEMS);
        product.arg(n).arg(rows).arg(cols).arg(vals);
        product.arg(&p.buffer).arg(&q.buffer).arg(&parts.buffer);
        let mut alpha = machine.kernel("find_alpha", 1);
        alpha.arg(count).arg(&parts.buffer).arg(&scalars.buffer);
        let mut advance = machine.kernel("advance", ITEMS);
        advance.arg(n).arg(&scalars.buffer).arg(&q.buffer);
        advance.arg(&inverse.buffer).arg(&r.buffer);
        advance.arg(&parts.buffer);
        let mut beta = machine.kernel("find_beta", 1);
        beta.arg(count).arg(&parts.buffer).arg(&scalars.buffer);
        let mut turn = machine.kernel("turn", ITEMS);
        turn.arg(n).arg(&scalars.buffer).arg(&r.buffer);
        turn.arg(&inverse.buffer).arg(&x.buffer).arg(&p.buffer);
        Ok(Solver {
            start: start.build()?,
            product: product.build()?,
            alpha: alpha.build()?,
            advance: advance.build()?,
            beta: beta.build()?,
            turn: turn.build()?,
            scalars,
            x,
            queue: machine.que.queue().clone(),
            _memory: (a, [b, inverse, r, p, q, parts]),
        })
    }

    /// Goes on until the preconditioned residual is `tolerance` of the first one or for `limit` steps; says how many there
    /// were. One number comes back from each step.
    pub fn solve(&self, tolerance: f64, limit: usize) -> ocl::Result<usize> {
        let mut rz = [0.0];
        enqueue(&self.start)?;
        enqueue(&self.beta)?;
        self.scalars.buffer.read(&mut rz[..]).enq()?;
        let (goal, mut steps) = (tolerance * tolerance * rz[0], 0);
        while steps < limit && rz[0] > goal {
            enqueue(&self.product)?;
            enqueue(&self.alpha)?;
            enqueue(&self.advance)?;
            enqueue(&self.beta)?;
            enqueue(&self.turn)?;
            self.scalars.buffer.read(&mut rz[..]).enq()?;
            steps += 1;
        }
        self.queue.finish()?;
        Ok(steps)
    }
}

/// Enqueues a kernel.
fn enqueue(kernel: &Kernel) -> ocl::Result<()> {
    // SAFETY: the kernels stay inside arrays of the shapes that were checked.
    unsafe { kernel.enq() }
}
