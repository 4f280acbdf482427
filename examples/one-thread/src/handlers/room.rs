//! The channel with everything: replies, pushes, broadcasts, timers, ends, state, bytes.

use super::Info;
use super::answer::{Answer, Crash, Handled, Reply};
use super::context::Context;
use bennu_core::server::Reason;
use bennu_core::{Payload, Ref};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

pub(super) struct Room {
    params: Payload,
    state: HashMap<String, Value>,
}

/// An event to send, as several events carry it.
#[derive(Deserialize)]
struct Sending {
    event: String,
    payload: Box<RawValue>,
}

#[derive(Deserialize)]
struct Delay {
    ms: u64,
}

/// A message that a timer brings.
pub(crate) enum Due {
    Push { event: String, payload: Box<RawValue> },
    Stop,
    Crash,
}

impl Room {
    pub(super) fn new(params: Payload) -> Self {
        Self { params, state: HashMap::new() }
    }

    pub(super) fn handle_in(&mut self, event: &str, payload: Payload, ctx: &mut Context<'_>) -> Handled {
        match event {
            "echo" => Answer::ok(payload),
            "echo_error" => Answer::error(payload),
            "reply_ok" => Answer::ok(()),
            "reply_error" => Answer::error(()),
            "reply_custom" => Reply::new("accepted", payload).map(Answer::Reply),
            "noreply" => Ok(Answer::Nothing),
            "push" | "push_reply" | "push_many" | "push_invalid" => push(event, &payload, ctx),
            "broadcast" | "broadcast_noreply" | "broadcast_from" | "broadcast_other" => {
                broadcast(event, &payload, ctx)
            }
            "async" | "async_twice" => later(event, &payload, ctx),
            "sleep" => {
                let Delay { ms } = payload.parse()?;
                Ok(Answer::After(Duration::from_millis(ms), Reply::new("ok", json!({ "slept": ms }))?))
            }
            "stop" => stop(&payload),
            "timer" | "stop_later" | "crash_later" => set_timer(event, &payload, ctx),
            "set" | "get" => self.remember(event, &payload),
            "describe" => Answer::ok(describe(ctx)),
            "join_params" => Answer::ok(json!({ "params": self.params.raw() })),
            "connect_params" => Answer::ok(ctx.params()),
            "connect_info" => Answer::ok(()),
            _ => bytes(event, payload, ctx),
        }
    }

    fn remember(&mut self, event: &str, payload: &Payload) -> Handled {
        #[derive(Deserialize)]
        struct Entry {
            key: String,
            #[serde(default)]
            value: Value,
        }
        let Entry { key, value } = payload.parse()?;
        if event == "get" {
            return Answer::ok(json!({ "value": self.state.get(&key) }));
        }
        self.state.insert(key, value);
        Answer::ok(())
    }
}

impl Due {
    pub(super) fn handle(self, ctx: &mut Context<'_>) -> Handled {
        match self {
            Self::Push { event, payload } => ctx.push(&event, payload)?,
            Self::Stop => return Ok(Answer::Stop(None, Reason::Normal)),
            Self::Crash => return Err(Crash::new("asked to")),
        }
        Ok(Answer::Nothing)
    }
}

/// Tells the monitor of this room.
pub(super) fn terminate(reason: &Reason, ctx: &mut Context<'_>) {
    let reason = match reason {
        Reason::Left => "left".to_owned(),
        Reason::Closed => "closed".to_owned(),
        Reason::Draining => "draining".to_owned(),
        Reason::Normal => "normal".to_owned(),
        Reason::Shutdown => "shutdown".to_owned(),
        Reason::ShutdownWith(why) => format!("shutdown:{why}"),
        Reason::Crash(_) => "crash".to_owned(),
    };
    let monitor = format!("monitor:{}", ctx.subtopic());
    let terminated = json!({ "topic": &*ctx.about.topic, "reason": reason });
    // An object with two strings can always be sent; the channel ends in any case.
    let _ = ctx.broadcast_to(&monitor, "terminated", terminated);
}

fn push(event: &str, payload: &Payload, ctx: &mut Context<'_>) -> Handled {
    #[derive(Deserialize)]
    struct Many {
        event: String,
        count: u64,
    }
    match event {
        "push_many" => {
            let Many { event, count } = payload.parse()?;
            for n in 1..=count {
                ctx.push(&event, json!({ "n": n }))?;
            }
            Answer::ok(json!({ "count": count }))
        }
        "push_invalid" => Err(Crash::new("what is no object cannot be pushed")),
        _ => {
            let sending: Sending = payload.parse()?;
            ctx.push(&sending.event, &sending.payload)?;
            if event == "push" { Ok(Answer::Nothing) } else { Answer::ok(sending.payload) }
        }
    }
}

fn broadcast(event: &str, payload: &Payload, ctx: &mut Context<'_>) -> Handled {
    #[derive(Deserialize)]
    struct Elsewhere {
        topic: String,
    }
    let sending: Sending = payload.parse()?;
    match event {
        "broadcast_from" => ctx.broadcast_from(&sending.event, sending.payload)?,
        "broadcast_other" => {
            let Elsewhere { topic } = payload.parse()?;
            ctx.broadcast_to(&topic, &sending.event, sending.payload)?;
        }
        _ => ctx.broadcast(&sending.event, sending.payload)?,
    }
    if event == "broadcast_noreply" { Ok(Answer::Nothing) } else { Answer::ok(()) }
}

/// Answers from outside of the channel, which is not busy meanwhile.
fn later(event: &str, payload: &Payload, ctx: &mut Context<'_>) -> Handled {
    #[derive(Deserialize)]
    struct Later {
        delay: u64,
        payload: Box<RawValue>,
    }
    if event == "async" {
        let Later { delay, payload } = payload.parse()?;
        ctx.reply_after(Duration::from_millis(delay), &Reply::new("ok", payload)?)?;
    } else {
        let response = |n| json!({ "n": n, "payload": payload.raw() });
        ctx.reply_after(Duration::ZERO, &Reply::new("ok", response(1))?)?;
        ctx.reply_after(Duration::ZERO, &Reply::new("error", response(2))?)?;
    }
    Ok(Answer::Nothing)
}

fn stop(payload: &Payload) -> Handled {
    #[derive(Deserialize)]
    struct Stop {
        reason: Option<String>,
        reply: Option<Value>,
    }
    let Stop { reason, reply } = payload.parse()?;
    let reason = match reason.as_deref() {
        None | Some("normal") => Reason::Normal,
        Some("shutdown") => Reason::Shutdown,
        Some("custom") => Reason::ShutdownWith("custom".to_owned()),
        Some(other) => Reason::Crash(other.to_owned()),
    };
    let reply = match reply {
        None => None,
        Some(Value::String(_)) => Some(Reply::new("ok", ())?),
        Some(reply) if reply["status"] == "error" => Some(Reply::new("error", &reply["response"])?),
        Some(reply) => Some(Reply::new("ok", &reply["response"])?),
    };
    Ok(Answer::Stop(reply, reason))
}

fn set_timer(event: &str, payload: &Payload, ctx: &mut Context<'_>) -> Handled {
    let Delay { ms } = payload.parse()?;
    let due = match event {
        "timer" => {
            let Sending { event, payload } = payload.parse()?;
            Due::Push { event, payload }
        }
        "stop_later" => Due::Stop,
        _ => Due::Crash,
    };
    ctx.notify_after(Duration::from_millis(ms), Info::Room(due));
    Answer::ok(())
}

fn describe(ctx: &Context<'_>) -> Value {
    let json =
        |json: Option<&Ref>| json.and_then(|json| RawValue::from_string(json.as_json().to_owned()).ok());
    json!({
        "topic": &*ctx.about.topic,
        "ref": json(ctx.msg_ref),
        "join_ref": json(ctx.about.join_ref.as_ref()),
        "joined": true,
        "transport": "websocket",
        "id": null,
    })
}

fn bytes(event: &str, payload: Payload, ctx: &mut Context<'_>) -> Handled {
    #[derive(Deserialize)]
    struct Hex {
        event: Option<String>,
        hex: String,
    }
    if let Payload::Binary(data) = &payload {
        return match event {
            "b_echo" => Answer::ok(payload),
            "b_error" => Answer::error(payload),
            "b_len" => Answer::ok(json!({ "bytes": data.len() })),
            "b_push" => {
                ctx.push("b_msg", payload)?;
                Ok(Answer::Nothing)
            }
            "b_broadcast" => {
                ctx.broadcast("b_msg", payload)?;
                Answer::ok(())
            }
            "b_broadcast_from" => {
                ctx.broadcast_from("b_msg", payload)?;
                Answer::ok(())
            }
            _ => Err(Crash::unknown(event)),
        };
    }
    match event {
        "b_make" | "b_push_make" => {
            let Hex { event: push, hex } = payload.parse()?;
            let data = Payload::binary(from_hex(&hex).ok_or_else(|| Crash::new("no hex digits"))?);
            if event == "b_make" {
                return Answer::ok(data);
            }
            ctx.push(&push.ok_or_else(|| Crash::new("no event"))?, data)?;
            Answer::ok(())
        }
        _ => Err(Crash::unknown(event)),
    }
}

fn from_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<_>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}
