//! Format strings with the values that a run found: `{}`, `{0}`, `{:.3}`, `{:>8x}`, and `{1..}` for all from there on.

use crate::ir::types::Class;
use crate::ir::{Const, FromConst, ScalarType};

/// The text with its operands filled in. What is no valid field stays as it is.
pub(super) fn fill(text: &str, operands: &[Const]) -> String {
    let mut out = String::new();
    let mut next = 0;
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        if tail.starts_with("{{") || tail.starts_with("}}") {
            out.push_str(&tail[..1]);
            rest = &tail[2..];
            continue;
        }
        let field = tail.strip_prefix('{').and_then(|t| t.split_once('}'));
        let Some((field, behind)) = field else {
            out.push_str(&tail[..1]);
            rest = &tail[1..];
            continue;
        };
        let (index, spec) = field.split_once(':').unwrap_or((field, ""));
        if let Some(from) = index.strip_suffix("..").and_then(|from| from.parse().ok()) {
            let all = operands
                .get::<std::ops::RangeFrom<usize>>(from..)
                .unwrap_or_default();
            let all: Vec<String> = all
                .iter()
                .map(|&value| format(value, &Spec::parse(spec)))
                .collect();
            out.push_str(&all.join(", "));
            rest = behind;
            continue;
        }
        let index = index.parse().unwrap_or_else(|_| {
            next += 1;
            next - 1
        });
        match operands.get(index) {
            Some(&value) => out.push_str(&format(value, &Spec::parse(spec))),
            None => out.push_str(&tail[..field.len() + 2]),
        }
        rest = behind;
    }
    out + rest
}

/// What stands behind the colon of a field: std's grammar without arguments (`$`).
#[derive(Debug, Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    plus: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    kind: String,
}

impl Spec {
    fn parse(text: &str) -> Spec {
        let mut spec = Spec::default();
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        let is_align = |c: Option<&char>| c.is_some_and(|c| "<^>".contains(*c));
        if is_align(chars.get(1)) {
            (spec.fill, spec.align) = (Some(chars[0]), Some(chars[1]));
            at = 2;
        } else if is_align(chars.first()) {
            spec.align = Some(chars[0]);
            at = 1;
        }
        let mut flag = |c: char| {
            let found = chars.get(at) == Some(&c);
            at += usize::from(found);
            found
        };
        spec.plus = flag('+');
        spec.alternate = flag('#');
        spec.zero = flag('0');
        let number = |from: &mut usize| {
            let digits: String = chars[*from..]
                .iter()
                .take_while(|c| c.is_ascii_digit())
                .collect();
            *from += digits.len();
            digits.parse::<usize>().ok()
        };
        spec.width = number(&mut at).unwrap_or(0);
        if chars.get(at) == Some(&'.') {
            at += 1;
            spec.precision = number(&mut at);
        }
        spec.kind = chars[at..].iter().collect();
        spec
    }
}

fn format(value: Const, spec: &Spec) -> String {
    let body = match (value.ty.class(), spec.kind.as_str()) {
        (Class::Bool, _) => (value.bits != 0).to_string(),
        (Class::Float, kind) => float(value, kind, spec.precision),
        (_, "x") => radix(spec, "0x", format!("{:x}", value.bits)),
        (_, "X") => radix(spec, "0x", format!("{:X}", value.bits)),
        (_, "b") => radix(spec, "0b", format!("{:b}", value.bits)),
        (_, "o") => radix(spec, "0o", format!("{:o}", value.bits)),
        (Class::Signed, _) => signed(value).to_string(),
        (_, _) => value.bits.to_string(),
    };
    let body = match spec.plus && !body.starts_with('-') && value.ty != ScalarType::Bool {
        true => format!("+{body}"),
        false => body,
    };
    pad(body, spec, value.ty == ScalarType::Bool)
}

fn signed(value: Const) -> i64 {
    let unused = 64 - value.ty.bits();
    ((value.bits << unused) as i64) >> unused
}

fn float(value: Const, kind: &str, precision: Option<usize>) -> String {
    macro_rules! text {
        ($v:expr) => {
            match (kind, precision) {
                ("e", Some(p)) => format!("{:.p$e}", $v),
                ("e", None) => format!("{:e}", $v),
                ("E", _) => format!("{:E}", $v),
                (_, Some(p)) => format!("{:.p$}", $v),
                ("?", None) => format!("{:?}", $v),
                _ => $v.to_string(),
            }
        };
    }
    match value.ty {
        ScalarType::F32 => text!(f32::from_const(value)),
        _ => text!(f64::from_const(value)),
    }
}

fn radix(spec: &Spec, prefix: &str, digits: String) -> String {
    if spec.alternate {
        format!("{prefix}{digits}")
    } else {
        digits
    }
}

fn pad(body: String, spec: &Spec, text: bool) -> String {
    let missing = spec.width.saturating_sub(body.chars().count());
    if missing == 0 {
        return body;
    }
    if spec.zero {
        let sign = usize::from(body.starts_with(['-', '+']));
        let prefix = match spec.alternate && body[sign..].starts_with('0') {
            true => sign + 2,
            false => sign,
        };
        let (head, tail) = body.split_at(prefix.min(body.len()));
        return format!("{head}{}{tail}", "0".repeat(missing));
    }
    let default = if text { '<' } else { '>' };
    let left = match spec.align.unwrap_or(default) {
        '<' => 0,
        '^' => missing / 2,
        _ => missing,
    };
    let fill = spec.fill.unwrap_or(' ').to_string();
    format!("{}{body}{}", fill.repeat(left), fill.repeat(missing - left))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each field as std formats it.
    #[test]
    fn agrees_with_std() {
        let pi = std::f64::consts::PI;
        let cases = [
            (
                fill("{:.3}|{}", &[pi.into(), 1.0f32.into()]),
                format!("{pi:.3}|{}", 1.0f32),
            ),
            (fill("{:?}", &[1.0f32.into()]), format!("{:?}", 1.0f32)),
            (fill("{:>8.2}", &[pi.into()]), format!("{pi:>8.2}")),
            (fill("{:*^9}", &[(-5i32).into()]), format!("{:*^9}", -5)),
            (fill("{:#06x}", &[255u8.into()]), format!("{:#06x}", 255u8)),
            (fill("{:08.3}", &[(-pi).into()]), format!("{:08.3}", -pi)),
            (fill("{:x}", &[(-1i8).into()]), format!("{:x}", -1i8)),
            (fill("{:+}", &[7u64.into()]), format!("{:+}", 7)),
            (
                fill("{:e}", &[1500.0f64.into()]),
                format!("{:e}", 1500.0f64),
            ),
            (fill("{:6}|", &[true.into()]), format!("{:6}|", true)),
            (
                fill("{1} {0} {{}}", &[1i32.into(), 2i32.into()]),
                format!("{1} {0} {{}}", 1, 2),
            ),
        ];
        for (ours, std) in cases {
            assert_eq!(ours, std);
        }
    }

    #[test]
    fn leaves_what_is_no_field() {
        assert_eq!(fill("a { b", &[]), "a { b");
        assert_eq!(fill("{} {}", &[Const::u8(1)]), "1 {}");
        assert_eq!(fill("{0} ({1..})", &[1, 2, 3].map(Const::u8)), "1 (2, 3)");
    }
}
