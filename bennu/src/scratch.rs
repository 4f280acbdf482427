//! One read buffer a thread: an idle connection has none.

use std::cell::Cell;

/// The size of a read, in bytes.
const SIZE: usize = 64 * 1024;

thread_local! {
    static SCRATCH: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Takes this thread's buffer; to be put back.
pub(crate) fn take() -> Box<[u8]> {
    SCRATCH.take().unwrap_or_else(|| vec![0; SIZE].into_boxed_slice())
}

/// Gives the buffer back.
pub(crate) fn put(scratch: Box<[u8]>) {
    SCRATCH.set(Some(scratch));
}
