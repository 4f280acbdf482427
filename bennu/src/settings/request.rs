//! How large a request may be that opens a connection.

use bennu_core::connect;

/// Bounds on the head of a request that opens a connection.
///
/// An HTTP server has bounds of its own, which come first. `serve` of `bennu-tokio` and
/// `bennu-async-std` sets them by these; any other has to be set so that it takes as much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct RequestLimits {
    pub(crate) head: connect::Limits,
}

impl RequestLimits {
    /// The defaults, each of them said at its method.
    pub fn new() -> Self {
        Self::default()
    }

    /// The request target, path and query, in bytes: 8 KiB. A longer one is answered 414.
    pub fn target(mut self, bytes: usize) -> Self {
        self.head.target = bytes;
        self
    }

    /// All header lines together, in bytes: 16 KiB. Longer ones are answered 431.
    pub fn header_block(mut self, bytes: usize) -> Self {
        self.head.header_block = bytes;
        self
    }

    /// Header lines, each repetition of a name counted: 64. More are answered 431.
    pub fn headers(mut self, lines: usize) -> Self {
        self.head.headers = lines;
        self
    }

    /// How many bytes of a head can be accepted at all, its target and its header lines together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.head.target.saturating_add(self.head.header_block)
    }

    /// How many header lines can be accepted.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.head.headers
    }

    /// Of each bound the wider one.
    pub(crate) fn or(self, other: Self) -> Self {
        let (one, two) = (self.head, other.head);
        Self {
            head: connect::Limits {
                target: one.target.max(two.target),
                header_block: one.header_block.max(two.header_block),
                headers: one.headers.max(two.headers),
            },
        }
    }
}
