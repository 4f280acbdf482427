//! What a session's token says.

use std::fmt;
use std::time::Duration;

/// Which session a token belongs to. To the client it is opaque; only who has signed it reads it.
///
/// How it is signed is not known here. The functions that are passed in sign bytes, and give back the bytes of a
/// token whose signature holds and which is not too old.
///
/// ```
/// use bennu_core::longpoll::Ticket;
///
/// let ticket = Ticket { endpoint: 7, mount: 0, session: 42 };
/// let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
/// let token = ticket.sign(hex); // no signature at all
/// assert_eq!(token.len(), 2 * Ticket::LEN);
/// ```
///
/// Phoenix signs its endpoint's id, a process and the name of a private topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// Which run of which endpoint holds the session: drawn at random when it starts. One that does not know this
    /// number cannot have the session.
    pub endpoint: u64,
    /// Which mount it was opened at: no other one's requests reach it.
    pub mount: u32,
    /// Which session: drawn at random, since nobody shall guess another's.
    pub session: u128,
}

/// Why a token leads to no session: 410, and nothing of it is told to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TicketError {
    /// It is none of ours: altered, too old, signed with another secret, or no token at all.
    NotSigned,
    /// What is signed is no ticket: the secret signs other things, too.
    NotATicket,
    /// Another endpoint's, or of an earlier run of this one.
    OtherEndpoint {
        /// Which one's.
        endpoint: u64,
    },
    /// Of a session at another mount.
    OtherMount {
        /// Which one's.
        mount: u32,
    },
}

impl Ticket {
    /// How old a token may be: 14 days, as Phoenix's `crypto: [max_age: 1_209_600]`.
    pub const MAX_AGE: Duration = Duration::from_secs(14 * 24 * 60 * 60);

    /// The length of what is signed, in bytes.
    pub const LEN: usize = 29;

    /// What each ticket starts with: this form of it.
    const VERSION: u8 = 1;

    /// Makes a token.
    ///
    /// Shape of what is signed: the byte 1, then endpoint, mount and session, big endian.
    pub fn sign(&self, sign: impl FnOnce(&[u8]) -> String) -> String {
        let mut bytes = [0; Self::LEN];
        bytes[0] = Self::VERSION;
        bytes[1..9].copy_from_slice(&self.endpoint.to_be_bytes());
        bytes[9..13].copy_from_slice(&self.mount.to_be_bytes());
        bytes[13..].copy_from_slice(&self.session.to_be_bytes());
        sign(&bytes)
    }

    /// Reads a token. `verify` returns what was signed, and nothing if the signature does not hold or is older
    /// than [`Ticket::MAX_AGE`].
    ///
    /// # Errors
    /// [`TicketError`] if it does not lead to a session of this endpoint and mount.
    pub fn verify<T: AsRef<[u8]>>(
        token: &str,
        endpoint: u64,
        mount: u32,
        verify: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Self, TicketError> {
        let signed = verify(token).ok_or(TicketError::NotSigned)?;
        let ticket = Self::read(signed.as_ref()).ok_or(TicketError::NotATicket)?;
        if ticket.endpoint != endpoint {
            return Err(TicketError::OtherEndpoint { endpoint: ticket.endpoint });
        }
        if ticket.mount != mount {
            return Err(TicketError::OtherMount { mount: ticket.mount });
        }
        Ok(ticket)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (&[Self::VERSION], rest) = bytes.split_first_chunk()? else { return None };
        let (endpoint, rest) = rest.split_first_chunk()?;
        let (mount, session) = rest.split_first_chunk()?;
        Some(Self {
            endpoint: u64::from_be_bytes(*endpoint),
            mount: u32::from_be_bytes(*mount),
            session: u128::from_be_bytes(session.try_into().ok()?),
        })
    }
}

impl fmt::Display for TicketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSigned => f.write_str("the token is not signed, or too old"),
            Self::NotATicket => f.write_str("the token is not that of a session"),
            Self::OtherEndpoint { endpoint } => write!(f, "the token is that of endpoint {endpoint}"),
            Self::OtherMount { mount } => write!(f, "the token is that of a session at mount {mount}"),
        }
    }
}

impl std::error::Error for TicketError {}
