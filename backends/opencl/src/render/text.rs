//! Text in the making: indented lines, each with the place in the user's source that it comes from.

use dsl_runtime::ir::Place;

/// Lines of OpenCL C.
#[derive(Debug, Default)]
pub struct Text {
    lines: String,
    /// Per line, where the user wrote what it computes.
    places: Vec<Place>,
    depth: usize,
    place: Place,
}

impl Text {
    /// The lines that follow come from here.
    pub fn from(&mut self, place: Place) {
        if place != Place::default() {
            self.place = place;
        }
    }

    /// Adds lines; one that begins with a closing brace stands further left, and what follows an opening one further right.
    pub fn line(&mut self, text: impl AsRef<str>) {
        for line in text.as_ref().lines() {
            let line = line.trim();
            if line.starts_with('}') {
                self.depth = self.depth.saturating_sub(1);
            }
            for _ in 0..if line.is_empty() { 0 } else { self.depth } {
                self.lines.push_str("    ");
            }
            self.lines.push_str(line);
            self.lines.push('\n');
            self.places.push(self.place);
            if line.ends_with('{') {
                self.depth += 1;
            }
        }
    }

    /// Adds what was written elsewhere, as it would stand here.
    pub fn include(&mut self, other: Text) {
        for (line, place) in other.lines.lines().zip(other.places) {
            self.from(place);
            self.line(line);
        }
    }

    /// Whether these words stand in it.
    pub fn has(&self, words: &str) -> bool {
        self.lines.contains(words)
    }

    /// The text, and per line where it comes from.
    pub fn finish(self) -> (String, Vec<Place>) {
        (self.lines, self.places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indents_what_braces_enclose() {
        let mut text = Text::default();
        text.line("for (;;) {\na = 1;\n} else {\nb = 2;\n}");
        assert_eq!(
            text.finish().0,
            "for (;;) {\n    a = 1;\n} else {\n    b = 2;\n}\n"
        );
    }
}
