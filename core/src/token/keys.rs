//! Who makes tokens, and tells which are genuine.

use super::key::{Key, KeyOptions, Secret};
use super::payload::Payload;
use super::{MAX_LEN, MaxAge, SignError, Term, TokenError, UnixTime, encrypted, signed};
use std::fmt;

/// The keys of one salt: what signs, verifies, encrypts and decrypts.
///
/// Deriving a key is slow on purpose, a thousand rounds of a hash, and takes some hundred times as long as a
/// token does: make one of these for each salt when the server starts, and keep it.
///
/// A secret is replaced in two steps: tokens are made with the new one, and
/// [`also_accept`](Self::also_accept) takes those of the old one until the last of them has expired.
#[derive(Clone)]
pub struct Keys {
    current: Key,
    older: Vec<Key>,
    salt: Box<[u8]>,
    options: KeyOptions,
    from_the_future: FromTheFuture,
}

/// What becomes of tokens that were signed later than now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FromTheFuture {
    /// They are refused, as by Phoenix since plug_crypto 2.2.
    #[default]
    Refused,
    /// They are taken, as by Phoenix before: for servers whose clocks disagree.
    Accepted,
}

impl Keys {
    /// Derives the key of a secret and a salt, with Phoenix's default options.
    #[must_use]
    pub fn new(secret: &Secret, salt: impl AsRef<[u8]>) -> Self {
        Self::with_options(secret, salt, KeyOptions::default())
    }

    /// Derives the key of a secret and a salt.
    #[must_use]
    pub fn with_options(secret: &Secret, salt: impl AsRef<[u8]>, options: KeyOptions) -> Self {
        let salt: Box<[u8]> = salt.as_ref().into();
        Self {
            current: Key::derive(secret, &salt, options),
            older: Vec::new(),
            salt,
            options,
            from_the_future: FromTheFuture::default(),
        }
    }

    /// Takes tokens of a further secret, too, with which none are made.
    #[must_use]
    pub fn also_accept(mut self, secret: &Secret) -> Self {
        self.older.push(Key::derive(secret, &self.salt, self.options));
        self
    }

    /// Says what becomes of tokens that were signed later than now. By default they are refused.
    #[must_use]
    pub fn from_the_future(mut self, rule: FromTheFuture) -> Self {
        self.from_the_future = rule;
        self
    }

    /// Makes a token that anybody can read, and nobody can make.
    ///
    /// # Errors
    /// [`SignError`] if the data cannot be written, or the token would be longer than [`MAX_LEN`].
    ///
    /// Source: `Phoenix.Token.sign/4`; there `signed_at` is in seconds.
    pub fn sign(
        &self,
        data: impl Into<Term>,
        max_age: MaxAge,
        signed_at: UnixTime,
    ) -> Result<String, SignError> {
        let payload = Payload { data: data.into(), signed_at, max_age }.encode()?;
        bounded(signed::seal(&self.current, &payload))
    }

    /// What a signed token carries, if it is genuine, and no older than `max_age`, or else than the token
    /// itself says.
    ///
    /// # Errors
    /// [`TokenError`] in all other cases.
    ///
    /// Source: `Phoenix.Token.verify/4`.
    pub fn verify<'t>(
        &self,
        token: impl Into<Option<&'t str>>,
        max_age: Option<MaxAge>,
        now: UnixTime,
    ) -> Result<Term, TokenError> {
        let payload = signed::open(self.all(), shown(token.into())?)?;
        Payload::decode(&payload)?.judge(max_age, self.from_the_future, now)
    }

    /// Makes a token that nobody can read or make.
    ///
    /// `nonce` has to be random, from a generator that cannot be predicted, and another for each token.
    ///
    /// # Errors
    /// [`SignError`] if the data cannot be written, or the token would be longer than [`MAX_LEN`].
    ///
    /// Source: `Phoenix.Token.encrypt/4`.
    pub fn encrypt(
        &self,
        data: impl Into<Term>,
        max_age: MaxAge,
        nonce: [u8; 24],
        signed_at: UnixTime,
    ) -> Result<String, SignError> {
        let payload = Payload { data: data.into(), signed_at, max_age }.encode()?;
        bounded(encrypted::seal(&self.current, nonce, payload))
    }

    /// What an encrypted token carries, if it is genuine, and no older than `max_age`, or else than the token
    /// itself says.
    ///
    /// # Errors
    /// [`TokenError`] in all other cases.
    ///
    /// Source: `Phoenix.Token.decrypt/4`.
    pub fn decrypt<'t>(
        &self,
        token: impl Into<Option<&'t str>>,
        max_age: Option<MaxAge>,
        now: UnixTime,
    ) -> Result<Term, TokenError> {
        let payload = encrypted::open(self.all(), shown(token.into())?)?;
        Payload::decode(&payload)?.judge(max_age, self.from_the_future, now)
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.older)
    }
}

impl fmt::Debug for Keys {
    /// Without a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("salt", &self.salt.escape_ascii().to_string())
            .field("options", &self.options)
            .field("from_the_future", &self.from_the_future)
            .finish_non_exhaustive()
    }
}

/// A token that is there, and not too long to be looked at.
fn shown(token: Option<&str>) -> Result<&str, TokenError> {
    let token = token.ok_or(TokenError::Missing)?;
    if token.len() > MAX_LEN {
        return Err(TokenError::TooLong { len: token.len() });
    }
    Ok(token)
}

fn bounded(token: String) -> Result<String, SignError> {
    if token.len() > MAX_LEN {
        return Err(SignError::TooLong { len: token.len() });
    }
    Ok(token)
}
