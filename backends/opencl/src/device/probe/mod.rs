//! Whether a device computes as Rust does: the operations that a generated program relies on, each on some thousand numbers, one
//! at a time and as vectors, compared bit for bit (a NaN is a NaN).
//!
//! `table.rs` has the operations and how they are spelled; generated programs spell them so too.

mod table;

use super::{Argument, Buffer, Device, Info, Refused, Stopped, cache, program};
use dsl_runtime::ir::Const;
use std::fmt::Write;
use std::mem::MaybeUninit;
use table::{Input, ROWS, Row};

/// The number of inputs: a multiple of any vector's length and of the group.
const COUNT: usize = 4096;
/// The work-items of a group.
const GROUP: usize = 64;
/// What is kept on the disk of a device that passed.
const HOLDS: &str = "holds";

/// Reads the inputs, for one number at a time or for vectors.
const HEAD: &str = "
__kernel void NAME(__global const uint *f, __global const ulong *d, __global const ulong *k, __global ulong *to, ulong n) {
    size_t i = get_global_id(0);
    V(float) a = AS(float, LOAD(f)), b = AS(float, LOAD(f + n)), c = AS(float, LOAD(f + 2 * n));
    V(ulong) u64 = LOAD(k);
    V(long) i64 = AS(long, u64);
    V(uint) u32 = TO(uint, u64);
    V(int) i32 = AS(int, u32);
";
/// The same for double precision.
const HEAD_F64: &str = "    V(double) p = AS(double, LOAD(d)), q = AS(double, LOAD(d + n)), r = AS(double, LOAD(d + 2 * n));\n";

/// The inputs, the same in every run.
fn inputs() -> Vec<Input> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move || {
        // xorshift64*, S. Vigna, An experimental exploration of Marsaglia's xorshift generators.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    };
    let (singles, doubles, whole) = table::special();
    let all = (0..COUNT).map(|at| {
        // Special values; numbers of close magnitude; small ones beside those; any bits.
        let band = match at {
            at if at < COUNT / 2 => 0,
            at => 1 + at % 4,
        };
        let mut single = || {
            let any = random();
            let (bits, close) = (any as u32, 0x3f00_0000 ^ (any as u32 & 0x80ff_ffff));
            match (band, any >> 63) {
                (0, _) => singles[any as usize % singles.len()],
                (1 | 2, _) | (3, 0) => close,
                (3, _) => bits & 0x80ff_ffff,
                _ => bits,
            }
        };
        let f = [single(), single(), single()].map(f32::from_bits);
        let mut double = || {
            let any = random();
            let (bits, close) = (any, 0x3fe0_0000_0000_0000 ^ (any & 0x801f_ffff_ffff_ffff));
            match (band, any >> 62 & 1) {
                (0, _) => doubles[any as usize % doubles.len()],
                (1 | 2, _) | (3, 0) => close,
                (3, _) => bits & 0x801f_ffff_ffff_ffff,
                _ => bits,
            }
        };
        let d = [double(), double(), double()].map(f64::from_bits);
        let k = whole
            .get(at)
            .copied()
            .unwrap_or_else(|| random() >> (at % 64));
        Input { f, d, k }
    });
    all.collect()
}

/// An operation that does not give what Rust gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// The operation, as `probe/table.rs` spells it: `a / b` for `f32`, `p / q` for `f64`, `TO(float, i64)`.
    pub operation: &'static str,
    /// Where: `singles`, `vectors`, `doubles`, `double_vectors`.
    pub form: &'static str,
    /// An example.
    pub text: String,
}

/// A kernel: the operations of one precision, on single numbers or on vectors.
struct Form {
    name: &'static str,
    lanes: usize,
    double: bool,
}

/// All that a device is asked, at the width that generated programs use for numbers of that size.
fn forms(info: &Info) -> Vec<Form> {
    let lanes = |bytes| match info.lanes(bytes) {
        1 => 4,
        lanes => lanes,
    };
    let form = |name, lanes, double| Form {
        name,
        lanes,
        double,
    };
    let mut forms = vec![form("singles", 1, false), form("vectors", lanes(4), false)];
    if info.f64 {
        forms.push(form("doubles", 1, true));
        forms.push(form("double_vectors", lanes(8), true));
    }
    forms
}

impl Form {
    fn rows(&self) -> impl Iterator<Item = &'static Row> {
        let double = self.double;
        ROWS.iter().filter(move |row| row.double == double)
    }

    fn source(&self) -> String {
        let lanes = self.lanes;
        let mut text = String::new();
        let define: &[(&str, &str)] = match lanes {
            1 => &[
                ("V(t)", "t"),
                ("AS(t, x)", "as_##t(x)"),
                ("TO(t, x)", "convert_##t(x)"),
                ("SAT(t, x)", "convert_##t##_sat(x)"),
                ("LOAD(at)", "(at)[i]"),
                ("STORE(x, at)", "(at)[i] = (x)"),
            ],
            _ => &[
                ("V(t)", "t##LANES"),
                ("AS(t, x)", "as_##t##LANES(x)"),
                ("TO(t, x)", "convert_##t##LANES(x)"),
                ("SAT(t, x)", "convert_##t##LANES##_sat(x)"),
                ("LOAD(at)", "vloadLANES(i, at)"),
                ("STORE(x, at)", "vstoreLANES(x, i, at)"),
            ],
        };
        for (what, means) in define {
            let plain = what.split('(').next().unwrap_or(what);
            let means = means.replace("LANES", &lanes.to_string());
            let _ = writeln!(text, "#undef {plain}\n#define {what} {means}");
        }
        text += "#undef NUMBER\n#define NUMBER(t, x) ((x) != (x) ? (V(t))(0) : (x))\n";
        text += &HEAD.replace("NAME", self.name);
        if self.double {
            text += HEAD_F64;
        }
        for (at, row) in self.rows().enumerate() {
            let (bits, code) = (row.bits, row.code);
            let _ = writeln!(
                text,
                "    STORE(TO(ulong, AS({bits}, {code})), to + {at} * n);"
            );
        }
        text + "}\n"
    }
}

/// Uploads words.
fn upload(device: &Device, bytes: Vec<u8>) -> Result<Buffer, Refused> {
    let buffer = device.buffer(bytes.len())?;
    device.write(&buffer, 0, &bytes)?;
    Ok(buffer)
}

/// What deviates; that nothing does is kept on the disk.
pub(super) fn deviations(device: &Device) -> Result<Vec<Deviation>, Refused> {
    let info = device.info();
    let forms = forms(info);
    let mut source = "#pragma OPENCL FP_CONTRACT OFF\n".to_string();
    if info.f64 {
        source += "#ifdef cl_khr_fp64\n#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n#endif\n";
    }
    source.extend(forms.iter().map(Form::source));
    let key = cache::Key::new(
        device,
        &program::options(device),
        &format!("{HOLDS}\n{source}"),
    );
    if key.load().is_some_and(|entry| entry.text == HOLDS) {
        return Ok(vec![]);
    }
    let program = match device.build(&source) {
        Ok(program) => program,
        Err(failure) => {
            return Ok(vec![Deviation {
                operation: "a program of all operations",
                form: "all",
                text: failure.to_string(),
            }]);
        }
    };
    let inputs = inputs();
    let f = (0..3).flat_map(|at| inputs.iter().map(move |input| input.f[at]));
    let d = (0..3).flat_map(|at| inputs.iter().map(move |input| input.d[at]));
    let f = upload(device, f.flat_map(f32::to_le_bytes).collect())?;
    let d = upload(device, d.flat_map(f64::to_le_bytes).collect())?;
    let k = inputs.iter().flat_map(|input| input.k.to_le_bytes());
    let k = upload(device, k.collect())?;
    let mut deviations = vec![];
    for form in &forms {
        let to = device.buffer(form.rows().count() * COUNT * 8)?;
        let mut kernel = program.kernel(form.name)?;
        let args = [
            Argument::Buffer(&f),
            Argument::Buffer(&d),
            Argument::Buffer(&k),
            Argument::Buffer(&to),
            Argument::Scalar(Const::u64(COUNT as u64)),
        ];
        device.launch(&mut kernel, &args, COUNT / form.lanes / GROUP, GROUP)?;
        let found = words(device, &to)?;
        for (row, found) in form.rows().zip(found.chunks_exact(COUNT)) {
            let difference = row.difference(&inputs, found);
            deviations.extend(difference.map(|difference| Deviation {
                operation: row.code,
                form: form.name,
                text: difference.to_string(),
            }));
        }
    }
    if deviations.is_empty() {
        key.save(HOLDS, &[]);
    }
    Ok(deviations)
}

/// The deviations in one sentence, if there are any.
pub(super) fn sentence(device: &Device, deviations: &[Deviation]) -> Result<(), String> {
    let Some((first, others)) = deviations.split_first() else {
        return Ok(());
    };
    let others = others.iter().map(|deviation| {
        let Deviation {
            operation, form, ..
        } = deviation;
        format!(", `{operation}` ({form})")
    });
    let others: String = others.collect();
    let name = &device.info().name;
    let Deviation { form, text, .. } = first;
    Err(format!(
        "{name} does not compute as Rust does: {text} ({form}){others}"
    ))
}

fn words(device: &Device, from: &Buffer) -> Result<Vec<u64>, Stopped> {
    let mut bytes = vec![MaybeUninit::uninit(); from.bytes()];
    device.read(from, 0, &mut bytes)?;
    let words = bytes.chunks_exact(8).map(|word| {
        // SAFETY: a successful read initialises all of it.
        let word = std::array::from_fn(|at| unsafe { word[at].assume_init() });
        u64::from_le_bytes(word)
    });
    Ok(words.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A check that cannot fail is none: each row tells a value that is off by one bit in the last place.
    #[test]
    fn a_deviation_is_found() {
        let inputs = inputs();
        assert_eq!(inputs.len(), COUNT);
        for row in ROWS {
            let mut found: Vec<u64> = inputs.iter().map(row.rust).collect();
            assert!(row.difference(&inputs, &found).is_none(), "{}", row.code);
            let at = inputs
                .iter()
                .rposition(|input| !row.is_nan((row.rust)(input)))
                .expect("a number");
            found[at] ^= 1;
            let difference = row.difference(&inputs, &found).expect("a difference");
            assert!(difference.to_string().contains(row.code));
        }
    }

    #[test]
    fn the_inputs_tell_contraction_and_flushing() {
        let inputs = inputs();
        let count =
            |test: &dyn Fn(&Input) -> bool| inputs.iter().filter(|input| test(input)).count();
        let contracted = count(&|i: &Input| {
            let [a, b, c] = i.f;
            b * c + a != b.mul_add(c, a) && !(b * c + a).is_nan()
        });
        assert!(contracted > 100, "{contracted}");
        let small = count(&|i: &Input| (i.f[0] * i.f[1]).is_subnormal());
        assert!(small > 20, "{small}");
        let small = count(&|i: &Input| (i.f[0] + i.f[1]).is_subnormal());
        assert!(small > 20, "{small}");
        let small = count(&|i: &Input| (i.d[0] * i.d[1]).is_subnormal());
        assert!(small > 5, "{small}");
        let ties = count(&|i: &Input| (i.f[0] - i.f[0].trunc()).abs() == 0.5);
        assert!(ties > 50, "{ties}");
    }
}
