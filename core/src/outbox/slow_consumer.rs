//! What becomes of broadcasts to a peer that takes too little.

/// What becomes of a broadcast when more waits for its peer than may, or has waited for too long.
///
/// Only broadcasts are ever dropped: an answer, a push, a `phx_close` never is, nor the frame that is the next to be
/// written. What is left keeps its order. When all that may be dropped has been, and it is too much still, the peer
/// is cut off whatever was chosen.
///
/// ```text
///  waiting, oldest first:      a1 b1 a2 r b2 a3     a, b: events; r: a reply; room for four
///
///  Disconnect                  -                    close 1013
///  DropNewest                  a1 b1 a2 r
///  DropOldest                        a2 r b2 a3
///  KeepLatest                           r b2 a3
/// ```
///
/// Of several that wait for one peer, what is to [keep the latest](Self::KeepLatest) goes first, then the
/// [oldest](Self::DropOldest), and only then the [newest](Self::DropNewest).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SlowConsumer {
    /// The peer is cut off: a client reconnects, and finds out what it has missed. The default, as nothing is lost
    /// unnoticed.
    #[default]
    Disconnect,
    /// What comes now is dropped, until there is room again: what waits already is whole, and then there is a gap.
    ///
    /// What waits for too long keeps its place, and nothing new is taken until the peer takes some of it.
    DropNewest,
    /// The oldest are dropped, as many as make room: the peer is as close behind as it can be.
    ///
    /// Those that wait for too long are dropped as well.
    DropOldest,
    /// All are dropped that are followed by another of the same topic and event: for what replaces what was sent
    /// before, such as a position or a score.
    ///
    /// The latest stays, however long it waits. Whoever drives the outbox may have the others
    /// [dropped sooner](super::Outbox::drop_stale).
    KeepLatest,
}

/// How many policies drop anything.
pub(super) const LOSSY: usize = 3;

impl SlowConsumer {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Disconnect, Self::DropNewest, Self::DropOldest, Self::KeepLatest];

    /// Its place among those that drop anything; `None` for the one that does not.
    pub(super) fn index(self) -> Option<usize> {
        match self {
            Self::Disconnect => None,
            Self::DropNewest => Some(0),
            Self::DropOldest => Some(1),
            Self::KeepLatest => Some(2),
        }
    }
}
