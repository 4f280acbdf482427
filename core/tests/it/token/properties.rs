//! What holds for every token: what was signed is what is verified; and nothing panics.

use super::{DAY, SALT, SIGNED_AT, secret};
use bennu_core::token::{Keys, MaxAge, Pid, Term, UnixTime};
use proptest::prelude::*;
use std::sync::LazyLock;
use std::time::Duration;

/// Derived once: that is slow.
static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::new(&secret(), SALT));

/// The bytes that terms start with, and zeros, which small lengths are made of.
const TAGS: &[u8] = b"FXabdghijklmnostvw\0\0\0";

proptest! {
    #[test]
    fn any_bytes_come_back(data in any::<Vec<u8>>(), nonce in any::<[u8; 24]>()) {
        let token = KEYS.sign(data.clone(), MaxAge::default(), SIGNED_AT).unwrap();
        let secret = KEYS.encrypt(data.clone(), MaxAge::default(), nonce, SIGNED_AT).unwrap();

        let data = Term::from(data);
        prop_assert_eq!(KEYS.verify(&*token, None, SIGNED_AT), Ok(data.clone()));
        prop_assert_eq!(KEYS.decrypt(&*secret, None, SIGNED_AT), Ok(data));
    }

    #[test]
    fn any_term_comes_back(term in any_term()) {
        let bytes = term.encode().unwrap();
        prop_assert_eq!(Term::decode(&bytes), Ok(term.clone()));

        let token = KEYS.sign(term.clone(), MaxAge::Infinity, SIGNED_AT).unwrap();
        prop_assert_eq!(KEYS.verify(&*token, None, SIGNED_AT), Ok(term));
    }

    #[test]
    fn a_token_is_good_from_its_first_moment_to_its_last(
        signed_at in -1_i64 << 45..1 << 45,
        millis in 1_u64..1 << 40,
        offset in -3_i64..3,
    ) {
        let (signed_at, age) = (UnixTime::from_millis(signed_at), Duration::from_millis(millis));
        let token = KEYS.sign(1, age.into(), signed_at).unwrap();
        let first = UnixTime::from_millis(signed_at.as_millis() + offset);
        let last = UnixTime::from_millis((signed_at + age).as_millis() + offset);
        let is_last_good = offset <= 0 && last >= signed_at;

        prop_assert_eq!(KEYS.verify(&*token, Some(DAY.into()), first).is_ok(), offset >= 0);
        prop_assert_eq!(KEYS.verify(&*token, Some(age.into()), last).is_ok(), is_last_good);
    }

    #[test]
    fn no_text_is_taken_for_a_token(
        text in any::<String>(),
        digits in "(SFMyNTY|SFMzODQ|SFM1MTI|XCP)\\.[A-Za-z0-9_-]{0,80}(\\.[A-Za-z0-9_-]{43})?={0,2}",
    ) {
        for text in [text, digits] {
            prop_assert!(KEYS.verify(&*text, Some(MaxAge::Infinity), SIGNED_AT).is_err());
            prop_assert!(KEYS.decrypt(&*text, Some(MaxAge::Infinity), SIGNED_AT).is_err());
        }
    }

    #[test]
    fn whatever_is_decoded_is_written_again_and_the_same(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(TAGS)], 0..60),
    ) {
        let bytes = [b"\x83".as_slice(), &bytes].concat();
        if let Ok(term) = Term::decode(&bytes) {
            prop_assert_eq!(Term::decode(&term.encode().unwrap()), Ok(term));
        }
    }
}

fn any_term() -> impl Strategy<Value = Term> {
    let leaf = prop_oneof![
        any::<i128>().prop_map(Term::Integer),
        any::<i64>().prop_map(Term::from),
        any::<u8>().prop_map(Term::from),
        any::<f64>().prop_filter("Erlang has no others", |number| number.is_finite()).prop_map(Term::Float),
        ".{0,20}".prop_map(Term::Atom),
        any::<Vec<u8>>().prop_map(Term::Binary),
        any::<Vec<u8>>().prop_map(|bytes| Term::List(bytes.into_iter().map(Term::from).collect())),
        ("[a-z]{1,9}@[a-z.]{1,9}", any::<[u32; 3]>()).prop_map(|(node, [id, serial, creation])| Term::Pid(
            Box::new(Pid { node, id, serial, creation })
        )),
    ];
    leaf.prop_recursive(4, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Term::List),
            prop::collection::vec(inner.clone(), 0..8).prop_map(Term::Tuple),
            prop::collection::vec((inner.clone(), inner), 0..5).prop_map(Term::Map),
        ]
    })
}
