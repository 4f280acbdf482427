//! What a POST carries.

use crate::Kind;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap};
use std::fmt;

/// One message of the client, not yet decoded. Of its body, printing with `{:?}` tells the length alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Data {
    /// Text or binary.
    pub kind: Kind,
    /// Text is what the client sent, whatever it is; who decodes it checks that it is UTF-8.
    pub body: Bytes,
}

/// How the messages of a POST are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// The whole body is one text message.
    Single,
    /// Each line is a message: text if it starts with `[`, else base64 of a binary one.
    ///
    /// Shape: `["1","1","room:1","phx_join",{}]\nAAEBDgUx…`. Lines end in `\n` or `\r\n`; behind a last one comes
    /// an empty line, which is an empty binary message.
    Batch,
}

/// How large the body of a POST may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// In bytes; past it, 413. 1 MiB. (Phoenix: 8,000,000, and 400.)
    pub bytes: usize,
    /// The lines of a batch; those past it are dropped in silence, as by Phoenix. 100.
    pub lines: usize,
}

/// Why a body cannot be read: the peer's fault. Nothing of it is taken, and the session lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyError {
    /// It is too long: 413.
    TooLong {
        /// Its length in bytes.
        len: usize,
        /// What it may be, in bytes.
        limit: usize,
    },
    /// A line of a batch is neither text nor base64: 400 (Phoenix: 500).
    NotBase64 {
        /// Which one; the first is 0.
        line: usize,
    },
    /// A text message has a NUL in it, which no JSON has: 400 (Phoenix: 500).
    Nul {
        /// Which one; the first is 0.
        line: usize,
    },
}

impl Encoding {
    /// How the body of this request is written down: a batch if its type is exactly `application/x-ndjson`.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let mut types = headers.get_all(CONTENT_TYPE).iter();
        match (types.next(), types.next()) {
            (Some(only), None) if only.as_bytes() == b"application/x-ndjson" => Self::Batch,
            _ => Self::Single,
        }
    }

    /// Reads a body: at least one message, unless the limit is no line at all. A single message is the body itself;
    /// lines are copied out of it, since one that waits would keep all of it in memory.
    ///
    /// Whoever receives the body stops at [`BodyLimits::bytes`], too: this is for what came in one piece.
    ///
    /// # Errors
    /// [`BodyError`] for what is wrong with it first.
    ///
    /// Source: Phoenix `Transports.LongPoll`; there the messages in front of a bad line are taken.
    pub fn read(self, body: &Bytes, limits: BodyLimits) -> Result<Vec<Data>, BodyError> {
        if body.len() > limits.bytes {
            return Err(BodyError::TooLong { len: body.len(), limit: limits.bytes });
        }
        match self {
            Self::Single => Ok(vec![text(body.clone(), 0)?]),
            Self::Batch => {
                lines(body).take(limits.lines).enumerate().map(|(at, line)| message(line, at)).collect()
            }
        }
    }

    /// Whether [`read`](Self::read) drops lines of this body, since there are more than [`BodyLimits::lines`].
    #[must_use]
    pub fn drops_lines(self, body: &[u8], limits: BodyLimits) -> bool {
        self == Self::Batch && lines(body).nth(limits.lines).is_some()
    }
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self { bytes: 1 << 20, lines: 100 }
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Data").field("kind", &self.kind).field("len", &self.body.len()).finish()
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { len, limit } => write!(f, "the body of {len} bytes is longer than {limit}"),
            Self::NotBase64 { line } => write!(f, "line {line} of the batch is neither an array nor base64"),
            Self::Nul { line } => write!(f, "message {line} of the body has a NUL"),
        }
    }
}

impl std::error::Error for BodyError {}

/// The lines of a batch, without what ends them. Nothing is looked at before it is asked for: a body may be a
/// million empty lines.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(body);
    std::iter::from_fn(move || {
        let all = rest.take()?;
        let Some(end) = all.iter().position(|&byte| byte == b'\n') else { return Some(all) };
        rest = Some(&all[end + 1..]);
        let line = &all[..end];
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}

fn message(line: &[u8], at: usize) -> Result<Data, BodyError> {
    if line.starts_with(b"[") {
        return text(Bytes::copy_from_slice(line), at);
    }
    let body = STANDARD.decode(line).map_err(|_| BodyError::NotBase64 { line: at })?;
    Ok(Data { kind: Kind::Binary, body: body.into() })
}

fn text(body: Bytes, at: usize) -> Result<Data, BodyError> {
    if body.contains(&0) {
        return Err(BodyError::Nul { line: at });
    }
    Ok(Data { kind: Kind::Text, body })
}
