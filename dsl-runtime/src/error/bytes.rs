//! Numbers of bytes for people: `1.5 GiB`.

/// The number in the largest unit of which there is at least one, to one decimal.
///
/// ```
/// assert_eq!(dsl_runtime::error::readable(1536 << 20), "1.5 GiB");
/// ```
pub fn readable(bytes: u128) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    // Numbers that overflowed stand for all that no memory has.
    if bytes >= 1 << 64 {
        return "more than 16 EiB".to_string();
    }
    let power = bytes.max(1).ilog2() as usize / 10;
    match power.checked_sub(1) {
        None => format!("{bytes} bytes"),
        Some(unit) => format!(
            "{:.1} {}",
            bytes as f64 / (1u128 << (10 * power)) as f64,
            UNITS[unit]
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn units() {
        assert_eq!(readable(0), "0 bytes");
        assert_eq!(readable(1023), "1023 bytes");
        assert_eq!(readable(1024), "1.0 KiB");
        assert_eq!(readable(1536 << 20), "1.5 GiB");
        assert_eq!(readable(1 << 60), "1.0 EiB");
        assert_eq!(readable(u128::from(u64::MAX)), "16.0 EiB");
        assert_eq!(readable(u128::MAX), "more than 16 EiB");
    }
}
