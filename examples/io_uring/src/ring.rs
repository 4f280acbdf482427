//! The queues that are shared with the kernel, and the memory that it reads and writes on its own time.
//!
//! ```text
//!  receive, send, … ─▶ entries ─ enter ─▶ the kernel ─▶ completions ─▶ next
//! ```
//!
//! All that is `unsafe` is here, for one reason: the kernel holds pointers for as long as a request is under way, which
//! no borrow shows. So whatever it points at belongs to the ring, from before the request until behind its completion:
//!
//! - what is sent, in [`Place`]s, which come back to the sender with the completion;
//! - the buffers for what is received, which go to the reader with a completion, one at a time, and back.
//!
//! Neither is freed with the ring: the kernel may take its time over letting go.
#![allow(unsafe_code)]

use crate::token::{Token, Who};
use bennu_core::outbox::Batch;
use io_uring::types::{Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, Probe, cqueue, opcode, squeue};
use std::collections::VecDeque;
use std::io;
use std::mem::{self, ManuallyDrop};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// How many requests are handed over at once; more take another system call. In tests they always do.
const ENTRIES: u32 = if cfg!(test) { 1 } else { 2048 };

/// How many completions have room. The kernel keeps more, less cheaply.
const COMPLETIONS: u32 = if cfg!(test) { 128 } else { 8192 };

/// Buffers for what is received, for everybody together, and how large each is, in bytes. An idle client has none.
const BUFFERS: u16 = if cfg!(test) { 64 } else { 1024 };
const BUFFER: usize = 4096;

/// The only group of them.
const GROUP: u16 = 0;

pub(crate) struct Ring {
    ring: IoUring,
    /// What found no room among the entries.
    waiting: VecDeque<squeue::Entry>,
    sends: Sends,
    buffers: Buffers,
}

/// A descriptor that requests may name. It is open until [`Ring::close`] has it, behind all of them: who forgets that keeps
/// a number for ever, and no request finds somebody else's socket under it.
pub(crate) struct Socket(ManuallyDrop<OwnedFd>);

/// What the kernel says has happened.
pub(crate) enum Completion {
    Accepted(io::Result<Socket>, Rest),
    /// Of nothing, the stream has ended.
    Received(Who, io::Result<Option<Buffer>>, Rest),
    Sent(Who, Batch, io::Result<usize>),
    Room(Who),
    Signal,
}

/// Whether a request goes on behind a completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    More,
    Last,
}

/// A buffer with what was received, to be read and given back.
pub(crate) struct Buffer {
    id: u16,
    len: usize,
}

/// Why there is no ring.
#[derive(Debug)]
pub(crate) enum RingError {
    /// The kernel has no io_uring, or an old one, or does not let this process use it.
    Refused(io::Error),
    /// It would, and something else is wrong.
    Failed(io::Error),
}

impl RingError {
    /// What the first requests to the kernel came to, before it is known whether it takes any.
    fn of_first(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES | libc::ENOSYS | libc::EINVAL) => Self::Refused(error),
            Some(_) | None => Self::Failed(error),
        }
    }
}

impl Socket {
    pub(crate) fn new(of: impl Into<OwnedFd>) -> Self {
        Self(ManuallyDrop::new(of.into()))
    }

    fn number(&self) -> Fd {
        Fd(self.0.as_raw_fd())
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Ring {
    /// # Errors
    /// [`RingError`].
    pub(crate) fn new() -> Result<Self, RingError> {
        Self::with_completions(COMPLETIONS)
    }

    /// With room for so many completions.
    pub(crate) fn with_completions(completions: u32) -> Result<Self, RingError> {
        let ring = build(completions).map_err(RingError::of_first)?;
        let mut probe = Probe::new();
        ring.submitter().register_probe(&mut probe).map_err(RingError::of_first)?;
        // Receiving that goes on by itself has no mark of its own; it came with this, in Linux 6.0.
        if !probe.is_supported(opcode::SendZc::CODE) {
            let old = io::Error::new(io::ErrorKind::Unsupported, "it is older than that of Linux 6.0");
            return Err(RingError::Refused(old));
        }
        // A kernel that has all that takes these: what it says now is about them.
        let buffers = Buffers::register(&ring).map_err(RingError::Failed)?;
        Ok(Self { ring, waiting: VecDeque::new(), sends: Sends::default(), buffers })
    }

    /// Accepts, again and again.
    pub(crate) fn accept(&mut self, listener: &Socket) {
        let accept = opcode::AcceptMulti::new(listener.number()).flags(libc::SOCK_CLOEXEC);
        self.ask(accept.build(), Token::Accept);
    }

    /// Receives, again and again.
    pub(crate) fn receive(&mut self, who: Who, stream: &Socket) {
        let receive = opcode::RecvMulti::new(stream.number(), GROUP);
        self.ask(receive.build(), Token::Receive(who));
    }

    /// Sends as much as the stream has room for now.
    pub(crate) fn send(&mut self, who: Who, stream: &Socket, batch: Batch) {
        let (place, message) = self.sends.put(who, batch);
        let fd = stream.number();
        let send = match message {
            Message::One { start, len } => {
                opcode::Send::new(fd, start, len).flags(libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL).build()
            }
            Message::Several { header } => {
                let flags = (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL).cast_unsigned();
                opcode::SendMsg::new(fd, header).flags(flags).build()
            }
        };
        self.ask(send, Token::Send(place));
    }

    /// Tells once when the stream can be written to.
    pub(crate) fn tell_of_room(&mut self, who: Who, stream: &Socket) {
        let poll = opcode::PollAdd::new(stream.number(), libc::POLLOUT.cast_unsigned().into());
        self.ask(poll.build(), Token::Room(who));
    }

    /// Tells once when there is something to be read from this.
    pub(crate) fn tell_of_signal(&mut self, signal: &Socket) {
        let poll = opcode::PollAdd::new(signal.number(), libc::POLLIN.cast_unsigned().into());
        self.ask(poll.build(), Token::Signal);
    }

    /// Has a request end. It completes nevertheless, perhaps with more than that.
    pub(crate) fn cancel(&mut self, token: Token) {
        self.ask(opcode::AsyncCancel::new(token.bits()).build(), Token::Quiet);
    }

    /// Closes a socket, behind all that has been asked of it: its number is not given to others before.
    pub(crate) fn close(&mut self, socket: Socket) {
        self.ask(opcode::Close::new(socket.number()).build(), Token::Quiet);
    }

    /// Hands over what was asked for, and waits so long for a completion, `None` for ever.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn enter(&mut self, wait: Option<Duration>) -> io::Result<()> {
        loop {
            while let Some(entry) = self.waiting.pop_front() {
                if !self.push(&entry) {
                    self.waiting.push_front(entry);
                    break;
                }
            }
            let is_last = self.waiting.is_empty();
            let submitter = self.ring.submitter();
            let result = match wait {
                _ if !is_last => submitter.submit(),
                None => submitter.submit_and_wait(1),
                Some(wait) => {
                    let wait = Timespec::from(wait);
                    submitter.submit_with_args(1, &SubmitArgs::new().timespec(&wait))
                }
            };
            match result.map_err(|error| (error.raw_os_error(), error)) {
                Ok(_) if is_last => return Ok(()),
                Ok(_) => {}
                // The time is over, a signal has come, or completions have to be taken first.
                Err((Some(libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN), _)) => return Ok(()),
                Err((_, error)) => return Err(error),
            }
        }
    }

    /// The next completion.
    pub(crate) fn next(&mut self) -> Option<Completion> {
        loop {
            let entry = self.ring.completion().next()?;
            let rest = if cqueue::more(entry.flags()) { Rest::More } else { Rest::Last };
            let result =
                usize::try_from(entry.result()).map_err(|_| io::Error::from_raw_os_error(-entry.result()));
            return Some(match Token::of(entry.user_data()) {
                Token::Quiet => continue,
                Token::Accept => Completion::Accepted(result.map(|_| accepted(&entry)), rest),
                Token::Signal => Completion::Signal,
                Token::Room(who) => Completion::Room(who),
                Token::Receive(who) => {
                    let buffer = cqueue::buffer_select(entry.flags());
                    let filled = |len| buffer.map(|id| Buffer { id, len }).filter(|_| len > 0);
                    if let (Some(id), Err(_) | Ok(0)) = (buffer, &result) {
                        self.buffers.give_back(id);
                    }
                    Completion::Received(who, result.map(filled), rest)
                }
                Token::Send(place) => {
                    let Some((who, batch)) = self.sends.take(place) else { continue };
                    Completion::Sent(who, batch, result)
                }
            });
        }
    }

    /// What was received.
    pub(crate) fn bytes(&mut self, buffer: &Buffer) -> &mut [u8] {
        self.buffers.bytes(buffer)
    }

    /// Lets the kernel fill a buffer again.
    pub(crate) fn give_back(&mut self, buffer: Buffer) {
        self.buffers.give_back(buffer.id);
    }

    fn ask(&mut self, entry: squeue::Entry, token: Token) {
        let entry = entry.user_data(token.bits());
        if !self.waiting.is_empty() || !self.push(&entry) {
            self.waiting.push_back(entry);
        }
    }

    /// Whether there was room for it.
    fn push(&mut self, entry: &squeue::Entry) -> bool {
        // SAFETY: what an entry points at, `Sends` keeps until its completion; no other memory is named. Whatever
        // descriptor it names is that of a `Socket`, which an entry closes that comes behind this one, or nobody does.
        unsafe { self.ring.submission().push(entry) }.is_ok()
    }
}

/// A ring of this thread alone, which does the kernel's part of the work when it enters; or what an older kernel has.
fn build(completions: u32) -> io::Result<IoUring> {
    let base = || {
        let mut builder = IoUring::builder();
        builder.setup_cqsize(completions).setup_clamp().setup_submit_all();
        builder
    };
    let deferred = base().setup_single_issuer().setup_defer_taskrun().build(ENTRIES);
    deferred.or_else(|_| base().setup_coop_taskrun().build(ENTRIES)).or_else(|_| base().build(ENTRIES))
}

fn accepted(entry: &cqueue::Entry) -> Socket {
    // SAFETY: the kernel has opened this descriptor for the request, and says so once.
    Socket::new(unsafe { OwnedFd::from_raw_fd(entry.result()) })
}

/// What is being sent.
#[derive(Default)]
struct Sends {
    #[expect(clippy::vec_box, reason = "the kernel has pointers to them, so they must not move")]
    places: ManuallyDrop<Vec<Box<Place>>>,
    free: Vec<usize>,
}

/// What one send points at. It does not move, and is used again when the kernel has done with it.
struct Place {
    sending: Option<(Who, Batch)>,
    slices: Vec<libc::iovec>,
    header: libc::msghdr,
}

/// How a batch is named to the kernel.
enum Message {
    One { start: *const u8, len: u32 },
    Several { header: *const libc::msghdr },
}

impl Sends {
    /// Keeps a batch where the kernel finds it.
    fn put(&mut self, who: Who, batch: Batch) -> (usize, Message) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(Box::new(Place::new()));
            self.places.len() - 1
        });
        (place, self.places[place].fill(who, batch))
    }

    /// Gives back what was sent from there.
    fn take(&mut self, place: usize) -> Option<(Who, Batch)> {
        let sent = self.places.get_mut(place)?.sending.take()?;
        self.free.push(place);
        Some(sent)
    }
}

impl Place {
    fn new() -> Self {
        // SAFETY: all zeroes are a `msghdr` of nothing: null pointers, and no length.
        let header = unsafe { mem::zeroed() };
        Self { sending: None, slices: Vec::new(), header }
    }

    fn fill(&mut self, who: Who, batch: Batch) -> Message {
        // It is laid out once it lies where it stays: a batch may have bytes in itself.
        let (_, batch) = self.sending.insert((who, batch));
        let mut slices = batch.slices();
        let first = slices.next().unwrap_or_default();
        if batch.frames() == 1
            && let Ok(len) = u32::try_from(first.len())
        {
            return Message::One { start: first.as_ptr(), len };
        }
        self.slices.clear();
        self.slices.extend(
            [first].into_iter().chain(slices).map(|slice| libc::iovec {
                iov_base: slice.as_ptr().cast_mut().cast(),
                iov_len: slice.len(),
            }),
        );
        self.header.msg_iov = self.slices.as_mut_ptr();
        self.header.msg_iovlen = self.slices.len() as _;
        Message::Several { header: &raw const self.header }
    }
}

/// The buffers that the kernel fills, and the ring in which it is given them.
struct Buffers {
    bytes: *mut u8,
    given: &'static Given,
    /// How often one was given.
    tail: u16,
}

/// As the kernel reads it; it has to begin at a page, however large these are.
#[repr(C, align(65536))]
struct Given([GivenBuffer; BUFFERS as usize]);

#[repr(C)]
struct GivenBuffer {
    address: std::sync::atomic::AtomicU64,
    len: std::sync::atomic::AtomicU32,
    id: AtomicU16,
    /// Of the first one alone: behind the last one that was given.
    tail: AtomicU16,
}

impl Buffers {
    fn register(ring: &IoUring) -> io::Result<Self> {
        // Ones, so that it is there from the start: it is the process's, and not that of those who come first.
        let bytes = vec![1; usize::from(BUFFERS) * BUFFER].leak().as_mut_ptr();
        let given: &Given = Box::leak(Box::new(Given(std::array::from_fn(|_| GivenBuffer {
            address: 0.into(),
            len: 0.into(),
            id: 0.into(),
            tail: 0.into(),
        }))));
        // SAFETY: this is as many entries long, in the kernel's layout, and lives for ever.
        unsafe {
            ring.submitter().register_buf_ring_with_flags(
                std::ptr::from_ref(given).expose_provenance() as u64,
                BUFFERS,
                GROUP,
                0,
            )
        }?;
        let mut buffers = Self { bytes, given, tail: 0 };
        (0..BUFFERS).for_each(|id| buffers.give_back(id));
        Ok(buffers)
    }

    fn give_back(&mut self, id: u16) {
        let entry = &self.given.0[usize::from(self.tail % BUFFERS)];
        entry.address.store(self.start(id).expose_provenance() as u64, Ordering::Relaxed);
        entry.len.store(BUFFER as u32, Ordering::Relaxed);
        entry.id.store(id, Ordering::Relaxed);
        self.tail = self.tail.wrapping_add(1);
        self.given.0[0].tail.store(self.tail, Ordering::Release);
    }

    fn bytes(&mut self, buffer: &Buffer) -> &mut [u8] {
        let len = buffer.len.min(BUFFER);
        // SAFETY: the kernel has filled this buffer, which is so long, and has it no more until it is given back: that
        // consumes the `Buffer`, of which there is one. Nobody else has it, as this borrows all.
        unsafe { std::slice::from_raw_parts_mut(self.start(buffer.id), len) }
    }

    fn start(&self, id: u16) -> *mut u8 {
        self.bytes.wrapping_add(usize::from(id % BUFFERS) * BUFFER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bennu_core::outbox::Outbox;
    use bennu_core::{Frame, Kind};

    #[test]
    fn kernel_that_refuses_is_told_from_a_system_that_is_short_of_something() {
        let is_refused =
            |code| matches!(RingError::of_first(io::Error::from_raw_os_error(code)), RingError::Refused(_));

        assert!([libc::EPERM, libc::EACCES, libc::ENOSYS, libc::EINVAL].into_iter().all(is_refused));
        assert!(![libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::EFAULT].into_iter().any(is_refused));
    }

    #[test]
    fn place_is_used_again_once_the_kernel_has_done_with_it() {
        let mut sends = Sends::default();
        let batch = || {
            let mut outbox = Outbox::new(100);
            outbox.push(Frame::new(Kind::Text, b"x"));
            outbox.begin().unwrap()
        };
        let who = Who::new(7, 8);
        let mut put = || sends.put(who, batch()).0;
        assert_eq!([put(), put()], [0, 1]);

        assert_eq!(sends.take(0).unwrap().0, who);
        assert!(sends.take(0).is_none());

        assert_eq!([sends.put(who, batch()).0, sends.put(who, batch()).0], [0, 2]);
    }
}
