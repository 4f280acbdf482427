use super::*;
use crate::BoxFuture;
use crate::runtime::still::Still;
use bennu_core::Kind;
use bytes::Bytes;
use proptest::prelude::*;
use proptest::sample::Index;
use std::future::Future as _;
use std::task::Context;

type Polling = BoxFuture<'static, Result<Option<(Vec<Frame>, Delivery)>, Ended>>;

/// A session, the polls that wait for it, and the answers that are on their way.
struct Desks {
    counter: Arc<Counter>,
    pushed: usize,
    waiting: Vec<Polling>,
    answers: Vec<(Vec<Frame>, Delivery)>,
    /// What HTTP was given.
    written: Vec<Frame>,
}

#[derive(Clone, Debug)]
enum Act {
    Push,
    Poll,
    /// The runtime lets a request run.
    Run(Index),
    /// The client of a request goes.
    Cut(Index),
    Write(Index),
    /// An answer is dropped before it is written.
    Drop(Index),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Push),
        3 => Just(Act::Poll),
        4 => any::<Index>().prop_map(Act::Run),
        1 => any::<Index>().prop_map(Act::Cut),
        2 => any::<Index>().prop_map(Act::Write),
        1 => any::<Index>().prop_map(Act::Drop),
    ]
}

fn frame(n: usize) -> Frame {
    Frame::new(Kind::Text, n.to_string().as_bytes())
}

impl Desks {
    fn new() -> Self {
        let peer = Arc::new(Peer::new(None, usize::MAX));
        let counter = Counter::new(peer, Arc::new(Still::default()), Config::default());
        Self { counter, pushed: 0, waiting: Vec::new(), answers: Vec::new(), written: Vec::new() }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Push => {
                self.counter.push(vec![(frame(self.pushed), Cause::Others)]);
                self.pushed += 1;
            }
            Act::Poll => {
                let counter = Arc::clone(&self.counter);
                self.waiting.push(Box::pin(async move { counter.poll().await }));
            }
            Act::Run(which) if !self.waiting.is_empty() => self.run(which.index(self.waiting.len())),
            Act::Cut(which) if !self.waiting.is_empty() => {
                drop(self.waiting.swap_remove(which.index(self.waiting.len())));
            }
            Act::Write(which) if !self.answers.is_empty() => {
                let (frames, mut delivery) = self.answers.swap_remove(which.index(self.answers.len()));
                delivery.hand_over();
                self.written.extend(frames);
            }
            Act::Drop(which) if !self.answers.is_empty() => {
                drop(self.answers.swap_remove(which.index(self.answers.len())));
            }
            Act::Run(_) | Act::Cut(_) | Act::Write(_) | Act::Drop(_) => {}
        }
    }

    fn run(&mut self, place: usize) {
        let polled = self.waiting[place].as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(ended) = polled {
            drop(self.waiting.swap_remove(place));
            self.answers.extend(ended.expect("the session lives"));
        }
    }
}

proptest! {
    /// I-18.
    #[test]
    fn each_frame_is_written_once_and_in_order_whatever_requests_are_cut_and_answers_dropped(
        script in prop::collection::vec(act(), 1..200),
    ) {
        let mut desks = Desks::new();

        for act in &script {
            desks.act(act);
            prop_assert!(desks.answers.len() <= 1, "one answer at a time");
        }
        desks.waiting.clear();
        desks.answers.clear();
        desks.act(&Act::Poll);
        if desks.written.len() < desks.pushed {
            desks.run(0);
            let (frames, _) = desks.answers.pop().expect("what is not written waits");
            desks.written.extend(frames);
        }

        prop_assert_eq!(desks.written, (0..desks.pushed).map(frame).collect::<Vec<_>>());
    }
}

#[test]
fn who_waits_is_answered_when_the_session_s_task_has_gone() {
    let mut desks = Desks::new();
    let counter = Arc::clone(&desks.counter);
    let mut posting = Box::pin(async move { counter.post(vec![]).await });
    desks.act(&Act::Poll);
    desks.run(0);
    let data = Data { kind: Kind::Text, body: Bytes::from_static(b"[]") };
    let counter = Arc::clone(&desks.counter);
    let mut waiting = Box::pin(async move { counter.post(vec![data]).await });
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(posting.as_mut().poll(&mut cx), Poll::Ready(Ok(Posted::Accepted)));
    assert!(waiting.as_mut().poll(&mut cx).is_pending());

    desks.counter.abandon();

    assert_eq!(waiting.as_mut().poll(&mut cx), Poll::Ready(Ok(Posted::TimedOut)));
    desks.run(0);
    assert!(desks.waiting.is_empty() && desks.answers.is_empty());
}
