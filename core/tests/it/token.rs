//! Tokens: who may make them, for how long they are good, and what they carry.

mod age;
mod forgery;
mod properties;
mod size;
mod term;
mod vectors;

use bennu_core::token::{Keys, MaxAge, Secret, UnixTime};
use std::time::Duration;

const SALT: &str = "user auth";

/// When the tokens of these tests are signed.
const SIGNED_AT: UnixTime = UnixTime::from_secs(1_700_000_000);

const DAY: Duration = Duration::from_secs(86_400);

const MILLI: Duration = Duration::from_millis(1);

const NONCE: [u8; 24] = *b"no token has this nonce.";

fn secret() -> Secret {
    Secret::new("abcdefgh".repeat(8)).unwrap()
}

fn other_secret() -> Secret {
    Secret::new("hgfedcba".repeat(8)).unwrap()
}

fn keys() -> Keys {
    Keys::new(&secret(), SALT)
}

fn signed() -> String {
    keys().sign("user-1", MaxAge::default(), SIGNED_AT).unwrap()
}

fn encrypted() -> String {
    keys().encrypt("user-1", MaxAge::default(), NONCE, SIGNED_AT).unwrap()
}
