//! What holds whatever is predicted: looked for in what the machines say, without the model.

use crate::model::reference::{Load, Message};
use crate::model::said::{Asked, Heard, Said, What};
use crate::model::value::Word;
use bennu_core::server::Limits;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub(super) struct Rules {
    /// By mount.
    max_channels: Vec<usize>,
    peers: Vec<Peer>,
    channels: BTreeMap<usize, Channel>,
    /// By server.
    wanted: Vec<BTreeSet<String>>,
}

#[derive(Debug, Default)]
struct Peer {
    mount: usize,
    open: bool,
    gone: bool,
    paused: bool,
    /// What came though reading had paused.
    regardless: Load,
    /// The channel by which it hears the broadcasts of a topic.
    hears: BTreeMap<String, usize>,
    /// Channels that were replaced: their `phx_close` must come behind the next reply on the topic.
    owed: Vec<(String, usize)>,
    /// What was sent with a ref of its own, and how often that was answered.
    asked: BTreeMap<String, Question>,
}

#[derive(Debug)]
struct Question {
    must_be_answered: bool,
    replies: usize,
}

#[derive(Debug)]
struct Channel {
    socket: usize,
    topic: String,
    join_ref: Option<String>,
    msg_ref: Option<String>,
    phase: Phase,
    running: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Joining,
    Joined,
    Closing,
    Crashing,
    Over,
}

impl Rules {
    pub(super) fn new(servers: usize, max_channels: Vec<usize>) -> Self {
        let wanted = vec![BTreeSet::new(); servers];
        Self { max_channels, peers: Vec::new(), channels: BTreeMap::new(), wanted }
    }

    pub(super) fn connected(&mut self, mount: usize) {
        self.peers.push(Peer { mount, open: true, ..Peer::default() });
    }

    pub(super) fn disconnected(&mut self, socket: usize) {
        self.peers[socket].gone = true;
        self.close(socket);
    }

    fn close(&mut self, socket: usize) {
        let peer = &mut self.peers[socket];
        (peer.open, peer.paused) = (false, false);
        peer.hears.clear();
        peer.owed.clear();
        peer.asked.clear();
    }

    pub(super) fn received(&mut self, socket: usize, message: &Message, open: bool) {
        let peer = &mut self.peers[socket];
        if !open {
            return;
        }
        if peer.paused {
            let bytes = message.event.as_str().len() + message.body.len();
            peer.regardless = [peer.regardless, Load { messages: 1, bytes }].into_iter().sum();
        }
        let Some(msg_ref) = message.msg_ref.as_ref().filter(|msg_ref| is_fresh(msg_ref)) else { return };
        // What the machine answers itself whatever happens: joins and heartbeats.
        let is = |event: &str| message.event == Word::Text(event.to_owned());
        let must_be_answered = is("phx_join") || is("heartbeat") && message.topic.as_str() == "phoenix";
        peer.asked.insert(msg_ref.clone(), Question { must_be_answered, replies: 0 });
    }

    pub(super) fn is_wanted(&self, server: usize, topic: &str) -> bool {
        self.wanted[server].contains(topic)
    }

    pub(super) fn wanted(&self) -> BTreeSet<&str> {
        self.wanted.iter().flatten().map(String::as_str).collect()
    }

    pub(super) fn check(&mut self, server: usize, said: &Said) {
        match said {
            Said::Send { to, heard } => self.sent(*to, heard),
            Said::Fanout { topic, to, .. } => {
                for (socket, _) in to {
                    let peer = &self.peers[*socket];
                    assert!(peer.open, "nothing is sent to a socket that has ended");
                    assert!(peer.hears.contains_key(topic), "socket {socket} has not joined {topic}");
                }
                let sockets: BTreeSet<_> = to.iter().map(|(socket, _)| socket).collect();
                assert_eq!(sockets.len(), to.len(), "nobody hears a broadcast twice");
            }
            Said::Call { socket, channel, call, asked } => self.called(*socket, *channel, *call, asked),
            Said::Cancel { call, .. } => {
                let running = self.channels.values_mut().find(|channel| channel.running == Some(*call));
                running.expect("what is cancelled runs").running = None;
            }
            Said::Ended { channel, .. } => self.ended(*channel),
            Said::Pause { socket } => {
                let peer = &mut self.peers[*socket];
                assert!(peer.open && !peer.paused, "reading stops once");
                peer.paused = true;
            }
            Said::Resume { socket } => {
                let peer = &mut self.peers[*socket];
                assert!(peer.open && peer.paused, "reading goes on once");
                peer.paused = false;
                peer.regardless = Load::default();
            }
            Said::Interest { topic, wanted } => {
                let set = &mut self.wanted[server];
                let changed = if *wanted { set.insert(topic.clone()) } else { set.remove(topic) };
                assert!(changed, "interest in {topic} changes, or nothing is said");
            }
            Said::Close { to, .. } => {
                assert!(self.peers[*to].open, "a socket is closed once");
                self.close(*to);
            }
            Said::Notice { .. } => {}
        }
    }

    fn sent(&mut self, to: usize, heard: &Heard) {
        let peer = &mut self.peers[to];
        assert!(peer.open, "nothing is sent to a socket that has ended");
        let topic = heard.topic.as_str();
        let event = match &heard.what {
            What::Reply(status) => return self.replied(to, topic, status, heard),
            What::Event(event) => event,
        };
        if event == "phx_close" || event == "phx_error" {
            // V1 has one ref, which is the same.
            if let Some(at) = peer.owed.iter().position(|(other, channel)| {
                other == topic && self.channels[channel].join_ref == heard.msg_ref
            }) {
                peer.owed.remove(at);
                return;
            }
            let channel = peer.hears.remove(topic).expect("only a joined channel closes");
            assert_eq!(self.channels[&channel].join_ref, heard.msg_ref, "it closes with its own join_ref");
        }
    }

    fn replied(&mut self, to: usize, topic: &str, status: &str, heard: &Heard) {
        let peer = &mut self.peers[to];
        if status != "later"
            && let Some(question) = heard.msg_ref.as_ref().and_then(|msg_ref| peer.asked.get_mut(msg_ref))
        {
            question.replies += 1;
            assert_eq!(question.replies, 1, "{:?} is answered once", heard.msg_ref);
        }
        if status != "ok" {
            return;
        }
        let joining = self.channels.iter_mut().find(|(_, channel)| {
            (channel.socket, &*channel.topic, &channel.msg_ref) == (to, topic, &heard.msg_ref)
                && channel.phase == Phase::Joining
        });
        if let Some((&number, channel)) = joining {
            channel.phase = Phase::Joined;
            peer.hears.insert(topic.to_owned(), number);
        }
    }

    fn called(&mut self, socket: usize, number: usize, call: usize, asked: &Asked) {
        if let Asked::Join { topic, join_ref, msg_ref, .. } = asked {
            let live = |channel: &&Channel| {
                channel.socket == socket && !matches!(channel.phase, Phase::Closing | Phase::Over)
            };
            let others: Vec<_> = self.channels.values().filter(live).collect();
            assert!(others.iter().all(|other| other.topic != *topic), "one live channel a topic");
            assert!(others.len() < self.max_channels[self.peers[socket].mount], "the limit holds");
            let channel = Channel {
                socket,
                topic: topic.clone(),
                join_ref: join_ref.clone(),
                msg_ref: msg_ref.clone(),
                phase: Phase::Joining,
                running: Some(call),
            };
            assert!(self.channels.insert(number, channel).is_none(), "a channel joins once");
            return;
        }
        let is_open = self.peers[socket].open;
        let channel = self.channels.get_mut(&number).expect("a channel joins before all else");
        assert_eq!((channel.socket, channel.running), (socket, None), "one handler at a time");
        // To a socket that has ended, the reply to the join was not sent.
        if channel.phase == Phase::Joining && !is_open {
            channel.phase = Phase::Joined;
        }
        assert_eq!(channel.phase, Phase::Joined, "nothing is handled before the join, or after terminate");
        channel.running = Some(call);
        if let Asked::Terminate(reason) = asked {
            channel.phase = if reason.starts_with("Crash") { Phase::Crashing } else { Phase::Closing };
        }
    }

    /// A handler has been answered.
    pub(super) fn answered(&mut self, call: usize) {
        for channel in self.channels.values_mut().filter(|channel| channel.running == Some(call)) {
            channel.running = None;
        }
    }

    fn ended(&mut self, number: usize) {
        let channel = self.channels.get_mut(&number).expect("what ends was asked to join");
        assert_ne!(channel.phase, Phase::Over, "a channel ends once");
        assert_eq!(channel.running, None, "a handler that runs is cancelled before its channel ends");
        channel.phase = Phase::Over;
        let peer = &mut self.peers[channel.socket];
        if peer.hears.get(&channel.topic) == Some(&number) {
            peer.hears.remove(&channel.topic);
            peer.owed.push((channel.topic.clone(), number));
        }
    }

    /// What waits of a client is within bounds.
    pub(super) fn check_input(&self, socket: usize, input: Load, limits: Limits) {
        let Peer { open, regardless, .. } = &self.peers[socket];
        let longest = Load { messages: 1, bytes: 2048 };
        let most = Load { messages: limits.input_messages, bytes: limits.input_bytes };
        let most: Load = [most, longest, *regardless].into_iter().sum();
        let within = input.messages < most.messages && input.bytes < most.bytes;
        assert!(within || !open, "{input:?} of socket {socket} waits, of at most {most:?}");
    }

    /// When no call waits any more.
    pub(super) fn check_all_paid(&self) {
        for (socket, peer) in self.peers.iter().enumerate() {
            assert!(peer.owed.is_empty(), "what was replaced is closed");
            assert!(!peer.paused, "reading goes on when nothing waits");
            for (msg_ref, question) in &peer.asked {
                let answered = question.replies > 0 || !question.must_be_answered;
                assert!(answered, "{msg_ref} of socket {socket} is answered");
            }
        }
    }

    pub(super) fn check_nothing_left(&self) {
        assert!(self.wanted.iter().all(BTreeSet::is_empty), "nobody is subscribed: {:?}", self.wanted);
        let left = self.channels.values().filter(|channel| channel.phase != Phase::Over);
        assert_eq!(left.count(), 0, "every channel ends");
    }
}

/// Whether a ref is one of those that are there once: of more than one digit, so that no script has it.
fn is_fresh(json: &str) -> bool {
    json.strip_prefix('"').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        && json.len() > 3
}
