//! The channel `room:*`: who may come in, and what may be said.
//!
//! ```text
//! phx_join {"nick":"ann"}   ──►  ok {"messages":[…],"nick":"ann"} | error {"reason":"…","field":"nick"}
//! new_msg  {"body":"hi"}    ──►  ok {"id":…}, and to everybody: new_msg {"id":…,"nick":"ann","body":"hi","at":…}
//! typing   {"typing":true}  ──►  to the others: typing {"nick":"ann","typing":true}
//!                                and to the others, as people come and go: joined {"nick":"ann"}, left {"nick":"ann"}
//! ```

use crate::history::{Message, Rooms};
use bennu::prelude::*;
use bennu::{Builder, LongPoll};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The endpoint of the chat, for whatever runtime.
pub(crate) fn endpoint() -> Builder {
    let socket = bennu::socket(Chat::default()).channel::<Room>("room:*");
    Endpoint::builder().socket("/socket", socket.longpoll(LongPoll::new()))
}

/// The socket of the chat: it lets everybody in, and hands on what was said.
#[derive(Debug, Default)]
struct Chat {
    rooms: Arc<Rooms>,
}

impl Socket for Chat {
    type Assigns = Arc<Rooms>;

    async fn connect(&self, _params: Params, _info: &ConnectInfo) -> Result<Arc<Rooms>, Refused> {
        Ok(Arc::clone(&self.rooms))
    }
}

/// One person in one room. A nickname is a label, not an account: two people, or two tabs, may have the same.
#[derive(Debug)]
struct Room {
    name: String,
    nick: String,
    /// The last message of the answer to the join.
    seen: Option<u64>,
}

#[derive(Deserialize)]
struct Entry {
    nick: String,
}

#[derive(Serialize)]
struct Welcome<'a> {
    messages: &'a [Message],
    nick: &'a str,
}

#[derive(Deserialize)]
struct Said {
    body: String,
}

#[derive(Deserialize)]
struct Typing {
    typing: bool,
}

impl Channel for Room {
    type Assigns = Arc<Rooms>;

    async fn join(_topic: &str, payload: Payload, ctx: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        let entry: Entry = payload.parse()?;
        let name = room_name(ctx.subtopic())?;
        let nick = nickname(&entry.nick)?;

        let messages = ctx.assigns().since(name, None);
        let seen = messages.last().map(|message| message.id);
        let room = Self { name: name.to_owned(), nick: nick.to_owned(), seen };
        Ok(Joined::with(room, Welcome { messages: &messages, nick }))
    }

    async fn after_join(&mut self, ctx: &Context<Self>) -> Result<(), Failure> {
        // Said after the answer was made, and before broadcasts came here: else nobody would ever send it.
        // One that comes twice, the page knows by its id.
        for message in ctx.assigns().since(&self.name, self.seen) {
            ctx.push("new_msg", &message);
        }
        ctx.broadcast_from("joined", json!({ "nick": self.nick }));
        Ok(())
    }

    async fn handle_in(
        &mut self,
        event: &str,
        payload: Payload,
        ctx: &Context<Self>,
    ) -> Result<Reply, Failure> {
        match event {
            "new_msg" => {
                let said: Said = payload.parse()?;
                let message = ctx.assigns().say(&self.name, &self.nick, text(&said.body)?, unix_ms());
                ctx.broadcast("new_msg", &message);
                Ok(Reply::ok(json!({ "id": message.id })))
            }
            "typing" => {
                let Typing { typing } = payload.parse()?;
                ctx.broadcast_from("typing", json!({ "nick": self.nick, "typing": typing }));
                Ok(Reply::none())
            }
            _ => Err(Failure::unknown_event(event)),
        }
    }

    async fn terminate(&mut self, _reason: &Reason, ctx: &Context<Self>) {
        ctx.broadcast_from("left", json!({ "nick": self.nick }));
    }
}

/// What is wrong with something a person wrote. The page asks for it again, so it is told which field it was.
#[derive(Debug, PartialEq, Eq)]
enum Unfit {
    RoomName,
    Nickname,
    Text,
}

impl From<Unfit> for Failure {
    fn from(unfit: Unfit) -> Self {
        let (field, reason) = match unfit {
            Unfit::RoomName => ("room", "a room name has 1 to 32 letters, digits, - or _"),
            Unfit::Nickname => ("nick", "a nickname has 1 to 24 visible characters"),
            Unfit::Text => ("body", "a message has 1 to 2000 characters"),
        };
        Self::reply(json!({ "reason": reason, "field": field }))
    }
}

fn room_name(name: &str) -> Result<&str, Unfit> {
    let is_fit = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let is_name = has_length(name, 32) && name.chars().all(is_fit);
    is_name.then_some(name).ok_or(Unfit::RoomName)
}

fn nickname(nick: &str) -> Result<&str, Unfit> {
    let nick = nick.trim();
    let is_name = has_length(nick, 24) && !nick.chars().any(char::is_control);
    is_name.then_some(nick).ok_or(Unfit::Nickname)
}

fn text(body: &str) -> Result<&str, Unfit> {
    let body = body.trim();
    has_length(body, 2_000).then_some(body).ok_or(Unfit::Text)
}

/// Whether there is something, and not more than `most` characters of it.
fn has_length(text: &str, most: usize) -> bool {
    !text.is_empty() && text.chars().nth(most).is_none()
}

fn unix_ms() -> u64 {
    // A clock before 1970 counts as 1970: ids grow all the same.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
