//! Channels and routes without their types: what the connection's task keeps and calls.

use crate::BoxFuture;
use crate::failure::Kind;
use crate::heard::Heard;
use crate::letter::{AnyLetter, Letter};
use crate::link::Link;
use crate::panics::{catch, text};
use crate::watch::Watch;
use crate::{Broadcast, Channel, Context, Failure, JoinContext, Joined, Reply, SlowConsumer, spans};
use bennu_core::server::{CallId, ChannelId, Event, Outcome};
use bennu_core::wire::Outgoing;
use bennu_core::{EventName, Name, Payload, Ref, Topic};
use std::any::{Any, type_name};
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

/// A handler's end: the channel's state comes back, and what it answered.
pub(crate) struct Finished {
    pub(crate) call: CallId,
    /// `None` if the join was refused.
    pub(crate) channel: Option<Box<dyn AnyChannel>>,
    pub(crate) outcome: Outcome<Letter>,
}

/// A joined channel: its state and its context.
pub(crate) trait AnyChannel: Send {
    /// Runs a handler. The future owns the channel and gives it back, so it can be polled in place, and
    /// kept if it waits.
    fn call(self: Box<Self>, call: CallId, event: Event<Letter>) -> BoxFuture<'static, Finished>;
}

/// What a join starts from.
pub(crate) struct Seed {
    pub(crate) call: CallId,
    pub(crate) channel: ChannelId,
    pub(crate) topic: Topic,
    pub(crate) subtopic: u32,
    pub(crate) join_ref: Option<Ref>,
    pub(crate) msg_ref: Option<Ref>,
    pub(crate) payload: Payload,
}

/// A route to a channel of any type whose assigns are `A`.
pub(crate) trait AnyRoute<A>: Send + Sync {
    fn intercepts(&self) -> &'static [&'static str];

    fn lossy(&self) -> &'static [(&'static str, SlowConsumer)];

    fn join(&self, seed: Seed, link: Arc<Link<A>>) -> BoxFuture<'static, Finished>;
}

/// The route to channels of type `C`.
pub(crate) struct RouteTo<C>(PhantomData<fn() -> C>);

impl<C> RouteTo<C> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<C: Channel> AnyRoute<C::Assigns> for RouteTo<C> {
    fn intercepts(&self) -> &'static [&'static str] {
        C::INTERCEPTS
    }

    fn lossy(&self) -> &'static [(&'static str, SlowConsumer)] {
        C::LOSSY
    }

    fn join(&self, seed: Seed, link: Arc<Link<C::Assigns>>) -> BoxFuture<'static, Finished> {
        let watch = Watch::join::<C>(&seed, link.socket);
        let span = spans::join(&seed, link.socket, type_name::<C>());
        watch.handler(spans::within(span, Box::pin(join::<C>(seed, link))))
    }
}

async fn join<C: Channel>(seed: Seed, link: Arc<Link<C::Assigns>>) -> Finished {
    let Seed { call, channel, topic, subtopic, join_ref, msg_ref, payload } = seed;
    let heard = Heard::join(&topic, &payload, &link.hub);
    let own_ref = join_ref.clone().or_else(|| msg_ref.clone());
    let ctx = JoinContext { link, topic, subtopic, channel, join_ref: own_ref, enclose: OnceLock::new() };
    let result = catch(|| C::join(&ctx.topic, payload, &ctx)).await;
    let answer = Answer { ctx: &ctx, join_ref: join_ref.as_ref(), msg_ref: msg_ref.as_ref() };
    let answered = answer.to(result);
    if let Some(heard) = heard {
        match &answered {
            Ok(_) => heard.joined(&ctx.whose(), "ok"),
            Err(Outcome::Refused { .. }) => heard.joined(&ctx.whose(), "error"),
            Err(_) => {}
        }
    }
    match answered {
        Ok((state, reply)) => {
            let cell = Cell { state, ctx: Context::new(ctx) };
            let outcome = Outcome::Joined { reply, next: Some(Letter::AFTER_JOIN) };
            Finished { call, channel: Some(Box::new(cell)), outcome }
        }
        Err(outcome) => Finished { call, channel: None, outcome },
    }
}

/// How a join is answered.
struct Answer<'a, C: Channel> {
    ctx: &'a JoinContext<C>,
    join_ref: Option<&'a Ref>,
    msg_ref: Option<&'a Ref>,
}

impl<C: Channel> Answer<'_, C> {
    fn to(
        &self,
        result: Result<Result<Joined<C>, Failure>, String>,
    ) -> Result<(C, bennu_core::Frame), Outcome<Letter>> {
        match result.map(|result| result.map_err(Failure::into_kind)) {
            Ok(Ok(Joined { state, response })) => {
                let response = response.map_err(|error| self.crashed(&error.to_string()))?;
                let reply = self.encode("ok", &response).map_err(|error| self.crashed(&error))?;
                Ok((state, reply))
            }
            Ok(Err(Kind::Reply(reply))) => Err(self.refused(reply)),
            Ok(Err(Kind::Crash(cause))) => Err(self.crashed(&text(&cause))),
            Err(panic) => Err(self.crashed(&panic)),
        }
    }

    fn refused(&self, reply: Reply) -> Outcome<Letter> {
        let Some(answer) = reply.into_answer() else {
            return self.crashed("a join was refused without an answer");
        };
        let response = match answer.response {
            Ok(response) => response,
            Err(error) => return self.crashed(&error.to_string()),
        };
        match self.encode(&answer.status, &response) {
            Ok(reply) => Outcome::Refused { reply },
            Err(error) => self.crashed(&error),
        }
    }

    fn encode(&self, status: &str, response: &Payload) -> Result<bennu_core::Frame, String> {
        let reply = Outgoing::Reply {
            join_ref: self.join_ref,
            msg_ref: self.msg_ref,
            topic: &Name::from(&*self.ctx.topic),
            status,
            response,
        };
        self.ctx.link.encode(&reply).map_err(|error| error.to_string())
    }

    fn crashed(&self, why: &str) -> Outcome<Letter> {
        tracing::error!(topic = %self.ctx.topic, channel = type_name::<C>(), why, "a join crashed");
        Outcome::crashed(why)
    }
}

/// A channel's state, with the context it is called with.
struct Cell<C: Channel> {
    state: C,
    ctx: Context<C>,
}

impl<C: Channel> AnyChannel for Cell<C> {
    fn call(self: Box<Self>, call: CallId, event: Event<Letter>) -> BoxFuture<'static, Finished> {
        let watch = Watch::call(call, &event);
        let span = spans::call(&event, self.ctx.topic(), self.ctx.link.socket, type_name::<C>());
        let mut this = self;
        // By far the most calls: a future of their own, no larger than they need.
        if let Event::In { msg_ref, event, payload } = event {
            if let Some(heard) = Heard::message(this.ctx.topic(), &payload, &this.ctx.link.hub) {
                let handler = Box::pin(this.handle_heard(call, heard, msg_ref, event, payload));
                return watch.handler(spans::within(span, handler));
            }
            let handler = Box::pin(async move {
                this.ctx.begin(msg_ref);
                let Self { state, ctx } = &mut *this;
                let ctx = &*ctx;
                let result = catch(|| state.handle_in(&event, payload, ctx)).await;
                let outcome = this.ctx.conclude(result);
                Finished { call, channel: Some(this), outcome }
            });
            return watch.handler(spans::within(span, handler));
        }
        let handler = Box::pin(async move {
            let outcome = this.handle(event).await;
            Finished { call, channel: Some(this), outcome }
        });
        watch.handler(spans::within(span, handler))
    }
}

impl<C: Channel> Cell<C> {
    /// Handles a message of the client, and logs that it was handled.
    async fn handle_heard(
        mut self: Box<Self>,
        call: CallId,
        heard: Heard,
        msg_ref: Option<Ref>,
        event: EventName,
        payload: Payload,
    ) -> Finished {
        self.ctx.begin(msg_ref.clone());
        let Self { state, ctx } = &mut *self;
        let ctx = &*ctx;
        let result = catch(|| state.handle_in(&event, payload, ctx)).await;
        let outcome = self.ctx.conclude(result);
        if !outcome.is_crash() {
            heard.handled_in(&self.ctx.whose(), &event, msg_ref.as_ref());
        }
        Finished { call, channel: Some(self), outcome }
    }

    /// Runs the handler of an event that is no message of the client: nothing can be answered. The state is
    /// borrowed only, so that it survives a panic and `terminate` gets it.
    async fn handle(&mut self, event: Event<Letter>) -> Outcome<Letter> {
        self.ctx.begin(None);
        let Self { state, ctx } = self;
        let ctx = &*ctx;
        let result = match event {
            Event::Out { event, payload } => catch(|| state.handle_out(&event, payload, ctx)).await,
            Event::Info(letter) => match letter.open() {
                Some(message) => catch(|| deliver(message, state, ctx)).await,
                None => catch(|| state.after_join(ctx)).await,
            },
            Event::Broadcast { topic, event, payload } => {
                // Subscribing has noted how.
                let letter = ctx.enclose.get().map(|enclose| enclose(Broadcast::new(topic, event, payload)));
                match letter.and_then(Letter::open) {
                    Some(message) => catch(|| deliver(message, state, ctx)).await,
                    None => Ok(Ok(())),
                }
            }
            Event::Terminate(reason) => catch(|| state.terminate(&reason, ctx)).await.map(Ok),
            // Joins are run by their route, messages of the client above, and there are no other events.
            Event::Join { .. } | Event::In { .. } | _ => Ok(Ok(())),
        };
        let result = result.map(|result| match result.map_err(Failure::into_kind) {
            Ok(()) => Ok(Reply::none()),
            Err(Kind::Crash(cause)) => Err(Failure::crash(cause)),
            Err(Kind::Reply(_)) => Err(Failure::crash("an error reply where there is no message to answer")),
        });
        self.ctx.conclude(result)
    }
}

/// Gives a message to a channel, which is of the type that it was addressed to.
async fn deliver<C: Channel>(
    message: Box<dyn AnyLetter>,
    state: &mut C,
    ctx: &Context<C>,
) -> Result<(), Failure> {
    let (state, ctx): (&mut (dyn Any + Send), &(dyn Any + Send + Sync)) = (state, ctx);
    match message.deliver(state, ctx) {
        Some(handler) => handler.await,
        None => Err(Failure::crash("a message came to a channel of another type")),
    }
}
