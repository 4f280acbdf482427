//! For how long a token is good.

use super::{DAY, MILLI, NONCE, SIGNED_AT, encrypted, keys, secret, signed};
use bennu_core::token::{FromTheFuture, Keys, MaxAge, TokenError, UnixTime};
use std::time::Duration;

const EXPIRED: TokenError = TokenError::Expired { signed_at: SIGNED_AT };

/// R271.
#[test]
fn a_token_is_good_to_the_last_millisecond_of_its_age() {
    let (signed, encrypted, keys) = (signed(), encrypted(), keys());
    let last = SIGNED_AT + DAY;

    assert_eq!(keys.verify(&*signed, None, last), Ok("user-1".into()));
    assert_eq!(keys.verify(&*signed, None, last + MILLI), Err(EXPIRED));
    assert_eq!(keys.decrypt(&*encrypted, None, last), Ok("user-1".into()));
    assert_eq!(keys.decrypt(&*encrypted, None, last + MILLI), Err(EXPIRED));
}

/// I-17: nothing is kept of a token that was shown.
#[test]
fn a_token_may_be_shown_again_until_it_has_expired() {
    let (token, keys) = (signed(), keys());

    for now in [SIGNED_AT, SIGNED_AT, SIGNED_AT + DAY, SIGNED_AT] {
        assert_eq!(keys.verify(&*token, None, now), Ok("user-1".into()));
    }
    assert_eq!(keys.verify(&*token, None, SIGNED_AT + DAY + MILLI), Err(EXPIRED));
}

/// R270.
#[test]
fn the_age_that_the_verifier_names_counts_instead_of_that_in_the_token() {
    let (keys, hour) = (keys(), Duration::from_secs(3600));
    let short = keys.sign(1, hour.into(), SIGNED_AT).unwrap();
    let lifelong = keys.sign(1, MaxAge::Infinity, SIGNED_AT).unwrap();

    let later = SIGNED_AT + hour + MILLI;
    assert_eq!(keys.verify(&*short, None, later), Err(EXPIRED));
    assert_eq!(keys.verify(&*short, Some(DAY.into()), later), Ok(1.into()));
    assert_eq!(keys.verify(&*short, Some(MaxAge::Infinity), later), Ok(1.into()));
    assert_eq!(keys.verify(&*lifelong, None, later), Ok(1.into()));
    assert_eq!(keys.verify(&*lifelong, Some(hour.into()), later), Err(EXPIRED));
}

/// R271.
#[test]
fn at_an_age_of_zero_no_token_is_good() {
    let keys = keys();
    let born_old = keys.sign(1, Duration::ZERO.into(), SIGNED_AT).unwrap();

    assert_eq!(keys.verify(&*born_old, None, SIGNED_AT), Err(EXPIRED));
    assert_eq!(keys.verify(&*signed(), Some(Duration::ZERO.into()), SIGNED_AT), Err(EXPIRED));
    assert_eq!(keys.verify(&*born_old, Some(DAY.into()), SIGNED_AT), Ok(1.into()));
}

/// R271.
#[test]
fn an_age_may_be_a_fraction_of_a_second() {
    let (keys, age) = (keys(), Duration::from_millis(100));
    let token = keys.sign(1, age.into(), SIGNED_AT).unwrap();

    for max_age in [None, Some(age.into()), Some(MaxAge::For(age + Duration::from_micros(999)))] {
        assert_eq!(keys.verify(&*token, max_age, SIGNED_AT + age), Ok(1.into()));
        assert_eq!(keys.verify(&*token, max_age, SIGNED_AT + age + MILLI), Err(EXPIRED));
    }
}

/// R274.
#[test]
fn a_token_of_the_future_is_refused_unless_that_is_wished() {
    let token = signed();
    let early = UnixTime::from_millis(SIGNED_AT.as_millis() - 1);
    let lenient = keys().from_the_future(FromTheFuture::Accepted);

    assert_eq!(keys().verify(&*token, None, SIGNED_AT), Ok("user-1".into()));
    let refused = Err(TokenError::FromTheFuture { signed_at: SIGNED_AT });
    assert_eq!(keys().verify(&*token, None, early), refused);
    assert_eq!(keys().decrypt(&*encrypted(), None, early), refused);
    assert_eq!(lenient.verify(&*token, None, early), Ok("user-1".into()));
    assert_eq!(keys().verify(&*token, Some(MaxAge::Infinity), early), Ok("user-1".into()), "as in Phoenix");
}

#[test]
fn no_age_and_no_clock_overflows() {
    let keys = Keys::new(&secret(), "ages");
    let ends = [UnixTime::from_millis(i64::MIN), SIGNED_AT, UnixTime::from_millis(i64::MAX)];
    for signed_at in ends {
        for max_age in [MaxAge::For(Duration::MAX), MaxAge::For(MILLI), MaxAge::Infinity] {
            let token = keys.sign(1, max_age, signed_at).unwrap();
            let secret = keys.encrypt(1, max_age, NONCE, signed_at).unwrap();
            for now in ends {
                let verified = keys.verify(&*token, None, now);
                assert_eq!(verified, keys.decrypt(&*secret, None, now));
                assert_eq!(
                    verified.is_ok(),
                    now == signed_at
                        || max_age == MaxAge::Infinity
                        || (now > signed_at && max_age != MaxAge::For(MILLI)),
                    "{max_age:?} from {signed_at:?} to {now:?}: {verified:?}"
                );
            }
        }
    }
}

/// R272.
#[test]
fn missing_invalid_and_expired_are_told_apart_as_in_phoenix() {
    let reason = |token: Option<&str>, now| keys().verify(token, None, now).unwrap_err().reason();

    assert_eq!(reason(None, SIGNED_AT), "missing");
    assert_eq!(reason(Some(""), SIGNED_AT), "invalid");
    assert_eq!(reason(Some("garbage"), SIGNED_AT), "invalid");
    assert_eq!(reason(Some(&signed()), UnixTime::from_secs(0)), "invalid");
    assert_eq!(reason(Some(&signed()), SIGNED_AT + DAY + MILLI), "expired");
}
