use super::peer::*;
use bennu_core::Kind;
use bennu_core::websocket::{CloseReason, Violation};

fn sent_close(code: u16) -> Seen {
    Seen::Sent(plain(CLOSE, &close_payload(code, b"")))
}

#[test]
fn a_peer_that_closes_is_answered_1000_and_the_server_ends_the_stream() {
    for code in [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999] {
        let mut connection = server();
        let seen = receive(&mut connection, &masked(CLOSE, &close_payload(code, "tschüß".as_bytes())), T0);

        let reason = CloseReason::Peer { code: Some(code) };
        assert_eq!(seen, [sent_close(1000), Seen::Closed(reason), Seen::End]);
        assert!(connection.is_closed());
    }
}

#[test]
fn a_close_without_a_code_is_answered_1000() {
    let seen = receive(&mut server(), &masked(CLOSE, b""), T0);

    assert_eq!(seen, [sent_close(1000), Seen::Closed(CloseReason::Peer { code: None }), Seen::End]);
}

#[test]
fn a_code_that_must_not_be_sent_is_answered_1002() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        let seen = receive(&mut server(), &masked(CLOSE, &close_payload(code, b"")), T0);

        let reason = CloseReason::Violation(Violation::InvalidCloseCode { code });
        assert_eq!(seen, [sent_close(1002), Seen::Closed(reason), Seen::End]);
    }
}

#[test]
fn half_a_code_is_answered_1002() {
    let seen = receive(&mut server(), &masked(CLOSE, &[3]), T0);

    assert_eq!(
        seen,
        [sent_close(1002), Seen::Closed(CloseReason::Violation(Violation::CloseTooShort)), Seen::End]
    );
}

#[test]
fn a_reason_that_is_not_utf_8_is_answered_1007() {
    let seen = receive(&mut server(), &masked(CLOSE, &close_payload(1000, &[0xff])), T0);

    assert_eq!(
        seen,
        [sent_close(1007), Seen::Closed(CloseReason::Violation(Violation::InvalidUtf8)), Seen::End]
    );
}

#[test]
fn a_close_inside_a_fragmented_message_ends_it() {
    let seen = receive(&mut server(), &[fragment(TEXT, b"a"), masked(CLOSE, b"")].concat(), T0);

    assert_eq!(seen, [sent_close(1000), Seen::Closed(CloseReason::Peer { code: None }), Seen::End]);
}

#[test]
fn what_follows_the_peers_close_is_ignored() {
    let bytes = [masked(CLOSE, b""), masked(TEXT, b"late"), plain(TEXT, b"wrong")].concat();
    let mut connection = server();

    assert_eq!(receive(&mut connection, &bytes, T0).last(), Some(&Seen::End));
    assert_eq!(receive(&mut connection, &bytes, T0), []);
}

#[test]
fn the_server_closes_and_ends_the_stream_once_the_peer_has_closed_too() {
    let mut connection = server();
    connection.close(1001, "bye", T0);
    assert!(connection.is_closing() && !connection.is_closed());
    let close = Seen::Sent(plain(CLOSE, &close_payload(1001, b"bye")));
    assert_eq!(outputs(&mut connection), [close, Seen::Closed(CloseReason::Local { code: 1001 })]);

    assert_eq!(receive(&mut connection, &masked(TEXT, b"crossing"), T0), []);
    assert_eq!(receive(&mut connection, &masked(CLOSE, &close_payload(1001, b"")), T0), [Seen::End]);
}

#[test]
fn a_close_frame_is_found_behind_what_was_under_way() {
    let message = [fragment(TEXT, b"half"), masked(CONTINUATION, b"rest"), masked(CLOSE, b"")].concat();

    for cut in 0..message.len() {
        let mut connection = server();
        receive(&mut connection, &message[..cut], T0);
        connection.close(1000, "", T0);
        outputs(&mut connection);

        assert_eq!(receive(&mut connection, &message[cut..], T0), [Seen::End], "closed after {cut} bytes");
    }
}

#[test]
fn the_peers_close_frame_counts_once_it_is_whole() {
    let close = masked(CLOSE, &close_payload(1000, b"bye"));
    for cut in 0..close.len() {
        let mut connection = server();
        connection.close(1000, "", T0);
        outputs(&mut connection);

        assert_eq!(receive(&mut connection, &close[..cut], T0), [], "cut at {cut}");
        assert_eq!(receive(&mut connection, &close[cut..], T0), [Seen::End], "cut at {cut}");
    }
}

#[test]
fn a_client_waits_for_the_server_to_end_the_stream() {
    let mut connection = client();

    let seen = receive(&mut connection, &plain(CLOSE, &close_payload(1012, b"")), T0);
    assert_eq!(seen[1..], [Seen::Closed(CloseReason::Peer { code: Some(1012) })]);
    assert_eq!(connection.poll_timeout(), Some(at(5_000)));

    connection.handle_eof(at(10));
    assert_eq!(outputs(&mut connection), [Seen::End]);
}

#[test]
fn a_client_that_closed_first_waits_for_the_end_of_the_stream_too() {
    let mut connection = client();
    connection.close(1000, "", T0);
    outputs(&mut connection);

    assert_eq!(receive(&mut connection, &plain(CLOSE, &close_payload(1000, b"")), at(10)), []);
    assert!(!connection.is_closed());
    connection.handle_timeout(at(5_000));
    assert_eq!(outputs(&mut connection), [Seen::End]);
}

#[test]
fn a_clients_close_frame_is_masked() {
    let mut connection = client();
    connection.close(3000, "ok", T0);

    let sent = outputs(&mut connection);
    let Seen::Sent(bytes) = &sent[0] else { panic!("no frame: {sent:?}") };

    assert_eq!(bytes[..2], [0x88, 0x84]);
    let seen = receive(&mut server(), bytes, T0);
    assert_eq!(seen[1], Seen::Closed(CloseReason::Peer { code: Some(3000) }));
}

#[test]
fn a_violation_is_followed_by_silence_until_the_peer_closes() {
    let mut connection = server();
    assert_eq!(
        receive(&mut connection, &masked(3, b"xyz"), T0),
        refusal(Violation::ReservedOpcode { opcode: 3 })
    );

    assert_eq!(receive(&mut connection, &masked(PING, b""), T0), []);
    assert_eq!(receive(&mut connection, &masked(TEXT, &[0xff]), T0), []);
    assert_eq!(receive(&mut connection, &masked(CLOSE, b""), T0), [Seen::End]);
}

#[test]
fn the_first_end_counts_whatever_comes_later() {
    let mut connection = server();
    connection.close(1001, "first", T0);
    connection.close(1011, "second", T0);
    connection.handle_eof(T0);
    connection.handle_eof(T0);
    connection.close(1000, "third", T0);
    connection.handle_timeout(at(1_000_000));

    let close = Seen::Sent(plain(CLOSE, &close_payload(1001, b"first")));
    assert_eq!(outputs(&mut connection), [close, Seen::Closed(CloseReason::Local { code: 1001 }), Seen::End]);
    assert_eq!(connection.poll_timeout(), None);
}

#[test]
fn a_stream_that_ends_without_a_close_frame_is_told_as_that() {
    let mut connection = server();
    receive(&mut connection, &fragment(TEXT, b"half"), T0);

    connection.handle_eof(T0);

    assert_eq!(outputs(&mut connection), [Seen::Closed(CloseReason::Eof), Seen::End]);
    assert_eq!(receive(&mut connection, &masked(PING, b""), T0), []);
}

#[test]
fn a_code_that_must_not_be_on_the_wire_is_sent_as_1011() {
    for code in [0, 1004, 1005, 1006, 1015, 2999, 5000] {
        let mut connection = server();
        connection.close(code, "", T0);

        assert_eq!(
            outputs(&mut connection),
            [sent_close(1011), Seen::Closed(CloseReason::Local { code: 1011 })]
        );
    }
}

#[test]
fn a_reason_is_cut_between_characters_to_123_bytes() {
    for (reason, kept) in [
        ("x".repeat(123), 123),
        ("x".repeat(124), 123),
        ("€".repeat(50), 123),
        (format!("x{}", "€".repeat(50)), 121),
    ] {
        let mut connection = server();
        connection.close(1000, &reason, T0);

        let close = Seen::Sent(plain(CLOSE, &close_payload(1000, &reason.as_bytes()[..kept])));
        assert_eq!(outputs(&mut connection)[0], close);
    }
}

#[test]
fn no_message_is_encoded_once_the_connection_is_closing() {
    let mut connection = server();
    let mut out = Vec::new();
    connection.encode(Kind::Text, b"before", &mut out);
    connection.close(1000, "", T0);
    connection.encode(Kind::Text, b"after", &mut out);

    assert_eq!(out, plain(TEXT, b"before"));
}

#[test]
fn a_pong_that_is_owed_goes_before_the_close_frame() {
    let mut connection = server();
    let mut ping = masked(PING, b"p");
    connection.receive(&mut ping, T0);
    connection.close(1000, "", T0);

    assert_eq!(outputs(&mut connection)[..2], [Seen::Sent(plain(PONG, b"p")), sent_close(1000)]);
}
