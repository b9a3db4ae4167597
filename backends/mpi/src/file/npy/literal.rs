//! Text → the dictionary that it writes: what headers need of Python's literals, and no more.
//!
//! It does not call itself, so that no text is too deep for it, and what it makes is no larger than the text.

/// A value of a dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A string, between quotes of either kind.
    Text(&'a str),
    /// `True` or `False`.
    Bool(bool),
    /// A tuple of whole numbers, each as it stands there.
    Numbers(Vec<&'a str>),
    /// Something else, as it stands there.
    Other(&'a str),
}

/// What is wrong: what stands there, and what should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) found: String,
    pub(super) expected: &'static str,
}

/// The keys and values of a dictionary whose keys are strings, in their order. Blanks may follow it, nothing else.
pub(super) fn dictionary(text: &str) -> Result<Vec<(&str, Value<'_>)>, Wrong> {
    let mut rest = Rest(text);
    let mut entries = vec![];
    rest.sign('{', "a dictionary, {…}")?;
    while rest.peek() != Some('}') {
        let Value::Text(key) = rest.value()? else {
            return Err(rest.wrong("a key between quotes"));
        };
        rest.sign(':', "a colon")?;
        entries.push((key, rest.value()?));
        match rest.peek() {
            Some(',') => rest.sign(',', "a comma")?,
            Some('}') => {}
            _ => return Err(rest.wrong("a comma, or the } of the dictionary")),
        }
    }
    rest.sign('}', "the } of the dictionary")?;
    match rest.peek() {
        None => Ok(entries),
        Some(_) => Err(rest.wrong("nothing after the dictionary")),
    }
}

/// What is not read yet.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// The next character that is no blank.
    fn peek(&mut self) -> Option<char> {
        self.0 = self.0.trim_ascii_start();
        self.0.chars().next()
    }

    fn sign(&mut self, sign: char, expected: &'static str) -> Result<(), Wrong> {
        match self.peek() == Some(sign) {
            true => {
                self.take(sign.len_utf8());
                Ok(())
            }
            false => Err(self.wrong(expected)),
        }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    fn wrong(&self, expected: &'static str) -> Wrong {
        const SHOWN: usize = 40;
        let mut shown: String = self.0.trim_end().chars().take(SHOWN).collect();
        if shown.is_empty() {
            shown.push_str("the end");
        }
        let found = shown.escape_debug().to_string();
        Wrong { found, expected }
    }

    fn value(&mut self) -> Result<Value<'a>, Wrong> {
        match self.peek() {
            Some('\'' | '"') => {
                let length = string(self.0).ok_or_else(|| self.wrong("a string with its end"))?;
                let text = self.take(length);
                Ok(Value::Text(&text[1..length - 1]))
            }
            Some('(' | '[' | '{') => {
                let length = brackets(self.0);
                let length = length.ok_or_else(|| self.wrong("brackets with their ends"))?;
                let text = self.take(length);
                Ok(numbers(text).map_or(Value::Other(text), Value::Numbers))
            }
            _ => {
                let word = |c: char| c.is_ascii_alphanumeric() || "_+-.".contains(c);
                let length = self.0.find(|c| !word(c)).unwrap_or(self.0.len());
                match self.0[..length].len() {
                    0 => Err(self.wrong("a value")),
                    _ => Ok(match self.take(length) {
                        "True" => Value::Bool(true),
                        "False" => Value::Bool(false),
                        other => Value::Other(other),
                    }),
                }
            }
        }
    }
}

/// How long the string is that the text begins with, with its quotes.
fn string(text: &str) -> Option<usize> {
    let mut signs = text.char_indices();
    let quote = signs.next()?.1;
    while let Some((at, sign)) = signs.next() {
        match sign {
            '\\' => drop(signs.next()),
            _ if sign == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// How long the text is from the bracket that it begins with to the one that closes it.
fn brackets(text: &str) -> Option<usize> {
    let (mut open, mut at) = (vec![], 0);
    while let Some(sign) = text[at..].chars().next() {
        match sign {
            '\'' | '"' => at += string(&text[at..])?,
            _ => at += sign.len_utf8(),
        }
        match sign {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(sign) => return None,
            _ => {}
        }
        if open.is_empty() {
            return Some(at);
        }
    }
    None
}

/// The numbers of a tuple of whole numbers. `(3)` is none: a tuple of one has a comma.
fn numbers(text: &str) -> Option<Vec<&str>> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?.trim_ascii();
    if inner.is_empty() {
        return Some(vec![]);
    }
    let all = match inner.strip_suffix(',') {
        Some(all) => all,
        None if inner.contains(',') => inner,
        None => return None,
    };
    let number = |text: &str| {
        let text = text.trim_ascii();
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain && (digits == "0" || !digits.starts_with('0'))
    };
    // Python 2 wrote an L behind long numbers.
    let words = all.split(',').map(|word| {
        let word = word.trim_ascii();
        word.strip_suffix('L').unwrap_or(word)
    });
    words.map(|word| number(word).then_some(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_numpy_writes() {
        let text = "{'descr': '<f8', \"fortran_order\": False, 'shape': (3, 4L), }   \n";
        let want = vec![
            ("descr", Value::Text("<f8")),
            ("fortran_order", Value::Bool(false)),
            ("shape", Value::Numbers(vec!["3", "4"])),
        ];
        assert_eq!(dictionary(text), Ok(want));
        assert_eq!(dictionary("{}"), Ok(vec![]));
    }

    #[test]
    fn tuples() {
        let shape = |text| match dictionary(text).unwrap().pop().unwrap().1 {
            Value::Numbers(numbers) => Some(numbers.len()),
            _ => None,
        };
        for (text, want) in [
            ("{'s': ()}", Some(0)),
            ("{'s': ( )}", Some(0)),
            ("{'s': (3,)}", Some(1)),
            ("{'s': ( 3 , -4 , )}", Some(2)),
            ("{'s': (3)}", None),
            ("{'s': (,)}", None),
            ("{'s': (3,,)}", None),
            ("{'s': (03,)}", None),
            ("{'s': [3, 4]}", None),
            ("{'s': (3, 4.5)}", None),
            ("{'s': (3, (4,))}", None),
            ("{'s': 3}", None),
        ] {
            assert_eq!(shape(text), want, "{text}");
        }
    }

    #[test]
    fn what_else_stands_there_is_shown() {
        let text = r#"{'descr': [('a', '<f8'), (')"', "\"]")], 'x': None}"#;
        let value = dictionary(text).unwrap().swap_remove(0).1;
        let want = r#"[('a', '<f8'), (')"', "\"]")]"#;
        assert_eq!(value, Value::Other(want));
    }

    #[test]
    fn errors_show_the_place() {
        for (text, found, expected) in [
            ("", "the end", "a dictionary, {…}"),
            ("[1]", "[1]", "a dictionary, {…}"),
            ("{'a' 1}", "1}", "a colon"),
            ("{1: 1}", ": 1}", "a key between quotes"),
            ("{'a': }", "}", "a value"),
            ("{'a': 1", "the end", "a comma, or the } of the dictionary"),
            (
                "{'a': 1 'b'}",
                "\\'b\\'}",
                "a comma, or the } of the dictionary",
            ),
            ("{'a': 'x}", "\\'x}", "a string with its end"),
            ("{'a': (1]}", "(1]}", "brackets with their ends"),
            (
                "{} ; import os",
                "; import os",
                "nothing after the dictionary",
            ),
        ] {
            let found = found.into();
            assert_eq!(dictionary(text), Err(Wrong { found, expected }), "{text}");
        }
    }

    #[test]
    fn no_text_is_too_deep() {
        let text = format!("{{'a': {}", "(".repeat(1 << 20));
        assert!(dictionary(&text).is_err());
        let deep = "[".repeat(1 << 20) + &"]".repeat(1 << 20);
        assert!(dictionary(&format!("{{'a': {deep}}}")).is_ok());
    }
}
