//! Letting connections go. Who ends when is decided by the core; here is who waits for it.

use crate::hub::Hub;
use crate::settings::Batches;
use bennu_core::drain::{Drain, Whom};
use bennu_core::server::CloseReason;
use std::time::Duration;

/// How long the handlers that run have when all connections have ended.
const GRACE: Duration = Duration::from_secs(5);

/// How many connections are ended before others have their turn.
const TOGETHER: usize = 128;

/// Under what the batches are logged, so that they can be asked for, or not, by themselves.
const DRAIN: &str = "bennu::socket_drain";

impl Hub {
    /// Takes no connection any more, ends those that there are, and waits for their handlers.
    pub(crate) async fn drain_for_good(&self) {
        self.begin_drain();
        let mounts = (0..self.mounts().len()).map(|mount| self.drain_mount(mount, Whom::All));
        futures_util::future::join_all(mounts).await;
        self.stop_all(CloseReason::Draining);

        let until = self.runtime.now() + GRACE;
        while self.sockets() > 0 && self.runtime.now() < until {
            self.runtime.sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends the connections of a mount in batches; returns how many.
    pub(crate) async fn drain_mount(&self, mount: usize, whom: Whom) -> usize {
        let mounted = &self.mounts()[mount];
        if mounted.drain.batches == Batches::Off {
            return 0;
        }
        let mut drain = Drain::new(mounted.drain.config, whom, self.sockets_of(mount), self.runtime.now());
        let mut ended = 0;
        loop {
            while let Some(batch) = drain.poll_output() {
                ended += batch.sockets.len();
                self.metrics.drained(batch.sockets.len());
                tracing::info!(
                    target: DRAIN,
                    socket = &*mounted.name,
                    count = batch.sockets.len(),
                    total = drain.total(),
                    index = batch.index,
                    rounds = drain.rounds(),
                    channels = batch.channels,
                    interval = ?mounted.drain.config.interval,
                    "draining"
                );
                for together in batch.sockets.chunks(TOGETHER) {
                    for &socket in together {
                        self.stop(socket, CloseReason::Draining);
                    }
                    self.runtime.yield_now().await;
                }
            }
            let Some(due) = drain.poll_timeout() else { return ended };
            self.runtime.sleep(due.duration_since(self.runtime.now())).await;
            drain.handle_timeout(self.runtime.now());
        }
    }
}
