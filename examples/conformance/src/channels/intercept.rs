//! Broadcasts that are looked at before they go out.

use super::{Sending, fields};
use crate::sockets::Session;
use bennu::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(crate) struct Intercept {
    name: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Channel for Intercept {
    type Assigns = Session;

    const INTERCEPTS: &'static [&'static str] = &["transformed", "filtered", "stop_out", "crash_out"];

    async fn join(_: &str, payload: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        let name = fields::<Named>(&payload).map_or_else(|_| String::new(), |named| named.name);
        Ok(Joined::new(Self { name }))
    }

    async fn handle_in(
        &mut self,
        event: &str,
        payload: Payload,
        ctx: &Context<Self>,
    ) -> Result<Reply, Failure> {
        let sending: Sending = fields(&payload)?;
        match event {
            "shout" => ctx.broadcast(&sending.event, sending.payload),
            "shout_from" => ctx.broadcast_from(&sending.event, sending.payload),
            "push" => ctx.push(&sending.event, sending.payload),
            _ => return Err(Failure::unknown_event(event)),
        }
        Ok(Reply::ok(()))
    }

    async fn handle_out(
        &mut self,
        event: &str,
        payload: Payload,
        ctx: &Context<Self>,
    ) -> Result<(), Failure> {
        match event {
            "transformed" => {
                let mut fields: Map<String, Value> = fields(&payload)?;
                fields.insert("seen_by".to_owned(), self.name.clone().into());
                ctx.push(event, fields);
            }
            "filtered" => {
                let fields: Map<String, Value> = fields(&payload)?;
                if fields.get("to").and_then(Value::as_str) == Some(&*self.name) {
                    ctx.push(event, payload);
                }
            }
            "stop_out" => ctx.stop(Reason::Normal),
            _ => return Err(Failure::crash("asked to")),
        }
        Ok(())
    }
}
