//! Where releases of Phoenix differ.

/// Which release of Phoenix is followed, where they differ on the wire.
///
/// | | 1.8.9 | 1.8.12 |
/// |---|---|---|
/// | the payload of `phx_error` | `{}` | `{"reason":"channel_crash"}` |
/// | a message with join_ref null, for a channel joined with one | dropped | taken |
/// | a message with a join_ref, for a channel joined with null | taken | dropped |
/// | the token of a long-poll session | the parameter `token` | the header `x-phoenix-longpoll-token`, else the parameter |
/// | long-poll answers say `cache-control: no-store` | no | yes |
///
/// For clients that were written for the older one, and to hold this crate against recordings of it. Each rule stands
/// where it is applied: in [`server`](crate::server) and in [`longpoll`](crate::longpoll).
///
/// Source: Phoenix changed the payload and long-polling in 1.8.10, join_refs in 1.8.12.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compat {
    /// Phoenix 1.8.9. In what is listed above, those from 1.8.3 on do the same.
    Phoenix1_8_9,
    /// Phoenix 1.8.12.
    #[default]
    Phoenix1_8_12,
}
