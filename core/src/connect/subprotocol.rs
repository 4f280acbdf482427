//! Which subprotocol a WebSocket speaks.

use super::auth_token::{AuthTokenError, decode_auth_token, is_auth_token};
use http::HeaderMap;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use std::fmt;

/// What a client offers in its first `sec-websocket-protocol` line.
///
/// Shape: `phoenix, base64url.bearer.phx.dG9rPz5+`. Further lines are not read.
#[derive(Clone, PartialEq, Eq)]
pub struct Offer {
    entries: Vec<String>,
}

/// A client asked for subprotocols, and the server speaks none of them: answered with 403.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCommonSubprotocol;

impl fmt::Display for NoCommonSubprotocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("none of the offered subprotocols is spoken here")
    }
}

impl std::error::Error for NoCommonSubprotocol {}

impl Offer {
    /// Reads the first line; `None` if there is none, which is not the same as an empty one.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let line = String::from_utf8_lossy(headers.get(SEC_WEBSOCKET_PROTOCOL)?.as_bytes());
        let entries = line.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        Some(Self { entries: entries.map(str::to_owned).collect() })
    }

    /// Takes the auth token out of the offer, if there is exactly one.
    ///
    /// The offer that remains is `None` if the token was all of it. With two tokens there is no telling which
    /// one is meant, so none is taken, and they stay in the offer.
    ///
    /// # Errors
    /// [`AuthTokenError`] if the one token is garbage.
    pub fn take_auth_token(mut self) -> Result<(Option<Self>, Option<String>), AuthTokenError> {
        let mut tokens = self.entries.iter().enumerate().filter(|(_, entry)| is_auth_token(entry));
        let (Some((index, _)), None) = (tokens.next(), tokens.next()) else {
            return Ok((Some(self), None));
        };
        let entry = self.entries.remove(index);
        let token = decode_auth_token(&entry).transpose()?;
        Ok(((!self.entries.is_empty()).then_some(self), token))
    }

    /// The line, as it reads without what was taken out.
    #[must_use]
    pub fn line(&self) -> String {
        self.entries.join(", ")
    }
}

/// Chooses the first of the server's subprotocols that the client offers.
///
/// `None` is chosen if the server does not care (`spoken` is `None`), or the client does not.
///
/// # Errors
/// [`NoCommonSubprotocol`] if both care and have none in common.
pub fn negotiate<S: AsRef<str>>(
    spoken: Option<&[S]>,
    offer: Option<&Offer>,
) -> Result<Option<String>, NoCommonSubprotocol> {
    let (Some(spoken), Some(offer)) = (spoken, offer) else {
        return Ok(None);
    };
    let chosen =
        spoken.iter().map(AsRef::as_ref).find(|name| offer.entries.iter().any(|entry| entry == name));
    chosen.map(|name| Some(name.to_owned())).ok_or(NoCommonSubprotocol)
}

/// Auth tokens are left out.
impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown =
            |entry: &String| if is_auth_token(entry) { "[FILTERED]".to_owned() } else { entry.clone() };
        f.debug_tuple("Offer").field(&self.entries.iter().map(shown).collect::<Vec<_>>()).finish()
    }
}
