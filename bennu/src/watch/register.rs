//! What a harness knows of the handlers that run.

use crate::erased::{Finished, Seed};
use crate::letter::Letter;
use crate::{BoxFuture, Context};
use bennu_core::server::{CallId, ChannelId, Event, Outcome, Reason, SocketId};
use bennu_core::{Instant, Ref, Topic};
use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{self, Poll};

/// All channels that there have been, for the thread that a test runs on.
#[derive(Debug, Default)]
pub(crate) struct Register {
    pub(crate) channels: Vec<Channel>,
    /// Handlers that crashed, the oldest first.
    pub(crate) crashes: Vec<Crash>,
}

/// One channel: from its join on.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) id: ChannelId,
    pub(crate) socket: SocketId,
    pub(crate) topic: Topic,
    /// The ref of its join.
    pub(crate) msg_ref: Option<Ref>,
    pub(crate) type_id: TypeId,
    pub(crate) type_name: &'static str,
    /// Ends it, given its context, as if its connection were closed.
    pub(crate) close: fn(&(dyn Any + Send + Sync)),
    /// What runs of it.
    pub(crate) running: Option<Handler>,
    /// What its `terminate` was told.
    pub(crate) reason: Option<Reason>,
}

/// A handler.
#[derive(Clone, Debug)]
pub(crate) struct Handler {
    /// Such as `handle_in "new_msg"`.
    pub(crate) name: String,
    /// Until when it sleeps, if it does.
    pub(crate) sleeps_until: Option<Instant>,
}

/// A handler that crashed.
#[derive(Clone, Debug)]
pub(crate) struct Crash {
    pub(crate) channel: ChannelId,
    pub(crate) topic: Topic,
    pub(crate) type_name: &'static str,
    pub(crate) handler: String,
    pub(crate) why: String,
    /// Whether the test has asked for it.
    pub(crate) is_expected: bool,
}

thread_local! {
    static REGISTER: RefCell<Option<Rc<RefCell<Register>>>> = const { RefCell::new(None) };
    /// Until when what is being polled sleeps.
    pub(crate) static SLEEP: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// A register that is open: what runs on this thread is entered, until this is dropped.
#[derive(Debug)]
pub(crate) struct Open {
    before: Option<Rc<RefCell<Register>>>,
}

impl Register {
    /// Enters what runs on this thread from here on.
    pub(crate) fn open(register: &Rc<RefCell<Self>>) -> Open {
        Open { before: REGISTER.replace(Some(Rc::clone(register))) }
    }

    fn channel_mut(&mut self, id: ChannelId) -> Option<&mut Channel> {
        self.channels.iter_mut().find(|channel| channel.id == id)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        REGISTER.set(self.before.take());
    }
}

/// A handler that has been entered.
pub(super) struct Begun(ChannelId);

impl Begun {
    pub(super) fn join<C: crate::Channel>(seed: &Seed, socket: SocketId) -> Option<Self> {
        entered(|register| {
            register.channels.push(Channel {
                id: seed.channel,
                socket,
                topic: seed.topic.clone(),
                msg_ref: seed.msg_ref.clone(),
                type_id: TypeId::of::<C>(),
                type_name: std::any::type_name::<C>(),
                close: |ctx| {
                    if let Some(ctx) = ctx.downcast_ref::<Context<C>>() {
                        ctx.stop(Reason::Closed);
                    }
                },
                running: Some(Handler { name: "join".to_owned(), sleeps_until: None }),
                reason: None,
            });
            Self(seed.channel)
        })
    }

    pub(super) fn call(call: CallId, event: &Event<Letter>) -> Option<Self> {
        entered(|register| {
            if let Some(channel) = register.channel_mut(call.channel()) {
                if let Event::Terminate(reason) = event {
                    channel.reason = Some(reason.clone());
                }
                channel.running = Some(Handler { name: name(event), sleeps_until: None });
            }
            Self(call.channel())
        })
    }

    pub(super) fn watch(self, handler: BoxFuture<'static, Finished>) -> Watched {
        Watched { handler, entry: Entry(self.0) }
    }
}

/// Does something with the register, if one is open.
fn entered<T>(enter: impl FnOnce(&mut Register) -> T) -> Option<T> {
    // No register, either, while the thread ends.
    let register = REGISTER.try_with(|register| register.borrow().clone()).ok().flatten()?;
    Some(enter(&mut register.borrow_mut()))
}

fn name(event: &Event<Letter>) -> String {
    match event {
        Event::In { event, .. } => format!("handle_in {:?}", &**event),
        Event::Out { event, .. } => format!("handle_out {:?}", &**event),
        Event::Broadcast { topic, event, .. } => {
            format!("handle_info of the broadcast {:?} on {:?}", &**event, &**topic)
        }
        Event::Info(letter) => match letter.type_name() {
            Some(message) => format!("handle_info of {message}"),
            None => "after_join".to_owned(),
        },
        Event::Terminate(_) => "terminate".to_owned(),
        Event::Join { .. } | _ => "join".to_owned(),
    }
}

/// A channel's entry of what runs; taken out when dropped, as a handler is that is cancelled.
struct Entry(ChannelId);

impl Drop for Entry {
    fn drop(&mut self) {
        entered(|register| register.channel_mut(self.0).map(|channel| channel.running = None));
    }
}

/// A handler that is being watched.
pub(super) struct Watched {
    handler: BoxFuture<'static, Finished>,
    entry: Entry,
}

impl Future for Watched {
    type Output = Finished;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Finished> {
        let outside = SLEEP.take();
        let polled = self.handler.as_mut().poll(cx);
        let sleep = SLEEP.replace(outside);
        entered(|register| match &polled {
            Poll::Pending => register.waits(self.entry.0, sleep),
            Poll::Ready(finished) => register.ends(self.entry.0, &finished.outcome),
        });
        polled
    }
}

impl Register {
    fn waits(&mut self, channel: ChannelId, sleep: Option<Instant>) {
        if let Some(handler) = self.channel_mut(channel).and_then(|channel| channel.running.as_mut()) {
            handler.sleeps_until = sleep;
        }
    }

    fn ends(&mut self, channel: ChannelId, outcome: &Outcome<Letter>) {
        let Some(channel) = self.channel_mut(channel) else { return };
        let handler = channel.running.take();
        let Outcome::Stop { reason: Reason::Crash(why), .. } = outcome else { return };
        let crash = Crash {
            channel: channel.id,
            topic: channel.topic.clone(),
            type_name: channel.type_name,
            handler: handler.map(|handler| handler.name).unwrap_or_default(),
            why: why.clone(),
            is_expected: false,
        };
        self.crashes.push(crash);
    }
}
