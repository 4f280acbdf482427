//! What was not made with one of the keys is refused, however it looks.

use super::{DAY, MILLI, NONCE, SALT, SIGNED_AT, encrypted, keys, other_secret, secret, signed};
use bennu_core::token::{Digest, KeyOptions, Keys, MaxAge, Term, TokenError};
use std::num::NonZeroU32;

/// Looks at a token of either sort.
type Check = fn(&Keys, &str) -> Result<Term, TokenError>;

const VERIFY: Check = |keys, token| keys.verify(token, None, SIGNED_AT);
const DECRYPT: Check = |keys, token| keys.decrypt(token, None, SIGNED_AT);

fn both() -> [(String, Check); 2] {
    [(signed(), VERIFY), (encrypted(), DECRYPT)]
}

fn is_refused(outcome: &Result<Term, TokenError>) -> bool {
    matches!(outcome, Err(TokenError::Malformed | TokenError::Forged))
}

/// I-17, R276, R278. Bits that base64 does not use are among them: the last digit has some.
#[test]
fn a_token_with_any_bit_flipped_is_refused() {
    let keys = keys();
    for (token, check) in both() {
        assert!(check(&keys, &token).is_ok());
        let mut tried = 0;
        for at in 0..token.len() {
            for bit in 0..8 {
                let mut bytes = token.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                // What is no text never gets here.
                let Ok(forged) = String::from_utf8(bytes) else { continue };
                let outcome = check(&keys, &forged);
                assert!(is_refused(&outcome), "{forged}: {outcome:?}");
                tried += 1;
            }
        }
        assert_eq!(tried, token.len() * 7);
    }
}

/// Every digit by every other, so also those that are further away than one bit.
#[test]
fn a_token_with_any_digit_exchanged_is_refused() {
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ";
    let keys = keys();
    for (token, check) in both() {
        for (at, old) in token.char_indices() {
            for digit in digits.chars().filter(|digit| *digit != old) {
                let forged = format!("{}{digit}{}", &token[..at], &token[at + 1..]);
                let outcome = check(&keys, &forged);
                assert!(is_refused(&outcome), "{forged}: {outcome:?}");
            }
        }
    }
}

#[test]
fn a_token_that_was_cut_off_or_prolonged_is_refused() {
    let keys = keys();
    for (token, check) in both() {
        for len in 0..token.len() {
            assert!(is_refused(&check(&keys, &token[..len])), "{len} bytes at the start");
            assert!(is_refused(&check(&keys, &token[token.len() - len..])), "{len} bytes at the end");
        }
        for more in ["A", ".", ".A", "\n", " ", "\0", "é"] {
            assert!(is_refused(&check(&keys, &format!("{token}{more}"))), "{more:?} behind it");
            assert!(is_refused(&check(&keys, &format!("{more}{token}"))), "{more:?} in front of it");
        }
    }
}

#[test]
fn a_token_of_another_secret_or_salt_or_digest_is_refused() {
    let sha512 = KeyOptions { digest: Digest::Sha512, ..KeyOptions::default() };
    for others in [
        Keys::new(&other_secret(), SALT),
        Keys::new(&secret(), "user auth "),
        Keys::new(&secret(), ""),
        Keys::with_options(&secret(), SALT, sha512),
        Keys::with_options(
            &secret(),
            SALT,
            KeyOptions { iterations: NonZeroU32::new(999).unwrap(), ..KeyOptions::default() },
        ),
    ] {
        for (token, check) in both() {
            assert_eq!(check(&others, &token), Err(TokenError::Forged), "{others:?}");
        }
    }
}

#[test]
fn a_mac_stands_for_its_own_payload_only() {
    let (one, two) = (signed(), keys().sign("user-2", MaxAge::default(), SIGNED_AT).unwrap());
    let (head, _) = one.rsplit_once('.').unwrap();
    let (_, mac) = two.rsplit_once('.').unwrap();

    assert_eq!(VERIFY(&keys(), &format!("{head}.{mac}")), Err(TokenError::Forged));
}

/// R278.
#[test]
fn a_signed_token_is_no_encrypted_one() {
    let (signed, encrypted, keys) = (signed(), encrypted(), keys());

    assert_eq!(VERIFY(&keys, &encrypted), Err(TokenError::Malformed));
    assert_eq!(DECRYPT(&keys, &signed), Err(TokenError::Malformed));
    assert_eq!(DECRYPT(&keys, &encrypted.replace("XCP", "xcp")), Err(TokenError::Malformed));
}

#[test]
fn an_encrypted_token_does_not_show_what_it_carries() {
    let keys = keys();
    let [one, two] =
        [NONCE, [0; 24]].map(|nonce| keys.encrypt(1, MaxAge::default(), nonce, SIGNED_AT).unwrap());

    assert_ne!(one[36..], two[36..], "not even that two carry the same");
    assert_eq!(one.len(), two.len());
}

#[test]
fn garbage_is_refused() {
    let keys = keys();
    for garbage in [
        "",
        ".",
        "..",
        "...",
        "SFMyNTY",
        "SFMyNTY.",
        "SFMyNTY..",
        "SFMyNTY...",
        ".g2gDYQE.",
        "XCP",
        "XCP.",
        "XCP..",
        "XCP.AAAA",
        "QTEyOEdDTQ.a.b.c.d",
        "SFMyNTY.é.é",
        "SFMyNTY.****.****",
        "bm9uZQ.g2gDYQE.",
        "\0\0\0",
        "🚀.🚀.🚀",
    ] {
        for check in [VERIFY, DECRYPT] {
            let outcome = check(&keys, garbage);
            assert!(is_refused(&outcome), "{garbage:?}: {outcome:?}");
        }
    }
}

#[test]
fn tokens_of_an_old_secret_are_taken_while_it_is_named_and_none_are_made_with_it() {
    let old = keys();
    let rotated = Keys::new(&other_secret(), SALT).also_accept(&secret());
    let new = Keys::new(&other_secret(), SALT);

    for (token, check) in both() {
        assert!(check(&rotated, &token).is_ok());
        assert_eq!(check(&new, &token), Err(TokenError::Forged));
    }
    let token = rotated.sign(1, MaxAge::default(), SIGNED_AT).unwrap();
    assert_eq!(VERIFY(&new, &token), Ok(1.into()));
    assert_eq!(VERIFY(&rotated, &token), Ok(1.into()));
    assert_eq!(VERIFY(&old, &token), Err(TokenError::Forged));
    let token = rotated.encrypt(1, MaxAge::default(), NONCE, SIGNED_AT).unwrap();
    assert_eq!(DECRYPT(&new, &token), Ok(1.into()));
    assert_eq!(DECRYPT(&old, &token), Err(TokenError::Forged));
    let late = rotated.verify(&*signed(), None, SIGNED_AT + DAY + MILLI);
    assert_eq!(late, Err(TokenError::Expired { signed_at: SIGNED_AT }));
}

#[test]
fn keys_are_not_printed() {
    let options = "KeyOptions { iterations: 1000, digest: Sha256 }";
    let expected =
        format!("Keys {{ salt: \"user auth\", options: {options}, from_the_future: Refused, .. }}");

    assert_eq!(format!("{:?}", keys()), expected);
}
