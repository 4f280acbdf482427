//! Messages to channels, of any type, in one mailbox.

use crate::{BoxFuture, Channel, Context, Failure, HandleInfo};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;

/// A message to a channel: it knows its channel's type and its own, so that the mailbox need not.
///
/// One that is not delivered is dropped where a lock is held, and what an application sends may do
/// anything when it is dropped, a broadcast for instance. So it is laid aside until the lock is released:
/// see [`Locked`].
#[doc(hidden)]
#[allow(unnameable_types, reason = "what a mailbox holds; nothing for applications")]
pub struct Letter {
    /// `None` for the notice that the join has been answered.
    message: Option<Box<dyn AnyLetter>>,
}

impl Letter {
    /// The join has been answered.
    pub(crate) const AFTER_JOIN: Self = Self { message: None };

    pub(crate) fn to<C: HandleInfo<M>, M: Send + 'static>(message: M) -> Self {
        Self { message: Some(Box::new(Addressed::<C, M> { message, to: PhantomData })) }
    }

    /// What it says; `None` if it is the notice that the join has been answered.
    pub(crate) fn open(mut self) -> Option<Box<dyn AnyLetter>> {
        self.message.take()
    }

    /// The type of the message; `None` if it is the notice that the join has been answered.
    #[cfg(feature = "test")]
    pub(crate) fn type_name(&self) -> Option<&'static str> {
        self.message.as_ref().map(|message| message.type_name())
    }

    /// A message that ends its channel, by a function that is given the channel's context.
    #[cfg(feature = "test")]
    pub(crate) fn ending(end: fn(&(dyn Any + Send + Sync))) -> Self {
        Self { message: Some(Box::new(Ending(end))) }
    }

    /// The message itself, if it is an `M`.
    pub(crate) fn into_message<M: 'static>(self) -> Option<M> {
        self.open()?.into_any().downcast().ok().map(|message| *message)
    }
}

impl Drop for Letter {
    fn drop(&mut self) {
        let Some(message) = self.message.take() else { return };
        if LOCKS.get() == 0 {
            return drop(message);
        }
        ASIDE.with_borrow_mut(|aside| aside.push(message));
    }
}

thread_local! {
    /// How many locks this thread holds under which nothing of the application may run.
    static LOCKS: Cell<usize> = const { Cell::new(0) };
    /// What has been dropped meanwhile.
    static ASIDE: RefCell<Vec<Box<dyn AnyLetter>>> = const { RefCell::new(Vec::new()) };
}

/// Says that this thread holds a lock. To be dropped behind the lock: then what was laid aside is dropped
/// for good.
#[derive(Debug)]
pub(crate) struct Locked(());

impl Locked {
    pub(crate) fn new() -> Self {
        LOCKS.set(LOCKS.get() + 1);
        Self(())
    }

    /// Whether this thread holds such a lock.
    pub(crate) fn is_held() -> bool {
        LOCKS.get() > 0
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        LOCKS.set(LOCKS.get() - 1);
        if LOCKS.get() == 0 {
            for message in ASIDE.take() {
                crate::panics::drop_quietly(message);
            }
        }
    }
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.message.is_some() { "Message" } else { "AfterJoin" })
    }
}

/// A letter without its types.
pub(crate) trait AnyLetter: Send {
    /// Gives the message to its channel; `None` if that is of another type.
    fn deliver<'a>(
        self: Box<Self>,
        state: &'a mut (dyn Any + Send),
        ctx: &'a (dyn Any + Send + Sync),
    ) -> Option<BoxFuture<'a, Result<(), Failure>>>;

    /// The message.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;

    /// The type of the message.
    #[cfg(feature = "test")]
    fn type_name(&self) -> &'static str;
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
        // Within the future, so that a panic before its first await is caught as well.
        Some(Box::pin(async move { state.handle_info(self.message, ctx).await }))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        Box::new(self.message)
    }

    #[cfg(feature = "test")]
    fn type_name(&self) -> &'static str {
        std::any::type_name::<M>()
    }
}

/// What a test ends a channel by.
#[cfg(feature = "test")]
struct Ending(fn(&(dyn Any + Send + Sync)));

#[cfg(feature = "test")]
impl AnyLetter for Ending {
    fn deliver<'a>(
        self: Box<Self>,
        _: &'a mut (dyn Any + Send),
        ctx: &'a (dyn Any + Send + Sync),
    ) -> Option<BoxFuture<'a, Result<(), Failure>>> {
        self.0(ctx);
        Some(Box::pin(std::future::ready(Ok(()))))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn type_name(&self) -> &'static str {
        "the test's close"
    }
}
