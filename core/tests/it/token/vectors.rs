//! The tokens in `core/tests/vectors/tokens.txt`, verified and made.
//!
//! A vector is a block of `key: value` lines, blocks are parted by blank lines, and `#` starts a comment.
//!
//! | key | value |
//! |---|---|
//! | `rule` | what the token shows |
//! | `salt` | of the key |
//! | `key_digest` | the digest of PBKDF2; `sha256` if it is left out |
//! | `data` | as JSON; `null` is `nil` |
//! | `signed_at` | in seconds; 1,700,000,000 if it is left out |
//! | `max_age` | in seconds, or `infinity`; 86,400 if it is left out |
//! | `nonce` | of an encrypted token, in hex |
//! | `payload` | what is signed, in hex |
//! | `way` | `in` if it is only verified; all others are made as well |

use super::{MILLI, SIGNED_AT, secret};
use bennu_core::token::{Digest, KeyOptions, Keys, MaxAge, Term, TokenError, UnixTime};
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;

/// R268, R269, R275, R277, R278.
#[test]
fn tokens_of_phoenix_are_verified_and_made() {
    let mut count = 0;
    for block in include_str!("../../vectors/tokens.txt").split("\n\n") {
        let Some(vector) = Vector::parse(block) else { continue };
        vector.is_verified();
        if vector.find("way") != Some("in") {
            vector.is_made();
        }
        count += 1;
    }
    assert_eq!(count, 15);
}

struct Vector<'a>(HashMap<&'a str, &'a str>);

impl<'a> Vector<'a> {
    fn parse(block: &'a str) -> Option<Self> {
        let lines = block.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let fields: HashMap<_, _> = lines.map(|line| line.split_once(": ").unwrap()).collect();
        (!fields.is_empty()).then_some(Self(fields))
    }

    fn find(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).copied()
    }

    fn get(&self, key: &str) -> &'a str {
        self.find(key).unwrap_or_else(|| panic!("no {key} in {:?}", self.0))
    }

    fn is_verified(&self) {
        let (keys, token, data) = (self.keys(), self.get("token"), self.data());
        let check = |max_age, now| match self.find("nonce") {
            Some(_) => keys.decrypt(token, max_age, now),
            None => keys.verify(token, max_age, now),
        };
        let signed_at = self.signed_at();

        assert_eq!(check(Some(MaxAge::Infinity), UnixTime::from_millis(0)), Ok(data.clone()), "{token}");
        assert_eq!(check(None, signed_at), Ok(data.clone()), "{token}");
        match self.max_age() {
            MaxAge::Infinity => {
                assert_eq!(check(None, UnixTime::from_millis(i64::MAX)), Ok(data), "{token}");
            }
            MaxAge::For(age) => {
                assert_eq!(check(None, signed_at + age), Ok(data), "{token}");
                let expired = Err(TokenError::Expired { signed_at });
                assert_eq!(check(None, signed_at + age + MILLI), expired, "{token}");
            }
        }
    }

    fn is_made(&self) {
        let (data, token) = (self.data(), self.get("token"));
        if let Some(payload) = self.find("payload") {
            let signed_at = Term::from(self.signed_at().as_millis());
            let max_age = match self.max_age() {
                MaxAge::For(age) => age.as_secs().into(),
                MaxAge::Infinity => Term::Atom("infinity".to_owned()),
            };
            let term = Term::Tuple(vec![data.clone(), signed_at, max_age]);
            assert_eq!(term.encode().unwrap(), bytes(payload), "{token}");
        }
        let made = match self.find("nonce") {
            Some(nonce) => {
                let nonce = bytes(nonce).try_into().expect("a nonce has 24 bytes");
                self.keys().encrypt(data, self.max_age(), nonce, self.signed_at())
            }
            None => self.keys().sign(data, self.max_age(), self.signed_at()),
        };
        assert_eq!(made.as_deref(), Ok(token));
    }

    fn keys(&self) -> Keys {
        let digest = match self.find("key_digest") {
            None => Digest::Sha256,
            Some("sha512") => Digest::Sha512,
            Some(digest) => panic!("{digest} is in no vector"),
        };
        Keys::with_options(&secret(), self.get("salt"), KeyOptions { digest, ..KeyOptions::default() })
    }

    fn signed_at(&self) -> UnixTime {
        self.find("signed_at").map_or(SIGNED_AT, |secs| UnixTime::from_secs(secs.parse().unwrap()))
    }

    fn max_age(&self) -> MaxAge {
        match self.find("max_age") {
            None => MaxAge::default(),
            Some("infinity") => MaxAge::Infinity,
            Some(secs) => MaxAge::For(Duration::from_secs(secs.parse().unwrap())),
        }
    }

    fn data(&self) -> Term {
        term(&serde_json::from_str(self.get("data")).unwrap())
    }
}

fn term(json: &Value) -> Term {
    match json {
        Value::Null => Term::Atom("nil".to_owned()),
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => number.as_i64().unwrap().into(),
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => Term::List(items.iter().map(term).collect()),
        Value::Object(members) => {
            Term::Map(members.iter().map(|(key, value)| (key.as_str().into(), term(value))).collect())
        }
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.chars().collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&String::from_iter(pair), 16).unwrap()).collect()
}
