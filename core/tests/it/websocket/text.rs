use super::peer::*;
use bennu_core::websocket::Violation;

/// Half of `€`, then a byte that cannot follow.
const BROKEN: &[u8] = &[b'a', 0xe2, 0x82, b'!'];

#[test]
fn text_that_is_not_utf_8_is_a_violation() {
    for bytes in [&[0x5b, 0xc3, 0x28, 0x5d][..], &[0xff], &[0xed, 0xa0, 0x80], BROKEN] {
        assert_eq!(receive(&mut server(), &masked(TEXT, bytes), T0), refusal(Violation::InvalidUtf8));
    }
    assert_eq!(Violation::InvalidUtf8.code(), 1007);
}

#[test]
fn bytes_that_are_not_utf_8_may_be_binary() {
    assert_eq!(receive(&mut server(), &masked(BINARY, BROKEN), T0), [Seen::Binary(BROKEN.to_vec())]);
}

#[test]
fn a_character_may_lie_across_two_fragments() {
    let bytes =
        [fragment(TEXT, &[0xe2]), fragment(CONTINUATION, &[0x82]), masked(CONTINUATION, &[0xac])].concat();

    assert_eq!(receive(&mut server(), &bytes, T0), [Seen::Text("€".to_owned())]);
}

#[test]
fn a_message_does_not_end_inside_a_character() {
    let whole = masked(TEXT, &[b'a', 0xe2, 0x82]);
    assert_eq!(receive(&mut server(), &whole, T0), refusal(Violation::InvalidUtf8));

    let fragments = [fragment(TEXT, &[b'a', 0xe2]), masked(CONTINUATION, &[0x82])].concat();
    assert_eq!(receive(&mut server(), &fragments, T0), refusal(Violation::InvalidUtf8));
}

#[test]
fn a_wrong_byte_is_told_before_its_frame_is_whole() {
    let header = 6;
    for (start, first_wrong) in [(BROKEN, 3), (&[b'a', 0xff], 1), (&[b'a', 0xc3, b'('], 2)] {
        let frame = masked(TEXT, &[start, &[b'.'; 90]].concat());
        let (before, after) = frame.split_at(header + first_wrong);

        let mut connection = server();
        assert_eq!(receive(&mut connection, before, T0), []);
        assert_eq!(receive(&mut connection, &after[..1], T0), refusal(Violation::InvalidUtf8));

        assert_eq!(receive(&mut server(), &frame[..frame.len() - 1], T0), refusal(Violation::InvalidUtf8));
    }
}

#[test]
fn a_wrong_byte_is_told_before_its_message_is_whole() {
    let mut connection = server();

    assert_eq!(receive(&mut connection, &fragment(TEXT, &BROKEN[..2]), T0), []);
    assert_eq!(
        receive(&mut connection, &fragment(CONTINUATION, &BROKEN[2..]), T0),
        refusal(Violation::InvalidUtf8)
    );
}
