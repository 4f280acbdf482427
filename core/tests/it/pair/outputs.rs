//! Outputs: drained to the end, noted down, acted upon.

use super::application::Pending;
use super::{Known, Note, Pair, render};
use bennu_core::Frame;
use bennu_core::server::{CallId, ChannelId, Event, Output, SocketId};

impl Pair {
    /// Drains outputs and runs handlers until nothing is left but what the test must answer.
    pub(crate) fn settle(&mut self) {
        loop {
            self.drain();
            let next = self.pending.iter().position(|pending| self.scripted(pending).is_some());
            let Some(at) = next else { break };
            let pending = self.pending.remove(at);
            let answer = self.scripted(&pending).expect("just looked");
            self.run(&pending);
            self.conclude(&pending, answer);
        }
        self.rules.check_timeout(self.server.poll_timeout());
    }

    pub(super) fn drain(&mut self) {
        while let Some(output) = self.server.poll_output() {
            self.perform(output);
        }
        self.rules.fanout_done();
    }

    fn perform(&mut self, output: Output<Note>) {
        match output {
            Output::Send { to, frame } => {
                let peer = self.peer(to);
                self.rules.sent(peer, &frame);
                self.note_frame(peer, &frame);
            }
            Output::Fanout(fanout) => {
                let to: Vec<_> = self.server.recipients(&fanout).map(|(&peer, s)| (peer, s)).collect();
                self.rules.fanned_out(&to.iter().map(|&(peer, _)| peer).collect::<Vec<_>>());
                for (peer, serializer) in to {
                    assert_eq!(serializer, self.peers[peer].serializer);
                    if let Some(frame) = fanout.frame(serializer) {
                        self.note_frame(peer, frame);
                    }
                }
            }
            Output::Call { socket, call, event } => {
                self.called(self.peer(socket), call.channel(), call, event)
            }
            Output::Cancel { socket, call } => {
                let peer = self.peer(socket);
                self.rules.cancelled(peer, call);
                self.pending.retain(|pending| pending.call != call);
                self.note(peer, &format!("cancel {}", self.channels[&call.channel()].topic));
            }
            Output::Ended { socket, channel } => {
                let peer = self.peer(socket);
                self.rules.ended(peer, channel);
                self.note(peer, &format!("ended {}", self.channels[&channel].topic));
            }
            Output::Pause { socket } => {
                let peer = self.peer(socket);
                self.rules.paused(peer, true);
                self.note(peer, "pause");
            }
            Output::Resume { socket } => {
                let peer = self.peer(socket);
                self.rules.paused(peer, false);
                self.note(peer, "resume");
            }
            Output::Interest { topic, wanted } => {
                self.rules.interest(&topic, wanted);
                self.said.push(format!("{} {topic}", if wanted { "interest" } else { "no interest" }));
            }
            Output::Notice { socket, notice } => {
                let peer = self.peer(socket);
                self.notices.push((peer, notice));
            }
            Output::Close { to, reason } => {
                let peer = self.peer(to);
                self.rules.closed(peer);
                self.note(peer, &format!("close {}", reason.code()));
            }
        }
    }

    fn called(&mut self, peer: usize, channel: ChannelId, call: CallId, event: Event<Note>) {
        if let Event::Join { topic, join_ref, msg_ref, .. } = &event {
            let known = Known {
                peer,
                topic: topic.clone(),
                sent_join_ref: join_ref.clone(),
                join_ref: join_ref.clone().or_else(|| msg_ref.clone()),
            };
            self.channels.insert(channel, known);
        }
        let known = &self.channels[&channel];
        self.rules.called(known, channel, call, &event);
        let pending = Pending::new(call, event, known);
        self.said.push(pending.label.clone());
        self.pending.push(pending);
    }

    fn peer(&self, socket: SocketId) -> usize {
        *self.server.handle(socket).expect("an output names a socket whose handle is known")
    }

    fn note(&mut self, peer: usize, what: &str) {
        self.said.push(format!("{peer} {what}"));
    }

    fn note_frame(&mut self, peer: usize, frame: &Frame) {
        let text = render(frame);
        self.note(peer, &format!("<< {text}"));
        self.peers[peer].frames.push(text);
    }
}
