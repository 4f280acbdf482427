//! What waits for a channel while its handler runs.

use crate::{EventName, Payload, Ref, Topic};
use std::collections::VecDeque;

/// What waits for one channel, in order.
#[derive(Debug)]
pub(super) struct Mailbox<I> {
    /// What the channel will handle.
    pub(super) inbox: VecDeque<Item<I>>,
    /// What the client sent behind a pending join, or behind a leave and a new join: dispatched anew
    /// when that is decided.
    pub(super) behind: VecDeque<Received>,
    /// What of all this the client sent.
    pub(super) input: Load,
    /// What of all this others sent: broadcasts and messages of the application.
    pub(super) others: Load,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

/// One thing for the channel to handle.
#[derive(Debug)]
pub(super) enum Item<I> {
    In {
        msg_ref: Option<Ref>,
        event: EventName,
        payload: Payload,
    },
    Leave {
        msg_ref: Option<Ref>,
    },
    Out {
        event: EventName,
        payload: Payload,
    },
    Broadcast {
        topic: Topic,
        event: EventName,
        payload: Payload,
    },
    Info(I),
    /// The connection has gone: nothing comes behind this.
    Closed,
}

/// A message of the client, not yet looked at.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) join_ref: Option<Ref>,
    pub(super) msg_ref: Option<Ref>,
    pub(super) event: EventName,
    pub(super) payload: Payload,
}

impl<I> Default for Mailbox<I> {
    fn default() -> Self {
        Self {
            inbox: VecDeque::new(),
            behind: VecDeque::new(),
            input: Load::default(),
            others: Load::default(),
        }
    }
}

impl<I> Mailbox<I> {
    /// Whether a leave waits here, so that a join must wait behind it.
    pub(super) fn is_leaving(&self) -> bool {
        self.inbox.iter().any(|item| matches!(item, Item::Leave { .. }))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.inbox.is_empty() && self.behind.is_empty()
    }

    pub(super) fn push(&mut self, item: Item<I>) {
        *self.side(&item) += item.load();
        self.inbox.push_back(item);
    }

    pub(super) fn pop(&mut self) -> Option<Item<I>> {
        let item = self.inbox.pop_front()?;
        *self.side(&item) -= item.load();
        Some(item)
    }

    pub(super) fn push_behind(&mut self, received: Received) {
        self.input += received.load();
        self.behind.push_back(received);
    }

    fn side(&mut self, item: &Item<I>) -> &mut Load {
        if item.is_input() { &mut self.input } else { &mut self.others }
    }
}

impl<I> Item<I> {
    /// Whether the client sent it.
    pub(super) fn is_input(&self) -> bool {
        matches!(self, Self::In { .. } | Self::Leave { .. })
    }

    /// What it adds to the load, bytes of names and payloads counted.
    pub(super) fn load(&self) -> Load {
        match self {
            Self::In { event, payload, .. }
            | Self::Out { event, payload }
            | Self::Broadcast { event, payload, .. } => {
                Load { messages: 1, bytes: event.len() + payload.len() }
            }
            Self::Leave { .. } | Self::Info(_) => Load { messages: 1, bytes: 0 },
            Self::Closed => Load::default(),
        }
    }
}

impl Received {
    pub(super) fn load(&self) -> Load {
        Load { messages: 1, bytes: self.event.len() + self.payload.len() }
    }
}

impl Load {
    /// That of a message whose names do not count.
    pub(super) fn of(payload: &Payload) -> Self {
        Self { messages: 1, bytes: payload.len() }
    }

    /// Whether it has reached either bound.
    pub(super) fn reaches(self, bound: Self) -> bool {
        self.messages >= bound.messages || self.bytes >= bound.bytes
    }

    /// Whether it is past either bound.
    pub(super) fn exceeds(self, bound: Self) -> bool {
        self.messages > bound.messages || self.bytes > bound.bytes
    }

    /// How much of the bound it takes, by whichever of the two it takes more of. To compare only.
    pub(super) fn share_of(self, bound: Self) -> u128 {
        let part = |load: usize, other: usize| load as u128 * other as u128;
        part(self.messages, bound.bytes).max(part(self.bytes, bound.messages))
    }

    pub(super) fn half(self) -> Self {
        Self { messages: self.messages / 2, bytes: self.bytes / 2 }
    }
}

impl std::ops::AddAssign for Load {
    fn add_assign(&mut self, rhs: Self) {
        self.messages += rhs.messages;
        self.bytes += rhs.bytes;
    }
}

impl std::ops::SubAssign for Load {
    fn sub_assign(&mut self, rhs: Self) {
        self.messages -= rhs.messages;
        self.bytes -= rhs.bytes;
    }
}
