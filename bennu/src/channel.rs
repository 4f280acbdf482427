//! What an application writes: channels.

use crate::{Context, Failure, JoinContext, Reply, SlowConsumer};
use bennu_core::server::Reason;
use bennu_core::{IntoPayload, NotEncodable, Payload};
use std::future::Future;

/// One topic as one client joined it: its state is the implementing struct, its events are methods.
///
/// ```
/// use bennu::prelude::*;
/// use serde::{Deserialize, Serialize};
/// use serde_json::json;
///
/// struct Room;
///
/// #[derive(Serialize, Deserialize)]
/// struct Message { body: String }
///
/// impl Channel for Room {
///     type Assigns = ();
///
///     async fn join(_topic: &str, _params: Payload, ctx: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
///         if ctx.subtopic() == "secret" { return Err(Failure::reason("unauthorized")); }
///         Ok(Joined::new(Room))
///     }
///
///     async fn handle_in(&mut self, event: &str, payload: Payload, ctx: &Context<Self>) -> Result<Reply, Failure> {
///         match event {
///             "new_msg" => {
///                 let message: Message = payload.parse()?;
///                 ctx.broadcast("new_msg", &message);
///                 Ok(Reply::ok(json!({ "length": message.body.len() })))
///             }
///             _ => Err(Failure::unknown_event(event)),
///         }
///     }
/// }
/// ```
///
/// Handlers of one channel run one after the other, in the order of what arrived; those of other
/// channels go on meanwhile. A handler is not cancelled when the connection goes: it finishes, then
/// [`terminate`](Self::terminate) runs. It is dropped at an `await` only when a second join replaces the
/// channel, when a limit ends it, or when the process ends; what must not stop half-way goes into
/// [`JoinContext::spawn`].
///
/// Source: `Phoenix.Channel`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a channel",
    note = "implement `bennu::Channel` for it"
)]
pub trait Channel: Sized + Send + 'static {
    /// What [`Socket::connect`](crate::Socket::connect) gave: shared by all channels of a connection.
    type Assigns: Send + Sync + 'static;

    /// The broadcasts of its topic that this channel wants to see in
    /// [`handle_out`](Self::handle_out) before its client does; all others go out without it.
    const INTERCEPTS: &'static [&'static str] = &[];

    /// What becomes of some broadcasts of its topic for a client that takes too little; of all others, what
    /// [`Limits::slow_consumer`](crate::Limits::slow_consumer) says.
    ///
    /// ```
    /// use bennu::prelude::*;
    ///
    /// struct Board;
    ///
    /// impl Channel for Board {
    ///     type Assigns = ();
    ///
    ///     // Where the others point is worth nothing when they point elsewhere; what they draw must not be lost.
    ///     const LOSSY: &'static [(&'static str, SlowConsumer)] = &[("cursors", SlowConsumer::KeepLatest)];
    ///
    ///     async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
    ///         Ok(Joined::new(Board))
    ///     }
    /// }
    /// ```
    ///
    /// Broadcasts that are [intercepted](Self::INTERCEPTS) are not lost: what is pushed instead is a push.
    const LOSSY: &'static [(&'static str, SlowConsumer)] = &[];

    /// `async fn join(topic: &str, payload: Payload, ctx: &JoinContext<Self>) -> Result<Joined<Self>, Failure>`
    ///
    /// A client wants to join `topic`, with the payload of its `phx_join`. An error reply
    /// ([`Failure::reason`], [`Failure::reply`]) refuses it; a crash is answered with the error reply
    /// `{"reason":"join crashed"}`.
    ///
    /// Source: `Phoenix.Channel.join/3`.
    fn join(
        topic: &str,
        payload: Payload,
        ctx: &JoinContext<Self>,
    ) -> impl Future<Output = Result<Joined<Self>, Failure>> + Send;

    /// `async fn after_join(&mut self, ctx: &Context<Self>) -> Result<(), Failure>`
    ///
    /// Runs right after the join's answer, before anything else: where Phoenix sends itself
    /// `:after_join`. Does nothing unless implemented.
    fn after_join(&mut self, ctx: &Context<Self>) -> impl Future<Output = Result<(), Failure>> + Send {
        let _ = ctx;
        async { Ok(()) }
    }

    /// `async fn handle_in(&mut self, event: &str, payload: Payload, ctx: &Context<Self>) -> Result<Reply, Failure>`
    ///
    /// The client sent an event. The message is answered with the [`Reply`], or with the error reply that
    /// a [`Failure`] is, unless it is a crash. Without an implementation every event is a crash.
    ///
    /// Source: `Phoenix.Channel.handle_in/3`.
    fn handle_in(
        &mut self,
        event: &str,
        payload: Payload,
        ctx: &Context<Self>,
    ) -> impl Future<Output = Result<Reply, Failure>> + Send {
        let _ = (payload, ctx);
        let failure = Failure::unknown_event(event);
        async { Err(failure) }
    }

    /// `async fn handle_out(&mut self, event: &str, payload: Payload, ctx: &Context<Self>) -> Result<(), Failure>`
    ///
    /// A broadcast that this channel [intercepts](Self::INTERCEPTS). Nothing goes out but what is pushed
    /// here. Without an implementation it is pushed as it came.
    ///
    /// Source: `Phoenix.Channel.handle_out/3`.
    fn handle_out(
        &mut self,
        event: &str,
        payload: Payload,
        ctx: &Context<Self>,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        ctx.push(event, payload);
        async { Ok(()) }
    }

    /// `async fn terminate(&mut self, reason: &Reason, ctx: &Context<Self>)`
    ///
    /// The channel ends. What is pushed here follows `phx_close`, or precedes `phx_error`.
    ///
    /// Runs in every case but three: a second join replaces the channel, a limit ends it, or the process
    /// ends before its turn comes.
    ///
    /// Source: `Phoenix.Channel.terminate/2`.
    fn terminate(&mut self, reason: &Reason, ctx: &Context<Self>) -> impl Future<Output = ()> + Send {
        let _ = (reason, ctx);
        async {}
    }
}

/// A channel that handles messages of type `M`: one implementation per type, none if it has no messages.
///
/// They come from the channel itself ([`notify`](JoinContext::notify),
/// [`notify_after`](JoinContext::notify_after)), from other tasks ([`Handle::notify`](crate::Handle)),
/// and from further topics ([`subscribe`](JoinContext::subscribe)).
///
/// ```
/// use bennu::prelude::*;
/// use std::time::Duration;
///
/// struct Clock { ticks: u64 }
/// struct Tick;
///
/// impl Channel for Clock {
///     type Assigns = ();
///     async fn join(_: &str, _: Payload, ctx: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
///         ctx.notify_after(Duration::from_secs(1), Tick);
///         Ok(Joined::new(Clock { ticks: 0 }))
///     }
/// }
///
/// impl HandleInfo<Tick> for Clock {
///     async fn handle_info(&mut self, _: Tick, ctx: &Context<Self>) -> Result<(), Failure> {
///         self.ticks += 1;
///         ctx.push("tick", serde_json::json!({ "n": self.ticks }));
///         ctx.notify_after(Duration::from_secs(1), Tick);
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle messages of type `{M}`",
    note = "add `impl HandleInfo<{M}> for {Self}`"
)]
pub trait HandleInfo<M: Send + 'static>: Channel {
    /// `async fn handle_info(&mut self, message: M, ctx: &Context<Self>) -> Result<(), Failure>`
    ///
    /// A message has come. There is no client that waits for an answer: a [`Failure`] is best a crash.
    ///
    /// Source: `Phoenix.Channel.handle_info/2`.
    fn handle_info(
        &mut self,
        message: M,
        ctx: &Context<Self>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// A message that the channel `C` handles: implemented for every `M` of which `C` is
/// [`HandleInfo<M>`], and by nothing else.
#[diagnostic::on_unimplemented(
    message = "`{C}` does not handle messages of type `{Self}`",
    note = "add `impl HandleInfo<{Self}> for {C}`"
)]
pub trait InfoFor<C>: Send + 'static + sealed::Sealed<C> {
    #[doc(hidden)]
    fn __into_letter(self) -> crate::letter::Letter;
}

mod sealed {
    #[diagnostic::on_unimplemented(
        message = "`{C}` does not handle messages of type `{Self}`",
        note = "add `impl HandleInfo<{Self}> for {C}`"
    )]
    #[allow(unnameable_types, reason = "sealed")]
    pub trait Sealed<C> {}

    #[diagnostic::do_not_recommend]
    impl<C: super::HandleInfo<M>, M: Send + 'static> Sealed<C> for M {}
}

#[diagnostic::do_not_recommend]
impl<C: HandleInfo<M>, M: Send + 'static> InfoFor<C> for M {
    fn __into_letter(self) -> crate::letter::Letter {
        crate::letter::Letter::to::<C, M>(self)
    }
}

/// A join that is accepted: the channel's state, and the response to the client.
///
/// Shape on the wire: `["1","1","room:lobby","phx_reply",{"response":{},"status":"ok"}]`.
#[derive(Debug)]
pub struct Joined<C> {
    pub(crate) state: C,
    pub(crate) response: Result<Payload, NotEncodable>,
}

impl<C> Joined<C> {
    /// Accepts with the response `{}`.
    pub fn new(state: C) -> Self {
        Self { state, response: Ok(Payload::empty()) }
    }

    /// Accepts with a response. One that cannot be written as JSON crashes the join.
    pub fn with(state: C, response: impl IntoPayload) -> Self {
        Self { state, response: response.into_payload() }
    }
}
