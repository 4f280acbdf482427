//! After each operation: what the machines said, against what they ought to say.

use super::{Later, Peer, Pending, World, translate};
use crate::model::said::{Asked, Heard, Said};
use crate::model::value::Word;
use bennu_core::server::{Fanout, Output};
use bennu_core::{Frame, Serializer};
use std::collections::BTreeMap;

/// How far outputs are in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// One after the other.
    Strict,
    /// Those for one socket are; a broadcast visits the members of its topic in no order.
    BySocket,
    /// None at all: nobody is left to see it.
    OfNobody,
}

/// Outputs that are in an order among themselves.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Socket(usize),
    Topic(String),
}

impl World {
    /// Drains the machines, and compares.
    pub(super) fn settle(&mut self, order: Order) {
        let expected = self.model.finish();
        self.numbers.expect(&expected);
        let mut said = Vec::new();
        for server in 0..self.servers.len() {
            while let Some(output) = self.servers[server].poll_output() {
                let output = self.translate(server, output);
                self.rules.check(server, &output);
                said.push(output);
            }
        }
        said.retain(|said| !matches!(said, Said::Fanout { to, .. } if to.is_empty()));
        self.compare(order, &expected, &said);
        self.hear();
        self.follow(expected);
        self.compare_counts();
        self.check_waiting();
    }

    fn compare(&self, order: Order, expected: &[Said], said: &[Said]) {
        if expected == said {
            return;
        }
        let alone = self.servers.len() == 1;
        match order {
            Order::Strict if alone => {}
            Order::Strict | Order::BySocket => {
                let (mut expected, mut said) = (lanes(expected), lanes(said));
                if !alone {
                    // Of several machines, each has its own first and last subscriber.
                    expected.retain(|lane, _| matches!(lane, Lane::Socket(_)));
                    said.retain(|lane, _| matches!(lane, Lane::Socket(_)));
                }
                if expected == said {
                    return;
                }
            }
            Order::OfNobody => {
                let interest = |said: &&Said| alone || !matches!(said, Said::Interest { .. });
                let sorted = |said: &[Said]| {
                    let mut said: Vec<_> = said.iter().filter(interest).cloned().collect();
                    said.sort();
                    said
                };
                if sorted(expected) == sorted(said) {
                    return;
                }
            }
        }
        panic!("the machine ought to say\n{}and says\n{}", lines(expected), lines(said));
    }

    /// Behind a uniform fan-out, the next of its topic is uniform and for the same, unless the revision says otherwise.
    fn check_recipients(&mut self, server: usize, fanout: &Fanout, recipients: &[(usize, Serializer)]) {
        let of = (server, fanout.topic().to_string(), fanout.from());
        let found = (self.servers[server].revision(), recipients.to_vec());
        if let Some(before) = self.uniform.remove(&of)
            && before.0 == found.0
        {
            assert!(fanout.is_uniform(), "of {of:?}, which was at the same revision");
            assert_eq!(before, found, "of {of:?}");
        }
        if fanout.is_uniform() {
            self.uniform.insert(of, found);
        }
    }

    fn translate(&mut self, server: usize, output: Output<u64>) -> Said {
        match output {
            Output::Send { to, frame } => {
                let to = self.number_of(server, to);
                let heard = self.write(to, &frame);
                Said::Send { to, heard }
            }
            Output::Fanout(fanout) => {
                let recipients = self.servers[server].recipients(&fanout);
                let recipients: Vec<_> =
                    recipients.map(|(&socket, serializer)| (socket, serializer)).collect();
                self.check_recipients(server, &fanout, &recipients);
                let mut to = Vec::new();
                for (socket, serializer) in recipients {
                    assert_eq!(serializer, self.peers[socket].serializer, "of socket {socket}");
                    if let Some(frame) = fanout.frame(serializer) {
                        to.push((socket, self.write(socket, frame)));
                    }
                }
                to.sort();
                Said::Fanout {
                    topic: fanout.topic().to_string(),
                    members: fanout.members(),
                    uniform: fanout.is_uniform(),
                    from: fanout.from().map(|from| self.numbers.number_of(from)),
                    to,
                }
            }
            Output::Call { socket, call, event } => {
                let socket = self.number_of(server, socket);
                let (channel, call) = self.numbers.called(socket, call.channel(), call);
                Said::Call { socket, channel, call, asked: translate::asked(&event) }
            }
            Output::Cancel { socket, call } => Said::Cancel {
                socket: self.number_of(server, socket),
                call: self.numbers.number_of_call(call),
            },
            Output::Ended { socket, channel } => Said::Ended {
                socket: self.number_of(server, socket),
                channel: self.numbers.number_of(channel),
            },
            Output::Pause { socket } => Said::Pause { socket: self.number_of(server, socket) },
            Output::Resume { socket } => Said::Resume { socket: self.number_of(server, socket) },
            Output::Interest { topic, wanted } => Said::Interest { topic: topic.to_string(), wanted },
            Output::Close { to, reason } => {
                let to = self.number_of(server, to);
                let Peer { line, serializer, .. } = &mut self.peers[to];
                if let Some(line) = line {
                    line.close(*serializer, reason.code());
                }
                Said::Close { to, code: reason.code() }
            }
            Output::Notice { socket, notice } => Said::notice(self.number_of(server, socket), &notice),
        }
    }

    /// A client is written a frame; returns what it hears.
    fn write(&mut self, to: usize, frame: &Frame) -> Heard {
        let Peer { line, serializer, .. } = &mut self.peers[to];
        let heard = translate::hear(*serializer, frame);
        if let Some(line) = line {
            line.write(frame, &heard);
        }
        self.heard[to].push(heard.clone());
        heard
    }

    fn number_of(&self, server: usize, id: bennu_core::server::SocketId) -> usize {
        *self.servers[server].handle(id).expect("an output names a socket whose handle is known")
    }

    /// Clients read what was written to them.
    fn hear(&mut self) {
        for peer in &mut self.peers {
            if let Some(line) = &mut peer.line {
                line.hear(peer.serializer);
            }
        }
    }

    /// What follows from it for the application.
    fn follow(&mut self, said: Vec<Said>) {
        for said in said {
            match said {
                Said::Call { socket, channel, call, asked } => {
                    let of = &self.model.channels()[channel];
                    if let Asked::In { msg_ref, .. } = &asked {
                        self.messages.push(Later {
                            socket,
                            topic: Word::Text(of.topic.clone()),
                            join_ref: of.own_ref().cloned(),
                            msg_ref: msg_ref.clone(),
                        });
                    }
                    self.pending.push(Pending { call, channel, asked });
                }
                Said::Cancel { call, .. } => {
                    self.pending.retain(|pending| pending.call != call);
                    self.past.push(call);
                }
                Said::Send { .. }
                | Said::Fanout { .. }
                | Said::Ended { .. }
                | Said::Pause { .. }
                | Said::Resume { .. }
                | Said::Interest { .. }
                | Said::Close { .. }
                | Said::Notice { .. } => {}
            }
        }
    }

    /// What the machines hold is what they ought to.
    fn compare_counts(&self) {
        let sum = |count: fn(&bennu_core::server::Server<usize, u64>) -> usize| {
            self.servers.iter().map(count).sum::<usize>()
        };
        assert_eq!(sum(|server| server.sockets()), self.model.live_sockets(), "sockets");
        assert_eq!(sum(|server| server.channels()), self.model.live_channels(), "channels");
        assert_eq!(sum(|server| server.socket_ids().len()), self.model.open_sockets(), "open sockets");
        if self.servers.len() == 1 {
            assert_eq!(self.servers[0].topics(), self.model.topics().len(), "topics");
        }
        let wanted = self.rules.wanted();
        assert_eq!(wanted, self.model.subscribed(), "topics that somebody is subscribed to");
        for serializer in Serializer::ALL {
            let used = self.servers.iter().any(|server| server.uses(serializer));
            assert_eq!(used, self.model.uses(serializer), "whether {serializer:?} is used");
        }
        let timeout = self.servers.iter().filter_map(|server| server.poll_timeout()).min();
        assert_eq!(timeout, self.model.timeout(), "the next timeout");
    }

    /// Memory is bounded: no more waits of a client than is allowed, the message that reached the bound, and what was
    /// sent though reading had paused. Of others, as much as each channel may hold.
    fn check_waiting(&self) {
        for socket in 0..self.peers.len() {
            let input = self.model.input(socket);
            self.rules.check_input(socket, input, self.model.limits_of(socket));
        }
    }
}

fn lanes(said: &[Said]) -> BTreeMap<Lane, Vec<Said>> {
    let mut lanes: BTreeMap<Lane, Vec<Said>> = BTreeMap::new();
    let mut add = |lane, said| lanes.entry(lane).or_default().push(said);
    for said in said {
        if let Said::Fanout { topic, to, .. } = said {
            add(Lane::Topic(topic.clone()), said.clone());
            for (to, heard) in to {
                add(Lane::Socket(*to), Said::Send { to: *to, heard: heard.clone() });
            }
        } else if let Said::Interest { topic, .. } = said {
            add(Lane::Topic(topic.clone()), said.clone());
        } else if let Some(socket) = said.socket() {
            add(Lane::Socket(socket), said.clone());
        }
    }
    lanes
}

fn lines(said: &[Said]) -> String {
    said.iter().map(|said| format!("    {said:?}\n")).collect()
}
