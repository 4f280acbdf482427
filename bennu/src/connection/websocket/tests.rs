//! Connections whose stream is the test's, on a clock that it moves on.

use super::*;
use crate::hub::{Kick, Sender};
use crate::opening::Opening;
use crate::runtime::still::Still;
use crate::{
    Channel, ConnectInfo, Endpoint, Failure, JoinContext, Joined, Open, Params, Payload, PlainStream, Reply,
};
use bennu_core::Topic;
use bennu_core::server::Broadcast;
use bennu_core::wire::Serializer;
use futures_util::FutureExt;
use parking_lot::Mutex;
use std::io::IoSlice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

struct Room;

impl Channel for Room {
    type Assigns = ();

    async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        Ok(Joined::new(Self))
    }

    async fn handle_in(&mut self, _: &str, _: Payload, _: &crate::Context<Self>) -> Result<Reply, Failure> {
        Ok(Reply::none())
    }
}

const TOPIC: &str = "room:a";

/// The other end of a connection.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<Ends>>);

#[derive(Default)]
struct Ends {
    /// How many bytes it takes before it blocks.
    room: usize,
    taken: usize,
    input: Vec<u8>,
    /// Nothing comes behind the input.
    has_ended: bool,
    is_aborted: bool,
}

impl Wire {
    /// The client sends a frame of fewer than 126 bytes, masked with zeros.
    fn send(&self, first: u8, body: &[u8]) {
        let len = u8::try_from(body.len()).expect("a frame of a test is short");
        self.0.lock().input.extend([first, 0x80 | len, 0, 0, 0, 0].iter().chain(body));
    }
}

impl PlainStream for Wire {
    fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        let mut ends = self.0.lock();
        let n = ends.input.len().min(buf.len());
        if n == 0 && !ends.has_ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        buf[..n].copy_from_slice(&ends.input[..n]);
        ends.input.drain(..n);
        Ok(n)
    }

    fn try_write(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut ends = self.0.lock();
        let n = bufs.iter().map(|buf| buf.len()).sum::<usize>().min(ends.room);
        if n == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        ends.room -= n;
        ends.taken += n;
        Ok(n)
    }

    fn poll_readable(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ends = self.0.lock();
        if ends.input.is_empty() && !ends.has_ended { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_writable(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.0.lock().room == 0 { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn close(&self) {}

    fn abort(&self) {
        self.0.lock().is_aborted = true;
    }
}

/// A node, and the clock that it goes by.
struct Node {
    runtime: Still,
    endpoint: Endpoint,
}

struct Client {
    wire: Wire,
    task: ConnectionTask,
}

impl Node {
    fn new() -> Self {
        let runtime = Still::default();
        let socket = crate::socket(Open).channel::<Room>("room:*");
        let endpoint = Endpoint::builder().shards(4).socket("/socket", socket).build(runtime.clone());
        Self { runtime, endpoint }
    }

    /// A client whose stream takes everything at first.
    fn connect(&self) -> Client {
        let hub = self.endpoint.hub();
        let slot = Arc::clone(hub).admit(0).expect("there is no limit");
        let asked = hub.mounts()[0].socket.connect(Params::default(), ConnectInfo::default());
        let Some(Ok(admitted)) = asked.now_or_never() else { panic!("anybody may connect") };
        let wire = Wire::default();
        wire.0.lock().room = usize::MAX;
        let opening = Opening::new(Serializer::V2, admitted, slot);
        let task = opening.open(Some(Box::new(wire.clone())), Stream::PLAIN, Bytes::new());
        Client { wire, task }
    }

    fn member(&self) -> Client {
        let mut client = self.connect();
        client.wire.send(0x81, format!(r#"["1","1","{TOPIC}","phx_join",{{}}]"#).as_bytes());
        client.turn();
        assert!(client.wire.0.lock().taken > 0, "the join has been answered");
        client
    }

    /// Makes a broadcast; the second of a row opens a run. Nobody flushes.
    fn broadcast(&self) {
        self.broadcast_to(TOPIC);
    }

    fn broadcast_to(&self, topic: &str) {
        let broadcast = Broadcast::new(Topic::from(topic), "event", Payload::empty());
        let broadcast = broadcast.expect("names are short");
        self.endpoint.hub().broadcast(broadcast, Sender::Nobody, Kick::AtEndOfBatch);
    }
}

impl Client {
    fn peer(&self) -> &Peer {
        &self.task.0.peer
    }

    /// Lets its task have a turn.
    fn turn(&mut self) {
        let _ = Pin::new(&mut self.task).poll(&mut Context::from_waker(std::task::Waker::noop()));
    }

    /// The same, when the shard's sleeper has found that a deadline may have passed.
    fn due(&mut self) {
        self.peer().notify(|notice| notice.due = true);
        self.turn();
    }
}

#[test]
fn peer_that_has_taken_all_in_front_of_a_run_has_its_time_anew_for_that() {
    let node = Node::new();
    let mut client = node.member();
    client.wire.0.lock().room = 0;
    node.broadcast();
    client.turn();
    let queued = client.peer().backlog();
    let a_while = Duration::from_secs(6);

    node.runtime.advance(a_while);
    node.broadcast();
    assert!(client.peer().ends_open());
    client.wire.0.lock().room = queued;
    client.turn();
    assert_eq!(client.wire.0.lock().room, 0);
    node.runtime.advance(a_while);
    client.due();
    client.turn();

    assert!(!client.wire.0.lock().is_aborted, "it has had 6 s of its 10");
    node.runtime.advance(a_while);
    client.due();
    client.turn();
    assert!(client.wire.0.lock().is_aborted);
}

#[test]
fn close_frame_of_one_client_leaves_the_run_of_others_open() {
    let node = Node::new();
    let (member, mut stranger) = (node.member(), node.connect());
    node.broadcast();
    node.broadcast();
    assert!(member.peer().ends_open());

    stranger.wire.send(0x88, &1000u16.to_be_bytes());
    stranger.turn();

    assert!(stranger.wire.0.lock().taken > 0, "it has been answered");
    assert!(member.peer().ends_open());
}

#[test]
fn close_frame_is_written_behind_the_run_that_its_client_was_sent() {
    let node = Node::new();
    let mut member = node.member();
    node.broadcast();
    node.broadcast();
    let before = member.wire.0.lock().taken;

    member.wire.send(0x88, &1000u16.to_be_bytes());
    member.turn();

    assert!(member.wire.0.lock().taken > before + 4, "a close frame of 4 bytes, and what was in front of it");
    assert_eq!(member.peer().backlog(), 0);
}

#[test]
fn broadcast_that_nobody_hears_ends_no_run() {
    let node = Node::new();
    let member = node.member();
    node.broadcast();
    node.broadcast();
    assert!(member.peer().ends_open());

    node.broadcast_to("room:empty");

    assert!(member.peer().ends_open());
}

#[cfg(target_pointer_width = "64")]
#[test]
fn idle_connection_costs_no_more_than_was_measured() {
    assert_eq!((size_of::<ConnectionTask>(), size_of::<Peer>()), (152, 144));
}

/// Counts how often a task is woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn task_that_has_no_time_left_for_the_ends_of_its_channels_takes_another_turn_for_them() {
    let node = Node::new();
    let mut client = node.connect();
    for n in 0..100 {
        client.wire.send(0x81, format!(r#"["{n}","{n}","room:{n}","phx_join",{{}}]"#).as_bytes());
    }
    client.turn();
    for n in 0..500 {
        client.wire.send(0x81, format!(r#"["0","{n}","room:0","event",{{}}]"#).as_bytes());
    }
    client.wire.0.lock().has_ended = true;

    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut turns = 0;
    while Pin::new(&mut client.task).poll(&mut Context::from_waker(&waker)).is_pending() {
        turns += 1;
        assert!(wakes.0.swap(0, Ordering::Relaxed) > 0, "nobody wakes it for turn {turns}");
    }
    assert!(turns > 0, "there was time for all of it");
}

#[test]
fn peer_that_is_stuck_when_it_is_let_go_is_reset_when_its_time_is_up() {
    let node = Node::new();
    let mut client = node.member();
    client.wire.0.lock().room = 0;
    node.broadcast();
    client.turn();
    node.runtime.advance(Duration::from_secs(8));
    client.wire.send(0x81, b"this is no message");
    client.turn();
    assert!(!client.wire.0.lock().is_aborted);

    node.runtime.advance(Duration::from_secs(2));
    client.due();

    assert!(client.wire.0.lock().is_aborted, "it is looked at again and again instead");
}
