//! Work grows with the size of a message, and no faster.
#![allow(missing_docs)]

use bennu_core::Kind;
use bennu_core::wire::Serializer;
use std::time::{Duration, Instant};

/// In bytes.
const SIZE: usize = 1 << 18;

/// One pass takes milliseconds, a pass for each byte minutes: what lies between is for slow machines.
const BOUND: Duration = Duration::from_secs(10);

/// What is repeated inside a message: kinds of input that parsers have been slow with.
const REPEATED: [&str; 8] =
    ["[", "[]", "{\"a\":", "\"\\\\\",", "\\u0074", "\"t\\u006fpic\":1,", "\u{20}", "1,"];

#[test]
fn no_long_message_is_passed_over_once_for_each_of_its_bytes() {
    for serializer in Serializer::ALL {
        for repeated in REPEATED {
            for (open, close) in [("[null,null,\"t\",\"e\",[", "]]"), ("{\"x\":0,", "}"), ("[\"", "\"]")] {
                let text = format!("{open}{}{close}", repeated.repeat(SIZE / repeated.len()));

                let start = Instant::now();
                let _ = serializer.decode(Kind::Text, text.as_bytes());
                let _ = serializer.decode_from_server(Kind::Text, text.as_bytes());

                assert!(start.elapsed() < BOUND, "{serializer:?}: {open}{repeated}");
            }
        }
    }
}
