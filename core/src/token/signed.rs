//! Tokens that can be read: `SFMyNTY.payload.mac`.

use super::key::Key;
use super::{TokenError, base64url};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};

/// The first segment of what we sign: "HS256".
const HS256: &str = "SFMyNTY";

/// "HS384".
const HS384: &str = "SFMzODQ";

/// "HS512".
const HS512: &str = "SFM1MTI";

pub(super) fn seal(key: &Key, payload: &[u8]) -> String {
    let mut token = format!("{HS256}.");
    base64url::push(&mut token, payload);
    let mac = start::<Hmac<Sha256>>(key).chain_update(&token).finalize().into_bytes();
    token.push('.');
    base64url::push(&mut token, &mac);
    token
}

/// The payload of a token that one of the keys has made. The first segment says with which digest, as in
/// Phoenix.
pub(super) fn open<'k>(mut keys: impl Iterator<Item = &'k Key>, token: &str) -> Result<Vec<u8>, TokenError> {
    let (head, mac) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (algorithm, payload) = head.split_once('.').ok_or(TokenError::Malformed)?;
    let has_made = match algorithm {
        HS256 => has_made::<Hmac<Sha256>>,
        HS384 => has_made::<Hmac<Sha384>>,
        HS512 => has_made::<Hmac<Sha512>>,
        _ => return Err(TokenError::Malformed),
    };
    let (payload, mac) = (base64url::decode(payload)?, base64url::decode(mac)?);
    if !keys.any(|key| has_made(key, head, &mac)) {
        return Err(TokenError::Forged);
    }
    Ok(payload)
}

/// Whether the key has made this MAC, in a time that does not depend on how much of it is right.
fn has_made<M: Mac + KeyInit>(key: &Key, head: &str, mac: &[u8]) -> bool {
    start::<M>(key).chain_update(head).verify_slice(mac).is_ok()
}

fn start<M: Mac + KeyInit>(key: &Key) -> M {
    <M as KeyInit>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use super::super::{KeyOptions, Keys, MaxAge, Secret, Term, UnixTime};
    use super::*;
    use std::time::Duration;

    const SALT: &str = "user auth";
    const SIGNED_AT: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn secret() -> Secret {
        Secret::new("abcdefgh".repeat(8)).unwrap()
    }

    fn key() -> Key {
        Key::derive(&secret(), SALT.as_bytes(), KeyOptions::default())
    }

    /// A token around any payload, as another server with the same key might make one.
    fn token<M: Mac + KeyInit>(algorithm: &str, payload: &[u8]) -> String {
        let mut token = format!("{algorithm}.");
        base64url::push(&mut token, payload);
        let mac = start::<M>(&key()).chain_update(&token).finalize().into_bytes();
        token.push('.');
        base64url::push(&mut token, &mac);
        token
    }

    fn verify(token: &str, now: UnixTime) -> Result<Term, TokenError> {
        Keys::new(&secret(), SALT).verify(token, None, now)
    }

    fn signed(payload: &Term) -> String {
        seal(&key(), &payload.encode().unwrap())
    }

    fn signed_at() -> Term {
        Term::from(SIGNED_AT.as_millis())
    }

    /// R275.
    #[test]
    fn the_first_segment_says_which_digest_the_mac_has() {
        let payload = Term::Tuple(vec![1.into(), signed_at(), 86_400.into()]).encode().unwrap();

        for token in [
            token::<Hmac<Sha256>>(HS256, &payload),
            token::<Hmac<Sha384>>(HS384, &payload),
            token::<Hmac<Sha512>>(HS512, &payload),
        ] {
            assert_eq!(verify(&token, SIGNED_AT), Ok(1.into()), "{token}");
        }
        for token in [token::<Hmac<Sha256>>(HS384, &payload), token::<Hmac<Sha512>>(HS256, &payload)] {
            assert_eq!(verify(&token, SIGNED_AT), Err(TokenError::Forged), "{token}");
        }
        assert_eq!(verify(&token::<Hmac<Sha256>>("bm9uZQ", &payload), SIGNED_AT), Err(TokenError::Malformed));
    }

    /// R273.
    #[test]
    fn a_payload_without_an_age_is_good_for_a_day() {
        let map = [("signed", signed_at()), ("data", 1.into())];
        let map = map.map(|(key, value)| (Term::Atom(key.to_owned()), value));

        for payload in [Term::Tuple(vec![1.into(), signed_at()]), Term::Map(map.to_vec())] {
            let token = signed(&payload);
            let last = SIGNED_AT + Duration::from_secs(86_400);

            assert_eq!(verify(&token, last), Ok(1.into()));
            assert_eq!(
                verify(&token, last + Duration::from_millis(1)),
                Err(TokenError::Expired { signed_at: SIGNED_AT })
            );
        }
    }

    #[test]
    fn a_payload_of_another_shape_is_no_token_though_it_was_signed() {
        let lifelong = Term::Atom("infinity".to_owned());
        for payload in [
            Term::from(1),
            Term::Tuple(vec![1.into()]),
            Term::Tuple(vec![1.into(), signed_at(), lifelong.clone(), 1.into()]),
            Term::Tuple(vec![1.into(), "yesterday".into(), lifelong]),
            Term::Tuple(vec![1.into(), Term::Integer(i128::MAX), 1.into()]),
            Term::Tuple(vec![1.into(), signed_at(), Term::Atom("nil".to_owned())]),
            Term::Map(vec![(Term::Atom("data".to_owned()), 1.into())]),
            Term::Map(vec![("data".into(), 1.into()), ("signed".into(), signed_at())]),
        ] {
            assert_eq!(verify(&signed(&payload), SIGNED_AT), Err(TokenError::NotAToken), "{payload:?}");
        }
    }

    /// R277: a payload that is no term is an error of its own, which nobody sees without the key.
    #[test]
    fn a_payload_is_decoded_only_if_the_mac_is_right() {
        for garbage in [&b""[..], b"\x83", b"garbage", b"\x83h\x03", b"\x83P\xff\xff\xff\xff"] {
            let genuine = seal(&key(), garbage);
            let (head, _) = genuine.rsplit_once('.').unwrap();
            let other = Key::derive(&secret(), b"another salt", KeyOptions::default());
            let forged = seal(&other, garbage);

            assert!(forged.starts_with(head));
            assert_eq!(verify(&forged, SIGNED_AT), Err(TokenError::Forged));
            assert!(matches!(verify(&genuine, SIGNED_AT), Err(TokenError::Term(_))), "{garbage:?}");
        }
    }

    #[test]
    fn an_age_in_the_token_that_is_not_positive_has_passed() {
        for age in
            [Term::from(0), Term::from(-1), Term::Integer(i128::MIN), Term::Float(-0.5), Term::Float(0.0)]
        {
            let token = signed(&Term::Tuple(vec![1.into(), signed_at(), age.clone()]));

            assert_eq!(
                verify(&token, SIGNED_AT),
                Err(TokenError::Expired { signed_at: SIGNED_AT }),
                "{age:?}"
            );
        }
    }

    /// R271: `trunc(max_age * 1000)`, but not before it was compared with zero.
    #[test]
    fn an_age_in_the_token_may_have_a_fraction() {
        for (age, millis) in [(0.1, 100), (0.0004, 0), (1.0009, 1000), (1e300, 9_000_000_000_000)] {
            let token = signed(&Term::Tuple(vec![1.into(), signed_at(), Term::Float(age)]));
            let last = SIGNED_AT + Duration::from_millis(millis);

            assert_eq!(verify(&token, last), Ok(1.into()), "{age}");
            let next = verify(&token, last + Duration::from_millis(1));
            assert_eq!(next.is_ok(), age > 1e9, "{age}");
        }
    }

    #[test]
    fn an_age_in_the_token_of_any_size_does_not_overflow() {
        let token = signed(&Term::Tuple(vec![1.into(), signed_at(), Term::Integer(i128::MAX)]));
        assert_eq!(verify(&token, UnixTime::from_millis(i64::MAX)), Ok(1.into()));

        for millis in [i64::MIN, i64::MAX] {
            let token = signed(&Term::Tuple(vec![1.into(), Term::from(millis), Term::from(i64::MAX)]));
            let judged = Keys::new(&secret(), SALT).verify(&*token, Some(MaxAge::default()), SIGNED_AT);
            assert!(judged.is_err(), "{millis}");
        }
    }
}
