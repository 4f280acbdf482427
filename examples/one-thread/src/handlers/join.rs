//! All that a join can do.

use super::answer::{Answer, Crash, Handled, Joined};
use super::context::Context;
use super::{Channel, Info};
use bennu_core::server::Reason;
use bennu_core::{IntoPayload as _, Payload};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use std::time::Duration;

/// What is done right after the join.
pub(crate) enum After {
    Push(Payload),
    Broadcast(Payload),
    Stop,
    Crash,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Wish {
    action: Option<String>,
    response: Option<Box<RawValue>>,
    ms: u64,
}

pub(super) fn join(payload: &Payload) -> Result<Joined, Crash> {
    let Wish { action, response, ms } = payload.parse().unwrap_or_default();
    let response = || match &response {
        Some(response) => response.into_payload(),
        None => Ok(Payload::empty()),
    };
    let accepted = |response| Joined::Accepted { channel: Channel::Join, response, next: None, after: None };
    let joined = |after| {
        let (response, next) = (json!({ "joined": true }).into_payload()?, Some(Info::Join(after)));
        Ok(Joined::Accepted { channel: Channel::Join, response, next, after: None })
    };
    match action.as_deref().unwrap_or("ok") {
        "ok" => Ok(accepted(Payload::empty())),
        "payload" => Ok(accepted(response()?)),
        "error" => Ok(Joined::Refused { response: response()? }),
        "slow" => {
            let (response, after) = (Payload::empty(), Some(Duration::from_millis(ms)));
            Ok(Joined::Accepted { channel: Channel::Join, response, next: None, after })
        }
        "push_after" => joined(After::Push(response()?)),
        "broadcast_after" => joined(After::Broadcast(response()?)),
        "stop_after" => joined(After::Stop),
        "crash_after" => joined(After::Crash),
        "binary" => Ok(accepted(Payload::binary(vec![1, 2, 3]))),
        action => Err(Crash::new(format_args!("the action {action:?} is a crash"))),
    }
}

impl After {
    pub(super) fn handle(self, ctx: &mut Context<'_>) -> Handled {
        match self {
            Self::Push(payload) => ctx.push("after_join", payload)?,
            Self::Broadcast(payload) => ctx.broadcast("entered", payload)?,
            Self::Stop => return Ok(Answer::Stop(None, Reason::Normal)),
            Self::Crash => return Err(Crash::new("asked to")),
        }
        Ok(Answer::Nothing)
    }
}
