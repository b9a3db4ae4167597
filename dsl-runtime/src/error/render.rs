//! An error as text, in the manner of rustc.

use super::{Error, Site};
use std::fmt;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: {}", self.code(), self.message())?;
        let site = self.site();
        let margin = match &site {
            Some(site) => locate(f, site)?,
            None => 0,
        };
        if let Some(kernel) = self.kernel().filter(|kernel| !kernel.is_empty()) {
            write!(f, "\n{:margin$} = in kernel `{kernel}`", "")?;
        }
        let remedy = self.remedy();
        if !remedy.is_empty() {
            write!(f, "\n{:margin$} = help: {remedy}", "")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Writes the place and its line; returns the width of the margin.
fn locate(f: &mut fmt::Formatter<'_>, site: &Site) -> Result<usize, fmt::Error> {
    let span = site.span;
    if site.file().is_empty() {
        return Ok(0);
    }
    if span.line == 0 {
        write!(f, "\n --> {}:{}", site.file(), site.source.first_line)?;
        return Ok(2);
    }
    let number = span.line.to_string();
    let margin = number.len();
    write!(
        f,
        "\n{:margin$}--> {}:{number}:{}",
        "",
        site.file(),
        span.column
    )?;
    let line = site.source.line(span.line);
    if line.is_empty() {
        return Ok(margin);
    }
    let before = span.column.saturating_sub(1) as usize;
    // Tabs stay tabs, so that the caret stands below its character whatever their width.
    let indent: String = line
        .chars()
        .take(before)
        .map(|c| if c == '\t' { c } else { ' ' })
        .collect();
    let rest = line.trim_end().chars().count().saturating_sub(before);
    let wide = match span.end_line == span.line {
        true => (span.end_column.saturating_sub(span.column) as usize).min(rest),
        false => rest,
    };
    let carets = "^".repeat(wide.max(1));
    write!(
        f,
        "\n{:margin$} |\n{number} | {}\n{:margin$} | {indent}{carets}",
        "",
        line.trim_end(),
        ""
    )?;
    Ok(margin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Const, Fault};
    use crate::syntax::{Source, Span};

    fn error(line: u32, end_line: u32) -> Error {
        let site = Site {
            kernel: "spmv".into(),
            source: Source {
                file: "src/main.rs",
                first_line: 11,
                text: "fn f() {\n\tvals[k] * x[j]\n}",
            },
            span: Span {
                line,
                column: 12,
                end_line,
                end_column: 16,
            },
        };
        Error::Fault {
            fault: Fault::IndexOutOfBounds,
            operands: vec![Const::u64(9), Const::u64(3)],
            site: Box::new(site),
        }
    }

    #[test]
    fn shows_the_line_with_a_caret() {
        assert_eq!(
            error(12, 12).to_string(),
            "error[CU0201]: index 9 is out of bounds for length 3
  --> src/main.rs:12:12
   |
12 | \tvals[k] * x[j]
   | \t          ^^^^
   = in kernel `spmv`
   = help: test the index against the length first; `get` and `gather_or` have an answer for what lies outside"
        );
    }

    #[test]
    fn marks_the_rest_of_a_line_where_the_stretch_goes_on() {
        assert!(error(12, 13).to_string().contains("          ^^^^\n"));
    }

    #[test]
    fn names_only_the_kernel_where_there_is_no_line() {
        let text = error(0, 0).to_string();
        assert!(
            text.contains("\n --> src/main.rs:11\n   = in kernel `spmv`"),
            "{text}"
        );
    }
}
