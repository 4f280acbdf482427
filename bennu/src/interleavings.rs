//! Those who share a connection or a node, in all their interleavings.
//!
//! What is checked is what runs in production: under `--cfg bennu_loom` its locks and atomics are loom's, which
//! runs a model once for each order in which its threads can come to them (with so many preemptions at most)
//! and each value that a load may return. A model waits for what has to come about; where nobody is woken who
//! would bring it about, all of its threads wait in the end, and loom reports a deadlock.

mod close;
mod index;
mod lease;
mod node;
mod runs;
mod wire;

use bennu_core::{Frame, Kind};
use loom::thread::JoinHandle;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How often a thread is interrupted, in one interleaving, where it need not wait.
#[derive(Clone, Copy, Debug)]
enum Preemptions {
    /// As often as it can be.
    Any,
    AtMost(usize),
}

/// Runs a model in all its interleavings, and says how many there are.
#[track_caller]
fn explore(preemptions: Preemptions, model: impl Fn() + Send + Sync + 'static) {
    let runs = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&runs);
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 10_000;
    builder.preemption_bound = match preemptions {
        Preemptions::Any => None,
        Preemptions::AtMost(bound) => Some(bound),
    };
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        model();
    });
    let test = std::thread::current();
    println!("{}: {} interleavings", test.name().unwrap_or("a model"), runs.load(Ordering::Relaxed));
}

/// Starts a thread of a model.
fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    // Deeper than loom's own: whole machines run on it, unoptimised.
    let thread = loom::thread::Builder::new().stack_size(1 << 16);
    thread.spawn(f).expect("a model has fewer threads than there may be")
}

/// A frame that can be told from others.
fn frame(text: &str) -> Frame {
    Frame::new(Kind::Text, text.as_bytes())
}

/// Those of these frames that have been written, in the order in which they were, by what they say.
#[track_caller]
fn texts(mut bytes: &[u8]) -> Vec<&str> {
    let mut texts = Vec::new();
    while let [opcode, len, rest @ ..] = bytes {
        let (len, rest) = match (len, rest) {
            (126, [high, low, rest @ ..]) => (u16::from_be_bytes([*high, *low]), rest),
            _ => (u16::from(*len), rest),
        };
        // Of the last one a part may be missing.
        let Some((text, rest)) = rest.split_at_checked(usize::from(len)) else { break };
        if *opcode == 0x81 {
            texts.push(std::str::from_utf8(text).expect("what is written is what was queued"));
        }
        bytes = rest;
    }
    texts
}
