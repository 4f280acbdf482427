//! The real machines beside the model: each operation is done to both, and both must say the same.

mod compare;
mod handlers;
mod line;
mod outside;
mod rules;
mod translate;
mod transport;

use super::mark::Marks;
use super::operation::{Operation, Script, Timeouts};
use super::reference::{Model, Mount, Phase};
use super::said::{Asked, Heard, Note};
use super::value::Word;
use bennu_core::router::Router;
use bennu_core::server::{self, ChannelId, Config, Server, SocketId, TimerId};
use bennu_core::{Instant, Serializer};
use compare::Order;
use line::Line;
use rules::Rules;
use std::collections::BTreeMap;
use std::time::Duration;
use translate::Numbers;

/// How the machines are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// How many servers share the sockets.
    pub(crate) servers: usize,
    pub(crate) path: Path,
}

/// How messages reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// As values.
    Values,
    /// As the bytes of a WebSocket, in pieces.
    Bytes,
}

/// Servers, their clients, the application and the clock.
#[derive(Debug)]
pub(crate) struct World {
    shape: Shape,
    model: Model,
    servers: Vec<Server<usize, Note>>,
    peers: Vec<Peer>,
    numbers: Numbers,
    /// Calls that wait for an answer, in the order they were made.
    pending: Vec<Pending>,
    /// Calls that wait for none any more.
    past: Vec<usize>,
    /// Messages that can be replied to later.
    messages: Vec<Later>,
    /// By the model's number.
    timers: Vec<(usize, TimerId)>,
    /// The join_ref of each socket's last join on each topic.
    joins: BTreeMap<(usize, Word), Option<String>>,
    now: Instant,
    /// What was there before, so that the next is new.
    number: u64,
    rules: Rules,
    /// The recipients of the last uniform fan-out, by machine, topic and publisher, with the machine's revision.
    uniform: BTreeMap<(usize, String, Option<ChannelId>), (u64, Recipients)>,
    /// What each client has heard so far.
    heard: Vec<Vec<Heard>>,
}

/// To whom a fan-out goes.
type Recipients = Vec<(usize, Serializer)>;

/// What came of a script.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) marks: Marks,
    /// What each client heard, from its first frame to its last.
    pub(crate) heard: Vec<Vec<Heard>>,
}

#[derive(Debug)]
struct Peer {
    id: SocketId,
    serializer: Serializer,
    line: Option<Line>,
}

#[derive(Clone, Debug)]
struct Pending {
    call: usize,
    channel: usize,
    asked: Asked,
}

#[derive(Clone, Debug)]
struct Later {
    socket: usize,
    topic: Word,
    join_ref: Option<String>,
    msg_ref: Option<String>,
}

/// The most sockets that are open at a time: a few, so that they meet.
const CROWD: usize = 4;

/// How many of the newest are chosen among.
const RECENT: usize = 8;

/// From this number on, those are chosen among, too, that are gone.
const GHOSTS: usize = 232;

impl World {
    /// Plays a script from beginning to end; then ends everything, and checks that nothing is left.
    ///
    /// # Panics
    /// If the machines do not do what they ought to.
    pub(crate) fn play(script: &Script, shape: Shape) -> Played {
        let mut world = Self::played(script, shape);
        world.end();
        Played { marks: world.model.marks, heard: world.heard }
    }

    /// Plays a script and hands out the servers as they are then, with the bytes that they may hold.
    ///
    /// # Panics
    /// If the machines do not do what they ought to.
    pub(crate) fn stop_in_the_midst(script: &Script, shape: Shape) -> (Vec<Server<usize, Note>>, usize) {
        let world = Self::played(script, shape);
        (world.servers, world.model.may_hold())
    }

    fn played(script: &Script, shape: Shape) -> Self {
        let mut world = Self::new(script, shape);
        world.step(Operation::Connect { serializer: Serializer::V2, mount: 0, id: None });
        for &operation in &script.operations {
            world.step(operation);
        }
        world
    }

    fn new(script: &Script, shape: Shape) -> Self {
        let routes = vec![("room:*", &[][..]), ("icpt:*", &["icpt"]), ("exact", &[]), ("room:a", &["never"])];
        let first = Mount { routes, limits: script.bounds.limits() };
        let second =
            Mount { routes: vec![("room:b", &["news"]), ("*", &[])], limits: server::Limits::default() };
        let mounts = vec![first, second];
        let real = |mount: &Mount| {
            let mut router = Router::default();
            for (pattern, intercepts) in &mount.routes {
                router.add(pattern, intercepts).expect("a star stands at the end");
            }
            server::Mount { router, limits: mount.limits }
        };
        let server = |shard| {
            let mounts = mounts.iter().map(real).collect();
            Server::new(Config { shard, hash_key: (shard.into(), 7), mounts })
        };
        Self {
            shape,
            servers: (0..u32::try_from(shape.servers).expect("a few")).map(server).collect(),
            uniform: BTreeMap::new(),
            rules: Rules::new(shape.servers, mounts.iter().map(|mount| mount.limits.max_channels).collect()),
            model: Model::new(mounts),
            peers: Vec::new(),
            numbers: Numbers::default(),
            pending: Vec::new(),
            past: Vec::new(),
            messages: Vec::new(),
            timers: Vec::new(),
            joins: BTreeMap::new(),
            now: Instant::EPOCH,
            number: 0,
            heard: Vec::new(),
        }
    }

    fn step(&mut self, operation: Operation) {
        self.model.marks.see_operation();
        match operation {
            Operation::Connect { serializer, mount, id } => self.connect(serializer, mount, id),
            Operation::Say { socket, join_ref, msg_ref, topic, event, body, reading } => {
                let Some(socket) = self.socket(socket) else { return };
                let message = self.message(socket, (join_ref, msg_ref), topic, event, body);
                self.say(socket, message, reading);
            }
            Operation::Garble { socket, text } => {
                if let Some(socket) = self.socket(socket) {
                    self.garble(socket, text);
                }
            }
            Operation::Answer { call, answer } => {
                if !self.pending.is_empty() {
                    let at = call % self.pending.len();
                    self.answer(at, answer);
                }
            }
            Operation::AnswerAll => self.answer_all(),
            Operation::AnswerAgain { call, answer } => self.answer_again(call, answer),
            Operation::Push { channel, event, body } => self.push(channel, event, body),
            Operation::ReplyLater { message, body } => self.reply_later(message, body),
            Operation::Broadcast { topic, event, body, sender } => self.broadcast(topic, event, body, sender),
            Operation::Subscribe { channel, topic } => self.subscribe(channel, topic),
            Operation::Unsubscribe { channel, topic } => self.unsubscribe(channel, topic),
            Operation::Info { channel, delay } => self.info(channel, delay),
            Operation::Cancel { timer } => self.cancel(timer),
            Operation::Close { socket, reason } => {
                if let Some(socket) = self.socket(socket) {
                    self.stop(socket, reason);
                }
            }
            Operation::Disconnect { socket } => {
                if let Some(socket) = self.socket(socket) {
                    self.disconnect(socket);
                }
            }
            Operation::Abandon { socket } => {
                if let Some(socket) = self.socket(socket) {
                    self.abandon(socket);
                }
            }
            Operation::Wait { by, timeouts } => self.wait(Duration::from_millis(by), timeouts),
            Operation::OldClock => self.old_clock(),
        }
    }

    /// Whatever is pending is answered, what was asked has been answered, and all sockets go.
    fn end(&mut self) {
        for socket in 0..self.peers.len() {
            self.flush(socket);
        }
        self.answer_all();
        self.rules.check_all_paid();
        for socket in 0..self.peers.len() {
            self.disconnect(socket);
        }
        self.answer_all();
        for server in &self.servers {
            let left = (server.sockets(), server.channels(), server.topics(), server.poll_timeout());
            assert_eq!(left, (0, 0, 0, None), "sockets, channels, topics, timeout of a server that was left");
        }
        self.rules.check_nothing_left();
    }

    // Choosing.

    /// One of the newest: as a rule of those that live, sometimes of all that there were.
    fn choose(all: &[usize], lives: impl Fn(usize) -> bool, which: usize) -> Option<usize> {
        let mut among: Vec<_> = all.to_vec();
        if which < GHOSTS {
            among.retain(|&one| lives(one));
        }
        let recent = among.len().min(RECENT);
        (recent > 0).then(|| among[among.len() - 1 - which % recent])
    }

    fn recent<T>(of: &[T], which: usize) -> Option<usize> {
        Self::choose(&(0..of.len()).collect::<Vec<_>>(), |_| true, which)
    }

    fn socket(&self, which: usize) -> Option<usize> {
        let all: Vec<_> = (0..self.peers.len()).collect();
        Self::choose(&all, |socket| self.model.sockets()[socket].open, which)
    }

    fn channel(&self, which: usize) -> Option<usize> {
        let lives = |channel: usize| self.model.channels()[channel].phase != Phase::Over;
        Self::choose(&self.numbers.known_channels(), lives, which)
    }

    fn fresh(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn server_of(&mut self, socket: usize) -> &mut Server<usize, Note> {
        &mut self.servers[socket % self.shape.servers]
    }

    // The clock.

    fn wait(&mut self, by: Duration, timeouts: Timeouts) {
        let until = self.now + by;
        while timeouts == Timeouts::Punctual
            && let Some(at) = self.model.timeout().filter(|&at| at <= until)
        {
            self.handle_timeout(at);
        }
        self.handle_timeout(until);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.model.handle_timeout(now);
        for server in &mut self.servers {
            server.handle_timeout(now);
        }
        let now = self.now;
        self.settle(Order::Strict);
        for server in &self.servers {
            let next = server.poll_timeout();
            assert!(next.is_none_or(|next| next > now), "what was due has been done: {next:?} at {now:?}");
        }
    }

    /// Time never goes back, and twice is as good as once.
    fn old_clock(&mut self) {
        let next: Vec<_> = self.servers.iter().map(Server::poll_timeout).collect();
        for server in &mut self.servers {
            server.handle_timeout(Instant::EPOCH);
            server.handle_timeout(self.now);
        }
        // A call that came late may have left something that is due now.
        self.model.handle_timeout(self.now);
        self.settle(Order::Strict);
        if next.iter().flatten().all(|&next| next > self.now) {
            let same: Vec<_> = self.servers.iter().map(Server::poll_timeout).collect();
            assert_eq!(same, next, "an old clock changes nothing");
        }
    }
}
