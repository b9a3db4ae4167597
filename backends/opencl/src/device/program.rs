//! Programs: built from source, or from a binary that was built earlier.

use super::api::{self, Answer};
use super::error::first_line;
use super::kernel::Parameter;
use super::{BuildFailure, Device, Kernel, Stopped, cache};
use std::ffi::CString;
use std::fmt;
use std::sync::Arc;

/// A built program. Clones are the same program.
#[derive(Clone)]
pub struct Program(Arc<Built>);

struct Built {
    program: api::Program,
    device: Device,
    signatures: Signatures,
}

/// What each kernel takes. It is kept beside the binary: some drivers tell only right after they compiled.
struct Signatures(Vec<(String, Vec<Parameter>)>);

impl Signatures {
    fn ask(program: &api::Program) -> Answer<Signatures> {
        let all = program.kernels()?.into_iter().map(|name| {
            let parameters = Parameter::all(&program.kernel(&name)?)?;
            Ok((name, parameters))
        });
        all.collect::<Answer<_>>().map(Signatures)
    }

    fn print(&self) -> String {
        let line = |(name, parameters): &(String, Vec<Parameter>)| {
            let words = parameters.iter().map(|parameter| parameter.name());
            let words: Vec<&str> = std::iter::once(name.as_str()).chain(words).collect();
            words.join(" ") + "\n"
        };
        self.0.iter().map(line).collect()
    }

    fn parse(text: &str) -> Option<Signatures> {
        let line = |line: &str| {
            let mut words = line.split(' ');
            let name = words.next()?.to_string();
            let parameters = words.map(Parameter::parse).collect::<Option<_>>()?;
            Some((name, parameters))
        };
        text.lines()
            .map(line)
            .collect::<Option<_>>()
            .map(Signatures)
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.signatures.0.iter().map(|(name, _)| name);
        f.debug_tuple("Program")
            .field(&names.collect::<Vec<_>>())
            .finish()
    }
}

/// The options of the compiler for this device.
pub(super) fn options(device: &Device) -> String {
    let mut options = "-cl-std=CL1.2 -cl-kernel-arg-info".to_string();
    if device.info().exact_division {
        options += " -cl-fp32-correctly-rounded-divide-sqrt";
    }
    options
}

pub(super) fn build(device: &Device, source: &str) -> Result<Program, BuildFailure> {
    let options = options(device);
    let key = cache::Key::new(device, &options, source);
    let options = CString::new(options).expect("options without a zero");
    if let Some(program) = from_disk(device, &options, &key) {
        device.0.counts.cache_hits.add(1);
        return Ok(program);
    }
    let failure = |log: String| BuildFailure {
        device: device.info().name.clone(),
        line: first_line(&log),
        log,
    };
    let failed = |failed| failure(device.stopped(failed).to_string());
    let id = device.0.id;
    let session = device.session().map_err(|s| failure(s.to_string()))?;
    device.0.counts.builds.add(1);
    let program = session.context.source(source).map_err(failed)?;
    program.build(id, &options).map_err(|why| {
        let log = program.log(id).unwrap_or_default();
        failure(match log.is_empty() {
            true => device.stopped(why).to_string(),
            false => log,
        })
    })?;
    let signatures = Signatures::ask(&program).map_err(failed)?;
    if let Ok(binary) = program.to_binary()
        && !binary.is_empty()
    {
        key.save(&signatures.print(), &binary);
    }
    Ok(Program(Arc::new(Built {
        program,
        device: device.clone(),
        signatures,
    })))
}

/// The program that was kept, if the driver still takes it.
fn from_disk(device: &Device, options: &CString, key: &cache::Key) -> Option<Program> {
    let entry = key.load()?;
    let signatures = Signatures::parse(&entry.text)?;
    let id = device.0.id;
    let context = &device.session().ok()?.context;
    let program = context.binary(id, &entry.binary).ok()?;
    program.build(id, options).ok()?;
    // Some drivers find out only here that the binary is not theirs.
    let sound = signatures.0.iter().all(|(name, parameters)| {
        let count = program.kernel(name).and_then(|kernel| kernel.parameters());
        count.is_ok_and(|count| count as usize == parameters.len())
    });
    sound.then(|| {
        Program(Arc::new(Built {
            program,
            device: device.clone(),
            signatures,
        }))
    })
}

impl Program {
    /// The device that it was built for.
    pub fn device(&self) -> &Device {
        &self.0.device
    }

    /// A kernel of the program, with no argument set. Cheap; each thread that launches at the same time needs its own.
    ///
    /// An internal error if the program has no such kernel.
    pub fn kernel(&self, name: &str) -> Result<Kernel, Stopped> {
        let device = self.device();
        let row = self.0.signatures.0.iter().find(|(of, _)| of == name);
        let Some((_, parameters)) = row else {
            return Err(device.internal(format!("the program has no kernel `{name}`")));
        };
        let kernel = self.0.program.kernel(name);
        let kernel = kernel.and_then(|kernel| Kernel::new(self, name, parameters, kernel));
        kernel.map_err(|failed| device.stopped(failed))
    }
}
