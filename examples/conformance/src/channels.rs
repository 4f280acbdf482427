//! The channels.

mod bench;
mod bye;
mod exact;
mod intercept;
mod join;
mod monitor;
mod room;
mod user;

pub(crate) use bench::Bench;
pub(crate) use bye::Bye;
pub(crate) use exact::Exact;
pub(crate) use intercept::Intercept;
pub(crate) use join::Join;
pub(crate) use monitor::Monitor;
pub(crate) use room::Room;
pub(crate) use user::User;

use bennu::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

/// An event to send, as several events carry it.
#[derive(Deserialize)]
struct Sending {
    event: String,
    payload: Box<RawValue>,
}

/// Reads a payload; in this application a field that is missing is a crash.
fn fields<'a, T: Deserialize<'a>>(payload: &'a Payload) -> Result<T, Failure> {
    payload.parse().map_err(Failure::crash)
}

/// The name of a reason, as the scenarios know it.
fn name(reason: &Reason) -> String {
    match reason {
        Reason::Left => "left".into(),
        Reason::Closed => "closed".into(),
        Reason::Draining => "draining".into(),
        Reason::Normal => "normal".into(),
        Reason::Shutdown => "shutdown".into(),
        Reason::ShutdownWith(why) => format!("shutdown:{why}"),
        Reason::Crash(_) => "crash".into(),
    }
}

/// Bytes from hex digits.
pub(crate) fn from_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<_>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}
