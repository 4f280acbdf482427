//! What clients may cost.

use crate::play::Play;
use game::ticks::PER_SECOND;
use game::world::ROOM;
use serde_json::json;

#[test]
fn client_that_reads_nothing_stays_for_positions_alone() {
    let mut play = Play::new(2);

    for _ in 0..50 * PER_SECOND {
        play.tick();
        play.clients[1].read(usize::from(u16::MAX));
        assert!(play.table.most_waiting() < 1024);
    }

    assert_eq!(play.table.clients(), 2);
    while play.clients[0].read(1024) > 0 {
        play.turn(0);
    }
    assert_eq!(play.clients[0].ticks().last(), Some(&u64::from(50 * PER_SECOND)));
}

/// One who has read nothing for a second, when something comes for it that must not be lost, and two who read all.
fn with_a_client_that_takes_nothing() -> Play {
    let mut play = Play::new(2);
    for _ in 0..PER_SECOND {
        play.tick();
        play.clients[1].read(usize::from(u16::MAX));
    }
    play.join();
    play
}

fn tick_without_the_first(play: &mut Play) {
    play.tick();
    for client in &mut play.clients[1..] {
        client.read(usize::from(u16::MAX));
    }
}

#[test]
fn client_that_does_not_take_what_must_not_be_lost_is_cut_off_within_twenty_seconds() {
    let mut play = with_a_client_that_takes_nothing();

    for _ in 0..18 * PER_SECOND {
        tick_without_the_first(&mut play);
    }
    assert_eq!(play.table.clients(), 3);

    for _ in 0..3 * PER_SECOND {
        tick_without_the_first(&mut play);
    }
    assert_eq!(play.table.clients(), 2);
    assert_eq!(play.clients[1].events("left"), [&json!({ "id": 1 })]);
}

#[test]
fn farewell_of_a_client_that_is_cut_off_is_tried_once() {
    // The same game twice: first to know when it is.
    let mut play = with_a_client_that_takes_nothing();
    let mut ticks = 0;
    while play.table.clients() == 3 {
        tick_without_the_first(&mut play);
        ticks += 1;
    }

    let mut play = with_a_client_that_takes_nothing();
    for _ in 1..ticks {
        tick_without_the_first(&mut play);
    }
    play.ticks.due(play.now());
    let now = play.now();
    play.table.listen(now);
    assert!(play.clients[0].read(usize::from(u16::MAX)) > 0, "there is room again");
    play.table.write(now);

    assert_eq!(play.table.clients(), 2);
    assert_eq!(play.clients[0].read(usize::from(u16::MAX)), 0);
    assert!(play.clients[0].has_ended);
}

#[test]
fn client_that_asks_faster_than_it_reads_is_heard_later_and_in_full() {
    let mut play = Play::new(1);
    for _ in 0..1000 {
        play.clients[0].push("move", r#"{"dx":0,"dy":0}"#);
    }

    let mut most_waiting = 0;
    for _ in 0..2000 {
        play.clients[0].write();
        play.turn(0);
        most_waiting = most_waiting.max(play.table.most_waiting());
        play.clients[0].read(300);
    }

    assert_eq!(play.clients[0].replies(), (2..=1001).collect::<Vec<_>>());
    assert!(most_waiting < 10 * 1024, "{most_waiting} bytes");
}

#[test]
fn client_is_not_cut_off_for_what_it_asks_for_itself() {
    let mut play = Play::new(1);
    for _ in 0..PER_SECOND {
        play.tick();
    }

    // 4 KiB of answers, no more than half of what may wait. Then one that repeats a long topic, and is longer than the rest.
    for _ in 0..45 {
        play.clients[0].push("move", r#"{"dx":0,"dy":0}"#);
    }
    let topic = "\\u0001".repeat(1000);
    play.clients[0].say(&format!(r#"["1","47","{topic}","move",{{}}]"#));
    for _ in 0..5 {
        play.clients[0].write();
        play.tick();
    }

    assert!(play.table.most_waiting() > 9 * 1024, "{}", play.table.most_waiting());
    while play.clients[0].read(1024) > 0 {
        play.tick();
    }
    assert_eq!(play.clients[0].replies(), (2..=46).collect::<Vec<_>>());
    assert_eq!(play.clients[0].events("phx_reply").len(), 46);
}

#[test]
fn world_that_is_full_takes_nobody_before_somebody_leaves() {
    let mut play = Play::new(0);
    for _ in 0..=ROOM {
        play.join();
        for client in &mut play.clients {
            client.read(usize::from(u16::MAX));
        }
    }

    play.turn(0);
    play.clients[ROOM].read(1024);
    let full = json!({ "status": "error", "response": { "reason": "full" } });
    assert_eq!(play.clients[ROOM].events("phx_reply"), [&full]);

    play.clients[0].push("phx_leave", "{}");
    play.clients[ROOM].push("phx_join", "{}");
    for _ in 0..10 {
        play.turn(0);
        play.clients[ROOM].read(1024);
    }
    assert_eq!(play.clients[ROOM].events("phx_reply")[1]["status"], "ok");
}

#[test]
fn client_that_sends_no_request_is_gone_after_ten_seconds() {
    let mut play = Play::new(1);
    let (stream, _client) = crate::stream::pair(1024);
    play.table.seat(stream, play.now());

    for _ in 0..9 * PER_SECOND {
        play.tick();
    }
    assert_eq!(play.table.clients(), 2);

    for _ in 0..2 * PER_SECOND {
        play.tick();
    }
    assert_eq!(play.table.clients(), 1);
}
