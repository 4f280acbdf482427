//! One channel: a topic as one socket joined it.

use super::id::TimerId;
use super::mailbox::{Item, Load, Mailbox};
use super::topics::TopicKey;
use crate::router::RouteId;
use crate::{Compat, Payload, Ref};

/// A channel as the server keeps it.
#[derive(Debug)]
pub(super) struct Channel<I> {
    pub(super) serial: u64,
    pub(super) socket: u32,
    pub(super) route: RouteId,
    /// `None` once it has closed: the topic may be joined anew while its terminate still runs.
    pub(super) topic: Option<TopicKey>,
    pub(super) refs: Refs,
    pub(super) state: State,
    /// Whether a handler runs.
    pub(super) busy: bool,
    /// How many handlers have been run: the number of the one that runs, or ran last.
    pub(super) calls: u32,
    /// Its place among the topic's members, while it is subscribed.
    pub(super) member: Option<u32>,
    pub(super) mailbox: Option<Box<Mailbox<I>>>,
    /// What few channels have.
    pub(super) extra: Option<Box<Extra>>,
}

/// Where a channel is in its life.
///
/// ```text
///  Held ──▶ Joining ──ok──▶ Joined ──leave, stop──▶ Closing ──▶ gone
///              │               └─────crash────────▶ Crashing ──▶ gone
///              └──refused, crashed──▶ gone
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The join waits until fewer terminates of this socket run.
    Held,
    /// `join` runs.
    Joining,
    /// Subscribed.
    Joined,
    /// `phx_close` is sent, `terminate` runs.
    Closing,
    /// `terminate` runs, `phx_error` follows it.
    Crashing,
}

/// The refs of the join. Nearly every client sends the same twice.
#[derive(Debug)]
pub(super) enum Refs {
    Same(Ref),
    Two(Box<(Option<Ref>, Option<Ref>)>),
}

/// Subscriptions, timers, and what else few channels have.
#[derive(Debug, Default)]
pub(super) struct Extra {
    /// The join's payload, while the join is held.
    pub(super) held: Option<Payload>,
    /// The join_ref of the channel that this one replaces: its `phx_close` follows the new reply.
    pub(super) replaces: Option<Option<Ref>>,
    /// Further topics, one entry a topic.
    pub(super) subscriptions: Vec<TopicKey>,
    /// Messages to come.
    pub(super) timers: Vec<TimerId>,
}

impl Refs {
    pub(super) fn new(join_ref: Option<Ref>, msg_ref: Option<Ref>) -> Self {
        match (join_ref, msg_ref) {
            (Some(join_ref), Some(msg_ref)) if join_ref.as_json() == msg_ref.as_json() => {
                Self::Same(join_ref)
            }
            (join_ref, msg_ref) => Self::Two(Box::new((join_ref, msg_ref))),
        }
    }

    /// The join_ref as it was sent: what messages are compared with, and what `phx_close` carries.
    pub(super) fn sent(&self) -> Option<&Ref> {
        match self {
            Self::Same(join_ref) => Some(join_ref),
            Self::Two(refs) => refs.0.as_ref(),
        }
    }

    /// The ref of the join: what its reply carries.
    pub(super) fn msg_ref(&self) -> Option<&Ref> {
        match self {
            Self::Same(msg_ref) => Some(msg_ref),
            Self::Two(refs) => refs.1.as_ref(),
        }
    }

    /// The channel's own join_ref: what its pushes and replies carry.
    pub(super) fn own(&self) -> Option<&Ref> {
        self.sent().or_else(|| self.msg_ref())
    }

    /// Whether a message with this join_ref is meant for this life of the channel.
    ///
    /// Source: `Phoenix.Socket`. In 1.8.12 null is taken, a ref where none was sent is not; in 1.8.9 it is the other way
    /// round.
    pub(super) fn accept(&self, join_ref: Option<&Ref>, compat: Compat) -> bool {
        let sent = self.sent();
        let (wild, other) = match compat {
            Compat::Phoenix1_8_9 => (sent, join_ref),
            Compat::Phoenix1_8_12 => (join_ref, sent),
        };
        wild.is_none() || wild == other
    }
}

impl<I> Channel<I> {
    pub(super) fn mailbox(&mut self) -> &mut Mailbox<I> {
        self.mailbox.get_or_insert_default()
    }

    pub(super) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// What of the client's input waits here.
    pub(super) fn input(&self) -> Load {
        let mut input = self.mailbox.as_ref().map(|mailbox| mailbox.input).unwrap_or_default();
        if let Some(payload) = self.extra.as_ref().and_then(|extra| extra.held.as_ref()) {
            input += Load::of(payload);
        }
        input
    }

    /// Takes the next item out, and frees the mailbox when it is empty.
    pub(super) fn pop(&mut self) -> Option<Item<I>> {
        let mailbox = self.mailbox.as_mut()?;
        let item = mailbox.pop();
        if mailbox.is_empty() {
            self.mailbox = None;
        }
        item
    }

    /// Whether what the client sends now must wait until something before it is decided.
    pub(super) fn holds_back(&self) -> bool {
        match self.state {
            State::Held | State::Joining | State::Crashing => true,
            State::Joined | State::Closing => {
                self.mailbox.as_ref().is_some_and(|mailbox| !mailbox.behind.is_empty())
            }
        }
    }
}
