//! Any outbox against a naive one: a list that is looked through from end to end.

use super::name;
use bennu_core::outbox::{Batch, Outbox, SlowConsumer, Written};
use bennu_core::{EventName, Frame, Kind, Topic};
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Item {
    number: usize,
    len: usize,
    policy: SlowConsumer,
    topic: usize,
    event: usize,
}

impl Item {
    /// Its number is in its body, so that what is on the wire says which it is.
    fn frame(&self) -> Frame {
        let mut body = self.number.to_string().into_bytes();
        body.resize(self.len - 2, b'.');
        let (topic, event) =
            (Topic::from(["room:a", "room:b"][self.topic]), EventName::from(["x", "y"][self.event]));
        Frame::new(Kind::Text, &body).losable(self.policy, &topic, &event)
    }

    fn is(&self, policy: SlowConsumer) -> bool {
        self.policy == policy
    }
}

/// What an outbox is said to do, done in the plainest way.
#[derive(Debug)]
struct Reference {
    limit: usize,
    queue: Vec<Item>,
    flight: Vec<Item>,
    /// Bytes of the first item, in flight or not, that are written.
    written: usize,
    owed: usize,
    wire: Vec<u8>,
}

fn bytes(items: &[Item]) -> usize {
    items.iter().map(|item| item.len).sum()
}

impl Reference {
    fn held(&self) -> usize {
        self.queue.iter().filter(|item| item.is(SlowConsumer::Disconnect)).map(|item| item.len).sum()
    }

    fn is_over(&self) -> bool {
        self.queue.len() > 1 && bytes(&self.queue[1..]).saturating_sub(self.owed) > self.limit
    }

    fn is_congested(&self) -> bool {
        let held = self.queue.iter().skip(1).filter(|item| item.is(SlowConsumer::Disconnect));
        held.map(|item| item.len).sum::<usize>() > self.limit / 2
    }

    fn drop_stale(&mut self) -> usize {
        let all = self.queue.clone();
        let is_stale = |at: usize| {
            let item = &all[at];
            let is_same = |later: &Item| {
                later.is(SlowConsumer::KeepLatest) && (later.topic, later.event) == (item.topic, item.event)
            };
            at > 0 && item.is(SlowConsumer::KeepLatest) && all[at + 1..].iter().any(is_same)
        };
        let left = (0..all.len()).filter(|&at| !is_stale(at)).map(|at| all[at].clone());
        self.queue = left.collect();
        all.len() - self.queue.len()
    }

    /// `None` if it is too much still.
    fn make_room(&mut self) -> Option<usize> {
        let before = self.queue.len();
        if self.is_over() {
            self.drop_stale();
        }
        while self.is_over() {
            let oldest = self.queue.iter().skip(1).position(|item| item.is(SlowConsumer::DropOldest));
            let newest = self.queue.iter().skip(1).rposition(|item| item.is(SlowConsumer::DropNewest));
            self.queue.remove(1 + oldest.or(newest)?);
        }
        Some(before - self.queue.len())
    }

    fn begin(&mut self) {
        let most = self.queue.len().min(32);
        self.flight = self.queue.drain(..most).collect();
    }

    fn finish(&mut self, room: usize) {
        let flight = std::mem::take(&mut self.flight);
        let sent: Vec<u8> = flight.iter().flat_map(|item| item.frame().as_websocket().to_vec()).collect();
        let sent = &sent[self.written..];
        let taken = room.min(sent.len());
        self.wire.extend_from_slice(&sent[..taken]);
        self.written += taken;
        let mut flight = flight.into_iter().peekable();
        while let Some(item) = flight.next_if(|item| item.len <= self.written) {
            self.written -= item.len;
        }
        self.queue.splice(0..0, flight);
        self.owed = self.owed.min(self.held());
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push {
        len: usize,
        policy: SlowConsumer,
        topic: usize,
        event: usize,
    },
    PushOwed {
        len: usize,
    },
    /// The stream is known to be blocked.
    MakeRoom,
    DropStale,
    Begin,
    Finish {
        room: usize,
    },
}

fn policy() -> impl Strategy<Value = SlowConsumer> {
    prop::sample::select(SlowConsumer::ALL.to_vec())
}

fn step(policies: impl Strategy<Value = SlowConsumer>) -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (10usize..60, policies, 0usize..2, 0usize..2)
            .prop_map(|(len, policy, topic, event)| Step::Push { len, policy, topic, event }),
        1 => (10usize..60).prop_map(|len| Step::PushOwed { len }),
        3 => Just(Step::MakeRoom),
        1 => Just(Step::DropStale),
        1 => Just(Step::Begin),
        1 => (0usize..200).prop_map(|room| Step::Finish { room }),
    ]
}

/// An outbox and what it is compared with.
struct Both {
    outbox: Outbox,
    reference: Reference,
    batch: Option<Batch>,
    wire: Vec<u8>,
    pushed: usize,
}

impl Both {
    fn new(limit: usize) -> Self {
        let (queue, flight, wire) = (Vec::new(), Vec::new(), Vec::new());
        let reference = Reference { limit, queue, flight, written: 0, owed: 0, wire };
        Self { outbox: Outbox::new(limit), reference, batch: None, wire: Vec::new(), pushed: 0 }
    }

    fn item(&mut self, len: usize, policy: SlowConsumer, topic: usize, event: usize) -> Item {
        self.pushed += 1;
        Item { number: self.pushed, len, policy, topic, event }
    }

    fn finish(&mut self, room: usize) -> Option<Written> {
        let batch = self.batch.take()?;
        let taken: Vec<u8> = batch.slices().flatten().copied().take(room).collect();
        self.wire.extend_from_slice(&taken);
        self.reference.finish(room);
        Some(self.outbox.finish(batch, taken.len()))
    }

    fn begin(&mut self) {
        if self.batch.is_none() {
            self.batch = self.outbox.begin();
            self.reference.begin();
        }
    }

    /// False if the peer is to be cut off.
    fn step(&mut self, step: &Step) -> Result<bool, TestCaseError> {
        match *step {
            Step::Push { len, policy, topic, event } => {
                let item = self.item(len, policy, topic, event);
                self.outbox.push(item.frame());
                self.reference.queue.push(item);
            }
            Step::PushOwed { len } => {
                let item = self.item(len, SlowConsumer::Disconnect, 0, 0);
                self.outbox.push_owed(item.frame());
                self.reference.queue.push(item);
                self.reference.owed += len;
            }
            Step::MakeRoom => {
                let (dropped, expected) = (self.outbox.make_room().ok(), self.reference.make_room());
                prop_assert_eq!(dropped, expected);
                if dropped.is_none() {
                    return Ok(false);
                }
                prop_assert!(self.outbox.overflow().is_none());
            }
            Step::DropStale => prop_assert_eq!(self.outbox.drop_stale(), self.reference.drop_stale()),
            Step::Begin => self.begin(),
            Step::Finish { room } => {
                self.finish(room);
            }
        }
        prop_assert_eq!(self.outbox.waiting(), bytes(&self.reference.queue));
        prop_assert_eq!(self.outbox.overflow().is_some(), self.reference.is_over());
        prop_assert_eq!(self.outbox.is_congested(), self.reference.is_congested());
        Ok(true)
    }

    /// Writes all that is left, and compares all that was written.
    fn conclude(mut self) -> Result<(), TestCaseError> {
        self.finish(usize::MAX);
        let left: Vec<String> = self.reference.queue.iter().map(|item| item.number.to_string()).collect();
        let (frames, _) = self.outbox.take_all();
        prop_assert_eq!(frames.iter().map(name).collect::<Vec<_>>(), left);
        prop_assert_eq!(self.wire, self.reference.wire);
        Ok(())
    }
}

fn compare(limit: usize, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut both = Both::new(limit);
    for step in steps {
        if !both.step(step)? {
            break;
        }
    }
    both.conclude()
}

proptest! {
    #[test]
    fn what_is_left_is_what_the_policies_say_in_order_and_counted_to_the_byte(
        limit in 0usize..400,
        steps in prop::collection::vec(step(policy()), 1..150),
    ) {
        compare(limit, &steps)?;
    }

    #[test]
    fn under_one_policy_nobody_is_cut_off_for_broadcasts(
        policy in prop::sample::select(vec![SlowConsumer::DropNewest, SlowConsumer::DropOldest]),
        lens in prop::collection::vec(10usize..60, 1..150),
    ) {
        let mut both = Both::new(100);
        for len in lens {
            let is_pushed = both.step(&Step::Push { len, policy, topic: 0, event: 0 })?;
            prop_assert!(is_pushed && both.step(&Step::MakeRoom)?);
            prop_assert!(both.outbox.waiting() <= 60 + 100);
        }
        both.conclude()?;
    }
}
