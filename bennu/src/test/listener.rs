//! The test as a subscriber of a topic.

use super::arrival::Shown;
use super::expect::{self, are_same};
use super::member::Fitting;
use super::node::Node;
use crate::{Broadcast, Notification, Payload, Subscription};
use bennu_core::IntoPayload;
use futures_util::FutureExt;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

/// The broadcasts of a topic, as the test hears them: all that are made, whoever is on the topic.
///
/// From [`Harness::subscribe`](super::Harness::subscribe).
///
/// Source: `Phoenix.Endpoint.subscribe/2`, called in a test.
pub struct Listener {
    node: Rc<Node>,
    subscription: Subscription,
    unread: VecDeque<Heard>,
}

/// A broadcast that a failure can show.
struct Heard(Broadcast);

impl Listener {
    pub(super) fn new(node: &Rc<Node>, topic: &str) -> Self {
        let subscription = node.endpoint.subscribe(topic);
        Self { node: Rc::clone(node), subscription, unread: VecDeque::new() }
    }

    /// Asserts that a broadcast has been made with this payload, and takes it. JSON is compared as values.
    ///
    /// # Panics
    /// If none has.
    ///
    /// Source: `Phoenix.ChannelTest.assert_broadcast/3`.
    #[track_caller]
    pub fn assert_broadcast(&mut self, event: &str, payload: impl IntoPayload) {
        let payload = expect::payload(payload);
        let found =
            self.take(|heard| heard.with(event).filter(|found| are_same(found, &payload)).map(|_| ()));
        if found.is_none() {
            self.missing(&format!("broadcast {event:?} {}", Shown(&payload)));
        }
    }

    /// Asserts that a broadcast has been made whose payload is a `T` that fits, and takes it.
    ///
    /// # Panics
    /// If none has.
    #[track_caller]
    pub fn assert_broadcast_that<T: DeserializeOwned>(
        &mut self,
        event: &str,
        is_it: impl Fn(&T) -> bool,
    ) -> T {
        let found = self.take(|heard| expect::read(heard.with(event)?, &is_it));
        let Some(found) = found else { self.missing(&format!("broadcast {event:?} {}", Fitting::<T>::NEW)) };
        found
    }

    /// Asserts that no broadcast of this event is unread.
    ///
    /// # Panics
    /// If there is one.
    ///
    /// Source: `Phoenix.ChannelTest.refute_broadcast/3`.
    #[track_caller]
    pub fn refute_broadcast(&mut self, event: &str) {
        self.hear();
        if let Some(found) = self.unread.iter().find(|heard| heard.with(event).is_some()) {
            self.fail(&format!("expected not on {:?}: {found}", self.subscription.topic()));
        }
    }

    /// Takes the next broadcast, in the order in which they were made; `None` if none is unread.
    #[track_caller]
    #[allow(clippy::should_implement_trait, reason = "more may come after `None`")]
    pub fn next(&mut self) -> Option<Broadcast> {
        self.hear();
        self.unread.pop_front().map(|heard| heard.0)
    }

    #[track_caller]
    fn hear(&mut self) {
        self.node.run();
        while let Some(notification) = self.subscription.next().now_or_never() {
            match notification {
                Notification::Broadcast(broadcast) => self.unread.push_back(Heard(broadcast)),
                Notification::Lost(count) => panic!(
                    "{count} broadcasts on {:?} are lost to the test: more were made than a subscription keeps \
                     (`Builder::subscription_messages`)",
                    self.subscription.topic()
                ),
            }
        }
    }

    #[track_caller]
    fn take<T>(&mut self, wanted: impl FnMut(&Heard) -> Option<T>) -> Option<T> {
        self.hear();
        expect::take(&mut self.unread, wanted)
    }

    #[track_caller]
    fn missing(&self, what: &str) -> ! {
        self.fail(&format!("expected on {:?}: {what}", self.subscription.topic()))
    }

    #[track_caller]
    fn fail(&self, what: &str) -> ! {
        let unread = expect::unread(self.subscription.topic(), &self.unread);
        panic!("{what}{unread}{}", self.node.report())
    }
}

impl Heard {
    /// The payload, if it is of this event.
    fn with(&self, event: &str) -> Option<&Payload> {
        (&*self.0.event == event).then_some(&self.0.payload)
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broadcast {:?} {}", &*self.0.event, Shown(&self.0.payload))
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listener").field(&self.subscription.topic()).finish()
    }
}
