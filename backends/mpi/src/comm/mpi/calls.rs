//! The functions of MPI that are called, each with its code checked.

use super::abi::Abi;
use crate::comm::Broken;
use libc::{c_char, c_int};
use libloading::os::unix::Library;
use std::ffi::{CStr, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// Held during each call: MPI is told that one thread at a time calls it.
static GATE: Mutex<()> = Mutex::new(());

/// Waits until no other thread is in a call.
fn gate() -> MutexGuard<'static, ()> {
    GATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a moment until no other thread is in a call; none if one still is. For the end of the process, which must not wait
/// for a message.
pub(super) fn gate_for_now() -> Option<MutexGuard<'static, ()>> {
    let until = Instant::now() + Duration::from_millis(100);
    loop {
        match GATE.try_lock() {
            Ok(gate) => return Some(gate),
            Err(TryLockError::Poisoned(gate)) => return Some(gate.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() > until => return None,
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Declares [`Calls`]: for each function a field, and a method that waits at the gate and checks what is returned.
macro_rules! calls {
    ($($method:ident = $name:literal ($($arg:ident: $type:ty),*);)*) => {
        /// The functions of a library.
        pub(super) struct Calls<A: Abi> {
            $($method: unsafe extern "C" fn($($type),*) -> c_int,)*
            error_string: unsafe extern "C" fn(c_int, *mut c_char, *mut c_int) -> c_int,
            abort: unsafe extern "C" fn(A::Handle, c_int) -> c_int,
        }

        impl<A: Abi> Calls<A> {
            /// Finds them.
            ///
            /// # Safety
            /// The library has the interface.
            pub(super) unsafe fn load(library: &Library) -> Result<Self, libloading::Error> {
                // SAFETY: they are declared as the MPI standard does, with the types of the interface.
                unsafe {
                    Ok(Calls {
                        $($method: *library.get(concat!($name, "\0").as_bytes())?,)*
                        error_string: *library.get(b"MPI_Error_string\0")?,
                        abort: *library.get(b"MPI_Abort\0")?,
                    })
                }
            }

            $(
                #[doc = concat!("`", $name, "`.")]
                ///
                /// # Safety
                /// What the MPI standard asks for.
                #[allow(clippy::too_many_arguments)] // As many as C's.
                pub(super) unsafe fn $method(&self, $($arg: $type),*) -> Result<(), Broken> {
                    let _gate = gate();
                    // SAFETY: passed on; one thread at a time.
                    let code = unsafe { (self.$method)($($arg),*) };
                    match code {
                        0 => Ok(()),
                        code => Err(Broken::Call { call: $name, text: self.text(code) }),
                    }
                }
            )*
        }
    };
}

calls! {
    init_thread = "MPI_Init_thread" (argc: *mut c_int, argv: *mut *mut *mut c_char, required: c_int, provided: *mut c_int);
    initialized = "MPI_Initialized" (flag: *mut c_int);
    finalized = "MPI_Finalized" (flag: *mut c_int);
    comm_rank = "MPI_Comm_rank" (comm: A::Handle, rank: *mut c_int);
    comm_size = "MPI_Comm_size" (comm: A::Handle, size: *mut c_int);
    comm_dup = "MPI_Comm_dup" (comm: A::Handle, new: *mut A::Handle);
    comm_split = "MPI_Comm_split" (comm: A::Handle, color: c_int, key: c_int, new: *mut A::Handle);
    comm_set_errhandler = "MPI_Comm_set_errhandler" (comm: A::Handle, handler: A::Handle);
    comm_free = "MPI_Comm_free" (comm: *mut A::Handle);
    isend = "MPI_Isend" (from: *const c_void, count: c_int, kind: A::Handle, to: c_int, tag: c_int,
        comm: A::Handle, request: *mut A::Handle);
    irecv = "MPI_Irecv" (into: *mut c_void, count: c_int, kind: A::Handle, from: c_int, tag: c_int,
        comm: A::Handle, request: *mut A::Handle);
    test = "MPI_Test" (request: *mut A::Handle, flag: *mut c_int, status: *mut A::Status);
    wait = "MPI_Wait" (request: *mut A::Handle, status: *mut A::Status);
    get_count = "MPI_Get_count" (status: *const A::Status, kind: A::Handle, count: *mut c_int);
    finalize = "MPI_Finalize" ();
}

impl<A: Abi> Calls<A> {
    /// What the library says of a code.
    fn text(&self, code: c_int) -> String {
        // Longer than MPI_MAX_ERROR_STRING of any.
        let mut text = [0 as c_char; 8192];
        let mut length = 0;
        // SAFETY: there is room for the text, and zeros after it.
        let known = unsafe { (self.error_string)(code, text.as_mut_ptr(), &mut length) } == 0;
        // SAFETY: the last zero is there still: no text is as long.
        let text = unsafe { CStr::from_ptr(text.as_ptr()) };
        match known {
            true => text.to_string_lossy().into_owned(),
            false => format!("error {code}"),
        }
    }

    /// `MPI_Abort`, which may come back where it fails.
    ///
    /// # Safety
    /// MPI is initialised, and this thread is the only one that calls it.
    pub(super) unsafe fn abort(&self, world: A::Handle, code: c_int) {
        // SAFETY: passed on.
        unsafe { (self.abort)(world, code) };
    }
}
