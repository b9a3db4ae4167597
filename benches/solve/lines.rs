//! How long the two programs are.

/// The lines of a source that are neither blank nor only a comment.
fn count(source: &str) -> usize {
    let lines = source.lines().map(str::trim_start);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}

/// A sentence about both programs.
pub fn comparison() -> String {
    let ours = count(include_str!("ours.rs"));
    let host = count(include_str!("hand.rs"));
    let device = count(include_str!("hand.cl"));
    let ratio = (host + device) as f64 / ours as f64;
    format!(
        "Lines that are neither blank nor a comment: {} by hand ({host} in Rust, {device} in OpenCL C), {ours} in our language: \
         {ratio:.1} times fewer.",
        host + device
    )
}
