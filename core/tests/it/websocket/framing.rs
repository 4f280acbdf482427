use super::peer::*;
use bennu_core::websocket::Violation;

#[test]
fn a_text_and_a_binary_message_come_as_sent() {
    let bytes = [masked(TEXT, b"hello"), masked(BINARY, &[0, 255])].concat();

    let seen = receive(&mut server(), &bytes, T0);

    assert_eq!(seen, [Seen::Text("hello".to_owned()), Seen::Binary(vec![0, 255])]);
}

#[test]
fn lengths_are_read_in_all_three_forms() {
    for len in [0, 1, 125, 126, 127, 0xffff, 0x1_0000, 0x1_0001] {
        let payload = vec![b'x'; len];

        assert_eq!(receive(&mut server(), &masked(BINARY, &payload), T0), [Seen::Binary(payload)], "{len}");
    }
}

#[test]
fn a_message_in_fragments_is_one_message_with_control_frames_told_between() {
    let bytes = [
        fragment(TEXT, b"[null,"),
        masked(PING, b"p"),
        fragment(CONTINUATION, b"1"),
        masked(PONG, b""),
        masked(CONTINUATION, b"]"),
    ]
    .concat();

    let seen = receive(&mut server(), &bytes, T0);

    let expected = [
        Seen::Ping(b"p".to_vec()),
        Seen::Sent(plain(PONG, b"p")),
        Seen::Pong(vec![]),
        Seen::Text("[null,1]".to_owned()),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn unmasked_frame_from_a_client_is_a_violation() {
    assert_eq!(receive(&mut server(), &plain(TEXT, b"[]"), T0), refusal(Violation::Unmasked));
}

#[test]
fn masked_frame_from_a_server_is_a_violation() {
    let seen = receive(&mut client(), &masked(TEXT, b"[]"), T0);

    assert_eq!(seen[1..], refusal(Violation::Masked)[1..]);
}

#[test]
fn each_reserved_bit_is_a_violation() {
    for (first, bits) in [(0xc1, 0b100), (0xa1, 0b010), (0x91, 0b001), (0xf1, 0b111)] {
        let seen = receive(&mut server(), &frame(first, b"", Some(KEY)), T0);

        assert_eq!(seen, refusal(Violation::ReservedBits { bits }));
    }
}

#[test]
fn each_reserved_opcode_is_a_violation() {
    for opcode in (3..8).chain(11..16) {
        let seen = receive(&mut server(), &masked(opcode, b"x"), T0);

        assert_eq!(seen, refusal(Violation::ReservedOpcode { opcode }));
    }
}

#[test]
fn a_wrong_start_is_told_before_the_header_is_whole() {
    assert_eq!(receive(&mut server(), &[0x81, 0x7f], T0), refusal(Violation::Unmasked));
    assert_eq!(receive(&mut server(), &[0x83, 0xff], T0), refusal(Violation::ReservedOpcode { opcode: 3 }));
}

#[test]
fn control_frames_carry_at_most_125_bytes() {
    let longest = vec![b'p'; 125];
    assert_eq!(receive(&mut server(), &masked(PONG, &longest), T0), [Seen::Pong(longest)]);

    for opcode in [CLOSE, PING, PONG] {
        let seen = receive(&mut server(), &masked(opcode, &[b'p'; 126]), T0);
        assert_eq!(seen[..2], refusal(Violation::ControlTooLong));
    }
}

#[test]
fn control_frames_are_not_fragmented() {
    for opcode in [PING, PONG] {
        assert_eq!(receive(&mut server(), &fragment(opcode, b""), T0), refusal(Violation::FragmentedControl));
    }
}

#[test]
fn a_continuation_needs_a_beginning() {
    for bytes in [masked(CONTINUATION, b"x"), fragment(CONTINUATION, b"x")] {
        assert_eq!(receive(&mut server(), &bytes, T0), refusal(Violation::UnexpectedContinuation));
    }
}

#[test]
fn a_message_cannot_begin_inside_another() {
    for opcode in [TEXT, BINARY] {
        let bytes = [fragment(TEXT, b"a"), masked(opcode, b"b")].concat();

        assert_eq!(receive(&mut server(), &bytes, T0), refusal(Violation::ExpectedContinuation));
    }
}

#[test]
fn a_message_may_follow_one_that_came_in_fragments() {
    let bytes = [fragment(TEXT, b"a"), masked(CONTINUATION, b"b"), masked(TEXT, b"c")].concat();

    let seen = receive(&mut server(), &bytes, T0);

    assert_eq!(seen, [Seen::Text("ab".to_owned()), Seen::Text("c".to_owned())]);
}

#[test]
fn a_length_is_written_in_as_few_bytes_as_it_needs() {
    for (form, len) in [(126, 0), (126, 125), (127, 125), (127, 126), (127, 0xffff)] {
        let bytes = frame_with_form(0x82, form, len, &[], Some(KEY));

        assert_eq!(receive(&mut server(), &bytes, T0), refusal(Violation::LengthNotMinimal { len }));
    }
}

#[test]
fn a_length_with_its_highest_bit_set_is_a_violation() {
    let just_over = frame_with_form(0x82, 127, 1 << 63, &[], Some(KEY));
    assert_eq!(receive(&mut server(), &just_over, T0), refusal(Violation::LengthOutOfRange));

    let just_under = frame_with_form(0x82, 127, (1 << 63) - 1, &[], Some(KEY));
    let too_long = Violation::MessageTooLong { len: (1 << 63) - 1, limit: 1 << 20 };
    assert_eq!(receive(&mut server(), &just_under, T0), refusal(too_long));
}

#[test]
fn of_the_pongs_owed_only_the_latest_is_kept() {
    let mut connection = server();
    let mut bytes = [masked(PING, b"1"), masked(PING, b"2")].concat();

    assert!(!connection.owes_pong());
    let first = connection.receive(&mut bytes, T0).consumed;
    assert!(connection.owes_pong());
    connection.receive(&mut bytes[first..], T0);
    assert!(connection.owes_pong());

    assert_eq!(outputs(&mut connection), [Seen::Sent(plain(PONG, b"2"))]);
    assert!(!connection.owes_pong());
}

#[test]
fn a_pong_can_be_taken_ahead_of_the_input_behind_its_ping() {
    let mut connection = server();
    let mut bytes = masked(PING, b"p");
    connection.receive(&mut bytes, T0);

    let pong = connection.take_pong().map(|pong| pong.as_bytes().to_vec());

    assert_eq!(pong, Some(plain(PONG, b"p")));
    assert_eq!(connection.take_pong(), None);
    assert_eq!(outputs(&mut connection), []);
}
