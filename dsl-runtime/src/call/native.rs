//! The plain function, with its panics caught: text and place of a panic become an error, and nothing is printed.

use crate::backend::panic_text;
use crate::error::{Error, Site};
use crate::syntax::Span;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::thread::panicking;

/// What the hook saw: file, line, column.
type Seen = Option<(String, u32, u32)>;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static SEEN: RefCell<Seen> = const { RefCell::new(None) };
}

/// Runs `body`; a panic in it is an error at `site`.
pub(super) fn catch<R>(body: impl FnOnce() -> R, site: impl FnOnce() -> Site) -> Result<R, Error> {
    install();
    // Of a panic that unwinds at the moment: its place is asked for later.
    let unwinding = SEEN.take();
    let outer = CATCHING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(body));
    CATCHING.set(outer);
    let seen = SEEN.replace(unwinding);
    result.map_err(|payload| {
        let text = panic_text(&*payload).unwrap_or("the plain function panicked");
        let mut site = site();
        if let Some((file, line, column)) = seen
            && file == site.source.file
        {
            // A panic tells where it begins, not how far it reaches.
            site.span = Span {
                line,
                column,
                end_line: line,
                end_column: column + 1,
            };
        }
        Error::Panic {
            text: text.to_string(),
            site: Box::new(site),
        }
    })
}

/// Puts a hook before the program's: it notes where a panic that we catch came from, and leaves all others to the hook
/// that was there.
///
/// A thread that panics already may not change the hook, and this would be an abort. The call of a destructor then goes without
/// it: the program's hook may print a panic that we catch, and its place stays unknown. A later call puts it there.
fn install() {
    static ONCE: Once = Once::new();
    if panicking() {
        return;
    }
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
