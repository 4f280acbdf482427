use super::*;
use bennu_core::Kind;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Poll, Wake};

/// A stream that takes so many bytes; or is broken.
#[derive(Clone, Default)]
struct Pipe(Arc<Mutex<(Option<usize>, Vec<u8>)>>);

impl Pipe {
    fn with_room(room: usize) -> Self {
        Self(Arc::new(Mutex::new((Some(room), Vec::new()))))
    }

    fn make_room(&self, room: usize) {
        self.0.lock().0 = Some(room);
    }

    fn taken(&self) -> Vec<u8> {
        self.0.lock().1.clone()
    }
}

impl PlainStream for Pipe {
    fn try_read(&self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn try_write(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let (room, taken) = &mut *self.0.lock();
        let Some(room) = room else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let bytes: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).take(*room).collect();
        *room -= bytes.len();
        taken.extend(&bytes);
        if bytes.is_empty() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(bytes.len()) }
    }

    fn poll_readable(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_writable(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn close(&self) {}

    fn abort(&self) {}
}

/// A task that counts how often it was woken.
#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn peer(pipe: &Pipe, limit: usize) -> (Peer, Arc<Task>) {
    let (peer, task) = (Peer::new(Some(Box::new(pipe.clone())), limit), Arc::new(Task::default()));
    peer.take_work(&Arc::clone(&task).into());
    (peer, task)
}

fn frame(len: usize) -> Frame {
    Frame::new(Kind::Text, &vec![b'x'; len])
}

fn wire(lens: &[usize]) -> Vec<u8> {
    lens.iter().flat_map(|len| frame(*len).as_websocket().to_vec()).collect()
}

#[test]
fn first_to_push_undertakes_to_flush_and_no_other_until_it_has_settled() {
    let (peer, _task) = peer(&Pipe::with_room(100), 1000);

    assert_eq!(peer.push(frame(1)), Queued::Dirty);
    assert_eq!(peer.push(frame(2)), Queued::Undertaken);
    peer.settle();
    assert_eq!(peer.push(frame(3)), Queued::Dirty);
}

#[test]
fn stream_that_blocks_is_left_to_its_own_task() {
    let pipe = Pipe::with_room(5);
    let (peer, task) = peer(&pipe, 1000);
    assert_eq!(peer.push(frame(10)), Queued::Dirty);
    peer.settle();

    peer.flush_from_elsewhere();

    assert_eq!(task.0.load(Ordering::Relaxed), 1, "its task is woken");
    assert_eq!(peer.push(frame(20)), Queued::Undertaken, "nobody else has to flush");
    pipe.make_room(1000);
    assert_eq!(peer.flush_from_elsewhere().writes, 0, "nobody else does");
    assert_eq!(peer.flush_own(&pipe).unwrap().flush, Flush::Done);
    assert_eq!(pipe.taken(), wire(&[10, 20]));
}

#[test]
fn run_that_is_open_has_to_be_sealed_before_anything_behind_it_is_written() {
    let pipe = Pipe::with_room(1000);
    let (peer, task) = peer(&pipe, 1000);
    let run = Frame::open();
    peer.push(frame(1));
    peer.push(run.clone());
    peer.push(frame(2));

    let flushed = peer.flush_from_elsewhere();
    assert_eq!((flushed.writes, flushed.awaits_seal), (1, true));
    assert_eq!(peer.flush_own(&pipe).unwrap().flush, Flush::AwaitsSeal);
    assert_eq!(pipe.taken(), wire(&[1]));
    assert_eq!(task.0.load(Ordering::Relaxed), 0, "its task could do nothing about it");

    run.seal(wire(&[3, 4]));
    let flushed = peer.flush_from_elsewhere();
    assert_eq!((flushed.writes, flushed.awaits_seal), (1, false));
    assert_eq!(pipe.taken(), wire(&[1, 3, 4, 2]));
}

#[test]
fn task_that_waits_for_the_last_byte_is_woken_when_somebody_else_has_written_it() {
    let pipe = Pipe::with_room(1000);
    let (peer, task) = peer(&pipe, 1000);
    assert!(peer.is_written());
    peer.push(frame(10));
    assert!(!peer.is_written());

    peer.flush_from_elsewhere();

    assert_eq!(task.0.load(Ordering::Relaxed), 1);
    assert!(peer.is_written());
}

#[test]
fn stream_that_is_broken_is_reported_to_its_task() {
    let pipe = Pipe::default();
    let (peer, task) = peer(&pipe, 1000);
    assert_eq!(peer.push(frame(10)), Queued::Dirty);

    peer.flush_from_elsewhere();

    assert_eq!(task.0.load(Ordering::Relaxed), 1);
    assert!(peer.take_work(&Arc::clone(&task).into()).1.broken);
}

#[test]
fn task_looks_up_while_too_much_waits_and_is_relieved_when_it_has_been_written() {
    let pipe = Pipe::with_room(0);
    let (peer, task) = peer(&pipe, 100);
    peer.push_answer(frame(1000));
    assert!(!peer.holds(), "the first frame does not count");

    peer.push_answer(frame(1000));
    assert!(peer.holds());
    assert!(peer.take_work(&Arc::clone(&task).into()).1.congested);
    assert!(!peer.is_relieved());

    pipe.make_room(10_000);
    assert_eq!(peer.flush_own(&pipe).unwrap().flush, Flush::Done);
    assert!(peer.is_relieved());
    assert!(!peer.take_work(&Arc::clone(&task).into()).1.congested);
    assert!(!peer.holds());
}

#[test]
fn task_that_is_paused_looks_up_however_little_waits() {
    let (peer, task) = peer(&Pipe::with_room(0), 100);

    peer.notify(|notice| notice.paused = true);

    assert!(peer.holds());
    assert_eq!(task.0.load(Ordering::Relaxed), 1);
    assert!(peer.take_work(&Arc::clone(&task).into()).1.paused);
    assert!(peer.holds());
    peer.notify(|notice| notice.paused = false);
    peer.take_work(&Arc::clone(&task).into());
    assert!(!peer.holds());
}

#[test]
fn too_much_is_what_a_blocked_stream_does_not_take_and_the_peer_has_not_asked_for() {
    let (peer, _task) = peer(&Pipe::with_room(0), 100);
    peer.push(frame(10));
    assert_eq!(peer.push(frame(200)), Queued::Undertaken, "nobody has tried to write");

    peer.flush_from_elsewhere();
    assert_eq!(peer.push(frame(1)), Queued::Overflow);
    peer.drop_queue();

    peer.push_answer(frame(10));
    assert_eq!(peer.push_answer(frame(200)), Queued::Undertaken);
}

#[test]
fn of_frames_that_are_taken_the_owed_ones_are_the_peer_s_own_doing() {
    let peer = Peer::new(None, 10_000);
    let causes = |peer: &Peer| peer.take_frames().into_iter().map(|(_, cause)| cause).collect::<Vec<_>>();
    let _ = peer.push(frame(1000));
    let _ = peer.push_answer(frame(10));
    let _ = peer.push(frame(1000));
    assert_eq!(causes(&peer), [Cause::Itself, Cause::Others, Cause::Others], "as much of them as is owed");

    let _ = peer.push(frame(10));
    let _ = peer.push_answer(frame(1000));
    assert_eq!(causes(&peer), [Cause::Itself, Cause::Itself], "nobody is cut off for what it has asked for");

    let _ = peer.push_answer(frame(10));
    assert_eq!(causes(&peer), [Cause::Itself]);
    let _ = peer.push(frame(10));
    assert_eq!(causes(&peer), [Cause::Others]);
}
