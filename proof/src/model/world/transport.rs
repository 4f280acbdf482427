//! Sockets come and go, and clients send.

use super::line::Line;
use super::{CROWD, Order, Path, Peer, World, translate};
use crate::model::mark::Mark;
use crate::model::operation::{Body, Name, Reading, RefOf};
use crate::model::reference::Message;
use crate::model::value::{Content, Word};
use bennu_core::Serializer;
use bennu_core::server::{CloseReason, SocketConfig};

impl World {
    pub(super) fn connect(&mut self, serializer: Serializer, mount: usize, id: Option<&'static str>) {
        if self.model.sockets().iter().filter(|socket| socket.open).count() >= CROWD {
            return;
        }
        self.model.tick(self.now);
        let socket = self.model.connect(serializer, mount, id);
        let (now, line) = (self.now, (self.shape.path == Path::Bytes).then(|| Line::new(socket)));
        let id = self.server_of(socket).connect(SocketConfig { handle: socket, serializer, mount, id }, now);
        self.peers.push(Peer { id, serializer, line });
        self.heard.push(Vec::new());
        self.rules.connected(mount);
        self.settle(Order::Strict);
    }

    /// The message that a client would send: what its serializer cannot carry is made to fit.
    pub(super) fn message(
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

    pub(super) fn say(&mut self, socket: usize, message: Message, reading: Reading) {
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
    pub(super) fn flush(&mut self, socket: usize) {
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

    /// What is no message ends its socket, and no other.
    pub(super) fn garble(&mut self, socket: usize, text: &'static str) {
        self.flush(socket);
        let Peer { line, serializer, .. } = &mut self.peers[socket];
        let refused = serializer.decode_text(text).is_err();
        assert!(refused, "{text} is no message");
        if let Some(line) = line {
            line.garble(text);
        }
        self.stop(socket, CloseReason::Malformed);
    }

    pub(super) fn stop(&mut self, socket: usize, reason: CloseReason) {
        self.model.tick(self.now);
        self.model.stop(socket, reason);
        let (id, now) = (self.peers[socket].id, self.now);
        self.server_of(socket).stop(id, reason, now);
        self.settle(Order::Strict);
    }

    pub(super) fn disconnect(&mut self, socket: usize) {
        self.rules.disconnected(socket);
        self.model.tick(self.now);
        self.model.disconnect(socket);
        let (id, now) = (self.peers[socket].id, self.now);
        self.server_of(socket).disconnect(id, now);
        self.peers[socket].line = None;
        self.settle(Order::Strict);
    }

    pub(super) fn abandon(&mut self, socket: usize) {
        self.rules.disconnected(socket);
        self.model.tick(self.now);
        self.model.abandon(socket);
        let (id, now) = (self.peers[socket].id, self.now);
        self.server_of(socket).abandon(id, now);
        self.peers[socket].line = None;
        self.settle(Order::OfNobody);
    }
}
