//! When a connection should do what: its states and its two timers, and nothing else of it.

use bennu_core::Instant;
use bennu_core::websocket::{Config, Connection};
use std::time::Duration;

/// A second, plainer account of a connection's timers.
#[derive(Debug)]
pub(super) struct Life {
    config: Config,
    clock: Instant,
    phase: Phase,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Open {
        /// How long it may still be silent, counted from the second field; `None` for ever.
        silence: Option<(Duration, Reading)>,
    },
    Closing {
        deadline: Instant,
    },
    Closed,
}

#[derive(Clone, Copy, Debug)]
enum Reading {
    Since(Instant),
    Paused,
}

impl Life {
    pub(super) fn new(config: Config, now: Instant) -> Self {
        let silence = config.idle_timeout.map(|idle| (idle, Reading::Since(now)));
        Self { config, clock: now, phase: Phase::Open { silence } }
    }

    /// Bytes have come; what they brought about is read off the connection.
    pub(super) fn receive(&mut self, len: usize, connection: &Connection, now: Instant) {
        self.tick(now);
        let Phase::Open { silence } = &mut self.phase else {
            if connection.is_closed() {
                self.phase = Phase::Closed;
            }
            return;
        };
        if let (Some(idle), Some((left, reading)), 1..) = (self.config.idle_timeout, silence, len) {
            *left = idle;
            if let Reading::Since(start) = reading {
                *start = self.clock;
            }
        }
        if connection.is_closed() {
            self.phase = Phase::Closed;
        } else if connection.is_closing() {
            self.start_closing();
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.tick(now);
        if self.due().is_none_or(|due| self.clock < due) {
            return;
        }
        match self.phase {
            Phase::Open { .. } => self.start_closing(),
            Phase::Closing { .. } | Phase::Closed => self.phase = Phase::Closed,
        }
    }

    pub(super) fn pause(&mut self, now: Instant) {
        self.tick(now);
        if let Phase::Open { silence: Some((left, reading)) } = &mut self.phase
            && let Reading::Since(start) = *reading
        {
            *left = left.saturating_sub(self.clock.duration_since(start));
            *reading = Reading::Paused;
        }
    }

    pub(super) fn resume(&mut self, now: Instant) {
        self.tick(now);
        if let Phase::Open { silence: Some((_, reading @ Reading::Paused)) } = &mut self.phase {
            *reading = Reading::Since(self.clock);
        }
    }

    pub(super) fn close(&mut self, now: Instant) {
        self.tick(now);
        if let Phase::Open { .. } = self.phase {
            self.start_closing();
        }
    }

    pub(super) fn handle_eof(&mut self, now: Instant) {
        self.tick(now);
        self.phase = Phase::Closed;
    }

    /// Compares with the connection itself.
    pub(super) fn assert_is(&self, connection: &Connection) {
        let is = |phase: fn(&Phase) -> bool| phase(&self.phase);
        assert_eq!(connection.is_closing(), !is(|phase| matches!(phase, Phase::Open { .. })), "{self:?}");
        assert_eq!(connection.is_closed(), is(|phase| matches!(phase, Phase::Closed)), "{self:?}");
        assert_eq!(connection.poll_timeout(), self.due(), "{self:?}");
    }

    fn due(&self) -> Option<Instant> {
        match self.phase {
            Phase::Open { silence: Some((left, Reading::Since(start))) } => Some(start + left),
            Phase::Closing { deadline } => Some(deadline),
            Phase::Open { .. } | Phase::Closed => None,
        }
    }

    fn start_closing(&mut self) {
        self.phase = Phase::Closing { deadline: self.clock + self.config.close_timeout };
    }

    fn tick(&mut self, now: Instant) {
        self.clock = self.clock.max(now);
    }
}
