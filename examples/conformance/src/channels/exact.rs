//! Routes: who answers to which topic.

use crate::sockets::Session;
use bennu::prelude::*;
use serde_json::json;

pub(crate) struct Exact;

impl Channel for Exact {
    type Assigns = Session;

    async fn join(topic: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        Ok(Joined::with(Self, json!({ "channel": "exact", "topic": topic })))
    }

    async fn handle_in(&mut self, event: &str, _: Payload, _: &Context<Self>) -> Result<Reply, Failure> {
        match event {
            "ping" => Ok(Reply::ok(json!({ "pong": true }))),
            _ => Err(Failure::unknown_event(event)),
        }
    }
}
