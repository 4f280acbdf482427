//! A connection of a scenario, whichever way it is carried.

use std::time::Instant;

use super::environment::Environment;
use super::event::Event;
use super::failure::Failure;
use super::hex;
use super::longpoll::{LongPoll, Post};
use super::step::{Fill, HandMadeFrame, Send};
use super::websocket::{RawFrame, WebSocket};

#[derive(Debug)]
pub(crate) enum Connection {
    WebSocket(WebSocket),
    LongPoll(LongPoll),
}

impl Connection {
    /// Waits for the next event; `None` if there is none until the deadline.
    pub(crate) fn next(&mut self, deadline: Instant) -> Result<Option<Event>, Failure> {
        match self {
            Self::WebSocket(socket) => socket.next(deadline),
            Self::LongPoll(session) => session.next(deadline),
        }
    }

    /// Whether a stray frame could still arrive by itself.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::WebSocket(socket) => socket.is_open(),
            Self::LongPoll(_) => false,
        }
    }

    pub(crate) fn send(&mut self, step: &Send, environment: &Environment) -> Result<(), Failure> {
        let fill = step.fill.as_ref();
        if let Some(text) = &step.text {
            return self.send_text(filled(text, fill, environment), step);
        }
        if let Some(json) = &step.json {
            return self.send_text(environment.value(json).to_string(), step);
        }
        if let Some(digits) = &step.hex {
            return self.send_binary(&hex::parse(&filled(digits, fill, environment))?, step);
        }
        match self {
            Self::LongPoll(session) => {
                let Some(lines) = &step.batch else {
                    return Err(Failure::new("a long-poll session sends text, json, hex or a batch"));
                };
                let lines: Vec<String> = lines.iter().map(|line| filled(line, fill, environment)).collect();
                session.post(Post::Batch(lines.join("\n")), step.status.unwrap_or(200))
            }
            Self::WebSocket(socket) => {
                if let Some(frame) = &step.frame {
                    return send_hand_made(socket, frame, fill, environment);
                }
                let Some(raw) = &step.raw else {
                    return Err(Failure::new("a WebSocket sends text, json, hex, a frame or raw bytes"));
                };
                socket.send_bytes(&hex::parse(&filled(raw, fill, environment))?)
            }
        }
    }

    fn send_text(&mut self, text: String, step: &Send) -> Result<(), Failure> {
        match self {
            Self::WebSocket(socket) => socket.send_text(&text),
            Self::LongPoll(session) => session.post(Post::Frame(text), step.status.unwrap_or(200)),
        }
    }

    fn send_binary(&mut self, bytes: &[u8], step: &Send) -> Result<(), Failure> {
        match self {
            Self::WebSocket(socket) => socket.send_binary(bytes),
            Self::LongPoll(session) => session.post(Post::binary(bytes), step.status.unwrap_or(200)),
        }
    }
}

/// A text with its placeholders and its `{{fill}}` replaced.
pub(crate) fn filled(text: &str, fill: Option<&Fill>, environment: &Environment) -> String {
    let text = environment.text(text);
    match fill {
        Some(fill) => text.replace("{{fill}}", &fill.char.repeat(fill.count)),
        None => text,
    }
}

fn send_hand_made(
    socket: &mut WebSocket,
    frame: &HandMadeFrame,
    fill: Option<&Fill>,
    environment: &Environment,
) -> Result<(), Failure> {
    let data = match (&frame.text, &frame.hex) {
        (Some(text), _) => filled(text, fill, environment).into_bytes(),
        (None, Some(digits)) => hex::parse(&filled(digits, fill, environment))?,
        (None, None) => Vec::new(),
    };
    let HandMadeFrame { opcode, fin, masked, rsv, .. } = *frame;
    socket.send_frame(RawFrame { opcode, fin, masked, rsv, data: &data })
}
