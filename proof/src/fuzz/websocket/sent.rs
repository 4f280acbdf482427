//! What a connection sends: frames that its peer can read, and at most one close frame, the last of them.

use super::seen::Seen;
use bennu_core::websocket::CloseReason;

/// I-2, I-3, and that every ping is answered with its own payload: for what was told while each output was
/// polled at once.
pub(super) fn check(seen: &[Seen]) {
    check_order(seen);
    for pair in seen.windows(2) {
        if let [Seen::Ping(payload), after] = pair {
            let Seen::Sent(frame) = after else { panic!("a ping was followed by {after:?}") };
            assert_eq!(opened(frame), (0x8a, payload.clone()), "the pong of a ping");
        }
    }
}

/// Pongs and events, then a close frame unless the stream has just ended, then why, then the end.
pub(super) fn check_order(seen: &[Seen]) {
    let mut rest = seen.iter().skip_while(|seen| {
        let is_pong = matches!(seen, Seen::Sent(frame) if opened(frame).0 == 0x8a);
        is_pong || seen.is_event()
    });
    let mut next = rest.next();
    let mut code = None;
    if let Some(Seen::Sent(frame)) = next {
        let (first, payload) = opened(frame);
        assert_eq!(first, 0x88, "neither a pong nor a close frame");
        code = Some(close_code(&payload));
        next = rest.next();
    }
    let Some(last) = next else { return assert_eq!(code, None, "a close frame without its reason") };
    let Seen::Closed(reason) = last else { panic!("{last:?} before the reason of the end") };
    match (reason, code) {
        (CloseReason::Eof, None) => {}
        (CloseReason::Peer { code: peers }, Some(1000)) => assert!(peers.is_none_or(is_sendable)),
        (CloseReason::Local { code: named } | CloseReason::Idle { code: named }, Some(code)) => {
            assert_eq!(code, *named);
        }
        (CloseReason::Violation(violation), Some(code)) => assert_eq!(code, violation.code()),
        other => panic!("reason and code do not fit: {other:?}"),
    }
    let end: Vec<_> = rest.collect();
    assert!(end.is_empty() || end == [&Seen::End], "after the end: {end:?}");
}

/// First byte and payload of one whole control frame, unmasked.
pub(super) fn opened(frame: &[u8]) -> (u8, Vec<u8>) {
    let [first, second, rest @ ..] = frame else { panic!("not a frame: {frame:?}") };
    let (key, payload) = match second & 0x80 {
        0 => ([0; 4], rest),
        _ => rest.split_first_chunk().map(|(key, payload)| (*key, payload)).expect("a mask is announced"),
    };
    assert_eq!(usize::from(second & 0x7f), payload.len(), "the length that is announced");
    assert!(payload.len() <= 125, "too long for a control frame");
    (*first, payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect())
}

fn close_code(payload: &[u8]) -> u16 {
    let (code, reason) = payload.split_first_chunk().expect("a code");
    assert!(std::str::from_utf8(reason).is_ok(), "a reason is text");
    let code = u16::from_be_bytes(*code);
    assert!(is_sendable(code), "{code} must not be sent");
    code
}

/// RFC 6455 section 7.4, and what has been registered since.
fn is_sendable(code: u16) -> bool {
    let reserved = [1004, 1005, 1006, 1015];
    (1000..=1014).contains(&code) && !reserved.contains(&code) || (3000..5000).contains(&code)
}
