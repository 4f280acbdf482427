//! What players can do, and hear of one another.

use crate::client::Client;
use crate::stream::{self, End};
use bennu_core::Instant;
use game::{Table, Ticks};
use serde_json::json;

/// A table and its clients, on virtual time.
pub(crate) struct Play {
    pub(crate) table: Table<End>,
    pub(crate) ticks: Ticks,
    pub(crate) clients: Vec<Client<End>>,
}

impl Play {
    /// With so many clients who have joined, and have read what came of that.
    pub(crate) fn new(clients: usize) -> Self {
        let (table, ticks) = (Table::new((1, 2)), Ticks::new(Instant::EPOCH));
        let mut play = Self { table, ticks, clients: Vec::new() };
        for _ in 0..clients {
            play.join();
        }
        for client in &mut play.clients {
            client.read(usize::from(u16::MAX));
            client.heard.clear();
        }
        play
    }

    /// A client comes, and joins.
    pub(crate) fn join(&mut self) {
        let (stream, client) = stream::pair(4096);
        self.table.seat(stream, self.now());
        self.clients.push(Client::new(client));
        self.turn(0);
    }

    pub(crate) fn now(&self) -> Instant {
        self.ticks.next()
    }

    /// A turn of the loop, for so many ticks, late or not.
    pub(crate) fn turn(&mut self, ticks: u32) {
        let now = self.now();
        self.table.listen(now);
        self.table.advance(ticks, now);
        self.table.write(now);
    }

    /// The next tick has come.
    pub(crate) fn tick(&mut self) {
        let now = self.now();
        let due = self.ticks.due(now);
        self.turn(due);
    }
}

#[test]
fn who_joins_is_told_of_the_world_and_the_others_of_them() {
    let mut play = Play::new(1);

    play.join();
    play.clients[0].read(1024);
    play.clients[1].read(1024);

    let players = json!([{ "id": 1, "x": 50.0, "y": 50.0 }, { "id": 2, "x": 50.0, "y": 50.0 }]);
    let response = json!({ "id": 2, "world": { "tick": 0, "players": players } });
    let reply = json!(["1", "1", "game:1", "phx_reply", { "status": "ok", "response": response }]);
    assert_eq!(play.clients[1].heard, [reply]);
    assert_eq!(play.clients[0].heard, [json!([null, null, "game:1", "joined", { "id": 2 }])]);
}

#[test]
fn who_moves_is_seen_elsewhere_by_all() {
    let mut play = Play::new(2);

    play.clients[0].push("move", r#"{"dx":1,"dy":0}"#);
    play.turn(60);
    play.clients[0].read(1024);
    play.clients[1].read(1024);

    assert_eq!(play.clients[0].events("phx_reply"), [&json!({ "status": "ok", "response": { "tick": 0 } })]);
    let positions = play.clients[1].events("positions")[0];
    let x = positions["players"][0]["x"].as_f64().unwrap();
    assert!((x - 70.0).abs() < 0.01, "{positions}");
    assert_eq!(positions["players"][1]["x"], 50.0);
}

#[test]
fn ticks_that_come_late_together_are_told_once() {
    let mut play = Play::new(1);

    play.turn(3);
    play.turn(0);
    play.turn(1);
    play.clients[0].read(1024);

    assert_eq!(play.clients[0].ticks(), [3, 4]);
}

#[test]
fn move_of_another_shape_is_refused_and_the_game_goes_on() {
    let mut play = Play::new(1);

    play.clients[0].push("move", r#"{"dx":"left"}"#);
    play.clients[0].push("move", r#"{"dx":1e300,"dy":-1e300}"#);
    play.turn(1);
    play.clients[0].read(1024);

    let [refused, taken] = play.clients[0].events("phx_reply")[..] else { panic!("two answers") };
    assert_eq!(refused["status"], "error");
    assert_eq!(taken["status"], "ok");
    assert_eq!(play.clients[0].events("positions")[0]["players"][0]["x"], 50.0);
}

#[test]
fn who_goes_in_whatever_way_is_seen_to_have_left() {
    let mut play = Play::new(4);

    play.clients[1].push("phx_leave", "{}");
    play.clients[2].push("phx_join", "{}");
    play.clients.pop();
    play.turn(0);
    play.clients[0].read(1024);

    let left: Vec<_> = play.clients[0].events("left").iter().map(|left| left["id"].clone()).collect();
    assert_eq!(left, [2, 3, 4]);
    assert_eq!(play.clients[0].events("joined"), [&json!({ "id": 5 })]);
    assert_eq!(play.table.clients(), 3);
}

#[test]
fn world_begins_anew_when_nobody_is_left_in_it() {
    let mut play = Play::new(1);
    play.turn(5);

    play.clients.clear();
    play.turn(5);
    play.join();
    play.clients[0].read(1024);

    assert_eq!(play.clients[0].events("phx_reply")[0]["response"]["world"]["tick"], 0);
}
