//! Writing what is queued for a peer, by whoever comes first.

use super::{Peer, Shared, wake};
use crate::metrics::Tally;
use crate::runtime::PlainStream;
use crate::sync::MutexGuard;
use bennu_core::outbox::{Batch, Written};
use smallvec::SmallVec;
use std::io::{self, IoSlice};

/// What became of a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flush {
    /// Nothing waits, or somebody else is writing it.
    Done,
    /// The stream takes no more now: the connection's own task has to wait for it.
    Blocked,
    /// What waits is a run that is open still: to be sealed first.
    AwaitsSeal,
}

/// How a flush by another task went.
#[derive(Debug, Default)]
pub(crate) struct FlushedElsewhere {
    pub(crate) writes: usize,
    /// The bytes of them.
    pub(crate) tally: Tally,
    /// What waits is a run that is open still.
    pub(crate) awaits_seal: bool,
}

/// How a flush by a connection's own task went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flushed {
    pub(crate) flush: Flush,
    /// How many bytes were written.
    pub(crate) written: usize,
}

impl Peer {
    /// Writes what is queued, from any task. Returns how many writes that took.
    ///
    /// The connection's own task is woken if it has to wait for the stream, and always if the stream is
    /// not plain: nobody else can write to that.
    pub(crate) fn flush_from_elsewhere(&self) -> FlushedElsewhere {
        let mut shared = self.shared.lock();
        let Some(stream) = self.stream.as_deref() else {
            wake(shared.waker.take());
            return FlushedElsewhere::default();
        };
        if shared.blocked {
            return FlushedElsewhere::default();
        }
        let (mut shared, progress, result) = self.write_all(stream, shared);
        let awaits_seal = matches!(result, Ok(Flush::AwaitsSeal));
        let idle =
            (awaits_seal || matches!(result, Ok(Flush::Done))) && !shared.notice.congested && !shared.ending;
        shared.notice.broken |= result.is_err();
        if !idle {
            wake(shared.waker.take());
        }
        let mut tally = Tally::default();
        tally.write(progress.bytes);
        FlushedElsewhere { writes: progress.writes, tally, awaits_seal }
    }

    /// Writes what is queued to a plain stream, from its own task, which waits for it if need be.
    pub(crate) fn flush_own(&self, stream: &dyn PlainStream) -> io::Result<Flushed> {
        let (shared, progress, result) = self.write_all(stream, self.shared.lock());
        drop(shared);
        Ok(Flushed { flush: result?, written: progress.bytes })
    }

    /// Writes until nothing waits, somebody else writes, or the stream takes no more.
    fn write_all<'a>(
        &'a self,
        stream: &dyn PlainStream,
        mut shared: MutexGuard<'a, Shared>,
    ) -> (MutexGuard<'a, Shared>, Progress, io::Result<Flush>) {
        let mut progress = Progress::default();
        let mut flush = Ok(Flush::Done);
        shared.blocked = false;
        while let Some(batch) = shared.outbox.begin() {
            drop(shared);
            let result = write(stream, &batch);
            let bytes = *result.as_ref().unwrap_or(&0);
            progress.writes += 1;
            progress.bytes += bytes;
            shared = self.shared.lock();
            let written = shared.outbox.finish(batch, bytes);
            match result {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                    shared.outbox.clear();
                    flush = Err(error);
                    break;
                }
                Ok(_) | Err(_) if written == Written::Blocked => {
                    shared.blocked = true;
                    flush = Ok(Flush::Blocked);
                    break;
                }
                Ok(_) if written == Written::Everything => break,
                Ok(_) | Err(_) => {}
            }
        }
        if shared.closing && !shared.outbox.is_leased() {
            stream.close();
        }
        if matches!(flush, Ok(Flush::Done)) && shared.has_left() {
            flush = Ok(Flush::AwaitsSeal);
        }
        (shared, progress, flush)
    }
}

/// What a flush has done.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    writes: usize,
    bytes: usize,
}

fn write(stream: &dyn PlainStream, batch: &Batch) -> io::Result<usize> {
    let mut slices = batch.slices().map(IoSlice::new);
    match (slices.next(), slices.next()) {
        // Most batches: nothing is laid out first.
        (Some(only), None) => stream.try_write(&[only]),
        (first, second) => {
            let all: SmallVec<[IoSlice<'_>; 32]> = first.into_iter().chain(second).chain(slices).collect();
            stream.try_write(&all)
        }
    }
}
