//! The plain function, with its panics caught: text and place of a panic become an error, and nothing is printed.

use crate::error::{Error, Site};
use crate::syntax::Span;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// What the hook saw: file, line, column.
type Seen = Option<(String, u32, u32)>;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static SEEN: RefCell<Seen> = const { RefCell::new(None) };
}

/// Runs `body`; a panic in it is an error at `site`.
pub(super) fn catch<R>(body: impl FnOnce() -> R, site: impl FnOnce() -> Site) -> Result<R, Error> {
    install();
    let outer = CATCHING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(body));
    CATCHING.set(outer);
    result.map_err(|payload| {
        let text = match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(payload) => match payload.downcast::<&'static str>() {
                Ok(text) => text.to_string(),
                Err(_) => "the plain function panicked".to_string(),
            },
        };
        let mut site = site();
        if let Some((file, line, column)) = SEEN.take()
            && file == site.source.file
        {
            let end = site.source.line(line).trim_end().chars().count() as u32 + 1;
            site.span = Span {
                line,
                column,
                end_line: line,
                end_column: (column + 1).max(end.min(column + 1)),
            };
        }
        Error::Panic {
            text,
            site: Box::new(site),
        }
    })
}

/// Puts a hook before the program's: it notes where a panic that we catch came from, and leaves all others to the hook
/// that was there.
fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !CATCHING.get() {
                return before(info);
            }
            let at = info.location();
            let seen = at.map(|at| (at.file().to_string(), at.line(), at.column()));
            SEEN.set(seen);
        }));
    });
}
