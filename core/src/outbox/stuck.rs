//! A peer that does not take what waits for it: the limit in age.

use super::Outbox;
use crate::Instant;
use std::time::Duration;

/// Since when a peer does not take what waits for it, and how much that is.
///
/// Whoever drives an [`Outbox`] keeps it from one write that the stream has not taken in full to the next, and lets go
/// of it when one is.
#[derive(Clone, Copy, Debug)]
pub struct Stuck {
    since: Instant,
    /// How many bytes have been waiting since then, or longer.
    ahead: usize,
    /// What of these is not to be dropped.
    held: Held,
    progress: Progress,
}

/// Whether anything waits that is not to be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Nothing,
    Something,
}

/// Whether a peer has taken anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    None,
    Some,
}

/// How long a frame may wait for a peer that takes too little, in milliseconds: each connection has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    ms: u32,
}

impl From<Duration> for Patience {
    fn from(time: Duration) -> Self {
        Self { ms: u32::try_from(time.as_millis()).unwrap_or(u32::MAX) }
    }
}

impl Patience {
    fn age(self) -> Duration {
        Duration::from_millis(self.ms.into())
    }
}

/// What becomes of a peer whose time is up.
#[derive(Clone, Copy, Debug)]
pub enum Verdict {
    /// It takes its messages too slowly, and is to be cut off.
    TooSlow,
    /// It stays.
    Spared {
        /// It has time again.
        stuck: Stuck,
        /// How many frames were dropped for it.
        dropped: usize,
    },
}

/// How long more than the limit may wait, if it was queued before the stream was known to be blocked: what a
/// handler sends at once says nothing about the peer, who has this long to take it.
const GRACE: Duration = Duration::from_secs(1);

impl Outbox {
    /// The stream is blocked, behind a write of so many bytes: what of `before` is left, or, if all that
    /// waited then has been taken, a new start with what is waiting now. Of answers alone it need only take some,
    /// however slowly: whoever reads them is not to be cut off for having asked. What is dropped for a peer that takes
    /// nothing gives it no more time; for one that takes a little it may, as what is dropped for room counts as if it had
    /// waited for longest.
    #[must_use]
    pub fn stuck(&mut self, before: Option<Stuck>, written: usize, now: Instant) -> Stuck {
        let mut gone = written;
        if let Some(rest) = &mut self.rest {
            gone += rest.take_gone();
        }
        let takes_its_own = written > 0 && self.is_all_owed();
        let ahead = before.map_or(0, |before| before.ahead.saturating_sub(gone)).min(self.unwritten());
        match before {
            Some(before) if written == 0 || (ahead > 0 && !takes_its_own) => {
                let progress = if written > 0 { Progress::Some } else { before.progress };
                Stuck { ahead, progress, ..before }
            }
            Some(_) | None => self.stuck_since(now),
        }
    }

    /// Until when a peer that is stuck has to take more.
    #[must_use]
    pub fn patience(&self, stuck: Stuck, patience: Patience) -> Instant {
        let age = patience.age();
        stuck.since + if self.overflow().is_some() { GRACE.min(age) } else { age }
    }

    /// The time of a peer that is stuck [is up](Self::patience): drops what may be dropped, and decides. While
    /// there is such, the peer need only take some of what may not.
    #[must_use]
    pub fn handle_timeout(&mut self, stuck: Stuck, patience: Patience, now: Instant) -> Verdict {
        // Within the limit there is nothing to drop: nothing has come that could be refused.
        let room = if self.overflow().is_some() { self.make_room() } else { Ok(0) };
        let Ok(mut dropped) = room else { return Verdict::TooSlow };
        if now < stuck.since + patience.age() {
            return Verdict::Spared { stuck, dropped };
        }
        let is_late = stuck.held == Held::Something && self.held() == Held::Something;
        if is_late && (stuck.progress == Progress::None || !self.has_losable()) {
            return Verdict::TooSlow;
        }
        // What was dropped for room since the last write is ahead no more.
        let gone = self.rest.as_mut().map_or(0, |rest| rest.take_gone());
        let aged = stuck.ahead.saturating_sub(gone + self.unwritten_first());
        let of_age = self.rest.as_mut().map(|rest| rest.drop_aged(aged)).unwrap_or_default();
        self.waiting -= of_age.bytes;
        self.rest.take_if(|rest| rest.is_spent());
        dropped += of_age.frames;
        Verdict::Spared { stuck: self.stuck_since(now), dropped }
    }

    fn stuck_since(&mut self, now: Instant) -> Stuck {
        if let Some(rest) = &mut self.rest {
            rest.take_gone();
        }
        Stuck { since: now, ahead: self.unwritten(), held: self.held(), progress: Progress::None }
    }

    /// What waits, without what the peer has of the first frame already.
    fn unwritten(&self) -> usize {
        self.waiting() - self.written
    }

    fn unwritten_first(&self) -> usize {
        self.first.as_ref().map_or(0, |first| first.as_websocket().len() - self.written)
    }

    fn held(&self) -> Held {
        if self.runs > 0 || self.waiting > self.losable() { Held::Something } else { Held::Nothing }
    }

    fn has_losable(&self) -> bool {
        self.losable() > 0
    }
}
