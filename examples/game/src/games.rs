//! What clients say to worlds, and hear of them: the channels `game:*`, one world for each topic.
//!
//! ```text
//!  phx_join        ─▶ {"id":1,"world":{"tick":0,"players":[…]}}      joined {"id":1}, to the others
//!  move {dx, dy}   ─▶ {"tick":17}
//!  phx_leave       ─▶ {}                                             left {"id":1}, to the others
//!                                                                    positions {"tick":18,"players":[…]}, to all
//! ```
//!
//! Handlers return what they answer and what they have to say to the others. They know no server.

use crate::world::{PlayerId, World};
use bennu_core::outbox::SlowConsumer;
use bennu_core::router::Router;
use bennu_core::server::{Broadcast, ChannelId, Event, Mount, Outcome};
use bennu_core::wire::Outgoing;
use bennu_core::{Frame, IntoPayload, Payload, Ref, Serializer, Topic};
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;

/// Channels of this application send themselves nothing.
pub(crate) type Info = Infallible;

/// Of the positions that wait for a client, only the latest matter. Whoever misses that somebody came or went has another
/// world than the rest: these wait, and a client that is too far behind with them is cut off.
const LOSSY: &[(&str, SlowConsumer)] = &[("positions", SlowConsumer::KeepLatest)];

/// All worlds, and who plays in them.
#[derive(Debug, Default)]
pub(crate) struct Games {
    worlds: BTreeMap<Topic, World>,
    seats: HashMap<ChannelId, Seat>,
}

/// A channel: a client in a world.
#[derive(Debug)]
struct Seat {
    topic: Topic,
    player: PlayerId,
    serializer: Serializer,
    join_ref: Option<Ref>,
}

/// What a handler has come to.
#[derive(Debug)]
pub(crate) struct Handled {
    pub(crate) outcome: Outcome<Info>,
    /// For the others in the world.
    pub(crate) news: Option<Broadcast>,
}

#[derive(Deserialize)]
struct Move {
    dx: f32,
    dy: f32,
}

impl Games {
    /// Which topics there are, and what of them may be lost.
    pub(crate) fn mount() -> Mount {
        let mut router = Router::default();
        let game = router.add("game:*", &[]).expect("a star at the end is a pattern");
        router.set_lossy(game, LOSSY);
        Mount { router, ..Mount::default() }
    }

    /// Runs a handler, for a client that speaks so.
    pub(crate) fn handle(
        &mut self,
        channel: ChannelId,
        serializer: Serializer,
        event: Event<Info>,
    ) -> Handled {
        match event {
            Event::Join { topic, join_ref, msg_ref, .. } => {
                self.join(channel, topic, serializer, (join_ref, msg_ref))
            }
            Event::In { msg_ref, event, payload } => {
                Handled { outcome: self.hear(channel, &event, &payload, msg_ref.as_ref()), news: None }
            }
            Event::Info(never) => match never {},
            // Who leaves is forgotten when the channel has ended, as it does for other reasons also. Nothing is
            // intercepted, and nobody subscribes to further topics.
            Event::Terminate(_) | Event::Out { .. } | Event::Broadcast { .. } | _ => {
                Handled { outcome: Outcome::Continue { reply: None }, news: None }
            }
        }
    }

    fn join(
        &mut self,
        channel: ChannelId,
        topic: Topic,
        serializer: Serializer,
        (join_ref, msg_ref): (Option<Ref>, Option<Ref>),
    ) -> Handled {
        let world = self.worlds.entry(topic.clone()).or_default();
        let refs = [join_ref.as_ref(), msg_ref.as_ref()];
        let Some(player) = world.enter() else {
            let reply = reply(serializer, &topic, refs, "error", json!({ "reason": "full" }));
            return Handled { outcome: Outcome::Refused { reply }, news: None };
        };
        let response = json!({ "id": player, "world": world.snapshot() });
        let reply = reply(serializer, &topic, refs, "ok", response);
        let news = broadcast(topic.clone(), "joined", json!({ "id": player }));
        // As it was sent, for replies: a client that names no join_ref means the ref of its join.
        let join_ref = join_ref.or(msg_ref);
        self.seats.insert(channel, Seat { topic, player, serializer, join_ref });
        Handled { outcome: Outcome::Joined { reply, next: None }, news: Some(news) }
    }

    fn hear(
        &mut self,
        channel: ChannelId,
        event: &str,
        payload: &Payload,
        msg_ref: Option<&Ref>,
    ) -> Outcome<Info> {
        let found = self.seats.get(&channel);
        let Some((seat, world)) = found.and_then(|seat| Some((seat, self.worlds.get_mut(&seat.topic)?)))
        else {
            return Outcome::crashed("a channel without a player");
        };
        let (status, response) = match (event, payload.parse()) {
            ("move", Ok(Move { dx, dy })) => {
                world.turn(seat.player, dx, dy);
                ("ok", json!({ "tick": world.tick() }))
            }
            ("move", Err(_)) => ("error", json!({ "reason": "a move has a dx and a dy" })),
            (event, _) => return Outcome::crashed(format!("unknown event {event:?}")),
        };
        let refs = [seat.join_ref.as_ref(), msg_ref];
        Outcome::Continue { reply: Some(reply(seat.serializer, &seat.topic, refs, status, response)) }
    }

    /// A channel has ended, for whatever reason: what the others are to hear of it. A world without players ends.
    pub(crate) fn leave(&mut self, channel: ChannelId) -> Option<Broadcast> {
        let Seat { topic, player, .. } = self.seats.remove(&channel)?;
        let world = self.worlds.get_mut(&topic)?;
        world.leave(player);
        if world.is_empty() {
            self.worlds.remove(&topic);
            return None;
        }
        Some(broadcast(topic, "left", json!({ "id": player })))
    }

    /// One tick, in every world.
    pub(crate) fn step(&mut self, time: f32) {
        self.worlds.values_mut().for_each(|world| world.step(time));
    }

    /// Where everybody is, for everybody.
    pub(crate) fn positions(&self) -> Vec<Broadcast> {
        let positions =
            |(topic, world): (&Topic, &World)| broadcast(topic.clone(), "positions", world.snapshot());
        self.worlds.iter().map(positions).collect()
    }
}

/// Shape: `["1","2","game:1","phx_reply",{"response":{"tick":17},"status":"ok"}]`.
fn reply(
    serializer: Serializer,
    topic: &Topic,
    [join_ref, msg_ref]: [Option<&Ref>; 2],
    status: &str,
    response: impl IntoPayload,
) -> Frame {
    let response = &response.into_payload().expect("its keys are text");
    let topic = &(&**topic).into();
    let reply = Outgoing::Reply { join_ref, msg_ref, topic, status, response };
    serializer.encode(&reply).expect("JSON can be encoded for those who sent JSON")
}

fn broadcast(topic: Topic, event: &str, payload: impl IntoPayload) -> Broadcast {
    let payload = payload.into_payload().expect("its keys are text");
    Broadcast::new(topic, event, payload).expect("an object, on a topic that a client could name")
}
