//! The two styles of code, and operations that a device does not compute as the language asks.

use crate::device::{Deviation, Info, Kind};
use dsl_runtime::backend::CompileError;
use dsl_runtime::ir::order::{BLOCK, LANES};
use dsl_runtime::ir::{Expr, Func, Level, ScalarType, walk};

/// How work is laid out on a device. A device has the style of its kind; tests ask for the other one too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// For CPUs: few work-items, groups of one, and a stretch of neighbouring iterations for each, in vectors of lanes.
    Lanes,
    /// For GPUs: many work-items in groups; neighbouring ones have neighbouring iterations, so that what they read and write
    /// lies side by side.
    Items,
}

impl Style {
    /// That of a kind of device.
    pub fn of(kind: Kind) -> Style {
        match kind {
            Kind::Cpu => Style::Lanes,
            Kind::Gpu | Kind::Accelerator => Style::Items,
        }
    }

    /// The levels that code of this style has.
    pub fn levels(self) -> Vec<Level> {
        match self {
            Style::Lanes => vec![Level::Grid, Level::Simd, Level::Seq],
            Style::Items => vec![Level::Grid, Level::Seq],
        }
    }
}

/// How the work-items of a device are best used.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How work is laid out.
    pub style: Style,
    /// Work-items in a group.
    pub group: usize,
    /// Work-items that a par is cut into, where it has enough to do.
    pub items: usize,
    /// Fewer operations are not worth a work-item.
    pub grain: f64,
    /// Fewer iterations of a `scatter_with` are combined by one work-item.
    pub few: usize,
}

impl Shape {
    /// Iterations whose blocks keep the device busy.
    pub fn many(&self) -> usize {
        let shared = match self.style {
            Style::Lanes => 1,
            Style::Items => LANES,
        };
        self.items.div_ceil(2 * shared) * BLOCK
    }

    /// Of this device, in this style.
    pub fn of(info: &Info, style: Style) -> Shape {
        match style {
            Style::Lanes => Shape {
                style,
                group: 1,
                items: info.units * 16,
                grain: 20_000.0,
                few: 1 << 14,
            },
            Style::Items => Shape {
                style,
                group: 64.min(info.group),
                items: info.units * 2048,
                grain: 4.0,
                few: 1 << 10,
            },
        }
    }
}

/// A conversion that a device does not make as Rust's `as` does.
#[derive(Clone, Debug, PartialEq)]
pub struct Wrong {
    from: ScalarType,
    to: ScalarType,
    /// What was seen.
    text: String,
}

impl Wrong {
    /// What the probe has found; an error where it is more than conversions, which programs can be searched for.
    pub fn of(deviations: &[Deviation]) -> Result<Vec<Wrong>, String> {
        let all = deviations.iter().map(|deviation| {
            let (from, to) = conversion(deviation.operation).ok_or(&deviation.text)?;
            let text = deviation.text.clone();
            Ok::<_, &String>(Wrong { from, to, text })
        });
        all.collect::<Result<_, _>>().map_err(String::clone)
    }

    /// Refuses a function that needs one of them.
    pub fn refuse(all: &[Wrong], func: &Func) -> Result<(), CompileError> {
        let mut found = Ok(());
        walk::stmts(&func.body, &mut |stmt| {
            let Expr::Cast(to, from) = stmt.expr else {
                return;
            };
            let from = func.atom_type(from).elem;
            let wrong = all
                .iter()
                .find(|wrong| wrong.from == from && wrong.to == to);
            if let (Ok(()), Some(wrong)) = (&found, wrong) {
                found = Err(CompileError::Unsupported {
                    what: format!("{from} as {to} is unsupported here: {}", wrong.text),
                    place: stmt.place,
                });
            }
        });
        found
    }
}

/// The types of a conversion as `device/probe/table.rs` spells it: `SAT(long, NUMBER(float, a))` and `TO(float, i64)`.
fn conversion(operation: &str) -> Option<(ScalarType, ScalarType)> {
    use ScalarType::*;
    let (_, inside) = operation.split_once('(')?;
    let (to, of) = inside.split_once(", ")?;
    let named = |name: &str| {
        let all = [I8, I16, I32, I64, U8, U16, U32, U64, F32, F64];
        all.into_iter()
            .find(|&ty| crate::render::types::stored(ty) == name)
    };
    let from = match of.trim_end_matches(')') {
        "i32" => I32,
        "u32" => U32,
        "i64" => I64,
        "u64" => U64,
        "a" => F32,
        "p" => F64,
        "NUMBER(float, a" => F32,
        "NUMBER(double, p" => F64,
        _ => return None,
    };
    let saturates = operation.starts_with("SAT(") && of.starts_with("NUMBER(");
    (saturates || operation.starts_with("TO(")).then_some((from, named(to)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deviation(operation: &'static str) -> Deviation {
        Deviation {
            operation,
            form: "singles",
            text: operation.into(),
        }
    }

    #[test]
    fn conversions_are_read() {
        use ScalarType::*;
        assert_eq!(conversion("SAT(long, NUMBER(float, a))"), Some((F32, I64)));
        assert_eq!(conversion("SAT(uchar, NUMBER(double, p))"), Some((F64, U8)));
        assert_eq!(conversion("TO(float, i64)"), Some((I64, F32)));
        assert_eq!(conversion("TO(float, p)"), Some((F64, F32)));
        assert_eq!(conversion("fma(a, b, c)"), None);
        assert_eq!(conversion("a / b"), None);
        assert!(Wrong::of(&[deviation("TO(float, i64)")]).is_ok());
        assert!(Wrong::of(&[deviation("TO(float, i64)"), deviation("a / b")]).is_err());
    }
}
