//! What a run has sent, and why.

use crate::comm::Sent;
use std::fmt;

/// What one rank has sent in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// For each reason, in the order in which they came up.
    pub lines: Vec<Line>,
}

/// What was sent for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Why.
    pub why: &'static str,
    /// Of which array.
    pub array: Option<String>,
    /// How often there was something to be said.
    pub times: u64,
    /// How much this rank sent.
    pub sent: Sent,
}

impl Ledger {
    /// Notes that so much was sent.
    pub fn note(&mut self, why: &'static str, array: Option<&str>, sent: Sent) {
        let same = |line: &&mut Line| line.why == why && line.array.as_deref() == array;
        if let Some(line) = self.lines.iter_mut().find(same) {
            line.times += u64::from(sent.messages > 0);
            line.sent.messages += sent.messages;
            line.sent.bytes += sent.bytes;
        } else if sent.messages > 0 {
            self.lines.push(Line {
                why,
                array: array.map(str::to_string),
                times: 1,
                sent,
            });
        }
    }

    /// What was sent in all.
    pub fn total(&self) -> Sent {
        let mut total = Sent::default();
        for line in &self.lines {
            total.messages += line.sent.messages;
            total.bytes += line.sent.bytes;
        }
        total
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line {
            why,
            array,
            times,
            sent,
        } in &self.lines
        {
            let array = array.as_ref().map(|array| format!(" of %{array}"));
            writeln!(
                f,
                "  {} messages, {} B: {why}{} ({times} times)",
                sent.messages,
                sent.bytes,
                array.unwrap_or_default()
            )?;
        }
        if self.lines.is_empty() {
            writeln!(f, "  nothing")?;
        }
        Ok(())
    }
}
