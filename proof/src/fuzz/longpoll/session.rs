//! A session, played with: every frame is written once and in order, every request answered once.

use crate::fuzz::recipe::Recipe;
use bennu_core::longpoll::{Config, Data, Delivery, Output, PollId, PostId, Session};
use bennu_core::{Frame, Instant, Kind};
use std::collections::BTreeSet;
use std::time::Duration;

/// The first byte is how much the session puts up with; then a byte for each act, and for some one more.
pub(super) fn check(mut recipe: Recipe<'_>) {
    let max = usize::from(recipe.byte());
    let config =
        Config { max_queue: 4 * max, max_input: 80 * max, max_replaced: max % 4, ..Config::default() };
    let mut game = Game {
        session: Session::new(config, Instant::EPOCH),
        now: Instant::EPOCH,
        polls: Vec::new(),
        promised: BTreeSet::new(),
        pushed: 0,
        written: 0,
        in_flight: None,
        posts: BTreeSet::new(),
        phase: Phase::Open,
    };
    while !recipe.is_empty() {
        game.act(recipe.byte(), &mut recipe);
        game.settle();
    }
    game.end();
}

struct Game {
    session: Session,
    now: Instant,
    /// All there have been.
    polls: Vec<PollId>,
    /// Those that have been told nothing yet, and are still there to be.
    promised: BTreeSet<PollId>,
    pushed: u32,
    /// So many frames have reached the client.
    written: u32,
    in_flight: Option<(PollId, u32)>,
    posts: BTreeSet<PostId>,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    Closed,
    Over,
}

impl Game {
    fn act(&mut self, act: u8, recipe: &mut Recipe<'_>) {
        match act % 13 {
            0 => self.push(Session::push),
            1 => self.push(Session::push_owed),
            2 => {
                if let Ok(poll) = self.session.handle_poll(self.now) {
                    self.polls.push(poll);
                    self.promised.insert(poll);
                }
            }
            3 => self.pick(recipe.byte()).into_iter().for_each(|poll| self.take(poll)),
            4 => self.finish(recipe.byte(), Delivery::Written),
            5 => self.finish(recipe.byte(), Delivery::Cut),
            6 => {
                if let Some(poll) = self.pick(recipe.byte()) {
                    self.session.handle_cut(poll, self.now);
                    self.landed(poll, Delivery::Cut);
                    self.promised.remove(&poll);
                }
            }
            7 => {
                let body = vec![b'x'; usize::from(recipe.byte())];
                let messages = vec![Data { kind: Kind::Text, body: body.into() }; usize::from(act / 13 % 4)];
                self.posts.extend(self.session.handle_post(messages, self.now));
            }
            8 => self.session.handle_accepted(self.now),
            9 => self.session.pause(self.now),
            10 => self.session.resume(self.now),
            11 => self.sleep(Duration::from_millis(u64::from(recipe.byte()) * 100)),
            // Rare: nothing follows.
            _ => match act / 13 {
                17 => self.session.handle_malformed(self.now),
                18 => self.session.close(self.now),
                _ => {}
            },
        }
    }

    fn push<E: std::fmt::Debug>(&mut self, push: fn(&mut Session, Frame) -> Result<(), E>) {
        let frame = Frame::new(Kind::Text, self.pushed.to_string().as_bytes());
        push(&mut self.session, frame).expect("a number is text");
        self.pushed += 1;
    }

    fn pick(&self, at: u8) -> Option<PollId> {
        // The latest are the ones about which something can be said.
        self.polls.iter().rev().nth(usize::from(at) % 8).copied()
    }

    fn take(&mut self, poll: PollId) {
        let frames = self.session.take(poll, self.now);
        self.promised.remove(&poll);
        if frames.is_empty() {
            return;
        }
        assert_eq!(self.in_flight, None, "one answer is written at a time");
        let behind = self.written + u32::try_from(frames.len()).expect("a small number");
        let expected: Vec<String> = (self.written..behind).map(|number| number.to_string()).collect();
        let found: Vec<_> = frames.iter().map(|frame| String::from_utf8_lossy(frame.body())).collect();
        assert_eq!(found, expected);
        self.in_flight = Some((poll, behind));
    }

    fn finish(&mut self, at: u8, delivery: Delivery) {
        let Some(poll) = self.pick(at) else { return };
        self.session.finish(poll, delivery, self.now);
        self.landed(poll, delivery);
    }

    fn landed(&mut self, poll: PollId, delivery: Delivery) {
        let Some((_, behind)) = self.in_flight.take_if(|(flying, _)| *flying == poll) else { return };
        if delivery == Delivery::Written {
            self.written = behind;
        }
    }

    fn sleep(&mut self, time: Duration) {
        self.now = self.now + time;
        self.session.handle_timeout(self.now);
        assert!(self.session.poll_timeout().is_none_or(|due| due > self.now));
    }

    fn settle(&mut self) {
        while let Some(output) = self.session.poll_output() {
            assert_ne!(self.phase, Phase::Over, "{output:?} after the end");
            match output {
                Output::Ready { poll } => {
                    assert_eq!(Some(&poll), self.polls.last());
                    assert!(self.promised.remove(&poll), "{poll:?} is told twice");
                }
                Output::Empty { poll } => assert!(self.promised.remove(&poll), "{poll:?} is answered twice"),
                Output::Receive(_) => assert_eq!(self.phase, Phase::Open),
                Output::Posted { post, .. } => {
                    assert!(self.posts.remove(&post), "{post:?} is answered twice")
                }
                Output::Closed(_) => {
                    assert_eq!(self.phase, Phase::Open);
                    self.phase = Phase::Closed;
                }
                Output::End => {
                    assert_eq!(self.phase, Phase::Closed);
                    self.phase = Phase::Over;
                }
            }
        }
        assert_eq!(self.session.is_closed(), self.phase != Phase::Open);
    }

    /// Whoever has been told to takes its frames; then all that is left to do is done by time.
    fn end(mut self) {
        if let Some((poll, _)) = self.in_flight.take() {
            self.session.finish(poll, Delivery::Cut, self.now);
        }
        self.settle();
        if let Some(poll) = self.polls.last().copied().filter(|poll| !self.promised.contains(poll)) {
            self.take(poll);
            self.session.finish(poll, Delivery::Written, self.now);
        }
        self.settle();
        while let Some(due) = self.session.poll_timeout() {
            self.session.handle_timeout(due);
            self.settle();
        }
        assert_eq!(self.phase, Phase::Over);
        assert!(self.promised.is_empty(), "{:?} have no answer", self.promised);
        assert!(self.posts.is_empty(), "{:?} have no answer", self.posts);
    }
}
