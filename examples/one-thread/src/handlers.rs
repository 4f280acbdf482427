//! The application: handlers that say what they answer, and never wait.
//!
//! It is the part of the conformance app behind `room:*`, `join:*`, `monitor:*` and `bench:*`. A handler that would wait
//! elsewhere says at once what it will answer, and when: [`Answer::After`].

mod answer;
mod context;
mod join;
mod room;

use crate::node::{Later, Node};
use answer::{Answer, Crash, Handled, Joined};
use bennu_core::router::{RouteId, Router};
use bennu_core::server::{CallId, ChannelId, Config, Event, Mount, Outcome, Server};
use bennu_core::{Payload, Ref};
use context::{About, Context};
use foldhash::HashMap;
use room::Room;
use std::time::Duration;

/// The topics, in the order in which they are matched: a route's number is its place here.
const PATTERNS: [&str; 4] = ["room:*", "join:*", "monitor:*", "bench:*"];

/// The server machine with the routes of this application.
pub(crate) fn server(hash_key: (u64, u64)) -> Server<usize, Info> {
    let mut router = Router::default();
    for pattern in PATTERNS {
        router.add(pattern, &[]).expect("a star at the end alone is a pattern");
    }
    let mounts = vec![Mount { router, ..Mount::default() }];
    Server::new(Config { shard: 0, hash_key, mounts })
}

/// The state of all channels.
#[derive(Default)]
pub(crate) struct Handlers {
    channels: HashMap<ChannelId, (About, Channel)>,
}

/// The state of one.
enum Channel {
    Room(Box<Room>),
    Join,
    Monitor,
    Bench,
}

/// What channels send themselves.
pub(crate) enum Info {
    Join(join::After),
    Room(room::Due),
}

impl Handlers {
    /// Runs a handler; `None` if it waits, and is done later.
    pub(crate) fn handle(
        &mut self,
        node: &mut Node,
        call: CallId,
        event: Event<Info>,
    ) -> Option<Outcome<Info>> {
        if let Event::Join { route, topic, join_ref, msg_ref, payload } = event {
            let socket = node.server.socket_of(call.channel())?;
            let serializer = node.server.serializer(socket)?;
            // As sent, for the reply; pushes make do with the ref of the join.
            let own_ref = join_ref.clone().or_else(|| msg_ref.clone());
            let about = About { channel: call.channel(), socket, serializer, topic, join_ref: own_ref };
            let refs = (join_ref.as_ref(), msg_ref.as_ref());
            return self.join(node, call, route, about, refs, payload);
        }
        let (about, channel) = self.channels.get_mut(&call.channel())?;
        let (msg_ref, handled) = match event {
            Event::In { msg_ref, event, payload } => {
                let ctx = &mut Context { node, about, msg_ref: msg_ref.as_ref() };
                let handled = channel.handle_in(&event, payload, ctx);
                (msg_ref, handled)
            }
            Event::Info(info) => (None, info.handle(&mut Context { node, about, msg_ref: None })),
            Event::Terminate(reason) => {
                if let Channel::Room(_) = channel {
                    room::terminate(&reason, &mut Context { node, about, msg_ref: None });
                }
                (None, Ok(Answer::Nothing))
            }
            // Nothing is intercepted, and nobody subscribes to further topics.
            Event::Join { .. } | Event::Out { .. } | Event::Broadcast { .. } | _ => {
                (None, Ok(Answer::Nothing))
            }
        };
        let (wait, outcome) = answer::outcome(about, msg_ref.as_ref(), handled);
        hold_back(node, call, wait, outcome)
    }

    fn join(
        &mut self,
        node: &mut Node,
        call: CallId,
        route: RouteId,
        about: About,
        (join_ref, msg_ref): (Option<&Ref>, Option<&Ref>),
        payload: Payload,
    ) -> Option<Outcome<Info>> {
        let joined = match PATTERNS[route.0 as usize] {
            "room:*" => Ok(Joined::new(Channel::Room(Box::new(Room::new(payload))))),
            "join:*" => join::join(&payload),
            "monitor:*" => Ok(Joined::new(Channel::Monitor)),
            _ => Ok(Joined::new(Channel::Bench)),
        };
        let reply = |status, response: &Payload| about.reply(join_ref, msg_ref, status, response);
        let (outcome, wait, channel) = match joined {
            Ok(Joined::Accepted { channel, response, next, after }) => {
                let outcome = reply("ok", &response).map(|reply| Outcome::Joined { reply, next });
                (outcome, after, Some(channel))
            }
            Ok(Joined::Refused { response }) => {
                (reply("error", &response).map(|reply| Outcome::Refused { reply }), None, None)
            }
            Err(Crash(why)) => (Ok(Outcome::crashed(why)), None, None),
        };
        if let Some(channel) = channel {
            self.channels.insert(about.channel, (about, channel));
        }
        let outcome = outcome.unwrap_or_else(|error| Outcome::crashed(error.to_string()));
        hold_back(node, call, wait, outcome)
    }

    /// Drops the state of a channel that has ended.
    pub(crate) fn forget(&mut self, channel: ChannelId) {
        self.channels.remove(&channel);
    }
}

/// What a handler has answered, now or when its time has come.
fn hold_back(
    node: &mut Node,
    call: CallId,
    wait: Option<Duration>,
    outcome: Outcome<Info>,
) -> Option<Outcome<Info>> {
    let Some(wait) = wait else { return Some(outcome) };
    node.later(wait, Later::Done(call, outcome));
    None
}

impl Channel {
    fn handle_in(&mut self, event: &str, payload: Payload, ctx: &mut Context<'_>) -> Handled {
        match (self, event) {
            (Self::Room(room), _) => room.handle_in(event, payload, ctx),
            (Self::Bench, "echo") => Answer::ok(payload),
            (Self::Bench, "broadcast") => {
                ctx.broadcast("msg", payload)?;
                Ok(Answer::Nothing)
            }
            (Self::Bench, "broadcast_ack") => {
                ctx.broadcast("msg", payload)?;
                Answer::ok(())
            }
            (Self::Join | Self::Monitor | Self::Bench, _) => Err(Crash::unknown(event)),
        }
    }
}

impl Info {
    fn handle(self, ctx: &mut Context<'_>) -> Handled {
        match self {
            Self::Join(after) => after.handle(ctx),
            Self::Room(due) => due.handle(ctx),
        }
    }
}
