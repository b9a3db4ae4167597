//! The same by hand: OpenCL through the `ocl` crate, with kernels of its own.

use ocl::builders::{KernelBuilder, ProgramBuilder};
use ocl::enums::{DeviceInfo, DeviceInfoResult};
use ocl::flags::DeviceType;
use ocl::{Buffer, Device, Kernel, OclPrm, Platform, ProQue};
use std::marker::PhantomData;

/// Work-items that go through chunks: enough for a fair division of labour, and chunks that stay in a cache.
const ITEMS: usize = 1024;

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
    number: PhantomData<T>,
}

/// A sparse matrix in CSR on the device.
pub struct Csr<T: Number> {
    /// Where the rows begin and end.
    rows: Buffer<u32>,
    cols: Buffer<u32>,
    vals: Buffer<T>,
}

/// A sparse matrix in ELL on the device: entry `k` of row `r` is at `k * n + r`.
pub struct Ell<T: Number> {
    width: u32,
    cols: Buffer<u32>,
    vals: Buffer<T>,
}

/// The first device, a GPU if there is one, and its platform.
fn first() -> ocl::Result<(Platform, Device)> {
    let mut devices = vec![];
    for platform in Platform::list() {
        let all = Device::list_all(platform)?;
        devices.extend(all.into_iter().map(|device| (platform, device)));
    }
    let gpu = |(_, device): &&(Platform, Device)| match device.info(DeviceInfo::Type) {
        Ok(DeviceInfoResult::Type(kind)) => kind.contains(DeviceType::GPU),
        _ => false,
    };
    let found = devices.iter().find(gpu).or(devices.first());
    found.copied().ok_or_else(|| "no device".into())
}

impl<T: Number> Machine<T> {
    /// Opens the first device, and builds the kernels.
    pub fn open() -> ocl::Result<Self> {
        let (platform, device) = first()?;
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
        let que = builder.build()?;
        let number = PhantomData;
        Ok(Machine { que, number })
    }

    /// An array with these elements.
    pub fn put<U: OclPrm>(&self, values: &[U]) -> ocl::Result<Buffer<U>> {
        let builder = Buffer::builder().queue(self.que.queue().clone());
        let builder = builder.len(values.len()).copy_host_slice(values);
        builder.build()
    }

    /// An array of `n` elements that a kernel is going to write.
    pub fn room(&self, n: usize) -> ocl::Result<Buffer<T>> {
        let builder = Buffer::builder().queue(self.que.queue().clone());
        builder.len(n).build()
    }

    /// A matrix in CSR.
    pub fn csr(&self, rows: &[u32], cols: &[u32], vals: &[T]) -> ocl::Result<Csr<T>> {
        Ok(Csr {
            rows: self.put(rows)?,
            cols: self.put(cols)?,
            vals: self.put(vals)?,
        })
    }

    /// A matrix in ELL of so many entries a row.
    pub fn ell(&self, width: usize, cols: &[u32], vals: &[T]) -> ocl::Result<Ell<T>> {
        Ok(Ell {
            width: width as u32,
            cols: self.put(cols)?,
            vals: self.put(vals)?,
        })
    }

    /// Waits for all that was enqueued.
    pub fn finish(&self) -> ocl::Result<()> {
        self.que.finish()
    }

    /// A kernel over so many work-items; they are groups of their own.
    fn kernel(&self, name: &str, items: usize) -> KernelBuilder<'_> {
        let mut builder = self.que.kernel_builder(name);
        builder.global_work_size(items).local_work_size(1);
        builder
    }

    /// `y = A x`.
    pub fn spmv_csr(&self, a: &Csr<T>, x: &Buffer<T>, y: &Buffer<T>) -> ocl::Result<()> {
        let mut builder = self.kernel("spmv_csr", ITEMS);
        builder.arg(y.len() as u32);
        builder.arg(&a.rows).arg(&a.cols).arg(&a.vals);
        enqueue(&builder.arg(x).arg(y).build()?)
    }

    /// `y = A x`.
    pub fn spmv_ell(&self, a: &Ell<T>, x: &Buffer<T>, y: &Buffer<T>) -> ocl::Result<()> {
        let mut builder = self.kernel("spmv_ell", ITEMS);
        builder.arg(y.len() as u32).arg(a.width);
        builder.arg(&a.cols).arg(&a.vals);
        enqueue(&builder.arg(x).arg(y).build()?)
    }
}

impl Machine<f64> {
    /// Solves `A x = b`, until the preconditioned residual is `tolerance` of the first one or after `limit` steps; says how
    /// many there were. One number comes back from each step.
    pub fn solve(
        &self,
        a: &Csr<f64>,
        b: &Buffer<f64>,
        tolerance: f64,
        limit: usize,
    ) -> ocl::Result<(Buffer<f64>, usize)> {
        let (n, count) = (b.len() as u32, ITEMS as u32);
        let room = || self.room(b.len());
        let (inverse, x, r, p, q) = (room()?, room()?, room()?, room()?, room()?);
        let (parts, scalars) = (self.room(ITEMS)?, self.put(&[1.0; 3])?);

        let mut jacobi = self.kernel("jacobi", ITEMS);
        jacobi.arg(n).arg(&a.rows).arg(&a.cols).arg(&a.vals);
        let jacobi = jacobi.arg(&inverse).build()?;
        let mut start = self.kernel("start", ITEMS);
        start.arg(n).arg(b).arg(&inverse).arg(&x).arg(&r).arg(&p);
        let start = start.arg(&parts).build()?;
        let mut product = self.kernel("product", ITEMS);
        product.arg(n).arg(&a.rows).arg(&a.cols).arg(&a.vals);
        let product = product.arg(&p).arg(&q).arg(&parts).build()?;
        let mut advance = self.kernel("advance", ITEMS);
        advance.arg(n).arg(&scalars).arg(&p).arg(&q).arg(&inverse);
        let advance = advance.arg(&x).arg(&r).arg(&parts).build()?;
        let mut turn = self.kernel("turn", ITEMS);
        turn.arg(n).arg(&scalars).arg(&r).arg(&inverse).arg(&p);
        let turn = turn.build()?;
        let mut alpha = self.kernel("find_alpha", 1);
        let alpha = alpha.arg(count).arg(&parts).arg(&scalars).build()?;
        let mut beta = self.kernel("find_beta", 1);
        let beta = beta.arg(count).arg(&parts).arg(&scalars).build()?;

        let mut rz = [0.0];
        enqueue(&jacobi)?;
        enqueue(&start)?;
        enqueue(&beta)?;
        scalars.read(&mut rz[..]).enq()?;
        let (goal, mut steps) = (tolerance * tolerance * rz[0], 0);
        while steps < limit && rz[0] > goal {
            for kernel in [&product, &alpha, &advance, &beta, &turn] {
                enqueue(kernel)?;
            }
            scalars.read(&mut rz[..]).enq()?;
            steps += 1;
        }
        Ok((x, steps))
    }
}

/// Enqueues a kernel.
fn enqueue(kernel: &Kernel) -> ocl::Result<()> {
    // SAFETY: the kernels stay inside arrays of the lengths that they are told.
    unsafe { kernel.enq() }
}
