//! Tokens: texts that claim to be some, what they carry, and when they are good.
//!
//! The first byte of an input says which part of it the rest is for.

use super::recipe::Recipe;
use bennu_core::token::{
    Keys, MAX_LEN, MaxAge, Secret, SignError, Term, TermEncodeError, TokenError, UnixTime,
};
use std::sync::LazyLock;
use std::time::Duration;

/// No input has been signed with these: whoever makes inputs does not know the secret.
static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let secret = Secret::new("a secret for nothing but this").expect("it is long enough");
    Keys::new(&secret, "fuzz")
});

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

/// A text is a token only if one of the keys has made it, to the bit; what it carries comes back as it went
/// in; and it is good from when it was signed to the last millisecond of its age.
pub fn token(input: &[u8]) {
    let mut recipe = Recipe::new(input);
    match recipe.byte() % 4 {
        0 => text(recipe.rest()),
        1 => term(recipe.rest()),
        2 => altered(recipe),
        _ => age(recipe),
    }
}

/// All that a text can be is malformed or forged, and a plainer account of the format says which.
fn text(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let judged = |has_shape: bool| match (text.len(), has_shape) {
        (len, _) if len > MAX_LEN => TokenError::TooLong { len },
        (_, true) => TokenError::Forged,
        (_, false) => TokenError::Malformed,
    };
    let signed = judged(is_signed(text));
    assert_eq!(KEYS.verify(text, Some(MaxAge::Infinity), NOW), Err(signed), "{text:?}");
    let encrypted = judged(is_encrypted(text));
    assert_eq!(KEYS.decrypt(text, Some(MaxAge::Infinity), NOW), Err(encrypted), "{text:?}");
}

fn is_signed(text: &str) -> bool {
    let segments: Vec<&str> = text.split('.').collect();
    let [algorithm, payload, mac] = *segments else { return false };
    let is_canonical = |segment| decoded_len(segment).is_some();
    ["SFMyNTY", "SFMzODQ", "SFM1MTI"].contains(&algorithm) && is_canonical(payload) && is_canonical(mac)
}

fn is_encrypted(text: &str) -> bool {
    text.strip_prefix("XCP.").and_then(decoded_len).is_some_and(|len| len >= 24 + 16)
}

/// How many bytes a segment stands for, if it is the one text that stands for them, padded or not.
fn decoded_len(segment: &str) -> Option<usize> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digits = segment.trim_end_matches('=');
    let padding = segment.len() - digits.len();
    let values: Option<Vec<usize>> = digits.chars().map(|digit| alphabet.find(digit)).collect();
    let last = values?.last().copied().unwrap_or(0);
    let (whole, unused, missing) = match digits.len() % 4 {
        0 => (0, 0, 0),
        2 => (1, 4, 2),
        3 => (2, 2, 1),
        _ => return None,
    };
    let is_canonical = last % (1 << unused) == 0 && (padding == 0 || padding == missing);
    is_canonical.then_some(digits.len() / 4 * 3 + whole)
}

/// What can be read can be written and signed, and is then the same.
fn term(input: &[u8]) {
    let Ok(term) = Term::decode(input) else { return };
    let bytes = term.encode().expect("what was decoded can be encoded");
    assert_eq!(Term::decode(&bytes).as_ref(), Ok(&term));

    let token = match KEYS.sign(term.clone(), MaxAge::default(), NOW) {
        Ok(token) => token,
        Err(SignError::TooLong { len }) => return assert!(len > MAX_LEN && bytes.len() > MAX_LEN / 2),
        // The payload is one level more.
        Err(error) => return assert_eq!(error, SignError::Term(TermEncodeError::TooDeep)),
    };
    assert_eq!(KEYS.verify(&*token, None, NOW), Ok(term));
}

/// Bytes come back from a token of either sort, but not when a bit of it was flipped, or its end cut off.
fn altered(mut recipe: Recipe<'_>) {
    let is_signed = recipe.byte().is_multiple_of(2);
    let (at, bit) = (usize::from(recipe.word()), recipe.byte() % 7);
    let data = recipe.bytes(4096);
    let check = |token: &str| match is_signed {
        true => KEYS.verify(token, None, NOW),
        false => KEYS.decrypt(token, None, NOW),
    };
    let token = match is_signed {
        true => KEYS.sign(data, MaxAge::default(), NOW),
        false => KEYS.encrypt(data, MaxAge::default(), *b"the same for all of them", NOW),
    }
    .expect("a token has room for 4 KiB");
    assert_eq!(check(&token), Ok(data.into()));

    let at = at % token.len();
    let mut bytes = token.clone().into_bytes();
    bytes[at] ^= 1 << bit;
    let flipped = String::from_utf8(bytes).expect("the eighth bit is left alone");
    for token in [&flipped, &token[..at]] {
        let outcome = check(token);
        let is_refused = matches!(outcome, Err(TokenError::Malformed | TokenError::Forged));
        assert!(is_refused, "{token} of {data:?}: {outcome:?}");
    }
}

/// Whether a token is good is a matter of three numbers.
fn age(mut recipe: Recipe<'_>) {
    let [signed_at, now] = [(), ()].map(|()| moment(&mut recipe));
    let age = Duration::from_millis(moment(&mut recipe).as_millis().unsigned_abs());
    let token = KEYS.sign(1, MaxAge::Infinity, signed_at).expect("a number can be signed");

    let last = i128::from(signed_at.as_millis()) + i128::try_from(age.as_millis()).expect("it has 64 bits");
    let expected = if age.is_zero() || last < i128::from(now.as_millis()) {
        Err(TokenError::Expired { signed_at })
    } else if now < signed_at {
        Err(TokenError::FromTheFuture { signed_at })
    } else {
        Ok(Term::from(1))
    };
    assert_eq!(KEYS.verify(&*token, Some(age.into()), now), expected, "{signed_at:?} {age:?} {now:?}");
    assert_eq!(KEYS.verify(&*token, None, now), Ok(1.into()));

    // Whole seconds are carried without a loss.
    let whole = Duration::from_secs(age.as_secs());
    let carried = KEYS.sign(1, whole.into(), signed_at).expect("a number can be signed");
    assert_eq!(KEYS.verify(&*carried, None, now), KEYS.verify(&*token, Some(whole.into()), now));
}

/// Any moment, half of them within some seconds of one another.
fn moment(recipe: &mut Recipe<'_>) -> UnixTime {
    let millis = match recipe.byte() % 2 {
        0 => i64::from(recipe.word()),
        _ => i64::from_be_bytes(std::array::from_fn(|_| recipe.byte())),
    };
    UnixTime::from_millis(millis)
}
