//! Random polls, posts, cuts and deliveries: what goes in comes out once.

use super::*;
use bennu_core::longpoll::NotText;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
enum Act {
    Push,
    PushOwed,
    Poll,
    /// These pick one of the polls that there have been.
    Take(prop::sample::Index),
    Finish(prop::sample::Index, Delivery),
    Cut(prop::sample::Index),
    /// With so many messages.
    Post(u32),
    Accepted,
    Malformed,
    Pause,
    Resume,
    Close,
    Sleep(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let index = any::<prop::sample::Index>;
    let delivery = prop_oneof![Just(Delivery::Written), Just(Delivery::Cut)];
    prop_oneof![
        20 => Just(Act::Push),
        10 => Just(Act::PushOwed),
        20 => Just(Act::Poll),
        20 => index().prop_map(Act::Take),
        20 => (index(), delivery).prop_map(|(poll, delivery)| Act::Finish(poll, delivery)),
        8 => index().prop_map(Act::Cut),
        12 => (1_u32..4).prop_map(Act::Post),
        15 => Just(Act::Accepted),
        1 => Just(Act::Malformed),
        3 => Just(Act::Pause),
        5 => Just(Act::Resume),
        1 => Just(Act::Close),
        8 => (0_u64..12_000).prop_map(Act::Sleep),
    ]
}

/// What is known of a session from outside.
#[derive(Default)]
struct Seen {
    now: u64,
    pushed: u32,
    /// Frames up to this one have been written.
    written: u32,
    /// The poll whose answer is being written, and what is behind the last of its frames.
    in_flight: Option<(PollId, u32)>,
    polls: Vec<PollId>,
    /// Polls that have no answer yet, and those of them that were told that there is one.
    held: BTreeSet<PollId>,
    ready: BTreeSet<PollId>,
    posts: u32,
    /// Posts that have no answer yet: which messages are theirs, and how many were taken.
    open_posts: BTreeMap<PostId, (std::ops::Range<u32>, u32)>,
    /// The number of the message that was offered.
    offered: Option<u32>,
    last_taken: Option<u32>,
    is_closed: bool,
    is_over: bool,
}

struct Run {
    session: Session,
    seen: Seen,
}

impl Run {
    fn play(&mut self, act: &Act) {
        let now = at(self.seen.now);
        let pick =
            |index: &prop::sample::Index, polls: &[PollId]| (!polls.is_empty()).then(|| *index.get(polls));
        match act {
            Act::Push => self.push(Session::push),
            Act::PushOwed => self.push(Session::push_owed),
            Act::Poll => match self.session.handle_poll(now) {
                Ok(poll) => {
                    assert!(!self.seen.is_closed);
                    self.seen.polls.push(poll);
                    self.seen.held.insert(poll);
                }
                Err(_) => assert!(self.seen.is_closed),
            },
            Act::Take(index) => {
                let Some(poll) = pick(index, &self.seen.polls) else { return };
                self.take(poll);
            }
            Act::Finish(index, delivery) => {
                let Some(poll) = pick(index, &self.seen.polls) else { return };
                self.session.finish(poll, *delivery, now);
                self.ended(poll, *delivery);
            }
            Act::Cut(index) => {
                let Some(poll) = pick(index, &self.seen.polls) else { return };
                self.session.handle_cut(poll, now);
                self.ended(poll, Delivery::Cut);
                self.seen.held.remove(&poll);
                self.seen.ready.remove(&poll);
            }
            Act::Post(count) => {
                let numbers = self.seen.posts..self.seen.posts + count;
                let messages = numbers.clone().map(|number| data(&number.to_string())).collect();
                if let Ok(post) = self.session.handle_post(messages, now) {
                    self.seen.posts = numbers.end;
                    self.seen.open_posts.insert(post, (numbers, 0));
                }
            }
            Act::Accepted => {
                if let Some(number) = self.seen.offered.take() {
                    let post =
                        self.seen.open_posts.values_mut().find(|(numbers, _)| numbers.contains(&number));
                    if let Some((_, taken)) = post {
                        *taken += 1;
                    }
                }
                self.session.handle_accepted(now);
            }
            Act::Malformed => self.session.handle_malformed(now),
            Act::Pause => self.session.pause(now),
            Act::Resume => self.session.resume(now),
            Act::Close => self.session.close(now),
            Act::Sleep(millis) => {
                self.seen.now += millis;
                let now = at(self.seen.now);
                self.session.handle_timeout(now);
                assert!(self.session.poll_timeout().is_none_or(|due| due > now), "I-5");
            }
        }
        self.settle();
    }

    fn push(&mut self, push: fn(&mut Session, Frame) -> Result<(), NotText>) {
        push(&mut self.session, frame(&self.seen.pushed.to_string())).unwrap();
        self.seen.pushed += 1;
    }

    /// What is taken are all frames that nobody has, in order: each goes to one poll, and is never skipped.
    fn take(&mut self, poll: PollId) {
        let frames = self.session.take(poll, at(self.seen.now));
        self.seen.held.remove(&poll);
        let was_ready = self.seen.ready.remove(&poll);
        let numbers: Vec<u32> = texts(&frames).iter().map(|text| text.parse().unwrap()).collect();
        if numbers.is_empty() {
            return;
        }
        assert!(was_ready, "a poll takes once, when it is told to");
        assert_eq!(self.seen.in_flight, None, "one answer is written at a time");
        assert_eq!(numbers.first(), Some(&self.seen.written));
        assert!(numbers.is_sorted_by(|one, next| one + 1 == *next));
        self.seen.in_flight = Some((poll, self.seen.written + u32::try_from(numbers.len()).unwrap()));
    }

    fn ended(&mut self, poll: PollId, delivery: Delivery) {
        let Some((_, behind)) = self.seen.in_flight.take_if(|(flying, _)| *flying == poll) else { return };
        if delivery == Delivery::Written {
            self.seen.written = behind;
        }
    }

    fn settle(&mut self) {
        for output in outputs(&mut self.session) {
            assert!(!self.seen.is_over, "{output:?} after the end");
            match output {
                Output::Ready { poll } => {
                    assert_eq!(Some(&poll), self.seen.polls.last(), "the newest poll is served");
                    assert!(self.seen.held.remove(&poll) && self.seen.ready.insert(poll));
                }
                Output::Empty { poll } => assert!(self.seen.held.remove(&poll), "a poll is answered once"),
                Output::Receive(message) => {
                    let number: u32 = std::str::from_utf8(&message.body).unwrap().parse().unwrap();
                    assert!(!self.seen.is_closed);
                    assert_eq!(self.seen.offered.replace(number), None, "one message at a time");
                    assert!(self.seen.last_taken.replace(number) < Some(number), "in order, none twice");
                }
                Output::Posted { post, outcome } => {
                    let (numbers, taken) =
                        self.seen.open_posts.remove(&post).expect("a post is answered once");
                    assert_eq!(outcome == Posted::Accepted, taken as usize == numbers.len());
                }
                Output::Closed(_) => assert!(!std::mem::replace(&mut self.seen.is_closed, true)),
                Output::End => {
                    assert!(
                        self.seen.is_closed && self.seen.held.is_empty() && self.seen.open_posts.is_empty()
                    );
                    self.seen.is_over = true;
                }
            }
        }
        assert_eq!(self.session.is_closed(), self.seen.is_closed);
        assert!(!self.seen.is_over || self.session.poll_timeout().is_none());
    }
}

proptest! {
    /// I-18, and of a session I-1, I-2, I-5, I-6.
    #[test]
    fn every_frame_is_written_once_in_order_or_waits_in_front(acts in prop::collection::vec(act(), 0..120)) {
        let mut run = Run { session: session(), seen: Seen::default() };
        for act in &acts {
            run.play(act);
        }

        // Whoever still reads gets all that is left.
        if !run.seen.is_closed {
            if let Some((poll, _)) = run.seen.in_flight {
                run.session.finish(poll, Delivery::Cut, at(run.seen.now));
                run.ended(poll, Delivery::Cut);
                run.settle();
            }
            run.play(&Act::Poll);
            let poll = *run.seen.polls.last().unwrap();
            let missing = run.seen.pushed - run.seen.written;
            prop_assert_eq!(run.session.take(poll, at(run.seen.now)).len(), missing as usize);
            run.session.finish(poll, Delivery::Written, at(run.seen.now));
            run.seen.held.remove(&poll);
            run.seen.ready.remove(&poll);
        }

        // And everybody has an answer in the end.
        for poll in std::mem::take(&mut run.seen.ready) {
            let _ = run.session.take(poll, at(run.seen.now));
            run.settle();
        }
        while let Some(due) = run.session.poll_timeout() {
            run.session.handle_timeout(due);
            run.settle();
        }
        prop_assert!(run.seen.is_over && run.seen.held.is_empty() && run.seen.open_posts.is_empty());
    }
}
