//! Any outbox against a naive one: a list that is looked through from end to end.

use super::name;
use bennu_core::outbox::{Batch, Outbox, Patience, SlowConsumer, Stuck, Verdict, Written};
use bennu_core::{EventName, Frame, Instant, Kind, Topic};
use proptest::prelude::*;
use std::time::Duration;

#[derive(Clone, Debug)]
struct Item {
    number: usize,
    len: usize,
    policy: SlowConsumer,
    topic: usize,
    event: usize,
    /// When it was pushed, in seconds.
    at: u64,
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
    /// While the stream is blocked.
    slow: Option<Slow>,
    /// Whether what is to be dropped when it is the newest is not let in.
    refuses: bool,
}

/// A peer that does not take what waits for it.
#[derive(Clone, Copy, Debug)]
struct Slow {
    /// When the stream was first found blocked.
    from: u64,
    /// When its time began.
    since: u64,
    /// The last that had been pushed then.
    last: usize,
    /// When it last took anything.
    taken: u64,
    /// Whether anything was dropped for room since its time began: then how much is left of what waited is only known
    /// to be no more than is said.
    is_vague: bool,
}

/// How many seconds a frame may wait.
const AGE: u64 = 10;

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

    /// Of each topic and event, the latest stays.
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
        } else if self.refuses && before > 1 {
            self.queue.pop_if(|last| last.is(SlowConsumer::DropNewest));
        }
        while self.is_over() {
            let oldest = self.queue.iter().skip(1).position(|item| item.is(SlowConsumer::DropOldest));
            let newest = self.queue.iter().skip(1).rposition(|item| item.is(SlowConsumer::DropNewest));
            self.queue.remove(1 + oldest.or(newest)?);
        }
        let dropped = before - self.queue.len();
        self.note_gone(dropped);
        Some(dropped)
    }

    /// So many frames were dropped, though nobody's time was up.
    fn note_gone(&mut self, dropped: usize) {
        if let Some(slow) = self.slow.as_mut().filter(|_| dropped > 0) {
            slow.is_vague = true;
        }
    }

    /// Whether a frame that may not be dropped has waited for longer than any may, nothing having been taken.
    fn has_waited_too_long(&self, slow: Slow, now: u64) -> bool {
        let waits = |item: &Item| {
            item.is(SlowConsumer::Disconnect) && item.at.max(slow.from).max(slow.taken) + 2 * AGE <= now
        };
        self.queue.iter().any(waits)
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
        self.refuses &= taken == 0;
        let mut flight = flight.into_iter().peekable();
        while let Some(item) = flight.next_if(|item| item.len <= self.written) {
            self.written -= item.len;
        }
        self.queue.splice(0..0, flight);
        self.owed = self.owed.min(self.held());
    }

    /// The stream is blocked, so many bytes having been taken; the machine says since when the peer's time runs.
    fn stuck(&mut self, taken: usize, pushed: usize, now: u64, since: u64) -> Result<(), TestCaseError> {
        let anew = Slow { from: now, since: now, last: pushed, taken: now, is_vague: false };
        let Some(slow) = &mut self.slow else {
            self.slow = Some(anew);
            prop_assert_eq!(since, now);
            return Ok(());
        };
        if taken > 0 {
            slow.taken = now;
        }
        let is_all_owed = self.owed >= bytes(&self.queue);
        let is_all_new = self.queue.iter().all(|item| item.number > slow.last);
        let must_start = taken > 0 && (is_all_new || is_all_owed);
        let may_start = must_start || (taken > 0 && slow.is_vague);
        prop_assert!(since == now || (!must_start && since == slow.since), "{since} of {slow:?} at {now}");
        prop_assert!(since == slow.since || may_start, "{since} of {slow:?} at {now}");
        if must_start || since != slow.since {
            *slow = Slow { from: slow.from, ..anew };
        } else if may_start && since == now {
            slow.last = pushed; // It may have started anew within the second.
        }
        Ok(())
    }

    /// The peer's time is up, and it stays: so many were dropped for their age.
    fn drop_aged(&mut self, dropped: usize, pushed: usize, now: u64) -> Result<(), TestCaseError> {
        let slow = self.slow.expect("a peer's time is up when the stream is blocked");
        self.refuses |= self.queue.iter().skip(1).any(|item| item.is(SlowConsumer::DropNewest));
        let before = self.queue.len();
        self.drop_stale();
        let mut left = dropped.checked_sub(before - self.queue.len()).expect("what is stale is dropped");
        let oldest = self.queue.iter().skip(1).filter(|item| item.is(SlowConsumer::DropOldest));
        let (aged, new): (Vec<_>, Vec<_>) = oldest.partition(|item| item.number <= slow.last);
        prop_assert!(aged.iter().all(|item| item.at + AGE <= now));
        prop_assert!(
            left == aged.len() || (slow.is_vague && left < aged.len()),
            "{left} of {aged:?}, {new:?}"
        );
        let mut at = 0;
        self.queue.retain(|item| {
            at += 1;
            let is_dropped = at > 1 && left > 0 && item.is(SlowConsumer::DropOldest);
            left -= usize::from(is_dropped);
            !is_dropped
        });
        self.slow = Some(Slow { since: now, last: pushed, is_vague: false, ..slow });
        Ok(())
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
    /// So many seconds pass, or until the peer's time is up.
    Wait {
        seconds: u64,
    },
}

fn policy() -> impl Strategy<Value = SlowConsumer> {
    prop::sample::select(SlowConsumer::ALL.to_vec())
}

fn lossy_policy() -> impl Strategy<Value = SlowConsumer> {
    prop::sample::select(super::LOSSY.to_vec())
}

fn step(policies: impl Strategy<Value = SlowConsumer>) -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (10usize..60, policies, 0usize..2, 0usize..2)
            .prop_map(|(len, policy, topic, event)| Step::Push { len, policy, topic, event }),
        1 => (10usize..60).prop_map(|len| Step::PushOwed { len }),
        3 => Just(Step::MakeRoom),
        1 => Just(Step::DropStale),
        1 => Just(Step::Begin),
        1 => prop_oneof![Just(0), 0usize..200].prop_map(|room| Step::Finish { room }),
        1 => (1..12u64).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

/// An outbox and what it is compared with.
struct Both {
    outbox: Outbox,
    reference: Reference,
    batch: Option<Batch>,
    wire: Vec<u8>,
    pushed: usize,
    stuck: Option<Stuck>,
    /// Bytes that were taken since the stream was last found blocked.
    taken: usize,
    /// In seconds.
    now: u64,
}

fn patience() -> Patience {
    Patience::from(Duration::from_secs(AGE))
}

impl Both {
    fn new(limit: usize) -> Self {
        let (queue, flight, wire) = (Vec::new(), Vec::new(), Vec::new());
        let reference =
            Reference { limit, queue, flight, written: 0, owed: 0, wire, slow: None, refuses: false };
        let (outbox, wire) = (Outbox::new(limit), Vec::new());
        Self { outbox, reference, batch: None, wire, pushed: 0, stuck: None, taken: 0, now: 0 }
    }

    fn item(&mut self, len: usize, policy: SlowConsumer, topic: usize, event: usize) -> Item {
        self.pushed += 1;
        Item { number: self.pushed, len, policy, topic, event, at: self.now }
    }

    fn finish(&mut self, room: usize) -> Result<(), TestCaseError> {
        let Some(batch) = self.batch.take() else { return Ok(()) };
        let taken: Vec<u8> = batch.slices().flatten().copied().take(room).collect();
        self.wire.extend_from_slice(&taken);
        self.reference.finish(room);
        self.taken += taken.len();
        match self.outbox.finish(batch, taken.len()) {
            Written::More => return Ok(()),
            Written::Everything => (self.stuck, self.reference.slow) = (None, None),
            Written::Blocked => {
                let stuck = self.outbox.stuck(self.stuck, self.taken, self.at());
                self.stuck = Some(stuck);
                let allowed = if self.outbox.overflow().is_some() { 1 } else { AGE };
                let since = self.until(stuck) - allowed;
                self.reference.stuck(self.taken, self.pushed, self.now, since)?;
            }
        }
        self.taken = 0;
        Ok(())
    }

    fn at(&self) -> Instant {
        Instant::from_epoch(Duration::from_secs(self.now))
    }

    fn until(&self, stuck: Stuck) -> u64 {
        self.outbox.patience(stuck, patience()).since_epoch().as_secs()
    }

    /// False if the peer is to be cut off.
    fn wait(&mut self, seconds: u64) -> Result<bool, TestCaseError> {
        // Whoever writes goes on until the stream is blocked, and only then looks at the clock.
        if self.batch.is_some() || self.taken > 0 {
            return Ok(true);
        }
        self.now += seconds;
        let Some(stuck) = self.stuck else { return Ok(true) };
        let until = self.until(stuck);
        if until <= self.now {
            self.now = until.max(self.now - seconds);
            if !self.time_is_up(stuck)? {
                return Ok(false);
            }
        }
        let slow = self.reference.slow.expect("the stream is blocked");
        prop_assert!(!self.reference.has_waited_too_long(slow, self.now));
        Ok(true)
    }

    fn time_is_up(&mut self, stuck: Stuck) -> Result<bool, TestCaseError> {
        let room = if self.reference.is_over() { self.reference.make_room() } else { Some(0) };
        let now = self.now;
        let slow = self.reference.slow.expect("the stream is blocked");
        match (room, self.outbox.handle_timeout(stuck, patience(), self.at())) {
            (None, verdict) => {
                prop_assert!(matches!(verdict, Verdict::TooSlow));
                Ok(false)
            }
            (Some(_), Verdict::TooSlow) => {
                let is_held = |item: &&Item| item.is(SlowConsumer::Disconnect);
                let queue = &self.reference.queue;
                prop_assert!(queue.iter().filter(is_held).any(|item| item.at + AGE <= now));
                prop_assert!(slow.taken + AGE <= now || queue.iter().all(|item| is_held(&item)));
                Ok(false)
            }
            (Some(room), Verdict::Spared { stuck, dropped }) => {
                self.stuck = Some(stuck);
                if now < slow.since + AGE {
                    prop_assert_eq!(dropped, room);
                } else {
                    self.reference.drop_aged(dropped - room, self.pushed, now)?;
                }
                Ok(true)
            }
        }
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
            Step::DropStale => {
                let dropped = self.reference.drop_stale();
                self.reference.note_gone(dropped);
                prop_assert_eq!(self.outbox.drop_stale(), dropped);
            }
            Step::Begin => self.begin(),
            Step::Finish { room } => self.finish(room)?,
            Step::Wait { seconds } => {
                if !self.wait(seconds)? {
                    return Ok(false);
                }
            }
        }
        prop_assert_eq!(self.outbox.waiting(), bytes(&self.reference.queue));
        prop_assert_eq!(self.outbox.frames(), self.reference.queue.len());
        prop_assert_eq!(self.outbox.overflow().is_some(), self.reference.is_over());
        prop_assert_eq!(self.outbox.is_congested(), self.reference.is_congested());
        Ok(true)
    }

    /// Writes all that is left, and compares all that was written.
    fn conclude(mut self) -> Result<(), TestCaseError> {
        self.finish(usize::MAX)?;
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
    fn broadcasts_alone_are_dropped_for_their_age_as_their_policy_says(
        limit in 0usize..200,
        mut steps in lossy_policy().prop_flat_map(|policy| prop::collection::vec(step(Just(policy)), 1..150)),
    ) {
        steps.retain(|step| !matches!(step, Step::PushOwed { .. }));
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
