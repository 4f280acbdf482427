//! Signed and encrypted tokens, byte for byte those of `Phoenix.Token`.
//!
//! A server hands a token out, and takes it back as a proof that it was made with the same secret, for the
//! same purpose (the *salt*), and not long ago. Who holds a signed token can read it; an encrypted one only
//! the server can. Neither is stored anywhere, so a token may be shown any number of times until it has
//! expired.
//!
//! ```text
//!  secret, salt ─PBKDF2─▶ Keys
//!    sign     SFMyNTY.g2gDYQFuBgAAaOXPiwFiAAFRgA.diBgyKSmNpVMWDnPJFIm6gU1GNeFN7vZbnSzVobkIDQ
//!             "HS256" {data, signed at, max age} HMAC-SHA256 of all that stands before its dot
//!    encrypt  XCP.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXM540xaS-g_Zl-huJYCIe6Sy7jkbLVRW8I88_PvEvOF7K9XCGncz12Us
//!                 nonce, 24 bytes; tag, 16 bytes; the same payload by XChaCha20-Poly1305
//! ```
//!
//! Segments are base64 in the URL-safe alphabet, the payload is a [`Term`] in Erlang's external format. What
//! was not made with one of the keys is refused before any of that payload is decoded.
//!
//! ```
//! use bennu_core::token::{Keys, MaxAge, Secret, Term, TokenError, UnixTime};
//! use std::time::Duration;
//!
//! let secret = Secret::new("abcdefghabcdefghabcdefghabcdefghabcdefghabcdefghabcdefghabcdefgh")?;
//! let keys = Keys::new(&secret, "user auth"); // takes its time: once, not for each token
//!
//! let monday = UnixTime::from_secs(1_700_000_000);
//! let token = keys.sign(1, MaxAge::default(), monday)?;
//! assert_eq!(token, "SFMyNTY.g2gDYQFuBgAAaOXPiwFiAAFRgA.diBgyKSmNpVMWDnPJFIm6gU1GNeFN7vZbnSzVobkIDQ");
//!
//! let noon = monday + Duration::from_secs(12 * 3600);
//! assert_eq!(keys.verify(&*token, None, noon), Ok(Term::Integer(1)));
//! let tuesday = monday + Duration::from_secs(25 * 3600);
//! assert_eq!(keys.verify(&*token, None, tuesday), Err(TokenError::Expired { signed_at: monday }));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! Source: `Phoenix.Token`, which is `Plug.Crypto`. Its older encryption (tokens that start with
//! `QTEyOEdDTQ`) is not read, and keys are always 32 bytes long, as they are there by default.

mod base64url;
mod encrypted;
mod error;
mod key;
mod keys;
mod payload;
mod signed;
mod term;
mod time;

pub use error::{SignError, TokenError};
pub use key::{Digest, KeyOptions, Secret, SecretTooShort};
pub use keys::{FromTheFuture, Keys};
pub use term::{Pid, Term, TermDecodeError, TermEncodeError};
pub use time::{MaxAge, UnixTime};

/// The longest token, in bytes: 64 KiB. Of a longer one nothing is looked at. (Phoenix has no limit.)
pub const MAX_LEN: usize = 64 << 10;
