//! I-1, I-2, I-3, I-5 and I-6: calls in any order, at any time.
//!
//! Each call: a byte that says which one (low half) and when (high half), then its arguments.

use super::life::Life;
use super::seen::{self, Seen};
use super::{Setup, frames, sent};
use crate::fuzz::recipe::Recipe;
use bennu_core::websocket::Connection;
use bennu_core::{Instant, Kind};
use std::time::Duration;

/// Enough to end a connection in every way several times over.
const MAX_CALLS: usize = 200;

/// One connection, and what is known about it.
struct Played {
    connection: Connection,
    life: Life,
    /// The payload of the latest ping that no pong was taken for.
    owed: Option<Vec<u8>>,
    seen: Vec<Seen>,
}

/// Follows the recipe.
pub(super) fn check(setup: Setup, mut recipe: Recipe<'_>) {
    let mut now = Instant::EPOCH;
    let mut played = Played {
        connection: setup.connection(now),
        life: Life::new(setup.config, now),
        owed: None,
        seen: Vec::new(),
    };
    for _ in 0..MAX_CALLS {
        if recipe.is_empty() {
            break;
        }
        let call = recipe.byte();
        now = when(call >> 4, now, played.connection.poll_timeout());
        played.call(setup, call & 0xf, now, &mut recipe);
        played.life.assert_is(&played.connection);
    }
    played.poll();
    played.end_again(now);

    sent::check_order(&played.seen);
    let count = |wanted: fn(&Seen) -> bool| played.seen.iter().filter(|seen| wanted(seen)).count();
    assert_eq!(
        count(|seen| matches!(seen, Seen::Closed(_))),
        usize::from(played.connection.is_closing()),
        "the reason of the end is told once"
    );
    assert_eq!(count(|seen| *seen == Seen::End), usize::from(played.connection.is_closed()), "one end");
}

impl Played {
    fn call(&mut self, setup: Setup, call: u8, now: Instant, recipe: &mut Recipe<'_>) {
        let was_closing = self.connection.is_closing();
        match call {
            0..=3 => {
                let mut read = Vec::new();
                frames::frame(&mut read, setup.side, recipe);
                self.receive(&read, now);
            }
            4 => {
                let len = recipe.byte();
                self.receive(recipe.bytes(len.into()), now);
            }
            5 | 6 => {
                self.connection.handle_timeout(now);
                self.life.handle_timeout(now);
            }
            7 => {
                self.connection.pause(now);
                self.life.pause(now);
            }
            8 => {
                self.connection.resume(now);
                self.life.resume(now);
            }
            9 => {
                let code = recipe.word();
                let len = recipe.byte();
                let reason = String::from_utf8_lossy(recipe.bytes(len.into()));
                self.connection.close(code, &reason, now);
                self.life.close(now);
            }
            10 => {
                self.connection.handle_eof(now);
                self.life.handle_eof(now);
            }
            11 => {
                let mut out = Vec::new();
                self.connection.encode(Kind::Binary, b"body", &mut out);
                assert_eq!(out.is_empty(), was_closing, "nothing follows a close frame");
            }
            12 => {
                let pong = self.connection.take_pong().map(|frame| sent::opened(frame.as_bytes()));
                assert_eq!(pong, self.owed.take().map(|payload| (0x8a, payload)));
            }
            _ => self.poll(),
        }
    }

    fn receive(&mut self, read: &[u8], now: Instant) {
        let was_closing = self.connection.is_closing();
        let events = seen::receive_without_polling(&mut self.connection, read, now);
        self.life.receive(read.len(), &self.connection, now);
        assert!(!was_closing || events.is_empty(), "after the end: {events:?}");
        for event in events {
            if let Seen::Ping(payload) = &event {
                self.owed = Some(payload.clone());
            }
            self.seen.push(event);
        }
    }

    fn poll(&mut self) {
        let outputs = seen::outputs(&mut self.connection);
        let pongs = outputs.iter().filter_map(|seen| {
            let Seen::Sent(frame) = seen else { return None };
            Some(sent::opened(frame)).filter(|(first, _)| *first == 0x8a)
        });
        let owed = self.owed.take().map(|payload| (0x8a, payload));
        assert_eq!(pongs.collect::<Vec<_>>(), owed.into_iter().collect::<Vec<_>>(), "only the latest pong");
        self.seen.extend(outputs);
        assert_eq!(self.connection.poll_output(), None, "drained");
    }

    /// Whatever ends a connection has no effect on one that has ended.
    fn end_again(&mut self, now: Instant) {
        if !self.connection.is_closed() {
            return;
        }
        self.connection.close(1000, "", now);
        self.connection.handle_eof(now);
        self.connection.handle_timeout(Instant::LAST);
        assert_eq!(seen::receive(&mut self.connection, b"\x88\x80\0\0\0\0", now), []);
        assert_eq!(seen::outputs(&mut self.connection), []);
        assert_eq!(self.connection.poll_timeout(), None);
    }
}

/// Just before, at and after what is due, back in time, and at its end.
fn when(choice: u8, now: Instant, due: Option<Instant>) -> Instant {
    let since_epoch = now.since_epoch();
    match choice {
        0..=5 => now,
        6 | 7 => due.unwrap_or(now),
        8 => due.map_or(now, |due| {
            Instant::from_epoch(due.since_epoch().saturating_sub(Duration::from_nanos(1)))
        }),
        9 => Instant::from_epoch(since_epoch.saturating_sub(Duration::from_secs(1))),
        10 => now + Duration::from_secs(60),
        11 => Instant::LAST,
        n => now + Duration::from_millis(1 << n),
    }
}
