//! A client's side of a channel that it has joined.

use super::arrival::{Arrival, PushRef, Shown};
use super::expect::{self, are_same, pushed, replied};
use super::line::Seat;
use super::listener::Listener;
use super::node::Node;
use crate::hub::Kick;
use crate::letter::Letter;
use crate::watch;
use crate::{Channel, Handle};
use bennu_core::server::{ChannelId, Reason};
use bennu_core::{IntoPayload, event};
use serde::de::DeserializeOwned;
use std::any::TypeId;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// A client's side of a channel that it has joined: it pushes, and it sees what comes.
///
/// What comes stays unread until an assertion or [`next`](Self::next) takes it. As in `Phoenix.ChannelTest` an
/// assertion takes the first that fits, wherever it stands; where the order matters, ask for
/// [`next`](Self::next).
pub struct Member {
    node: Rc<Node>,
    line: usize,
    seat: usize,
    topic: String,
    listener: Option<Listener>,
}

impl Member {
    pub(super) fn new(node: &Rc<Node>, line: usize, seat: usize, listener: Option<Listener>) -> Self {
        let topic = node.lines.borrow()[line].seats[seat].topic.clone();
        Self { node: Rc::clone(node), line, seat, topic, listener }
    }

    /// The topic that was joined.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Sends an event on the channel.
    ///
    /// # Panics
    /// If the payload cannot be sent, and if the connection has ended.
    ///
    /// Source: `Phoenix.ChannelTest.push/3`.
    #[track_caller]
    pub fn push(&mut self, event: &str, payload: impl IntoPayload) -> PushRef {
        let payload = expect::payload(payload);
        let sent = self.node.line(self.line, |line| match line.ended {
            None => line.push(self.seat, event, &payload),
            Some(_) => Err("the connection is closed".to_owned()),
        });
        self.node.run();
        match sent {
            Ok(msg_ref) => msg_ref,
            Err(why) => self.fail(&format!("{event:?} cannot be pushed on {:?}: {why}", self.topic)),
        }
    }

    /// Leaves the channel; the reply to the returned ref says so. The channel's `terminate` gets
    /// [`Reason::Left`].
    ///
    /// # Panics
    /// If the connection has ended.
    ///
    /// Source: `Phoenix.ChannelTest.leave/1`.
    #[track_caller]
    pub fn leave(&mut self) -> PushRef {
        self.push(event::LEAVE, ())
    }

    /// Ends the channel as if its connection were closed, but only this one. The channel's `terminate` gets
    /// [`Reason::Closed`], behind what it is doing.
    ///
    /// Source: `Phoenix.ChannelTest.close/2`.
    #[track_caller]
    pub fn close(&mut self) {
        self.node.run();
        if let Some((channel, close)) = self.channel(|channel| (channel.id, channel.close)) {
            let now = self.node.runtime.time();
            // One that has ended already is as it should be.
            let _ = self.node.endpoint.hub().info(channel, Letter::ending(close), now, Kick::Now);
        }
        self.node.run();
    }

    /// A handle of the channel, to send it messages as other tasks would.
    ///
    /// # Panics
    /// If the channel is no `C`.
    #[track_caller]
    #[must_use]
    pub fn handle<C: Channel>(&self) -> Handle<C> {
        let look = |channel: &watch::Channel| {
            (channel.id, channel.topic.clone(), channel.type_id, channel.type_name)
        };
        let (id, topic, type_id, type_name) = self.channel(look).expect("a channel that was joined is known");
        let wanted = std::any::type_name::<C>();
        assert!(type_id == TypeId::of::<C>(), "{:?} is a {type_name}, no {wanted}", self.topic);
        Handle::of(Arc::clone(self.node.endpoint.hub()), id, topic)
    }

    /// Asserts that a push, or a broadcast, has come with this payload, and takes it. JSON is compared as
    /// values.
    ///
    /// # Panics
    /// If none has.
    ///
    /// Source: `Phoenix.ChannelTest.assert_push/3`.
    #[track_caller]
    pub fn assert_push(&mut self, event: &str, payload: impl IntoPayload) {
        let payload = expect::payload(payload);
        let found =
            self.take(|arrival| pushed(arrival, event).filter(|found| are_same(found, &payload)).map(|_| ()));
        if found.is_none() {
            self.missing(&format!("push {event:?} {}", Shown(&payload)));
        }
    }

    /// Asserts that a push, or a broadcast, has come whose payload is a `T` that fits, and takes it.
    ///
    /// # Panics
    /// If none has.
    #[track_caller]
    pub fn assert_push_that<T: DeserializeOwned>(&mut self, event: &str, is_it: impl Fn(&T) -> bool) -> T {
        let found = self.take(|arrival| expect::read(pushed(arrival, event)?, &is_it));
        let Some(found) = found else { self.missing(&format!("push {event:?} {}", Fitting::<T>::NEW)) };
        found
    }

    /// Asserts that no push and no broadcast of this event is unread.
    ///
    /// # Panics
    /// If there is one.
    ///
    /// Source: `Phoenix.ChannelTest.refute_push/3`.
    #[track_caller]
    pub fn refute_push(&mut self, event: &str) {
        self.refute(|arrival| pushed(arrival, event).is_some());
    }

    /// Asserts that a message has been answered with this status and response, and takes the reply.
    ///
    /// # Panics
    /// If it has not, or with something else.
    ///
    /// Source: `Phoenix.ChannelTest.assert_reply/4`.
    #[track_caller]
    pub fn assert_reply(&mut self, to: &PushRef, status: &str, response: impl IntoPayload) {
        let response = expect::payload(response);
        let wanted = (to, status);
        let found = self
            .take(|arrival| replied(arrival, wanted).filter(|found| are_same(found, &response)).map(|_| ()));
        if found.is_none() {
            self.missing(&format!("reply to {to}: {status:?} {}", Shown(&response)));
        }
    }

    /// Asserts that a message has been answered with this status, and a response that is a `T` that fits, and
    /// takes the reply.
    ///
    /// # Panics
    /// If it has not, or with something else.
    #[track_caller]
    pub fn assert_reply_that<T: DeserializeOwned>(
        &mut self,
        to: &PushRef,
        status: &str,
        is_it: impl Fn(&T) -> bool,
    ) -> T {
        let found = self.take(|arrival| expect::read(replied(arrival, (to, status))?, &is_it));
        let Some(found) = found else {
            self.missing(&format!("reply to {to}: {status:?} {}", Fitting::<T>::NEW))
        };
        found
    }

    /// Asserts that no reply to a message is unread.
    ///
    /// # Panics
    /// If there is one.
    ///
    /// Source: `Phoenix.ChannelTest.refute_reply/4`.
    #[track_caller]
    pub fn refute_reply(&mut self, message: &PushRef) {
        self.refute(|arrival| matches!(arrival, Arrival::Reply { to, .. } if to == message));
    }

    /// Asserts that a broadcast with this payload has been made on the topic, and takes it. It needs
    /// [`Client::subscribe_and_join`](super::Client::subscribe_and_join).
    ///
    /// # Panics
    /// If none has.
    ///
    /// Source: `Phoenix.ChannelTest.assert_broadcast/3`.
    #[track_caller]
    pub fn assert_broadcast(&mut self, event: &str, payload: impl IntoPayload) {
        self.listener().assert_broadcast(event, payload);
    }

    /// Asserts that a broadcast has been made on the topic whose payload is a `T` that fits, and takes it. It
    /// needs [`Client::subscribe_and_join`](super::Client::subscribe_and_join).
    ///
    /// # Panics
    /// If none has.
    #[track_caller]
    pub fn assert_broadcast_that<T: DeserializeOwned>(
        &mut self,
        event: &str,
        is_it: impl Fn(&T) -> bool,
    ) -> T {
        self.listener().assert_broadcast_that(event, is_it)
    }

    /// Asserts that no broadcast of this event has been made on the topic and is unread. It needs
    /// [`Client::subscribe_and_join`](super::Client::subscribe_and_join).
    ///
    /// # Panics
    /// If there is one.
    ///
    /// Source: `Phoenix.ChannelTest.refute_broadcast/3`.
    #[track_caller]
    pub fn refute_broadcast(&mut self, event: &str) {
        self.listener().refute_broadcast(event);
    }

    /// Asserts that the channel has ended for this reason: that is what its `terminate` was told.
    ///
    /// # Panics
    /// If it lives, or has ended otherwise.
    #[track_caller]
    pub fn assert_end(&mut self, reason: &Reason) {
        self.node.run();
        let ended = self.channel(|channel| channel.reason.clone()).flatten();
        if ended.as_ref() == Some(reason) {
            return;
        }
        let instead = match ended {
            Some(ended) => format!("it was told {ended:?}"),
            None => "`terminate` has not run".to_owned(),
        };
        self.fail(&format!("expected {:?} to end with {reason:?}; {instead}", self.topic));
    }

    /// Asserts that the channel has crashed, with a reason that contains this text, and takes the `phx_error`. A
    /// crash that nobody asserts fails the test.
    ///
    /// # Panics
    /// If it has not.
    #[track_caller]
    pub fn assert_crash(&mut self, text: &str) {
        self.node.run();
        let channel = self.id();
        let crashes = channel.map(|channel| self.node.expect_crashes(channel)).unwrap_or_default();
        if !crashes.iter().any(|why| why.contains(text)) {
            self.fail(&format!("expected {:?} to crash with {text:?}", self.topic));
        }
        self.take(|arrival| (*arrival == Arrival::Error).then_some(()));
    }

    /// Asserts that nothing is unread on the channel.
    ///
    /// # Panics
    /// If something is.
    #[track_caller]
    pub fn assert_silence(&mut self) {
        self.refute(|_| true);
    }

    /// Takes the next of what has come, in the order in which it came; `None` if nothing is unread.
    #[track_caller]
    #[allow(clippy::should_implement_trait, reason = "more may come after `None`")]
    pub fn next(&mut self) -> Option<Arrival> {
        let next = self.take(|arrival| Some(arrival.clone()));
        if next == Some(Arrival::Error)
            && let Some(channel) = self.id()
        {
            self.node.expect_crashes(channel);
        }
        next
    }

    fn id(&self) -> Option<ChannelId> {
        self.channel(|channel| channel.id)
    }

    fn channel<T>(&self, look: impl FnOnce(&watch::Channel) -> T) -> Option<T> {
        let lines = self.node.lines.borrow();
        let line = &lines[self.line];
        self.node.channel(line.socket, &line.seats[self.seat].join_ref, look)
    }

    #[track_caller]
    fn seat<T>(&self, act: impl FnOnce(&mut Seat) -> T) -> T {
        self.node.line(self.line, |line| act(&mut line.seats[self.seat]))
    }

    #[track_caller]
    fn take<T>(&self, wanted: impl FnMut(&Arrival) -> Option<T>) -> Option<T> {
        self.seat(|seat| expect::take(&mut seat.arrivals, wanted))
    }

    #[track_caller]
    fn refute(&self, is_it: impl Fn(&Arrival) -> bool) {
        let found = self.seat(|seat| seat.arrivals.iter().find(|arrival| is_it(arrival)).cloned());
        if let Some(found) = found {
            self.fail(&format!("expected not on {:?}: {found}", self.topic));
        }
    }

    #[track_caller]
    fn listener(&mut self) -> &mut Listener {
        let topic = &self.topic;
        let Some(listener) = &mut self.listener else {
            panic!(
                "nobody listens to the broadcasts on {topic:?}: join with `subscribe_and_join`, or call \
                 `Harness::subscribe`"
            );
        };
        listener
    }

    #[track_caller]
    fn missing(&self, what: &str) -> ! {
        self.fail(&format!("expected on {:?}: {what}", self.topic))
    }

    #[track_caller]
    fn fail(&self, what: &str) -> ! {
        let unread = self.seat(|seat| expect::unread(&self.topic, &seat.arrivals));
        panic!("{what}{unread}{}", self.node.report())
    }
}

/// What a closure wants, for a failure.
pub(super) struct Fitting<T>(std::marker::PhantomData<fn() -> T>);

impl<T> Fitting<T> {
    pub(super) const NEW: Self = Self(std::marker::PhantomData);
}

impl<T> fmt::Display for Fitting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "with a {} that fits", std::any::type_name::<T>())
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("topic", &self.topic).finish_non_exhaustive()
    }
}
