//! The polls that a session holds.

use super::output::PollId;
use crate::Instant;
use std::collections::VecDeque;

/// At most one poll is served: the newest. Those whose place it has taken stay until their window is over,
/// since two clients with one token, each answered at once, would chase each other without end.
#[derive(Debug, Default)]
pub(super) struct Polls {
    served: u64,
    newest: Option<Newest>,
    /// The oldest first, which is also the first whose window ends.
    replaced: VecDeque<(PollId, Instant)>,
}

///  waiting ──frames──▶ ready ──take──▶ (being written: the queue's affair)
#[derive(Clone, Copy, Debug)]
enum Newest {
    /// Ends empty at `until`.
    Waiting { poll: PollId, until: Instant },
    /// It has been told that there are frames, and takes them in its own time.
    Ready { poll: PollId },
}

/// What a poll was before it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removed {
    /// There are frames for it.
    Ready,
    /// Its window is not over.
    Waiting,
    /// It had ended before.
    Nothing,
}

impl Polls {
    /// Takes a poll in, in the place of the newest so far.
    pub(super) fn add(&mut self, until: Instant) -> PollId {
        let poll = PollId(self.served);
        self.served += 1;
        // One that is ready finds nothing when it takes, and ends by that.
        if let Some(Newest::Waiting { poll, until }) = self.newest {
            self.replaced.push_back((poll, until));
        }
        self.newest = Some(Newest::Waiting { poll, until });
        poll
    }

    /// The poll that there is something for now, if one waits.
    pub(super) fn wake(&mut self) -> Option<PollId> {
        let Some(Newest::Waiting { poll, .. }) = self.newest else { return None };
        self.newest = Some(Newest::Ready { poll });
        Some(poll)
    }

    /// Ends a poll, and says what it was until now.
    pub(super) fn remove(&mut self, poll: PollId) -> Removed {
        match self.newest {
            Some(Newest::Ready { poll: newest }) if newest == poll => {
                self.newest = None;
                return Removed::Ready;
            }
            Some(Newest::Waiting { poll: newest, .. }) if newest == poll => {
                self.newest = None;
                return Removed::Waiting;
            }
            Some(_) | None => {}
        }
        let Some(place) = self.replaced.iter().position(|(replaced, _)| *replaced == poll) else {
            return Removed::Nothing;
        };
        self.replaced.remove(place);
        Removed::Waiting
    }

    /// Whether there is one that frames would go to.
    pub(super) fn is_served(&self) -> bool {
        self.newest.is_some()
    }

    pub(super) fn is_ready(&self) -> bool {
        matches!(self.newest, Some(Newest::Ready { .. }))
    }

    /// The oldest of those that were replaced, once there are more than `max` of them.
    pub(super) fn pop_past(&mut self, max: usize) -> Option<PollId> {
        if self.replaced.len() <= max {
            return None;
        }
        self.replaced.pop_front().map(|(poll, _)| poll)
    }

    /// Ends all that have not been told that there are frames for them.
    pub(super) fn close(&mut self) -> impl Iterator<Item = PollId> {
        let mut waiting = std::mem::take(&mut self.replaced);
        if let Some(Newest::Waiting { poll, until }) = self.newest {
            self.newest = None;
            waiting.push_back((poll, until));
        }
        waiting.into_iter().map(|(poll, _)| poll)
    }

    /// The next poll that still waits and whose window is over.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<PollId> {
        // Not `pop_front_if`, which is younger than this crate's oldest compiler.
        if self.replaced.front().is_some_and(|(_, until)| *until <= now) {
            return self.replaced.pop_front().map(|(poll, _)| poll);
        }
        match self.newest {
            Some(Newest::Waiting { poll, until }) if until <= now => {
                self.newest = None;
                Some(poll)
            }
            Some(_) | None => None,
        }
    }

    /// When the next window ends.
    pub(super) fn due(&self) -> Option<Instant> {
        if let Some((_, until)) = self.replaced.front() {
            return Some(*until);
        }
        match self.newest {
            Some(Newest::Waiting { until, .. }) => Some(until),
            Some(Newest::Ready { .. }) | None => None,
        }
    }
}
