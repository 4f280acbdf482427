//! All that a join can do.

use crate::sockets::Session;
use bennu::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) struct Join {
    after: After,
}

/// What is done right after the join.
enum After {
    Nothing,
    Push(Value),
    Broadcast(Value),
    Stop,
    Crash,
}

#[derive(Deserialize, Default)]
struct Wish {
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    response: Option<Box<RawValue>>,
    #[serde(default)]
    ms: Option<u64>,
}

impl Wish {
    fn response(self) -> Result<Value, Failure> {
        Ok(self.response.map_or_else(|| Ok(json!({})), |response| serde_json::from_str(response.get()))?)
    }
}

impl Channel for Join {
    type Assigns = Session;

    async fn join(_: &str, payload: Payload, ctx: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        let wish: Wish = payload.parse().unwrap_or_default();
        let joined = |after| Ok(Joined::with(Self { after }, json!({ "joined": true })));
        match wish.action.as_deref().unwrap_or("ok") {
            "ok" => Ok(Joined::new(Self { after: After::Nothing })),
            "payload" => Ok(Joined::with(Self { after: After::Nothing }, wish.response)),
            "error" => Err(Failure::reply(wish.response)),
            "raise" => panic!("asked to"),
            "slow" => {
                ctx.sleep(Duration::from_millis(wish.ms.unwrap_or(0))).await;
                Ok(Joined::new(Self { after: After::Nothing }))
            }
            "push_after" => joined(After::Push(wish.response()?)),
            "broadcast_after" => joined(After::Broadcast(wish.response()?)),
            "stop_after" => joined(After::Stop),
            "crash_after" => joined(After::Crash),
            "binary" => Ok(Joined::with(Self { after: After::Nothing }, Payload::binary(vec![1, 2, 3]))),
            // To end by itself, to return nonsense, to push too early: types forbid them here.
            action => Err(Failure::crash(format!("the action {action:?} is a crash"))),
        }
    }

    async fn after_join(&mut self, ctx: &Context<Self>) -> Result<(), Failure> {
        match std::mem::replace(&mut self.after, After::Nothing) {
            After::Nothing => {}
            After::Push(payload) => ctx.push("after_join", payload),
            After::Broadcast(payload) => ctx.broadcast("entered", payload),
            After::Stop => ctx.stop(Reason::Normal),
            After::Crash => return Err(Failure::crash("asked to")),
        }
        Ok(())
    }
}
