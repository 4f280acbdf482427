//! Scripts from bytes: eight for the bounds, eight for each operation.
//!
//! One decoder serves the fuzzer, proptest and the long runs. Any bytes are a script, and less of them, or
//! smaller ones, are a simpler script.

use super::operation::{
    Answer, Body, Bounds, Name, Operation, Pace, Reading, RefOf, Script, Sender, Timeouts, Why,
};
use bennu_core::server::CloseReason;
use bennu_core::{Compat, Serializer};

/// The topics of messages, broadcasts and subscriptions. Few, so that sockets meet there.
const TOPICS: [Name; 3] = [Name::Text("room:a"), Name::Text("icpt:a"), Name::Text("room:b")];
const RARE_TOPICS: [Name; 12] = [
    Name::Text("exact"),
    Name::Text("user:1"),
    Name::Text("room:c"),
    Name::Text("nope"),
    Name::Text("phoenix"),
    Name::Text("room:*"),
    Name::Text("room:"),
    Name::Text(""),
    Name::Other(r#"["room:a"]"#),
    Name::Other("null"),
    Name::Long("room:", 1024),
    Name::Long("room:", 1025),
];

/// What clients send.
const EVENTS: [Name; 5] = [
    Name::Text("echo"),
    Name::Text("phx_join"),
    Name::Text("echo"),
    Name::Text("phx_leave"),
    Name::Text("echo"),
];
const RARE_EVENTS: [Name; 8] = [
    Name::Text("heartbeat"),
    Name::Text("phx_close"),
    Name::Text("phx_reply"),
    Name::Text(""),
    Name::Other("5"),
    Name::Other(r#"["phx_join"]"#),
    Name::Long("echo", 1024),
    Name::Long("echo", 1025),
];

/// What applications send. `icpt` is intercepted.
const OUTGOING: [Name; 8] = [
    Name::Text("news"),
    Name::Text("icpt"),
    Name::Text("news"),
    Name::Text("icpt"),
    Name::Text("disconnect"),
    Name::Text("more"),
    Name::Text("icpt"),
    Name::Long("news", 300),
];

const BODIES: [Body; 4] = [Body::Empty, Body::Numbered, Body::Numbered, Body::Padded(40)];
const RARE_BODIES: [Body; 5] =
    [Body::Bytes(3), Body::Bytes(0), Body::Bytes(200), Body::Padded(200), Body::Json("[null, 7.0]")];

const RARE_REFS: [RefOf; 7] = [
    RefOf::Null,
    RefOf::As(r#""1""#),
    RefOf::As(r#""\u0031""#),
    RefOf::As("1"),
    RefOf::As(r#"{"b":2,"a":[1]}"#),
    RefOf::As(r#""""#),
    RefOf::As(r#""stale""#),
];

const RARE_ANSWERS: [Answer; 14] = [
    Answer::Continue,
    Answer::JoinThen,
    Answer::Reply(Body::Numbered),
    Answer::Refuse,
    Answer::Stop(Why::Normal),
    Answer::Stop(Why::Failed("why")),
    Answer::Stop(Why::Failed("why")),
    Answer::Stop(Why::Failed("again")),
    Answer::StopReplying(Why::Shutdown),
    Answer::Join,
    Answer::Reply(Body::Bytes(3)),
    Answer::Stop(Why::ShutdownWith("why")),
    Answer::StopReplying(Why::Failed("because")),
    Answer::JoinThen,
];

const DELAYS: [u64; 8] = [0, 0, 0, 1, 5, 5, 50, 20_000];
const WAITS: [u64; 8] = [1, 5, 10, 50, 1_000, 10_000, 0, 60_000];
const NO_MESSAGES: [&str; 8] = [
    "",
    "[]",
    "{}",
    r#"["1","1","room:a","echo"]"#,
    r#"{"topic":"room:a","event":"echo","ref":"1"}"#,
    r#"["1","1","room:a","echo",{}"#,
    r#"["1","1","room:a","echo",{}]]"#,
    r#"["xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx","1","room:a","echo",{}]"#,
];

/// From what comes back in a moment to what hardly any script outlasts.
const PACES: [Pace; 4] = [Pace::Once(5, 3), Pace::Once(1, 1), Pace::Once(1_000, 2), Pace::Once(70_000, 4)];

/// How often each kind of operation comes, in 256ths; those that move things on come first, so that what is
/// made smaller becomes one of them. The rest are joins.
const WEIGHTS: [u8; 16] = [62, 50, 8, 12, 28, 4, 8, 5, 12, 6, 3, 20, 3, 2, 2, 2];

impl Script {
    /// The script that these bytes are.
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        let mut chunks = bytes.chunks(8).map(|chunk| {
            let mut whole = [0; 8];
            whole[..chunk.len()].copy_from_slice(chunk);
            whole
        });
        let bounds = Bounds::decode(chunks.next().unwrap_or_default());
        Self { bounds, operations: chunks.map(Operation::decode).collect() }
    }
}

impl Bounds {
    fn decode(bytes: [u8; 8]) -> Self {
        Self {
            max_channels: pick(&[3, 2, 1, 4], bytes[0]),
            max_terminating: pick(&[1, 2], bytes[1]),
            max_topic: pick(&[1024, 1024, 1024, 5000, 6], bytes[7] / 8),
            max_event: pick(&[1024, 1024, 5000, 10, 0], bytes[7]),
            input_messages: pick(&[2, 1, 4, 3, 6], bytes[2]),
            input_bytes: pick(&[1000, 300, 60], bytes[3]),
            overload: pick(&[10, 1, 10_000, 0], bytes[4]),
            channel_messages: pick(&[3, 2, 1, 5], bytes[5]),
            channel_bytes: pick(&[1000, 250, 50], bytes[6]),
            messages: rarely(32, bytes[1], &[Pace::Any], &PACES),
            joins: rarely(32, bytes[4], &[Pace::Any], &PACES),
            compat: rarely(64, bytes[0], &[Compat::Phoenix1_8_12], &[Compat::Phoenix1_8_9]),
        }
    }
}

impl Operation {
    fn decode(bytes: [u8; 8]) -> Self {
        let [kind, which, topic, event, body, join_ref, msg_ref, rest] = bytes;
        let which = usize::from(which);
        let topic = rarely(32, topic, &TOPICS, &RARE_TOPICS);
        let body = rarely(48, body, &BODIES, &RARE_BODIES);
        let answer = rarely(64, event, &[Answer::Usual], &RARE_ANSWERS);
        let reference = |byte| rarely(24, byte, &[RefOf::Own], &RARE_REFS);
        match place(kind) {
            0 => Self::Say {
                socket: which,
                join_ref: reference(join_ref),
                msg_ref: reference(msg_ref),
                topic,
                event: rarely(32, event, &EVENTS, &RARE_EVENTS),
                body,
                reading: if rest % 8 == 7 { Reading::Regardless } else { Reading::Obedient },
            },
            1 => Self::Answer { call: which, answer },
            2 => Self::AnswerAll,
            3 => Self::Connect {
                serializer: if rest % 4 == 3 { Serializer::V1 } else { Serializer::V2 },
                mount: usize::from(rest / 4 % 8 == 7),
                id: pick(&[None, Some("user:1"), Some("user:2"), Some("room:a")], event),
            },
            4 => Self::Broadcast {
                topic,
                event: pick(&OUTGOING, event),
                body,
                sender: match rest % 4 {
                    0 | 1 => Sender::Nobody,
                    2 => Sender::Included(which),
                    _ => Sender::Excluded(which),
                },
            },
            5 => Self::AnswerAgain { call: which, answer },
            6 => Self::Push { channel: which, event: pick(&OUTGOING, event), body },
            7 => Self::ReplyLater { message: which, body },
            8 => Self::Info { channel: which, delay: pick(&DELAYS, rest) },
            9 => Self::Subscribe { channel: which, topic },
            10 => Self::Unsubscribe { channel: which, topic },
            11 => Self::Wait {
                by: pick(&WAITS, event),
                timeouts: if rest % 2 == 0 { Timeouts::Punctual } else { Timeouts::Late },
            },
            12 => Self::Cancel { timer: which },
            13 => Self::Close {
                socket: which,
                reason: pick(
                    &[CloseReason::Draining, CloseReason::SlowConsumer, CloseReason::Disconnected],
                    event,
                ),
            },
            14 => Self::Disconnect { socket: which },
            15 => match rest % 2 {
                0 => Self::Abandon { socket: which },
                _ => Self::Garble { socket: which, text: pick(&NO_MESSAGES, event) },
            },
            _ if rest % 16 == 15 => Self::OldClock,
            // Above all, joins: without them nothing else happens.
            _ => {
                let (topic, event) = match rest % 16 {
                    14 => (Name::Text("phoenix"), Name::Text("heartbeat")),
                    _ => (topic, Name::Text("phx_join")),
                };
                let (join_ref, msg_ref) = (RefOf::Own, RefOf::Own);
                Self::Say { socket: which, join_ref, msg_ref, topic, event, body, reading: Reading::Obedient }
            }
        }
    }
}

/// The kind of operation that a byte stands for.
fn place(byte: u8) -> usize {
    let mut left = byte;
    for (place, &weight) in WEIGHTS.iter().enumerate() {
        if left < weight {
            return place;
        }
        left -= weight;
    }
    WEIGHTS.len()
}

/// One of `rare` in so many cases of 256, the highest bytes; else one of `usual`.
fn rarely<T: Copy>(rare_cases: u8, byte: u8, usual: &[T], rare: &[T]) -> T {
    match byte.checked_sub(u8::MAX - rare_cases + 1) {
        Some(byte) => pick(rare, byte),
        None => pick(usual, byte),
    }
}

fn pick<T: Copy>(from: &[T], byte: u8) -> T {
    from[usize::from(byte) % from.len()]
}
