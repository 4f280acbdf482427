//! The fuzz targets: functions of any bytes that panic where a rule is broken.
//!
//! ```text
//!  fuzz/fuzz_targets/NAME.rs   nightly: libFuzzer looks for inputs that reach new code ─┐
//!                                                                                       ├─▶ fuzz::NAME(input)
//!  tests/corpus.rs             stable: replays what it has found, fuzz/corpus/NAME/* ───┘
//! ```
//!
//! Each compares a machine with an oracle that somebody else wrote (tungstenite, serde_json, `http::Uri`), or
//! with a second, plainer account of the same rule. Where both may differ, the difference has a name, and
//! nothing else is let through.

mod decode_v1;
mod decode_v2_binary;
mod decode_v2_text;
mod handshake;
mod json;
mod longpoll;
mod recipe;
mod recorded;
mod relay;
mod text;
mod token;
mod websocket;

pub use crate::model::server;
pub use decode_v1::decode_v1;
pub use decode_v2_binary::decode_v2_binary;
pub use decode_v2_text::decode_v2_text;
pub use handshake::handshake;
pub use longpoll::longpoll;
pub use token::token;
pub use websocket::websocket;

/// A target, and the name of its file and its corpus.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Such as `websocket`.
    pub name: &'static str,
    /// Panics if the input breaks a rule.
    pub run: fn(&[u8]),
}

/// All of them, sorted by name.
pub const TARGETS: &[Target] = &[
    Target { name: "decode_v1", run: decode_v1 },
    Target { name: "decode_v2_binary", run: decode_v2_binary },
    Target { name: "decode_v2_text", run: decode_v2_text },
    Target { name: "handshake", run: handshake },
    Target { name: "longpoll", run: longpoll },
    Target { name: "server", run: server },
    Target { name: "token", run: token },
    Target { name: "websocket", run: websocket },
];
