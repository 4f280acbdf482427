//! The posts that a session holds.

use super::body::Data;
use super::output::PostId;
use crate::Instant;
use std::collections::VecDeque;

/// Posts in the order in which they came; their messages are offered one at a time.
#[derive(Debug, Default)]
pub(super) struct Posts {
    taken: u64,
    waiting: VecDeque<Post>,
    /// What waits, in the sense of [`cost`].
    bytes: usize,
    /// Whose message the driver has just now. That post may be over already.
    offered: Option<PostId>,
}

#[derive(Debug)]
struct Post {
    id: PostId,
    rest: Rest,
    /// It has its answer then, if one of its messages still waits.
    until: Instant,
}

/// What of a post is still to be taken.
#[derive(Debug)]
enum Rest {
    Messages(VecDeque<Data>),
    /// The session has ended before all of it was taken.
    Dropped,
}

/// More waits than may.
#[derive(Debug)]
pub(super) struct Full;

/// What a message counts for, besides its bytes: empty ones take room too.
const OVERHEAD: usize = 64;

impl Posts {
    pub(super) fn next_id(&mut self) -> PostId {
        let id = PostId(self.taken);
        self.taken += 1;
        id
    }

    /// Takes a post in, unless it makes more than `max` wait. Where no message waits, none is too much.
    pub(super) fn add(
        &mut self,
        id: PostId,
        messages: Vec<Data>,
        max: usize,
        until: Instant,
    ) -> Result<(), Full> {
        let added = cost(messages.iter());
        if self.bytes > 0 && self.bytes.saturating_add(added) > max {
            return Err(Full);
        }
        self.bytes += added;
        self.waiting.push_back(Post { id, rest: Rest::Messages(messages.into()), until });
        Ok(())
    }

    /// The next message, if the driver has none; it is no longer counted.
    pub(super) fn offer(&mut self) -> Option<Data> {
        if self.offered.is_some() {
            return None;
        }
        let post = self.waiting.front_mut()?;
        let Rest::Messages(messages) = &mut post.rest else { return None };
        let message = messages.pop_front()?;
        self.bytes -= cost([&message].into_iter());
        self.offered = Some(post.id);
        Some(message)
    }

    /// The message that was offered has been taken: the next one of its post has its time from now on.
    pub(super) fn accept(&mut self, until: Instant) {
        let Some(offered) = self.offered.take() else { return };
        if let Some(post) = self.waiting.front_mut().filter(|post| post.id == offered) {
            post.until = until;
        }
    }

    /// The first post, if all of it has been taken.
    pub(super) fn pop_done(&mut self) -> Option<PostId> {
        let post = self.waiting.front()?;
        let is_taken = matches!(&post.rest, Rest::Messages(rest) if rest.is_empty());
        if !is_taken || self.offered == Some(post.id) {
            return None;
        }
        self.waiting.pop_front().map(|post| post.id)
    }

    /// A post whose time is over.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<PostId> {
        let place = self.next().filter(|&place| self.waiting[place].until <= now)?;
        let post = self.waiting.remove(place)?;
        if let Rest::Messages(rest) = &post.rest {
            self.bytes -= cost(rest.iter());
        }
        Some(post.id)
    }

    /// When the next one is over.
    pub(super) fn due(&self) -> Option<Instant> {
        self.next().map(|place| self.waiting[place].until)
    }

    /// Nothing more is taken: all that is left to a post is its time, unless the driver has the last of it.
    pub(super) fn close(&mut self) {
        for post in &mut self.waiting {
            if matches!(&post.rest, Rest::Messages(rest) if !rest.is_empty()) {
                post.rest = Rest::Dropped;
            }
        }
        self.bytes = 0;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Where the one is whose time is over next: in front, or right behind, since only the time of the first is
    /// ever renewed and the others came in order.
    fn next(&self) -> Option<usize> {
        (0..self.waiting.len().min(2)).min_by_key(|&place| self.waiting[place].until)
    }
}

fn cost<'a>(messages: impl Iterator<Item = &'a Data>) -> usize {
    messages.map(|message| message.body.len() + OVERHEAD).sum()
}
