//! Which facts about a request are kept.

use std::fmt;

/// The facts about a request that a mount keeps for its application; none by default, as each costs memory
/// for as long as the connection lives.
///
/// ```
/// use bennu_core::connect::ConnectInfoKeys;
///
/// let keys = ConnectInfoKeys::new().peer_data().x_headers();
/// assert!(keys.contains(ConnectInfoKeys::new().x_headers()));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ConnectInfoKeys(u8);

impl ConnectInfoKeys {
    pub(super) const PEER_DATA: Self = Self(1);
    pub(super) const URI: Self = Self(1 << 1);
    pub(super) const USER_AGENT: Self = Self(1 << 2);
    pub(super) const X_HEADERS: Self = Self(1 << 3);
    pub(super) const TRACE_CONTEXT_HEADERS: Self = Self(1 << 4);
    pub(super) const SEC_WEBSOCKET_HEADERS: Self = Self(1 << 5);

    /// Nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(0)
    }

    /// And the address of the TCP peer.
    #[must_use]
    pub const fn peer_data(self) -> Self {
        self.and(Self::PEER_DATA)
    }

    /// And the parts of the request's URL.
    #[must_use]
    pub const fn uri(self) -> Self {
        self.and(Self::URI)
    }

    /// And the `user-agent` header.
    #[must_use]
    pub const fn user_agent(self) -> Self {
        self.and(Self::USER_AGENT)
    }

    /// And the headers whose names start with `x-`.
    #[must_use]
    pub const fn x_headers(self) -> Self {
        self.and(Self::X_HEADERS)
    }

    /// And the headers `traceparent` and `tracestate`.
    #[must_use]
    pub const fn trace_context_headers(self) -> Self {
        self.and(Self::TRACE_CONTEXT_HEADERS)
    }

    /// And the headers whose names start with `sec-websocket-`.
    #[must_use]
    pub const fn sec_websocket_headers(self) -> Self {
        self.and(Self::SEC_WEBSOCKET_HEADERS)
    }

    /// Whether all of the other's keys are among these.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for ConnectInfoKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::PEER_DATA, "peer_data"),
            (Self::URI, "uri"),
            (Self::USER_AGENT, "user_agent"),
            (Self::X_HEADERS, "x_headers"),
            (Self::TRACE_CONTEXT_HEADERS, "trace_context_headers"),
            (Self::SEC_WEBSOCKET_HEADERS, "sec_websocket_headers"),
        ];
        let held = names.iter().filter(|(key, _)| self.contains(*key)).map(|(_, name)| name);
        f.debug_set().entries(held).finish()
    }
}
