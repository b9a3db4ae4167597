//! Places in the user's source.

/// A stretch of source: lines and columns count characters from 1, the end is exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The line it begins on.
    pub line: u32,
    /// The column it begins at.
    pub column: u32,
    /// The line it ends on.
    pub end_line: u32,
    /// The column behind its last character.
    pub end_column: u32,
}

/// A piece of a source file: enough to show any line of it without reading the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Source {
    /// The path, as the compiler was given it.
    pub file: &'static str,
    /// The number of the first line of `text`.
    pub first_line: u32,
    /// The lines, with their indentation.
    pub text: &'static str,
}

impl Source {
    /// The text of a line by its number in the file; empty if it lies outside.
    ///
    /// ```
    /// let s = dsl_runtime::syntax::Source { file: "a.rs", first_line: 7, text: "fn f() {\n    1\n}" };
    /// assert_eq!(s.line(8), "    1");
    /// ```
    pub fn line(&self, number: u32) -> &'static str {
        let index = number.wrapping_sub(self.first_line) as usize;
        self.text.lines().nth(index).unwrap_or("")
    }
}
