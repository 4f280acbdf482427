//! One connection, on either side, whatever its peer sends and its owner calls.
//!
//! The first byte of an input says what the rest of it is:
//!
//! | bits | meaning |
//! |---|---|
//! | 0-1 | 0, 3: bytes of the stream as they are; 1: a recipe for frames; 2: a recipe for calls |
//! | 2 | 0: a server, 1: a client |
//! | 3-4 | which limits it has |
//!
//! A stream is preceded by two bytes that say how reads cut it.

mod calls;
mod chopping;
mod closing;
mod frames;
mod life;
mod oracle;
mod seen;
mod sent;

use super::recipe::Recipe;
use bennu_core::Instant;
use bennu_core::websocket::{Config, Connection};
use std::time::Duration;

/// Streams give the same events and outputs however reads cut them, and those that tungstenite gives; calls
/// in any order, at any time, end the connection once, and schedule nothing in the past.
pub fn websocket(input: &[u8]) {
    let mut recipe = Recipe::new(input);
    let first = recipe.byte();
    let setup = Setup::from_byte(first);
    if first & 0b11 == 2 {
        return calls::check(setup, recipe);
    }
    let cuts = recipe.word();
    let stream = if first & 0b11 == 1 { frames::build(setup.side, recipe) } else { recipe.rest().to_vec() };
    let whole = chopping::check(setup, &stream, cuts);
    oracle::check(setup, &stream, &whole);
    oracle::check_encoded(setup, &whole);
    sent::check(&whole);
    closing::check(setup, &stream, cuts);
}

#[derive(Clone, Copy, Debug)]
struct Setup {
    side: Side,
    config: Config,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Server,
    Client,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Server => Self::Client,
            Self::Client => Self::Server,
        }
    }
}

/// Two sets of limits that streams of a few hundred bytes go over, and two that they do not.
const CONFIGS: [Config; 4] = [
    Config {
        max_message: 1 << 20,
        max_fragments: 1024,
        max_empty_fragments: 16,
        idle_timeout: Some(Duration::from_secs(60)),
        idle_code: 1002,
        close_timeout: Duration::from_secs(5),
    },
    Config {
        max_message: 300,
        max_fragments: 4,
        max_empty_fragments: 2,
        idle_timeout: Some(Duration::from_millis(100)),
        idle_code: 1000,
        close_timeout: Duration::from_millis(10),
    },
    Config {
        max_message: 20,
        max_fragments: 2,
        max_empty_fragments: 0,
        idle_timeout: None,
        idle_code: 1006,
        close_timeout: Duration::ZERO,
    },
    Config {
        max_message: 1 << 17,
        max_fragments: u32::MAX,
        max_empty_fragments: u32::MAX,
        idle_timeout: Some(Duration::from_millis(1)),
        idle_code: 4000,
        close_timeout: Duration::from_secs(1000),
    },
];

impl Setup {
    fn from_byte(byte: u8) -> Self {
        let side = if byte & 0b100 == 0 { Side::Server } else { Side::Client };
        Self { side, config: CONFIGS[usize::from(byte >> 3 & 0b11)] }
    }

    fn connection(&self, now: Instant) -> Connection {
        match self.side {
            Side::Server => Connection::server(self.config, now),
            Side::Client => Connection::client(self.config, 7, now),
        }
    }
}
