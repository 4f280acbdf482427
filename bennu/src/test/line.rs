//! A client's end of a connection: it speaks the protocol as phoenix.js does.

use super::arrival::{Arrival, PushRef};
use super::wire::Wire;
use crate::Payload;
use bennu_core::server::SocketId;
use bennu_core::websocket::{self, CloseReason, Config, Event, Output};
use bennu_core::wire::{Incoming, Serializer};
use bennu_core::{Instant, Kind, Message, Name, Ref, event};
use std::collections::VecDeque;
use std::time::Duration;

/// One connected client.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) path: String,
    pub(super) socket: SocketId,
    serializer: Serializer,
    wire: Wire,
    websocket: websocket::Connection,
    last_ref: u64,
    /// The joins, the oldest first.
    pub(super) seats: Vec<Seat>,
    /// What came for no channel.
    pub(super) strays: Vec<(String, Arrival)>,
    pub(super) ended: Option<Ended>,
    next_heartbeat: Instant,
}

/// One join, and what came for it.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) topic: String,
    pub(super) join_ref: Ref,
    /// The refs of all that was sent for it.
    refs: Vec<Ref>,
    pub(super) arrivals: VecDeque<Arrival>,
}

/// How a connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// By the client.
    ByClient,
    /// By the server, with this close code; `None` if it sent none.
    ByServer(Option<u16>),
}

/// As phoenix.js.
const HEARTBEAT: Duration = Duration::from_secs(30);

impl Line {
    pub(super) fn new(
        path: String,
        socket: SocketId,
        serializer: Serializer,
        wire: Wire,
        now: Instant,
    ) -> Self {
        // It takes whatever the server sends, and its idle timer is never looked at.
        let config = Config { max_message: u32::MAX, ..Config::default() };
        Self {
            path,
            socket,
            serializer,
            wire,
            websocket: websocket::Connection::client(config, 0x5eed, now),
            last_ref: 0,
            seats: Vec::new(),
            strays: Vec::new(),
            ended: None,
            next_heartbeat: now + HEARTBEAT,
        }
    }

    /// Sends a join, and makes a seat for it.
    ///
    /// # Errors
    /// Why the payload cannot be sent.
    pub(super) fn join(&mut self, topic: &str, payload: &Payload) -> Result<usize, String> {
        let join_ref = self.next_ref();
        self.send(Some(&join_ref), Some(&join_ref), topic, event::JOIN, payload)?;
        self.seats.push(Seat {
            topic: topic.to_owned(),
            refs: vec![join_ref.clone()],
            join_ref,
            arrivals: VecDeque::new(),
        });
        Ok(self.seats.len() - 1)
    }

    /// Sends a message on a channel.
    ///
    /// # Errors
    /// Why the payload cannot be sent.
    pub(super) fn push(&mut self, seat: usize, event: &str, payload: &Payload) -> Result<PushRef, String> {
        let msg_ref = self.next_ref();
        let Seat { topic, join_ref, .. } = &self.seats[seat];
        let (topic, join_ref) = (topic.clone(), join_ref.clone());
        self.send(Some(&join_ref), Some(&msg_ref), &topic, event, payload)?;
        self.seats[seat].refs.push(msg_ref.clone());
        Ok(PushRef(Some(msg_ref)))
    }

    /// Closes the connection, as a browser does with `socket.disconnect()`.
    pub(super) fn close(&mut self, now: Instant) {
        self.websocket.close(1000, "", now);
        self.heed();
    }

    /// When the client wants to send a heartbeat; `None` if it is not connected any more.
    pub(super) fn next_heartbeat(&self) -> Option<Instant> {
        Some(self.next_heartbeat).filter(|_| self.ended.is_none())
    }

    /// Sends a heartbeat that is due.
    pub(super) fn beat(&mut self, now: Instant) {
        if self.next_heartbeat().is_none_or(|at| at > now) {
            return;
        }
        self.next_heartbeat = now + HEARTBEAT;
        let sent = self.send(None, None, event::HEARTBEAT_TOPIC, event::HEARTBEAT, &Payload::empty());
        sent.expect("an empty object can be sent");
    }

    /// Takes in what has come. Returns whether anything has.
    pub(super) fn receive(&mut self, now: Instant) -> bool {
        let (mut bytes, has_ended) = self.wire.take();
        let mut rest = &mut bytes[..];
        loop {
            let received = self.websocket.receive(rest, now);
            let consumed = received.consumed;
            let arrival = match received.event {
                Some(Event::Text(text)) => Some(arrival(self.serializer, Kind::Text, text.as_bytes())),
                Some(Event::Binary(data)) => Some(arrival(self.serializer, Kind::Binary, data)),
                Some(_) => None,
                None => break,
            };
            rest = &mut rest[consumed..];
            if let Some(arrived) = arrival {
                self.take(arrived);
            }
        }
        if has_ended {
            self.websocket.handle_eof(now);
        }
        self.heed();
        !bytes.is_empty()
    }

    /// Does what the WebSocket wants.
    fn heed(&mut self) {
        while let Some(output) = self.websocket.poll_output() {
            match output {
                Output::Send(frame) => self.wire.send(frame.as_bytes()),
                Output::Closed(CloseReason::Peer { code }) => self.ended = Some(Ended::ByServer(code)),
                Output::Closed(CloseReason::Local { .. }) => self.ended = Some(Ended::ByClient),
                Output::Closed(_) => self.ended = Some(Ended::ByServer(None)),
                Output::End => self.wire.end(),
            }
        }
    }

    fn next_ref(&mut self) -> Ref {
        self.last_ref += 1;
        Ref::text(&self.last_ref.to_string())
    }

    fn send(
        &mut self,
        join_ref: Option<&Ref>,
        msg_ref: Option<&Ref>,
        topic: &str,
        event: &str,
        payload: &Payload,
    ) -> Result<(), String> {
        let message = Message {
            join_ref: join_ref.cloned(),
            msg_ref: msg_ref.cloned(),
            topic: topic.into(),
            event: event.into(),
            payload: payload.into(),
        };
        let (kind, body) = self.serializer.encode_from_client(&message).map_err(|error| error.to_string())?;
        let mut frame = Vec::new();
        self.websocket.encode(kind, &body, &mut frame);
        self.wire.send(&frame);
        Ok(())
    }

    /// Puts what has come where it belongs.
    fn take(&mut self, arrived: Arrived) {
        let Arrived { topic, join_ref, arrival } = arrived;
        if topic == event::HEARTBEAT_TOPIC {
            return;
        }
        let msg_ref = match &arrival {
            Arrival::Reply { to, .. } => to.0.clone(),
            Arrival::Push { .. } | Arrival::Close | Arrival::Error => None,
        };
        let of_ref = |seat: &Seat| msg_ref.as_ref().is_some_and(|msg_ref| seat.refs.contains(msg_ref));
        let of_join = |seat: &Seat| join_ref.as_ref() == Some(&seat.join_ref);
        let of_topic = |seat: &Seat| join_ref.is_none() && seat.topic == topic;
        let seats = &self.seats;
        let place = seats
            .iter()
            .rposition(of_ref)
            .or_else(|| seats.iter().rposition(of_join))
            .or_else(|| seats.iter().rposition(of_topic));
        match place {
            Some(place) => self.seats[place].arrivals.push_back(arrival),
            None => self.strays.push((topic, arrival)),
        }
    }
}

impl Seat {
    /// Where the answer to the join is, if it has come.
    pub(super) fn answer(&self) -> Option<usize> {
        let is_answer = |arrival: &Arrival| match arrival {
            Arrival::Reply { to, .. } => to.0.as_ref() == Some(&self.join_ref),
            Arrival::Push { .. } | Arrival::Close | Arrival::Error => false,
        };
        self.arrivals.iter().position(is_answer)
    }

    /// Takes the answer to the join, if it has come: its status, and the response.
    pub(super) fn take_answer(&mut self) -> Option<(String, Payload)> {
        match self.arrivals.remove(self.answer()?) {
            Some(Arrival::Reply { status, response, .. }) => Some((status, response)),
            Some(Arrival::Push { .. } | Arrival::Close | Arrival::Error) | None => None,
        }
    }
}

/// What has come, and for whom.
struct Arrived {
    topic: String,
    join_ref: Option<Ref>,
    arrival: Arrival,
}

/// Reads what the server has sent.
fn arrival(serializer: Serializer, kind: Kind, data: &[u8]) -> Arrived {
    let incoming =
        serializer.decode_from_server(kind, data).expect("the endpoint sends what its serializer can read");
    match incoming {
        Incoming::Reply(reply) => Arrived {
            topic: text(&reply.topic),
            join_ref: reply.join_ref,
            arrival: Arrival::Reply {
                to: PushRef(reply.msg_ref),
                status: reply.status.into_owned(),
                response: reply.response.to_payload(),
            },
        },
        Incoming::Message(message) => Arrived {
            topic: text(&message.topic),
            join_ref: message.join_ref,
            arrival: match &*text(&message.event) {
                event::CLOSE => Arrival::Close,
                event::ERROR => Arrival::Error,
                event => Arrival::Push { event: event.to_owned(), payload: message.payload.to_payload() },
            },
        },
    }
}

fn text(name: &Name<'_>) -> String {
    match name {
        Name::Text(text) => text.to_string(),
        Name::Other(json) => (*json).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PlainStream;
    use bennu_core::server::{Config, Mount, Server, SocketConfig};

    #[test]
    fn stream_that_ends_without_a_close_frame_ends_the_connection() {
        let mounts = vec![Mount::default()];
        let mut server = Server::<(), ()>::new(Config { shard: 0, hash_key: (0, 0), mounts });
        let socket = SocketConfig { handle: (), serializer: Serializer::V2, mount: 0, id: None };
        let (socket, wire) = (server.connect(socket, Instant::EPOCH), Wire::default());
        let mut line = Line::new("/socket".to_owned(), socket, Serializer::V2, wire.clone(), Instant::EPOCH);

        wire.abort();
        line.receive(Instant::EPOCH);

        assert_eq!(line.ended, Some(Ended::ByServer(None)));
        assert_eq!(line.next_heartbeat(), None);
    }
}
