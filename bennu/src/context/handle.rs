//! Messages to a channel from other tasks.

use super::JoinContext;
use crate::Channel;
use crate::channel::InfoFor;
use crate::hub::{Hub, Kick};
use bennu_core::Topic;
use bennu_core::server::ChannelId;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// Sends messages to a channel from any task or thread. It does not keep the channel alive: that ends when
/// its client leaves.
///
/// From [`JoinContext::handle`]; the guide has [an example](crate#deferred-replies).
pub struct Handle<C> {
    hub: Arc<Hub>,
    channel: ChannelId,
    topic: Topic,
    of: PhantomData<fn() -> C>,
}

/// A message did not reach its channel, and comes back.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotifyError<M> {
    /// The channel has ended.
    Closed(M),
}

impl<M> fmt::Display for NotifyError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(_) => f.write_str("the channel has ended"),
        }
    }
}

impl<M: fmt::Debug> std::error::Error for NotifyError<M> {}

impl<C: Channel> Handle<C> {
    pub(super) fn new(ctx: &JoinContext<C>) -> Self {
        Self {
            hub: Arc::clone(&ctx.link.hub),
            channel: ctx.channel,
            topic: ctx.topic.clone(),
            of: PhantomData,
        }
    }

    /// A handle of a channel that is known to be a `C`.
    #[cfg(feature = "test")]
    pub(crate) fn of(hub: Arc<Hub>, channel: ChannelId, topic: Topic) -> Self {
        Self { hub, channel, topic, of: PhantomData }
    }

    /// The channel's topic.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Sends the channel a message: [`HandleInfo`](crate::HandleInfo) gets it behind what waits already.
    /// Never waits.
    ///
    /// # Errors
    /// [`NotifyError::Closed`], with the message, if the channel has ended.
    pub fn notify<M: InfoFor<C>>(&self, message: M) -> Result<(), NotifyError<M>> {
        let now = self.hub.runtime.now();
        match self.hub.info(self.channel, message.__into_letter(), now, Kick::Now) {
            Ok(_) => Ok(()),
            Err(letter) => Err(NotifyError::Closed(
                letter.into_message().expect("the letter that comes back is the one that was sent"),
            )),
        }
    }
}

impl<C> Clone for Handle<C> {
    fn clone(&self) -> Self {
        Self { hub: Arc::clone(&self.hub), channel: self.channel, topic: self.topic.clone(), of: PhantomData }
    }
}

impl<C> fmt::Debug for Handle<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("topic", &self.topic)
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}
