//! The real machines beside the model: each operation is done to both, and both must say the same.

mod compare;
mod line;
mod rules;
mod translate;

use super::mark::{Mark, Marks};
use super::operation::{Answer, Body, Name, Operation, Reading, RefOf, Script, Sender, Timeouts};
use super::reference::{Message, Model, Mount, Outcome, Phase, Post};
use super::said::{Asked, Heard, Note, Said, What};
use super::value::{Content, Word};
use bennu_core::router::Router;
use bennu_core::server::{self, Broadcast, CallId, ChannelId, CloseReason, Config, Server, SocketConfig};
use bennu_core::server::{SocketId, TimerId};
use bennu_core::wire::Outgoing;
use bennu_core::{Frame, Instant, Ref, Serializer, Topic};
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
    pub(crate) fn play(script: &Script, shape: Shape) -> Marks {
        let mut world = Self::new(script, shape);
        world.step(Operation::Connect { serializer: Serializer::V2, mount: 0, id: None });
        for &operation in &script.operations {
            world.step(operation);
        }
        world.end();
        world.model.marks
    }

    fn new(script: &Script, shape: Shape) -> Self {
        let routes = vec![("room:*", &[][..]), ("icpt:*", &["icpt"]), ("exact", &[]), ("room:a", &["never"])];
        let first = Mount { routes, limits: script.bounds.limits() };
        let second =
            Mount { routes: vec![("icpt:*", &["icpt", "news"]), ("*", &[])], limits: server::Limits::default() };
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

    // The transport.

    fn connect(&mut self, serializer: Serializer, mount: usize, id: Option<&'static str>) {
        if self.model.sockets().iter().filter(|socket| socket.open).count() >= CROWD {
            return;
        }
        self.model.tick(self.now);
        let socket = self.model.connect(serializer, mount, id);
        let (now, line) = (self.now, (self.shape.path == Path::Bytes).then(|| Line::new(socket)));
        let id = self.server_of(socket).connect(SocketConfig { handle: socket, serializer, mount, id }, now);
        self.peers.push(Peer { id, serializer, line });
        self.rules.connected(mount);
        self.settle(Order::Strict);
    }

    /// The message that a client would send: what its serializer cannot carry is made to fit.
    fn message(
        &mut self,
        socket: usize,
        (join_ref, msg_ref): (RefOf, RefOf),
        topic: Name,
        event: Name,
        body: Body,
    ) -> Message {
        let number = self.fresh();
        let (topic, event, mut body) = (topic.resolve(), event.resolve(), body.resolve(number));
        let mut msg_ref = match msg_ref {
            RefOf::Own => Some(format!(r#""{number}""#)),
            RefOf::Null => None,
            RefOf::As(json) => Some(json.to_owned()),
        };
        let key = (socket, topic.clone());
        let is_join = event == Word::Text("phx_join".to_owned());
        let mut join_ref = match join_ref {
            RefOf::Own if is_join => msg_ref.clone(),
            RefOf::Own => self.joins.get(&key).cloned().flatten(),
            RefOf::Null => None,
            RefOf::As(json) => Some(json.to_owned()),
        };
        if let Content::Bytes(_) = body {
            let refs = [translate::as_text(join_ref.as_deref()), translate::as_text(msg_ref.as_deref())];
            let short = |word: &Word| matches!(word, Word::Text(text) if text.len() <= 255);
            let fits = self.peers[socket].serializer == Serializer::V2 && short(&topic) && short(&event);
            match refs {
                [Some(a), Some(b)] if fits => (join_ref, msg_ref) = (Some(a), Some(b)),
                _ => body = Content::empty(),
            }
        }
        if is_join {
            self.joins.insert(key, join_ref.clone());
        }
        Message { join_ref, msg_ref, topic, event, body }
    }

    fn say(&mut self, socket: usize, message: Message, reading: Reading) {
        if self.model.is_paused(socket) {
            if reading == Reading::Obedient {
                return;
            }
            self.model.marks.see(Mark::ReadRegardless);
        }
        if self.peers[socket].line.is_none() {
            return self.receive(socket, &message);
        }
        let number = self.fresh();
        let Peer { line: Some(line), serializer, .. } = &mut self.peers[socket] else { return };
        line.send(*serializer, message);
        let whole = !number.is_multiple_of(4);
        for message in line.deliver(*serializer, whole) {
            self.receive(socket, &message);
        }
    }

    /// What is on its way from a client arrives.
    fn flush(&mut self, socket: usize) {
        let Peer { line: Some(line), serializer, .. } = &mut self.peers[socket] else { return };
        for message in line.deliver(*serializer, true) {
            self.receive(socket, &message);
        }
    }

    fn receive(&mut self, socket: usize, message: &Message) {
        self.rules.received(socket, message, self.model.sockets()[socket].open);
        self.model.tick(self.now);
        self.model.receive(socket, message);
        let (id, now) = (self.peers[socket].id, self.now);
        translate::with_message(message, |message| self.server_of(socket).receive(id, message, now));
        self.settle(Order::Strict);
    }

    /// What is no message ends its socket, and no other (I-13).
    fn garble(&mut self, socket: usize, text: &'static str) {
        self.flush(socket);
        let Peer { line, serializer, .. } = &mut self.peers[socket];
        let refused = serializer.decode_text(text).is_err();
        assert!(refused, "{text} is no message");
        if let Some(line) = line {
            line.garble(text);
        }
        self.stop(socket, CloseReason::Malformed);
    }

    fn stop(&mut self, socket: usize, reason: CloseReason) {
        self.model.tick(self.now);
        self.model.stop(socket, reason);
        let (id, now) = (self.peers[socket].id, self.now);
        self.server_of(socket).stop(id, reason, now);
        self.settle(Order::Strict);
    }

    fn disconnect(&mut self, socket: usize) {
        self.rules.disconnected(socket);
        self.model.tick(self.now);
        self.model.disconnect(socket);
        let (id, now) = (self.peers[socket].id, self.now);
        self.server_of(socket).disconnect(id, now);
        self.peers[socket].line = None;
        self.settle(Order::Strict);
    }

    fn abandon(&mut self, socket: usize) {
        self.rules.disconnected(socket);
        self.model.tick(self.now);
        self.model.abandon(socket);
        let (id, now) = (self.peers[socket].id, self.now);
        self.server_of(socket).abandon(id, now);
        self.peers[socket].line = None;
        self.settle(Order::OfNobody);
    }

    // The application.

    fn answer_all(&mut self) {
        while !self.pending.is_empty() {
            self.answer(0, Answer::Usual);
        }
    }

    fn answer(&mut self, at: usize, answer: Answer) {
        let pending = self.pending.remove(at);
        self.past.push(pending.call);
        let (expected, outcome) = self.outcome(&pending, answer);
        self.done(pending.call, expected, outcome);
    }

    fn answer_again(&mut self, which: usize, answer: Answer) {
        let Some(at) = Self::recent(&self.past, which) else { return };
        let call = self.past[at];
        let topic = Word::Text(String::new());
        let reply = self.encode(0, Heard {
            join_ref: None,
            msg_ref: None,
            topic,
            what: What::Reply("late".to_owned()),
            body: Content::empty(),
        });
        let reply = reply.expect("any serializer carries an empty object");
        let (expected, outcome) = outcomes(answer, &Asked::Info(0), Some(reply.clone()), reply, 0);
        self.done(call, expected, outcome);
    }

    fn done(&mut self, call: usize, expected: Outcome, outcome: server::Outcome<Note>) {
        self.model.tick(self.now);
        self.rules.answered(call);
        self.model.done(call, expected);
        let (id, now) = (self.numbers.call(call), self.now);
        self.servers[id.channel().shard() as usize].done(id, outcome, now);
        self.settle(Order::Strict);
    }

    /// What a handler answers, to the model and to the machine.
    fn outcome(&mut self, pending: &Pending, answer: Answer) -> (Outcome, server::Outcome<Note>) {
        let number = self.fresh();
        let channel = &self.model.channels()[pending.channel];
        let (join_ref, msg_ref) = match &pending.asked {
            Asked::Join { join_ref, msg_ref, .. } => (join_ref.clone(), msg_ref.clone()),
            Asked::In { msg_ref, .. } => (channel.own_ref().cloned(), msg_ref.clone()),
            Asked::Out { .. } | Asked::Broadcast { .. } | Asked::Info(_) | Asked::Terminate(_) => {
                (channel.own_ref().cloned(), None)
            }
        };
        let (socket, topic) = (channel.socket, Word::Text(channel.topic.clone()));
        let body = if let Answer::Reply(body) = answer { body.resolve(number) } else { Content::empty() };
        let status = if answer == Answer::Refuse { "error" } else { "ok" };
        let reply = |body| {
            let what = What::Reply(status.to_owned());
            self.encode(socket, Heard { join_ref: join_ref.clone(), msg_ref: msg_ref.clone(), topic: topic.clone(), what, body })
        };
        let plain = reply(Content::empty()).expect("any serializer carries an empty object");
        outcomes(answer, &pending.asked, reply(body), plain, number)
    }

    /// A frame for a client, and what it hears; `None` if its serializer cannot carry it.
    fn encode(&self, socket: usize, heard: Heard) -> Option<(Heard, Frame)> {
        let serializer = self.peers[socket].serializer;
        let frame = translate::encode(serializer, &heard)?;
        Some((heard, frame))
    }

    fn push(&mut self, channel: usize, event: Name, body: Body) {
        let Some(channel) = self.channel(channel) else { return };
        let number = self.fresh();
        let pushing = &self.model.channels()[channel];
        let heard = Heard {
            join_ref: pushing.own_ref().cloned(),
            msg_ref: None,
            topic: Word::Text(pushing.topic.clone()),
            what: What::Event(event.resolve().as_str().to_owned()),
            body: body.resolve(number),
        };
        let Some((heard, frame)) = self.encode(pushing.socket, heard) else {
            return self.model.marks.see(Mark::Unencodable);
        };
        let expected = self.model.push(channel, heard);
        let id = self.numbers.channel(channel);
        let taken = self.servers[id.shard() as usize].push(id, frame).is_ok();
        assert_eq!(taken, expected, "whether a push of channel {channel} is taken");
        if !taken {
            self.model.marks.see(Mark::PushRefused);
        }
        self.settle(Order::Strict);
    }

    fn reply_later(&mut self, message: usize, body: Body) {
        let Some(at) = Self::recent(&self.messages, message) else { return };
        let Later { socket, topic, join_ref, msg_ref } = self.messages[at].clone();
        let (what, body) = (What::Reply("later".to_owned()), body.resolve(self.fresh()));
        let Some((heard, frame)) = self.encode(socket, Heard { join_ref, msg_ref, topic, what, body }) else {
            return self.model.marks.see(Mark::Unencodable);
        };
        let expected = self.model.reply(socket, heard);
        let id = self.peers[socket].id;
        let taken = self.server_of(socket).reply(id, frame).is_ok();
        assert_eq!(taken, expected, "whether a reply to socket {socket} is taken");
        if !taken {
            self.model.marks.see(Mark::ReplyRefused);
        }
        self.settle(Order::Strict);
    }

    /// A broadcast is given to each server that has asked for the topic, its sender to its own server alone.
    fn broadcast(&mut self, topic: Name, event: Name, body: Body, sender: Sender) {
        let number = self.fresh();
        let Word::Text(topic) = topic.resolve() else { return };
        let post = Post { topic, event: event.resolve().as_str().to_owned(), body: body.resolve(number) };
        let Ok(mut broadcast) =
            Broadcast::new(Topic::from(&*post.topic), &post.event, post.body.to_payload())
        else {
            return self.model.marks.see(Mark::Unencodable);
        };
        if number.is_multiple_of(2) {
            broadcast.encode(Serializer::V1);
        }
        self.model.tick(self.now);
        let from = match sender {
            Sender::Nobody => None,
            Sender::Included(which) | Sender::Excluded(which) => self.channel(which),
        };
        match (from, sender) {
            (Some(by), Sender::Included(_)) => self.model.broadcast_by(by, &post),
            (from, _) => self.model.broadcast(&post, from),
        }
        let from = from.map(|channel| self.numbers.channel(channel));
        for (shard, server) in self.servers.iter_mut().enumerate() {
            if self.shape.servers > 1 && !self.rules.is_wanted(shard, &post.topic) {
                continue;
            }
            match from.filter(|from| from.shard() as usize == shard) {
                Some(by) if matches!(sender, Sender::Included(_)) => {
                    server.broadcast_by(by, &broadcast, self.now);
                }
                from => server.broadcast(&broadcast, from, self.now),
            }
        }
        self.settle(Order::BySocket);
    }

    fn subscribe(&mut self, channel: usize, topic: Name) {
        let (Some(channel), Word::Text(topic)) = (self.channel(channel), topic.resolve()) else { return };
        self.model.tick(self.now);
        let expected = self.model.subscribe(channel, &topic);
        let id = self.numbers.channel(channel);
        let taken = self.servers[id.shard() as usize].subscribe(id, &topic, self.now).is_ok();
        assert_eq!(taken, expected, "whether channel {channel} may subscribe to {topic}");
        if !taken {
            self.model.marks.see(Mark::SubscribeRefused);
        }
        self.settle(Order::Strict);
    }

    fn unsubscribe(&mut self, channel: usize, topic: Name) {
        let (Some(channel), Word::Text(topic)) = (self.channel(channel), topic.resolve()) else { return };
        self.model.tick(self.now);
        let expected = self.model.unsubscribe(channel, &topic);
        let id = self.numbers.channel(channel);
        let taken = self.servers[id.shard() as usize].unsubscribe(id, &topic, self.now).is_ok();
        assert_eq!(taken, expected, "whether channel {channel} may unsubscribe from {topic}");
        self.settle(Order::Strict);
    }

    fn info(&mut self, channel: usize, delay: u64) {
        let Some(channel) = self.channel(channel) else { return };
        let (note, at) = (self.fresh(), self.now + Duration::from_millis(delay));
        self.model.tick(self.now);
        let expected = self.model.info(channel, note, at);
        let id = self.numbers.channel(channel);
        match (expected, self.servers[id.shard() as usize].info(id, note, at, self.now)) {
            (Some(timer), Ok(id)) => self.timers.push((timer, id)),
            (None, Err(server::Undelivered(back))) => {
                assert_eq!(back, note, "what is not delivered comes back");
                self.model.marks.see(Mark::InfoRefused);
            }
            (expected, taken) => panic!("channel {channel} takes a message: {expected:?}, {taken:?}"),
        }
        self.settle(Order::Strict);
    }

    fn cancel(&mut self, timer: usize) {
        let Some(at) = Self::recent(&self.timers, timer) else { return };
        let (timer, id) = self.timers[at];
        let expected = self.model.cancel(timer);
        let server = &mut self.servers[id.channel().shard() as usize];
        assert_eq!(server.cancel(id), expected, "what is taken back");
        assert_eq!(server.cancel(id), None, "what was taken back is gone");
        self.settle(Order::Strict);
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

    /// Time never goes back, and twice is as good as once (I-5).
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

/// One answer in two forms. `plain` is the reply to a join.
fn outcomes(
    answer: Answer,
    asked: &Asked,
    reply: Option<(Heard, Frame)>,
    plain: (Heard, Frame),
    note: Note,
) -> (Outcome, server::Outcome<Note>) {
    let answer = match (answer, asked) {
        (Answer::Usual, Asked::Join { .. }) => Answer::Join,
        (Answer::Usual, Asked::In { .. }) => Answer::Reply(Body::Empty),
        (Answer::Usual, _) => Answer::Continue,
        (answer, _) => answer,
    };
    let split = |reply: Option<(Heard, Frame)>| reply.map_or((None, None), |(heard, frame)| (Some(heard), Some(frame)));
    let (heard, frame) = plain;
    match answer {
        Answer::Join => {
            (Outcome::Joined { reply: heard, next: None }, server::Outcome::Joined { reply: frame, next: None })
        }
        Answer::JoinThen => (
            Outcome::Joined { reply: heard, next: Some(note) },
            server::Outcome::Joined { reply: frame, next: Some(note) },
        ),
        Answer::Refuse => (Outcome::Refused { reply: heard }, server::Outcome::Refused { reply: frame }),
        Answer::Usual | Answer::Continue => {
            (Outcome::Continue { reply: None }, server::Outcome::Continue { reply: None })
        }
        Answer::Reply(_) => {
            let (heard, frame) = split(reply);
            (Outcome::Continue { reply: heard }, server::Outcome::Continue { reply: frame })
        }
        Answer::Stop(why) => (
            Outcome::Stop { reply: None, reason: why.reason() },
            server::Outcome::Stop { reply: None, reason: why.reason() },
        ),
        Answer::StopReplying(why) => {
            let (heard, frame) = split(reply);
            let reason = why.reason();
            (
                Outcome::Stop { reply: heard, reason: reason.clone() },
                server::Outcome::Stop { reply: frame, reason },
            )
        }
    }
}
