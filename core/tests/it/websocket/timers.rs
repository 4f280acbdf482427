use super::peer::*;
use bennu_core::Instant;
use bennu_core::websocket::{CloseReason, Config, Connection};
use proptest::prelude::*;
use std::time::Duration;

const IDLE: u64 = 60_000;

#[test]
fn silent_peer_is_closed_after_the_idle_timeout() {
    let mut connection = server();
    assert_eq!(connection.poll_timeout(), Some(at(IDLE)));

    connection.handle_timeout(at(IDLE - 1));
    assert_eq!(outputs(&mut connection), []);

    connection.handle_timeout(at(IDLE));
    let close = Seen::Sent(plain(CLOSE, &close_payload(1002, b"")));
    assert_eq!(outputs(&mut connection), [close, Seen::Closed(CloseReason::Idle { code: 1002 })]);
}

#[test]
fn a_closed_peer_that_stays_silent_loses_the_stream_after_the_close_timeout() {
    let mut connection = server();
    connection.close(1000, "", at(100));
    outputs(&mut connection);
    assert_eq!(connection.poll_timeout(), Some(at(5_100)));

    receive(&mut connection, &masked(TEXT, b"still here"), at(5_000));
    connection.handle_timeout(at(5_099));
    assert_eq!(outputs(&mut connection), []);

    connection.handle_timeout(at(5_100));
    assert_eq!(outputs(&mut connection), [Seen::End]);
    assert_eq!(connection.poll_timeout(), None);
}

#[test]
fn any_byte_restarts_the_idle_timer() {
    let frames = [masked(TEXT, b"text"), masked(PING, b""), masked(PONG, b"pong")];

    for frame in frames {
        let mut connection = server();
        for (i, byte) in (1..).zip(&frame) {
            receive(&mut connection, &[*byte], at(i));
            assert_eq!(connection.poll_timeout(), Some(at(i + IDLE)));
        }
    }
}

#[test]
fn sending_and_empty_reads_do_not_restart_the_idle_timer() {
    let mut connection = server();
    receive(&mut connection, b"", at(10));
    connection.encode(bennu_core::Kind::Text, b"push", &mut Vec::new());

    assert_eq!(connection.poll_timeout(), Some(at(IDLE)));
}

#[test]
fn the_idle_timer_stands_still_while_reading_is_paused() {
    let mut connection = server();
    connection.pause(at(20_000));
    connection.pause(at(30_000));
    assert_eq!(connection.poll_timeout(), None);
    connection.handle_timeout(at(10 * IDLE));
    assert_eq!(outputs(&mut connection), []);

    connection.resume(at(10 * IDLE));
    connection.resume(at(11 * IDLE));
    assert_eq!(connection.poll_timeout(), Some(at(10 * IDLE + 40_000)));
}

#[test]
fn what_was_read_before_a_pause_gives_the_peer_its_full_time_after_it() {
    let mut connection = server();
    connection.pause(at(20_000));
    receive(&mut connection, &masked(TEXT, b"in the buffer"), at(20_001));

    connection.resume(at(30_000));

    assert_eq!(connection.poll_timeout(), Some(at(30_000 + IDLE)));
}

#[test]
fn a_pause_does_not_hold_up_the_close_timeout() {
    let mut connection = server();
    connection.close(1000, "", T0);
    connection.pause(T0);

    assert_eq!(connection.poll_timeout(), Some(at(5_000)));
}

#[test]
fn without_an_idle_timeout_nothing_is_scheduled() {
    let config = Config { idle_timeout: None, ..Config::default() };
    let mut connection = Connection::server(config, T0);
    receive(&mut connection, &masked(PING, b""), T0);
    connection.pause(T0);
    connection.resume(T0);

    connection.handle_timeout(Instant::from_epoch(Duration::MAX));

    assert_eq!(connection.poll_timeout(), None);
    assert_eq!(outputs(&mut connection), []);
}

#[test]
fn the_idle_code_is_a_setting() {
    let config = Config { idle_code: 1000, ..Config::default() };
    let mut connection = Connection::server(config, T0);

    connection.handle_timeout(at(IDLE));

    assert_eq!(outputs(&mut connection)[1], Seen::Closed(CloseReason::Idle { code: 1000 }));
}

#[derive(Clone, Debug)]
enum Act {
    Receive(Vec<u8>),
    Timeout,
    Pause,
    Resume,
    Close,
    Eof,
    Poll,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => prop_oneof![
            Just(masked(TEXT, b"hi")),
            Just(masked(PING, b"")),
            Just(masked(CLOSE, b"")),
            Just(masked(3, b"")),
            prop::collection::vec(any::<u8>(), 0..5),
        ].prop_map(Act::Receive),
        8 => Just(Act::Timeout),
        3 => Just(Act::Pause),
        3 => Just(Act::Resume),
        1 => Just(Act::Close),
        1 => Just(Act::Eof),
        3 => Just(Act::Poll),
    ]
}

proptest! {
    /// I-1, I-2, I-3, I-5, I-6.
    #[test]
    fn any_calls_at_any_time_end_once_and_schedule_nothing_in_the_past(
        acts in prop::collection::vec((act(), 0_u64..100_000), 0..60),
        is_client: bool,
    ) {
        let mut connection = if is_client { client() } else { server() };
        let mut handled = T0;
        let mut seen = Vec::new();
        for (act, millis) in acts {
            let now = at(millis);
            match act {
                Act::Receive(bytes) => seen.extend(receive(&mut connection, &bytes, now)),
                Act::Timeout => {
                    let state = (connection.is_closing(), connection.is_closed());
                    connection.handle_timeout(now);
                    handled = handled.max(now);
                    let changed = state != (connection.is_closing(), connection.is_closed());
                    prop_assert!(changed || connection.poll_timeout().is_none_or(|due| due > now));
                }
                Act::Pause => connection.pause(now),
                Act::Resume => connection.resume(now),
                Act::Close => connection.close(1001, "", now),
                Act::Eof => connection.handle_eof(now),
                Act::Poll => seen.extend(outputs(&mut connection)),
            }
            prop_assert!(connection.poll_timeout().is_none_or(|due| due >= handled));
            prop_assert!(!connection.is_closed() || connection.poll_timeout().is_none());
        }
        seen.extend(outputs(&mut connection));

        let is_close = |seen: &&Seen| matches!(seen, Seen::Sent(bytes) if bytes[0] == 0x88);
        prop_assert!(seen.iter().filter(is_close).count() <= 1);
        prop_assert_eq!(seen.iter().filter(|seen| matches!(seen, Seen::Closed(_))).count(), usize::from(connection.is_closing()));
        prop_assert_eq!(seen.iter().filter(|seen| **seen == Seen::End).count(), usize::from(connection.is_closed()));
        let after = seen.iter().skip_while(|seen| !matches!(seen, Seen::Closed(_))).skip(1);
        prop_assert!(after.clone().all(|seen| *seen == Seen::End), "after the end: {:?}", seen);
    }
}
