//! Broadcasts for the application, outside of channels.

use crate::Broadcast;
use crate::hub::Hub;
use crate::index::TopicIndex;
use crate::sync::Mutex;
use bennu_core::{Topic, server};
use futures_util::Stream;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

/// What may wait for one subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueLimits {
    pub(crate) messages: usize,
    /// Bytes of payload.
    pub(crate) bytes: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { messages: 1024, bytes: 4 << 20 }
    }
}

/// The broadcasts of one topic, as a stream. Ends its subscription when dropped.
///
/// A publisher never waits for a subscriber: of one that lags behind by more than 1,024 messages or 4 MiB the
/// oldest are dropped, and it is told how many ([`Notification::Lost`]). Both bounds are settings:
/// [`Builder::subscription_messages`](crate::Builder::subscription_messages) and
/// [`Builder::subscription_bytes`](crate::Builder::subscription_bytes).
///
/// ```
/// # use bennu::prelude::*;
/// use bennu::Notification;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let endpoint = Endpoint::builder().build(bennu_tokio::Tokio);
/// let mut prices = endpoint.subscribe("prices");
/// endpoint.broadcast("prices", "tick", serde_json::json!({ "eur": 7 }))?;
///
/// match prices.next().await {
///     Notification::Broadcast(tick) => assert_eq!(&*tick.event, "tick"),
///     Notification::Lost(broadcasts) => eprintln!("too slow for {broadcasts} of them"),
///     _ => {}
/// }
/// # Ok(())
/// # }
/// ```
///
/// Source: `Phoenix.Endpoint.subscribe/2`.
pub struct Subscription {
    hub: Arc<Hub>,
    topic: Topic,
    queue: Arc<Queue>,
}

/// What a [`Subscription`] yields.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notification {
    /// A broadcast on the topic.
    Broadcast(Broadcast),
    /// So many broadcasts have been dropped since the last one: this subscriber is too slow.
    Lost(u64),
}

/// All that subscribed from outside of channels.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    topics: Mutex<HashMap<Topic, Vec<Weak<Queue>>>>,
    limits: QueueLimits,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    broadcasts: VecDeque<Broadcast>,
    bytes: usize,
    lost: u64,
    waker: Option<Waker>,
}

impl Subscription {
    pub(crate) fn new(hub: &Arc<Hub>, topic: Topic) -> Self {
        let queue = Arc::new(Queue::default());
        let mut topics = hub.subscriptions.topics.lock();
        topics.entry(topic.clone()).or_default().push(Arc::downgrade(&queue));
        hub.index.set(&topic, TopicIndex::OUTSIDE, true);
        drop(topics);
        Self { hub: Arc::clone(hub), topic, queue }
    }

    /// The topic.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Waits for the next notification. There is always one more to come: it does not end.
    ///
    /// Dropped before it is done, it has taken nothing.
    pub async fn next(&mut self) -> Notification {
        std::future::poll_fn(|cx| self.queue.poll(cx)).await
    }
}

impl Stream for Subscription {
    type Item = Notification;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Notification>> {
        self.queue.poll(cx).map(Some)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut topics = self.hub.subscriptions.topics.lock();
        let Some(queues) = topics.get_mut(&self.topic) else { return };
        queues.retain(|queue| !std::ptr::eq(queue.as_ptr(), Arc::as_ptr(&self.queue)));
        if queues.is_empty() {
            topics.remove(&self.topic);
            self.hub.index.set(&self.topic, TopicIndex::OUTSIDE, false);
        }
    }
}

impl Subscriptions {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Self { topics: Mutex::default(), limits }
    }

    /// Queues a broadcast for all who have subscribed; returns how many older ones that has cost them.
    pub(crate) fn deliver(&self, broadcast: &server::Broadcast) -> usize {
        let mut lost = 0;
        let topics = self.topics.lock();
        for queue in topics.get(broadcast.topic()).into_iter().flatten().filter_map(Weak::upgrade) {
            let (topic, event) = (broadcast.topic().clone(), broadcast.event().clone());
            lost += queue.push(Broadcast::new(topic, event, broadcast.payload().clone()), self.limits);
        }
        lost
    }
}

impl Queue {
    fn push(&self, broadcast: Broadcast, limits: QueueLimits) -> usize {
        let mut waiting = self.waiting.lock();
        let mut lost = 0;
        waiting.bytes += broadcast.payload.len();
        waiting.broadcasts.push_back(broadcast);
        while waiting.broadcasts.len() > limits.messages || waiting.bytes > limits.bytes {
            let Some(oldest) = waiting.broadcasts.pop_front() else { break };
            waiting.bytes -= oldest.payload.len();
            lost += 1;
        }
        waiting.lost += lost as u64;
        if let Some(waker) = waiting.waker.take() {
            waker.wake();
        }
        lost
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<Notification> {
        let mut waiting = self.waiting.lock();
        if waiting.lost > 0 {
            return Poll::Ready(Notification::Lost(std::mem::take(&mut waiting.lost)));
        }
        let Some(broadcast) = waiting.broadcasts.pop_front() else {
            waiting.waker = Some(cx.waker().clone());
            return Poll::Pending;
        };
        waiting.bytes -= broadcast.payload.len();
        Poll::Ready(Notification::Broadcast(broadcast))
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("topic", &self.topic).finish_non_exhaustive()
    }
}
