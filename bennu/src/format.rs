//! Serializers of the application's own, as the node asks them.

use crate::letter::Locked;
use crate::panics;
use bennu_core::Kind;
use bennu_core::wire::{Decoded, Format, FormatError, Formats, Outgoing, Serializer};
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

/// The formats that the sockets of an endpoint have been given, each of them once.
#[derive(Default)]
pub(crate) struct Register {
    given: Vec<(Arc<dyn Format>, Serializer)>,
    formats: Formats,
}

impl Register {
    /// The serializer that a format is.
    pub(crate) fn add(&mut self, format: Arc<dyn Format>) -> Serializer {
        if let Some(&(_, serializer)) = self.given.iter().find(|(given, _)| Arc::ptr_eq(given, &format)) {
            return serializer;
        }
        let serializer = self.formats.add(Arc::new(Guarded(Arc::clone(&format))));
        self.given.push((format, serializer));
        serializer
    }

    pub(crate) fn into_formats(self) -> Formats {
        self.formats
    }
}

/// A format whose panics are errors.
struct Guarded(Arc<dyn Format>);

impl Format for Guarded {
    fn decode(&self, kind: Kind, data: &[u8]) -> Result<Decoded, FormatError> {
        guard(|| self.0.decode(kind, data))
    }

    fn encode(&self, outgoing: &Outgoing<'_>) -> Result<(Kind, Vec<u8>), FormatError> {
        guard(|| self.0.encode(outgoing))
    }
}

thread_local! {
    /// Whether a format is being asked while this thread holds a lock of its node.
    static UNDER_LOCK: Cell<bool> = const { Cell::new(false) };
}

fn guard<T>(ask: impl FnOnce() -> Result<T, FormatError>) -> Result<T, FormatError> {
    let before = UNDER_LOCK.replace(Locked::is_held());
    let answer = panics::held(ask);
    UNDER_LOCK.set(before);
    answer.unwrap_or_else(|panic| {
        tracing::error!(why = panic, "a format panicked");
        Err(FormatError::new(panic))
    })
}

/// Makes sure that it is no format that wants a lock of the node: under another, that would be the end of both.
///
/// # Panics
/// If it is: the format has failed then, and nothing else.
#[inline]
pub(crate) fn refuse_lock_under_lock() {
    assert!(!UNDER_LOCK.get(), "a format must not call its endpoint");
}

impl fmt::Debug for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.formats.fmt(f)
    }
}
