//! Tokens with the clock and the randomness of the system: `Phoenix.Token`, byte for byte.
//!
//! A server hands a token out with its page or its login, and the client shows it when it connects. The token
//! says who it is for; nobody else can make one, or change it; and it expires.
//!
//! ```
//! use bennu::prelude::*;
//! use bennu::token::{Secret, Tokens};
//!
//! struct Site { tokens: Tokens }
//! struct User { name: String }
//!
//! impl Socket for Site {
//!     type Assigns = User;
//!
//!     async fn connect(&self, params: Params, _: &ConnectInfo) -> Result<User, Refused> {
//!         let data = self.tokens.verify(params.str("token")).map_err(|_| Refused::forbidden())?;
//!         let name = data.as_str().ok_or_else(Refused::forbidden)?;
//!         Ok(User { name: name.to_owned() })
//!     }
//! }
//!
//! # let secret_key_base = "abcdefgh".repeat(8);
//! let secret = Secret::new(secret_key_base)?; // 64 random bytes, from wherever secrets are kept
//! let site = Site { tokens: Tokens::new(&secret, "user auth") };
//!
//! let shown = site.tokens.sign("ann")?; // in the page: `new Socket("/socket", { params: { token } })`
//! assert_eq!(site.tokens.verify(&*shown)?.as_str(), Some("ann"));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! A Phoenix application with the same `secret_key_base` takes these tokens, and makes such: with `"user
//! auth"` as the salt, `Phoenix.Token.sign(MyAppWeb.Endpoint, "user auth", "ann")`.
//!
//! [`Keys`] do the same without a clock: there the time is an argument, and so is what has to be random.

pub use bennu_core::token::{
    Digest, FromTheFuture, KeyOptions, Keys, MAX_LEN, MaxAge, Pid, Secret, SecretTooShort, SignError, Term,
    TermDecodeError, TermEncodeError, TokenError, UnixTime,
};
use std::time::{SystemTime, UNIX_EPOCH};

/// Makes and verifies the tokens of one salt.
///
/// To make one of these takes some hundred times as long as a token does, on purpose: do it once for each salt,
/// and keep it.
#[derive(Clone, Debug)]
pub struct Tokens {
    keys: Keys,
    max_age: Option<MaxAge>,
}

impl Tokens {
    /// Tokens of a secret, for one purpose: what was signed with another salt is not taken.
    #[must_use]
    pub fn new(secret: &Secret, salt: impl AsRef<[u8]>) -> Self {
        Keys::new(secret, salt).into()
    }

    /// Takes tokens of a further secret, too, with which none are made: for as long as those of an old secret
    /// are around.
    #[must_use]
    pub fn also_accept(mut self, secret: &Secret) -> Self {
        self.keys = self.keys.also_accept(secret);
        self
    }

    /// How long tokens are good for: those that are made here, and those that are shown here, whatever they
    /// say themselves.
    ///
    /// Unless set, those that are made are good for a day, as in Phoenix, and those that are shown for as
    /// long as they say.
    #[must_use]
    pub fn max_age(mut self, age: impl Into<MaxAge>) -> Self {
        self.max_age = Some(age.into());
        self
    }

    /// The keys, which take the time as an argument.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Makes a token that anybody can read, and nobody can make.
    ///
    /// # Errors
    /// [`SignError`] if the data cannot be written, or the token would be longer than [`MAX_LEN`].
    ///
    /// Source: `Phoenix.Token.sign/4`.
    pub fn sign(&self, data: impl Into<Term>) -> Result<String, SignError> {
        self.keys.sign(data, self.max_age.unwrap_or_default(), now())
    }

    /// What a signed token carries, if it is genuine and not too old.
    ///
    /// # Errors
    /// [`TokenError`] in all other cases; [`reason`](TokenError::reason) says which of Phoenix's it is.
    ///
    /// Source: `Phoenix.Token.verify/4`.
    pub fn verify<'t>(&self, token: impl Into<Option<&'t str>>) -> Result<Term, TokenError> {
        self.keys.verify(token, self.max_age, now())
    }

    /// Makes a token that nobody can read or make.
    ///
    /// # Errors
    /// [`SignError`] if the data cannot be written, or the token would be longer than [`MAX_LEN`].
    ///
    /// # Panics
    /// If the system has no randomness.
    ///
    /// Source: `Phoenix.Token.encrypt/4`.
    pub fn encrypt(&self, data: impl Into<Term>) -> Result<String, SignError> {
        let mut nonce = [0; 24];
        getrandom::fill(&mut nonce).expect("the operating system gives randomness");
        self.keys.encrypt(data, self.max_age.unwrap_or_default(), nonce, now())
    }

    /// What an encrypted token carries, if it is genuine and not too old.
    ///
    /// # Errors
    /// [`TokenError`] in all other cases; [`reason`](TokenError::reason) says which of Phoenix's it is.
    ///
    /// Source: `Phoenix.Token.decrypt/4`.
    pub fn decrypt<'t>(&self, token: impl Into<Option<&'t str>>) -> Result<Term, TokenError> {
        self.keys.decrypt(token, self.max_age, now())
    }
}

impl From<Keys> for Tokens {
    /// For keys with options of their own.
    fn from(keys: Keys) -> Self {
        Self { keys, max_age: None }
    }
}

/// A clock that stands before 1970 shows 1970.
pub(crate) fn now() -> UnixTime {
    UnixTime::from_epoch(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const DAY: Duration = Duration::from_secs(86_400);

    fn tokens() -> Tokens {
        Tokens::new(&Secret::new("abcdefgh".repeat(8)).unwrap(), "user auth")
    }

    /// A moment that has passed.
    fn ago(age: Duration) -> UnixTime {
        UnixTime::from_epoch(SystemTime::now().duration_since(UNIX_EPOCH).unwrap() - age)
    }

    #[test]
    fn tokens_that_were_just_made_are_good() {
        let tokens = tokens();

        assert_eq!(tokens.verify(&*tokens.sign("ann").unwrap()), Ok("ann".into()));
        assert_eq!(tokens.decrypt(&*tokens.encrypt("ann").unwrap()), Ok("ann".into()));
        assert_eq!(tokens.verify(None), Err(TokenError::Missing));
    }

    #[test]
    fn tokens_are_made_for_a_day_and_good_for_as_long_as_they_say() {
        let tokens = tokens();
        let made = tokens.sign("ann").unwrap();
        let tomorrow = UnixTime::from_epoch(SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + DAY * 2);
        let lifelong = tokens.keys().sign("ann", MaxAge::Infinity, ago(DAY * 2)).unwrap();
        let (signed_at, age) = (ago(DAY), DAY - Duration::from_secs(60));
        let old = tokens.keys().sign("ann", age.into(), signed_at).unwrap();

        assert!(matches!(tokens.keys().verify(&*made, None, tomorrow), Err(TokenError::Expired { .. })));
        assert_eq!(tokens.verify(&*lifelong), Ok("ann".into()));
        assert_eq!(tokens.verify(&*old), Err(TokenError::Expired { signed_at }));
    }

    #[test]
    fn an_age_that_is_set_counts_for_what_is_made_and_for_what_is_shown() {
        let strict = tokens().max_age(Duration::from_secs(60));
        let lifelong = tokens().keys().sign("ann", MaxAge::Infinity, ago(DAY)).unwrap();
        let made = strict.sign("ann").unwrap();
        let later = now() + Duration::from_secs(120);

        assert!(matches!(strict.verify(&*lifelong), Err(TokenError::Expired { .. })));
        assert_eq!(strict.verify(&*made), Ok("ann".into()));
        assert!(matches!(tokens().keys().verify(&*made, None, later), Err(TokenError::Expired { .. })));
    }

    #[test]
    fn no_two_encrypted_tokens_have_the_same_nonce() {
        let tokens = tokens();
        let [one, two] = [(), ()].map(|()| tokens.encrypt("ann").unwrap());

        assert_ne!(one[..36], two[..36]);
    }

    #[test]
    fn an_old_secret_is_accepted_while_it_is_named() {
        let new = Secret::new("hgfedcba".repeat(8)).unwrap();
        let shown = tokens().sign("ann").unwrap();
        let strict = Tokens::new(&new, "user auth");

        assert_eq!(strict.verify(&*shown), Err(TokenError::Forged));
        let old = Secret::new("abcdefgh".repeat(8)).unwrap();
        assert_eq!(strict.also_accept(&old).verify(&*shown), Ok("ann".into()));
    }
}
