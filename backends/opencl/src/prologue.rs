//! What stands before the kernels of a program: as much of it as they use.

use crate::render::{lanes, op};
use dsl_runtime::ir::{Func, ScalarType};

/// The head of a program with these kernels.
pub fn prologue(func: &Func, kernels: &str) -> String {
    let doubles = func.vars.iter().any(|info| info.ty.elem == ScalarType::F64);
    let mut text = format!(
        "/* {} */\n#pragma OPENCL FP_CONTRACT OFF\n",
        func.name.replace("*/", "")
    );
    if doubles {
        text.push_str("#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n");
    }
    for (names, part) in PARTS {
        if names.iter().any(|name| kernels.contains(name)) {
            text.push_str(part);
        }
    }
    let mut helpers = lanes::value::helpers();
    helpers.extend(op::helpers(ScalarType::F32));
    helpers.extend(op::helpers(ScalarType::F64));
    for (name, function) in helpers {
        if kernels.contains(&format!("{name}(")) && !text.contains(&function) {
            text.push_str(&function);
        }
    }
    text
}

/// The words that call for a part, and the part.
const PARTS: &[(&[&str], &str)] = &[
    (
        &["FAIL"],
        "\
/* Leaves: another run says what went wrong. */
#define FAIL { atomic_or(state, 1u); return; }
",
    ),
    (
        &["STOPPED"],
        "\
/* Whether something has failed, or lacked memory: what it was to leave has no value. */
#define STOPPED (atomic_or(state, 0u) != 0 || atomic_or(state + 1, 0u) != 0)
",
    ),
    (
        &["times(", "GRAB("],
        "\
/* The product, or more than any memory has. */
static ulong times(const ulong a, const ulong b) { return mul_hi(a, b) != 0 || a * b >> 60 != 0 ? 1UL << 60 : a * b; }
",
    ),
    (
        &["GRAB("],
        "\
/* Elements on the work-item's stack; where it is too small, the host is told and comes again with a larger one. */
#define GRAB(type, name, count) \\
    __global type* name; \\
    { \\
        const ulong bytes_ = (times(count, sizeof(type)) + 15) / 16 * 16; \\
        if (bytes_ > room - top) { \\
            atomic_max(state + 1, (uint)min((top + bytes_) / 1024 + 1, 0xffffffffUL)); \\
            return; \\
        } \\
        name = (__global type*)(stack + top); \\
        top += bytes_; \\
    }
",
    ),
    (
        &["FETCH"],
        "\
/* Asks for memory that is read soon, where the compiler has a word for it. */
#if !defined(NO_FETCH) && defined(__has_builtin)
#if __has_builtin(__builtin_prefetch)
#define FETCH(pointer) __builtin_prefetch((pointer), 0, 3)
#define FETCH_TO_WRITE(pointer) __builtin_prefetch((pointer), 1, 3)
#endif
#endif
#ifndef FETCH
#define FETCH(pointer)
#define FETCH_TO_WRITE(pointer)
#endif
",
    ),
    (
        &["MINE("],
        "\
/* Whether a pointer points to the stack, from a byte on. */
#define MINE(pointer, from) \\
    ((__global const uchar*)(pointer) >= stack + (from) && (__global const uchar*)(pointer) < stack + room)
",
    ),
];
