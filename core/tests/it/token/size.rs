//! How large a token may be.

use super::{NONCE, SIGNED_AT, keys};
use bennu_core::token::{MAX_LEN, MaxAge, SignError, TokenError};

#[test]
fn a_token_past_the_limit_is_refused_unseen() {
    let keys = keys();
    let token_of = |len| keys.verify(&*"A".repeat(len), None, SIGNED_AT);

    assert_eq!(token_of(MAX_LEN), Err(TokenError::Malformed), "this one is looked at");
    for len in [MAX_LEN + 1, 1 << 20] {
        assert_eq!(token_of(len), Err(TokenError::TooLong { len }));
        let signed = format!("SFMyNTY.{}.", "A".repeat(len - 9));
        assert_eq!(keys.verify(&*signed, None, SIGNED_AT), Err(TokenError::TooLong { len }));
        let encrypted = format!("XCP.{}", "A".repeat(len - 4));
        assert_eq!(keys.decrypt(&*encrypted, None, SIGNED_AT), Err(TokenError::TooLong { len }));
    }
}

#[test]
fn no_token_is_made_that_would_be_refused() {
    let keys = keys();
    let (mut made, mut refused) = (0, 0);
    // 65,536 digits hold 49,152 bytes, and some of them are not the data's.
    for len in 49_040..49_152 {
        let data = vec![b'x'; len];
        match keys.sign(data.clone(), MaxAge::default(), SIGNED_AT) {
            Ok(token) => {
                assert_eq!(keys.verify(&*token, None, SIGNED_AT), Ok(data.into()));
                made += 1;
            }
            Err(error) => {
                assert!(matches!(error, SignError::TooLong { len } if len > MAX_LEN), "{error:?}");
                refused += 1;
            }
        }
    }
    assert!(made > 0 && refused > 0, "{made} made, {refused} refused");

    let large = vec![0; 1 << 20];
    assert!(matches!(keys.sign(large.clone(), MaxAge::default(), SIGNED_AT), Err(SignError::TooLong { .. })));
    let encrypted = keys.encrypt(large, MaxAge::default(), NONCE, SIGNED_AT);
    assert!(matches!(encrypted, Err(SignError::TooLong { .. })));
}
