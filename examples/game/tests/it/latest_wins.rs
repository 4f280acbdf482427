//! A client that reads slowly: it sees fewer positions, always newer ones, and misses nothing else.

use crate::play::Play;

const TICKS: u64 = 600;

/// What the slow client reads in a tick, in bytes: about half of what there is for it.
const SLOWLY: usize = 200;

#[test]
fn slow_client_sees_fewer_positions_and_the_latest_and_misses_no_reply() {
    let mut play = Play::new(10);
    let (fast, slow) = (0, 9);
    let (mut most_waiting, mut most_behind) = (0, 0);

    for tick in 1..=TICKS {
        match tick {
            _ if tick.is_multiple_of(6) => {
                play.clients[fast].push("move", r#"{"dx":0.1,"dy":-0.05}"#);
                play.clients[slow].push("move", r#"{"dx":-0.1,"dy":0.15}"#);
            }
            200 => play.clients[4].push("phx_leave", "{}"),
            400 => play.join(),
            _ => {}
        }
        play.tick();
        most_waiting = most_waiting.max(play.table.most_waiting());
        for (client, reader) in play.clients.iter_mut().enumerate() {
            reader.read(if client == slow { SLOWLY } else { usize::from(u16::MAX) });
        }
        let seen = play.clients[slow].ticks().last().copied().unwrap_or(0);
        most_behind = most_behind.max(tick - seen);
    }
    // What waits is read to the end.
    while play.clients[slow].read(SLOWLY) > 0 {
        play.turn(0);
    }

    assert_eq!(play.clients[fast].ticks(), (1..=TICKS).collect::<Vec<_>>());
    let seen = play.clients[slow].ticks();
    assert!(seen.is_sorted_by(|before, after| before < after), "{seen:?}");
    assert!((200..400).contains(&seen.len()), "{} of {TICKS}", seen.len());
    assert_eq!(seen.last(), Some(&TICKS));
    // What is on its way, 4 KiB, takes it 20 ticks; what waits for it, few more.
    assert!(most_behind < 30, "{most_behind} ticks");
    assert!(most_waiting < 2 * 1024, "{most_waiting} bytes");

    for client in [fast, slow] {
        let client = &play.clients[client];
        assert_eq!(client.replies(), (2..=TICKS / 6 + 1).collect::<Vec<_>>());
        assert_eq!(client.events("left").len(), 1);
        assert_eq!(client.events("joined").len(), 1);
        assert!(!client.has_ended);
    }
}
