//! What a channel can do from the start.

use super::{Handle, Timer};
use crate::broadcast::Broadcast;
use crate::channel::{HandleInfo, InfoFor};
use crate::heard::Whose;
use crate::hub::Kick;
use crate::letter::Letter;
use crate::link::{Link, Transport};
use crate::{Channel, Endpoint};
use bennu_core::connect::ConnectInfo;
use bennu_core::server::{ChannelId, SocketId};
use bennu_core::{Ref, Topic};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A channel whose join is being decided: what it is, who connected, and messages to itself.
///
/// Nothing can be pushed or broadcast yet: Phoenix raises there, here it does not compile.
pub struct JoinContext<C: Channel> {
    pub(crate) link: Arc<Link<C::Assigns>>,
    pub(crate) topic: Topic,
    /// Where in the topic the part begins that `*` matched, in bytes.
    pub(crate) subtopic: u32,
    pub(crate) channel: ChannelId,
    /// As pushes carry it.
    pub(crate) join_ref: Option<Ref>,
    /// How a broadcast becomes a letter, once the channel has subscribed to a further topic.
    pub(crate) enclose: OnceLock<fn(Broadcast) -> Letter>,
}

impl<C: Channel> JoinContext<C> {
    /// The topic, such as `room:lobby`.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// What `*` matched in the topic: `lobby` for `room:*`. Empty for an exact route.
    #[must_use]
    pub fn subtopic(&self) -> &str {
        self.topic.get(self.subtopic as usize..).unwrap_or_default()
    }

    /// What [`Socket::connect`](crate::Socket::connect) gave: shared by all channels of the connection.
    #[must_use]
    pub fn assigns(&self) -> &C::Assigns {
        &self.link.assigns
    }

    /// What is known of the connection, as far as the socket asked for it.
    #[must_use]
    pub fn info(&self) -> &ConnectInfo {
        &self.link.info
    }

    /// The id that [`Socket::id`](crate::Socket::id) gave the connection.
    #[must_use]
    pub fn socket_id(&self) -> Option<&str> {
        self.link.id.as_deref().map(|id| &**id)
    }

    /// The connection, by the name that the machine gave it: unique in its endpoint, and never used again.
    #[must_use]
    pub fn socket(&self) -> SocketId {
        self.link.socket
    }

    /// How the client is connected.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.link.dialect.transport
    }

    /// How many broadcasts, of all its channels, this connection has lost, as its client takes too little and
    /// [may lose them](crate::Limits::slow_consumer).
    ///
    /// A channel whose broadcasts build on one another can look whether the number has grown, and push the whole:
    ///
    /// ```
    /// # use bennu::prelude::*;
    /// # use std::time::Duration;
    /// # struct Score { lost: u32 }
    /// # struct Look;
    /// # impl Channel for Score {
    /// #     type Assigns = ();
    /// #     async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> { Ok(Joined::new(Score { lost: 0 })) }
    /// # }
    /// # impl Score { fn whole(&self) -> Payload { Payload::empty() } }
    /// impl HandleInfo<Look> for Score {
    ///     async fn handle_info(&mut self, _: Look, ctx: &Context<Self>) -> Result<(), Failure> {
    ///         let lost = ctx.lost();
    ///         if std::mem::replace(&mut self.lost, lost) < lost {
    ///             ctx.push("score", self.whole());
    ///         }
    ///         ctx.notify_after(Duration::from_secs(1), Look);
    ///         Ok(())
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn lost(&self) -> u32 {
        self.link.hub.lost_by(self.link.socket)
    }

    /// What is said of this channel in the log.
    pub(crate) fn whose(&self) -> Whose<'_> {
        let (hub, socket) = (&**self.link.hub, self.link.socket);
        Whose { hub, socket, topic: &self.topic, channel: std::any::type_name::<C>() }
    }

    /// The join_ref that this channel's pushes carry: that of the join, or in its absence the join's ref.
    #[must_use]
    pub fn join_ref(&self) -> Option<&Ref> {
        self.join_ref.as_ref()
    }

    /// The endpoint: broadcasts to any topic, disconnects by id.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::of(Arc::clone(&self.link.hub))
    }

    /// A handle for other tasks: they can send messages to this channel. It does not keep it alive.
    #[must_use]
    pub fn handle(&self) -> Handle<C> {
        Handle::new(self)
    }

    /// Sends this channel a message: [`HandleInfo`] gets it behind what waits already.
    pub fn notify<M: InfoFor<C>>(&self, message: M) {
        let now = self.link.hub.runtime.now();
        let _ = self.link.hub.info(self.channel, message.__into_letter(), now, Kick::AtEndOfBatch);
    }

    /// Sends this channel a message after `delay`. The timer ends with the channel, or by
    /// [`Timer::cancel`].
    ///
    /// Source: `Process.send_after/3`, as channels use it.
    pub fn notify_after<M: InfoFor<C>>(&self, delay: Duration, message: M) -> Timer {
        let at = self.link.hub.runtime.now() + delay;
        let timer = self.link.hub.info(self.channel, message.__into_letter(), at, Kick::AtEndOfBatch);
        Timer::new(&self.link.hub, timer.ok())
    }

    /// Waits for `delay`. Other channels of the connection go on meanwhile, this one does not.
    pub fn sleep(&self, delay: Duration) -> impl Future<Output = ()> + Send + 'static + use<C> {
        self.link.hub.runtime.sleep(delay)
    }

    /// Runs a task in the background, on whatever runtime this is. It may outlive the channel; what it
    /// needs of the context it takes along: [`handle`](Self::handle), a
    /// [`ReplyRef`](super::ReplyRef), the [`endpoint`](Self::endpoint).
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.link.hub.runtime.spawn(Box::pin(future));
    }

    /// Subscribes to a further topic: its broadcasts come as messages, and the client does not see them.
    /// Twice subscribed is twice delivered. Those of the channel's own topic come to
    /// [`handle_out`](Channel::handle_out) then, whatever they are, beside what the client gets.
    ///
    /// Source: `Phoenix.Endpoint.subscribe/2`, called in a channel.
    pub fn subscribe(&self, topic: &str)
    where
        C: HandleInfo<Broadcast>,
    {
        let _ = self.enclose.set(Letter::to::<C, Broadcast>);
        self.link.hub.subscribe(self.channel, topic);
    }

    /// Ends all further subscriptions of this channel to a topic.
    pub fn unsubscribe(&self, topic: &str) {
        self.link.hub.unsubscribe(self.channel, topic);
    }
}

impl<C: Channel> fmt::Debug for JoinContext<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("topic", &self.topic)
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}
