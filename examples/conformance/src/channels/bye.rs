//! A channel with last words.

use super::name;
use crate::sockets::Session;
use bennu::prelude::*;
use serde_json::json;

pub(crate) struct Bye;

impl Channel for Bye {
    type Assigns = Session;

    async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        Ok(Joined::new(Self))
    }

    async fn handle_in(&mut self, event: &str, _: Payload, ctx: &Context<Self>) -> Result<Reply, Failure> {
        match event {
            "stop" => {
                ctx.stop(Reason::Normal);
                Ok(Reply::ok(json!({ "stopping": true })))
            }
            "crash" => Err(Failure::crash("asked to")),
            _ => Err(Failure::unknown_event(event)),
        }
    }

    async fn terminate(&mut self, reason: &Reason, ctx: &Context<Self>) {
        ctx.push("bye", json!({ "reason": name(reason) }));
    }
}
