//! Cranelift's just-in-time module: functions in, addresses out. Memory is writable first and executable afterwards, never
//! both.

use crate::abi::{ChunkFn, CombineFn, RegionFn};
use crate::isa::Reg;
use crate::isa::cranelift::Cranelift;
use crate::isa::product;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{AbiParam, types};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, ModuleReloc, default_libcall_names};
use dsl_runtime::backend::CompileError;
use std::collections::HashMap;
use std::fmt::{Display, Write};
use std::mem::transmute;

/// A function that has been defined.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handle(FuncId);

/// Functions on their way.
#[derive(Default)]
pub(crate) struct Jit {
    module: Option<JITModule>,
    /// The same target without the multiplication of whole 64-bit lanes; see [`product`].
    narrow: Option<OwnedTargetIsa>,
    frontend: FunctionBuilderContext,
    /// Name, and bytes of code.
    defined: Vec<(FuncId, String, usize)>,
    listing: Option<String>,
    names: HashMap<String, usize>,
}

/// Finished functions.
pub(crate) struct Code {
    module: Option<JITModule>,
    addresses: HashMap<FuncId, *const u8>,
    listing: String,
}

// SAFETY: after `finish` the module is only kept alive, and freed once; its code is read-only.
unsafe impl Send for Code {}
// SAFETY: as above.
unsafe impl Sync for Code {}

fn internal(error: impl Display) -> CompileError {
    CompileError::Internal(format!("cpu code generation: {error}"))
}

/// The target: the host with all its features but those `without`.
fn target(without: &[&str]) -> Result<OwnedTargetIsa, CompileError> {
    let mut flags = settings::builder();
    let verify = if cfg!(debug_assertions) {
        "true"
    } else {
        "false"
    };
    for (name, value) in [
        ("opt_level", "speed"),
        ("is_pic", "false"),
        ("use_colocated_libcalls", "false"),
        ("enable_verifier", verify),
        ("preserve_frame_pointers", "true"),
    ] {
        flags.set(name, value).map_err(internal)?;
    }
    let mut builder = cranelift_native::builder().map_err(internal)?;
    for flag in without {
        // A flag of another architecture is not there to be cleared.
        let _ = builder.set(flag, "false");
    }
    builder
        .finish(settings::Flags::new(flags))
        .map_err(internal)
}

/// Names everything that the code depends on: the architecture and the features in use.
pub fn target_name() -> Result<String, CompileError> {
    let isa = target(&[])?;
    let mut name = isa.triple().to_string();
    for flag in isa.isa_flags() {
        if flag.as_bool() == Some(true) {
            let _ = write!(name, "+{}", flag.name);
        }
    }
    Ok(name)
}

impl Jit {
    /// Keeps the code as text too.
    pub(crate) fn list(&mut self) {
        self.listing.get_or_insert_default();
    }

    /// Defines a function of `params` words that yields a word.
    pub(crate) fn define(
        &mut self,
        name: &str,
        params: usize,
        emit: impl for<'a> FnOnce(Cranelift<'a>, &[Reg]) -> Cranelift<'a>,
    ) -> Result<Handle, CompileError> {
        if self.module.is_none() {
            let builder = JITBuilder::with_isa(target(&[])?, default_libcall_names());
            self.module = Some(JITModule::new(builder));
            self.narrow = Some(target(&["has_avx512dq"])?);
        }
        let module = self.module.as_mut().expect("made above");
        let count = self.names.entry(name.to_owned()).or_default();
        *count += 1;
        let unique = if *count == 1 {
            name.to_owned()
        } else {
            format!("{name}.{count}")
        };
        let mut context = module.make_context();
        let signature = &mut context.func.signature;
        signature
            .params
            .extend(vec![AbiParam::new(types::I64); params]);
        signature.returns.push(AbiParam::new(types::I64));
        let call_conv = signature.call_conv;
        let id = module
            .declare_function(&unique, Linkage::Local, signature)
            .map_err(internal)?;
        let build = FunctionBuilder::new(&mut context.func, &mut self.frontend);
        let (isa, regs) = Cranelift::new(build, call_conv);
        let (build, notes) = emit(isa, &regs).finish();
        build.finalize(module.target_config());
        if let Some(listing) = &mut self.listing {
            let _ = writeln!(listing, "; {unique}");
            for (block, note) in &notes {
                let _ = writeln!(listing, "; block{block}: {note}");
            }
            let _ = writeln!(listing, "{}", context.func.display());
            context.set_disasm(true);
        }
        let isa = match &self.narrow {
            Some(narrow) if product::all_extended(&context.func) => narrow.as_ref(),
            _ => module.isa(),
        };
        if let Err(error) = context.compile(isa, &mut ControlPlane::default()) {
            let text = format!("@{unique}: {:?}\n{}", error.inner, error.func.display());
            return Err(internal(text));
        }
        let code = context.compiled_code().expect("it was compiled");
        let relocs: Vec<ModuleReloc> = (code.buffer.relocs().iter())
            .map(|reloc| ModuleReloc::from_mach_reloc(reloc, &context.func, id))
            .collect();
        let alignment = (code.buffer.alignment as u64)
            .max(isa.function_alignment().minimum as u64)
            .max(isa.symbol_alignment());
        module
            .define_function_bytes(id, alignment, code.code_buffer(), &relocs)
            .map_err(internal)?;
        if let Some(listing) = &mut self.listing
            && let Some(code) = context.compiled_code()
            && let Some(text) = &code.vcode
        {
            let _ = writeln!(listing, "; machine code of {unique}\n{text}");
        }
        let bytes = context
            .compiled_code()
            .map_or(0, |code| code.code_buffer().len());
        module.clear_context(&mut context);
        self.defined.push((id, unique, bytes));
        Ok(Handle(id))
    }

    pub(crate) fn finish(mut self) -> Result<Code, CompileError> {
        let mut addresses = HashMap::new();
        if let Some(module) = &mut self.module {
            module.finalize_definitions().map_err(internal)?;
            addresses.extend(
                self.defined
                    .iter()
                    .map(|(id, ..)| (*id, module.get_finalized_function(*id))),
            );
            if std::env::var_os("CUPROUS_PERF").is_some() {
                perf_map(&self.defined, &addresses);
            }
        }
        Ok(Code {
            addresses,
            module: self.module,
            listing: self.listing.unwrap_or_default(),
        })
    }
}

/// Tells `perf` the names of functions, where the variable `CUPROUS_PERF` is set: the file that it looks for by the number
/// of the process. A profile without names is no reason to fail.
fn perf_map(defined: &[(FuncId, String, usize)], addresses: &HashMap<FuncId, *const u8>) {
    let path = std::env::temp_dir().join(format!("perf-{}.map", std::process::id()));
    let mut text = String::new();
    for (id, name, bytes) in defined {
        let _ = writeln!(
            text,
            "{:x} {bytes:x} cuprous::{name}",
            addresses[id] as usize
        );
    }
    if let Ok(mut file) = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
    {
        let _ = std::io::Write::write_all(&mut file, text.as_bytes());
    }
}

impl Code {
    pub(crate) fn listing(&self) -> &str {
        &self.listing
    }

    pub(crate) fn chunk(&self, handle: Handle) -> ChunkFn {
        // SAFETY: the function was defined with three words in and one out, in the C calling convention of the host.
        unsafe { transmute::<*const u8, ChunkFn>(self.addresses[&handle.0]) }
    }

    pub(crate) fn combine(&self, handle: Handle) -> CombineFn {
        // SAFETY: as above, with four words.
        unsafe { transmute::<*const u8, CombineFn>(self.addresses[&handle.0]) }
    }

    pub(crate) fn region(&self, handle: Handle) -> RegionFn {
        // SAFETY: as above, with one word.
        unsafe { transmute::<*const u8, RegionFn>(self.addresses[&handle.0]) }
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: whoever holds addresses into the code keeps the units alive (`Units`), which own this.
            unsafe { module.free_memory() }
        }
    }
}
