//! The channel with everything: replies, pushes, broadcasts, timers, ends, state, bytes.

mod about;

use super::{Sending, fields, from_hex, name};
use crate::sockets::Session;
use bennu::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

pub(crate) struct Room {
    params: Payload,
    state: HashMap<String, Value>,
}

impl Channel for Room {
    type Assigns = Session;

    async fn join(_: &str, params: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        Ok(Joined::new(Self { params, state: HashMap::new() }))
    }

    async fn handle_in(
        &mut self,
        event: &str,
        payload: Payload,
        ctx: &Context<Self>,
    ) -> Result<Reply, Failure> {
        match event {
            "echo" => Ok(Reply::ok(payload)),
            "echo_error" => Ok(Reply::error(payload)),
            "reply_ok" => Ok(Reply::ok(())),
            "reply_error" => Ok(Reply::error(())),
            "reply_custom" => Ok(Reply::with_status("accepted", payload)),
            "noreply" => Ok(Reply::none()),
            "push" | "push_reply" | "push_many" | "push_invalid" => push(event, &payload, ctx),
            "broadcast" | "broadcast_noreply" | "broadcast_from" | "broadcast_other" => {
                broadcast(event, &payload, ctx)
            }
            "async" | "async_twice" => later(event, payload, ctx),
            "sleep" => {
                let Delay { ms } = fields(&payload)?;
                ctx.sleep(Duration::from_millis(ms)).await;
                Ok(Reply::ok(json!({ "slept": ms })))
            }
            "stop" => stop(&payload, ctx),
            "throw" => panic!("asked to"),
            "crash" | "bad_return" | "exit_normal" | "exit_shutdown" => Err(Failure::crash("asked to")),
            "timer" | "stop_later" | "crash_later" => set_timer(event, &payload, ctx),
            "set" | "get" => self.remember(event, &payload),
            "describe" => Ok(Reply::ok(about::channel(ctx))),
            "join_params" => Ok(Reply::ok(json!({ "params": self.params.raw() }))),
            "connect_params" => Ok(Reply::ok(&ctx.assigns().params)),
            "connect_info" => Ok(Reply::ok(about::connection(ctx.info()))),
            _ => bytes(event, payload, ctx),
        }
    }

    async fn terminate(&mut self, reason: &Reason, ctx: &Context<Self>) {
        let monitor = format!("monitor:{}", ctx.subtopic());
        let terminated = json!({ "topic": ctx.topic(), "reason": name(reason) });
        // An object with two strings can always be sent.
        let _ = ctx.endpoint().broadcast(&monitor, "terminated", terminated);
    }
}

#[derive(Deserialize)]
struct Delay {
    ms: u64,
}

fn push(event: &str, payload: &Payload, ctx: &Context<Room>) -> Result<Reply, Failure> {
    #[derive(Deserialize)]
    struct Many {
        event: String,
        count: u64,
    }
    match event {
        "push_many" => {
            let Many { event, count } = fields(payload)?;
            for n in 1..=count {
                ctx.push(&event, json!({ "n": n }));
            }
            Ok(Reply::ok(json!({ "count": count })))
        }
        "push_invalid" => {
            ctx.push("invalid", "not an object");
            Ok(Reply::none())
        }
        _ => {
            let sending: Sending = fields(payload)?;
            ctx.push(&sending.event, &sending.payload);
            Ok(if event == "push_reply" { Reply::ok(sending.payload) } else { Reply::none() })
        }
    }
}

fn broadcast(event: &str, payload: &Payload, ctx: &Context<Room>) -> Result<Reply, Failure> {
    #[derive(Deserialize)]
    struct Elsewhere {
        topic: String,
    }
    let sending: Sending = fields(payload)?;
    match event {
        "broadcast_from" => ctx.broadcast_from(&sending.event, sending.payload),
        "broadcast_other" => {
            let Elsewhere { topic } = fields(payload)?;
            ctx.endpoint().broadcast(&topic, &sending.event, sending.payload)?;
        }
        _ => ctx.broadcast(&sending.event, sending.payload),
    }
    Ok(if event == "broadcast_noreply" { Reply::none() } else { Reply::ok(()) })
}

/// Answers from another task.
fn later(event: &str, payload: Payload, ctx: &Context<Room>) -> Result<Reply, Failure> {
    #[derive(Deserialize)]
    struct Later {
        delay: u64,
        payload: Box<RawValue>,
    }
    let reply = ctx.reply_ref()?;
    if event == "async" {
        let Later { delay, payload } = fields(&payload)?;
        let sleep = ctx.sleep(Duration::from_millis(delay));
        ctx.spawn(async move {
            sleep.await;
            reply.send(Reply::ok(payload));
        });
    } else {
        ctx.spawn(async move {
            reply.send(Reply::ok(json!({ "n": 1, "payload": payload.raw() })));
            reply.send(Reply::error(json!({ "n": 2, "payload": payload.raw() })));
        });
    }
    Ok(Reply::none())
}

fn stop(payload: &Payload, ctx: &Context<Room>) -> Result<Reply, Failure> {
    #[derive(Deserialize)]
    struct Stop {
        reason: Option<String>,
        reply: Option<Value>,
    }
    let Stop { reason, reply } = fields(payload)?;
    ctx.stop(match reason.as_deref() {
        None | Some("normal") => Reason::Normal,
        Some("shutdown") => Reason::Shutdown,
        Some("custom") => Reason::ShutdownWith("custom".to_owned()),
        Some(other) => Reason::Crash(other.to_owned()),
    });
    Ok(match reply {
        None => Reply::none(),
        Some(Value::String(_)) => Reply::ok(()),
        Some(reply) if reply["status"] == "error" => Reply::error(&reply["response"]),
        Some(reply) => Reply::ok(&reply["response"]),
    })
}

/// A message that a timer brings.
enum Due {
    Push { event: String, payload: Box<RawValue> },
    Stop,
    Crash,
}

fn set_timer(event: &str, payload: &Payload, ctx: &Context<Room>) -> Result<Reply, Failure> {
    let Delay { ms } = fields(payload)?;
    let due = match event {
        "timer" => {
            let Sending { event, payload } = fields(payload)?;
            Due::Push { event, payload }
        }
        "stop_later" => Due::Stop,
        _ => Due::Crash,
    };
    ctx.notify_after(Duration::from_millis(ms), due);
    Ok(Reply::ok(()))
}

impl HandleInfo<Due> for Room {
    async fn handle_info(&mut self, due: Due, ctx: &Context<Self>) -> Result<(), Failure> {
        match due {
            Due::Push { event, payload } => ctx.push(&event, payload),
            Due::Stop => ctx.stop(Reason::Normal),
            Due::Crash => return Err(Failure::crash("asked to")),
        }
        Ok(())
    }
}

impl Room {
    fn remember(&mut self, event: &str, payload: &Payload) -> Result<Reply, Failure> {
        #[derive(Deserialize)]
        struct Entry {
            key: String,
            #[serde(default)]
            value: Value,
        }
        let Entry { key, value } = fields(payload)?;
        if event == "get" {
            return Ok(Reply::ok(json!({ "value": self.state.get(&key) })));
        }
        self.state.insert(key, value);
        Ok(Reply::ok(()))
    }
}

fn bytes(event: &str, payload: Payload, ctx: &Context<Room>) -> Result<Reply, Failure> {
    #[derive(Deserialize)]
    struct Hex {
        event: Option<String>,
        hex: String,
    }
    if let Payload::Binary(data) = &payload {
        return match event {
            "b_echo" => Ok(Reply::ok(payload)),
            "b_error" => Ok(Reply::error(payload)),
            "b_len" => Ok(Reply::ok(json!({ "bytes": data.len() }))),
            "b_push" => {
                ctx.push("b_msg", payload);
                Ok(Reply::none())
            }
            "b_broadcast" => {
                ctx.broadcast("b_msg", payload);
                Ok(Reply::ok(()))
            }
            "b_broadcast_from" => {
                ctx.broadcast_from("b_msg", payload);
                Ok(Reply::ok(()))
            }
            _ => Err(Failure::unknown_event(event)),
        };
    }
    match event {
        "b_make" | "b_push_make" => {
            let Hex { event: push, hex } = fields(&payload)?;
            let data = Payload::binary(from_hex(&hex).ok_or("no hex digits")?);
            if event == "b_make" {
                return Ok(Reply::ok(data));
            }
            ctx.push(&push.ok_or("no event")?, data);
            Ok(Reply::ok(()))
        }
        _ => Err(Failure::unknown_event(event)),
    }
}
