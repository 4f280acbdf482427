//! Long-polling: sessions on virtual time, requests and answers.

mod answers;
mod bodies;
mod desk;
mod expiry;
mod polls;
mod posts;
mod properties;
mod queue;
mod requests;
mod tickets;
mod whole;

use bennu_core::longpoll::{Config, Data, Delivery, Output, PollId, PostId, Posted, Session};
use bennu_core::{Frame, Instant, Kind};
use std::time::Duration;

const T0: Instant = Instant::EPOCH;
const WINDOW: u64 = 10_000;
const INACTIVE: u64 = 15_000;

fn at(millis: u64) -> Instant {
    Instant::from_epoch(Duration::from_millis(millis))
}

fn session() -> Session {
    Session::new(Config::default(), T0)
}

fn frame(text: &str) -> Frame {
    Frame::new(Kind::Text, text.as_bytes())
}

fn texts(frames: &[Frame]) -> Vec<&str> {
    frames.iter().map(|frame| std::str::from_utf8(frame.body()).unwrap()).collect()
}

fn data(text: &str) -> Data {
    Data { kind: Kind::Text, body: text.to_owned().into() }
}

fn receive(text: &str) -> Output {
    Output::Receive(data(text))
}

fn accepted(post: PostId) -> Output {
    Output::Posted { post, outcome: Posted::Accepted }
}

fn timed_out(post: PostId) -> Output {
    Output::Posted { post, outcome: Posted::TimedOut }
}

fn outputs(session: &mut Session) -> Vec<Output> {
    std::iter::from_fn(|| session.poll_output()).collect()
}

/// A poll that has an answer at once: its frames, written.
fn poll_now(session: &mut Session, now: Instant) -> Vec<String> {
    let poll = session.handle_poll(now).unwrap();
    assert_eq!(outputs(session), [Output::Ready { poll }]);
    taken(session, poll, now)
}

fn taken(session: &mut Session, poll: PollId, now: Instant) -> Vec<String> {
    let frames = session.take(poll, now);
    session.finish(poll, Delivery::Written, now);
    texts(&frames).into_iter().map(str::to_owned).collect()
}
