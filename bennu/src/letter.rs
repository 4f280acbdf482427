//! Messages to channels, of any type, in one mailbox.

use crate::{BoxFuture, Channel, Context, Failure, HandleInfo};
use std::any::Any;
use std::fmt;
use std::marker::PhantomData;

/// A message to a channel: it knows its channel's type and its own, so that the mailbox need not.
#[doc(hidden)]
#[allow(unnameable_types, reason = "what a mailbox holds; nothing for applications")]
pub enum Letter {
    /// The join has been answered.
    AfterJoin,
    /// A message of the application.
    Message(Box<dyn AnyLetter>),
}

impl Letter {
    pub(crate) fn to<C: HandleInfo<M>, M: Send + 'static>(message: M) -> Self {
        Self::Message(Box::new(Addressed::<C, M> { message, to: PhantomData }))
    }

    /// The message itself, if it is an `M`.
    pub(crate) fn into_message<M: 'static>(self) -> Option<M> {
        match self {
            Self::AfterJoin => None,
            Self::Message(letter) => letter.into_any().downcast().ok().map(|message| *message),
        }
    }
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AfterJoin => "AfterJoin",
            Self::Message(_) => "Message",
        })
    }
}

/// A letter without its types.
#[allow(unnameable_types, reason = "within a hidden type")]
pub trait AnyLetter: Send {
    /// Gives the message to its channel; `None` if that is of another type.
    fn deliver<'a>(
        self: Box<Self>,
        state: &'a mut (dyn Any + Send),
        ctx: &'a (dyn Any + Send + Sync),
    ) -> Option<BoxFuture<'a, Result<(), Failure>>>;

    /// The message.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

struct Addressed<C, M> {
    message: M,
    to: PhantomData<fn() -> C>,
}

impl<C: Channel + HandleInfo<M>, M: Send + 'static> AnyLetter for Addressed<C, M> {
    fn deliver<'a>(
        self: Box<Self>,
        state: &'a mut (dyn Any + Send),
        ctx: &'a (dyn Any + Send + Sync),
    ) -> Option<BoxFuture<'a, Result<(), Failure>>> {
        let (state, ctx) = (state.downcast_mut::<C>()?, ctx.downcast_ref::<Context<C>>()?);
        Some(Box::pin(state.handle_info(self.message, ctx)))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        Box::new(self.message)
    }
}
