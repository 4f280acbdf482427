//! The application under test.

use bennu::prelude::*;
use bennu::test::{Client, Harness};
use bennu::{Builder, ConnectInfoKeys, Timer};
use serde_json::{Value, json};
use std::time::Duration;

/// A socket for those who say who they are.
pub(crate) struct Site;

/// Who is connected.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) name: String,
}

impl Socket for Site {
    type Assigns = User;

    async fn connect(&self, params: Params, info: &ConnectInfo) -> Result<User, Refused> {
        let name =
            info.auth_token().flatten().or_else(|| params.str("name")).ok_or_else(Refused::forbidden)?;
        match name {
            "nobody" => return Err("the database is gone".into()),
            "slow" => std::future::pending().await,
            _ => {}
        }
        let agent = info.user_agent().unwrap_or_default();
        Ok(User { name: format!("{name}{agent}") })
    }

    fn id(&self, user: &User) -> Option<String> {
        Some(format!("user:{}", user.name))
    }
}

/// A channel that does what the event says.
#[derive(Default)]
pub(crate) struct Room {
    timer: Option<Timer>,
}

/// A message that is pushed.
#[derive(Debug)]
pub(crate) struct Note(pub(crate) &'static str);

/// A message that a room sends itself without end.
struct Again;

impl Channel for Room {
    type Assigns = User;
    const INTERCEPTS: &'static [&'static str] = &["whisper"];

    async fn join(_: &str, payload: Payload, ctx: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        match ctx.subtopic() {
            "secret" => return Err(Failure::reason("unauthorized")),
            "broken" => panic!("no such table"),
            "slow" => ctx.sleep(Duration::from_secs(60)).await,
            "stuck" => std::future::pending().await,
            "info" => {
                let (peer, uri) = (ctx.info().peer_data(), ctx.info().uri().or_reason("no uri")?);
                return Err(Failure::reply(
                    json!({ "peer": peer, "url": format!("{}://{}", uri.scheme.as_str(), uri.host) }),
                ));
            }
            "shard" => return Err(Failure::reply(ctx.socket().shard())),
            _ => {}
        }
        Ok(Joined::with(Self::default(), json!({ "you": ctx.assigns().name, "sent": payload.raw() })))
    }

    async fn after_join(&mut self, ctx: &Context<Self>) -> Result<(), Failure> {
        if ctx.subtopic() == "warm" {
            ctx.push("welcome", json!({ "name": ctx.assigns().name }));
        }
        Ok(())
    }

    async fn handle_in(
        &mut self,
        event: &str,
        payload: Payload,
        ctx: &Context<Self>,
    ) -> Result<Reply, Failure> {
        match event {
            "echo" => return Ok(Reply::ok(payload)),
            "refuse" => return Err(Failure::reason("no")),
            "accept" => return Ok(Reply::with_status("accepted", ())),
            "push" => ctx.push("pushed", payload),
            "say" => ctx.broadcast("said", payload),
            "tell" => ctx.broadcast_from("told", payload),
            "sleep" => {
                ctx.sleep(Duration::from_secs(3600)).await;
                ctx.push("woke", ());
                return Ok(Reply::ok(json!({ "slept": 3600 })));
            }
            "later" => {
                let reply = ctx.reply_ref()?;
                let sleep = ctx.sleep(Duration::from_secs(10));
                ctx.spawn(async move {
                    sleep.await;
                    reply.send(Reply::ok(json!({ "late": true })));
                });
            }
            "remind" => self.timer = Some(ctx.notify_after(Duration::from_millis(1500), Note("now"))),
            "forget" => {
                let cancelled = self.timer.take().is_some_and(|timer| timer.cancel());
                return Ok(Reply::ok(json!({ "cancelled": cancelled })));
            }
            "wait" => std::future::pending().await,
            "spawn" => ctx.spawn(std::future::pending()),
            "circle" => ctx.notify(Again),
            "listen" => ctx.subscribe("news"),
            "stop" => ctx.stop(Reason::ShutdownWith("done".to_owned())),
            "crash" => return Err(Failure::crash("out of paper")),
            "panic" => panic!("what now?"),
            _ => return Err(Failure::unknown_event(event)),
        }
        Ok(Reply::none())
    }

    async fn handle_out(
        &mut self,
        event: &str,
        payload: Payload,
        ctx: &Context<Self>,
    ) -> Result<(), Failure> {
        if payload.parse::<Value>()?["to"] == *ctx.assigns().name {
            ctx.push(event, payload);
        }
        Ok(())
    }

    async fn terminate(&mut self, reason: &Reason, ctx: &Context<Self>) {
        ctx.broadcast_from("left", json!({ "name": ctx.assigns().name, "reason": format!("{reason:?}") }));
    }
}

impl HandleInfo<Note> for Room {
    async fn handle_info(&mut self, note: Note, ctx: &Context<Self>) -> Result<(), Failure> {
        if note.0.is_empty() {
            return Err(Failure::crash("an empty note"));
        }
        ctx.push("note", json!({ "text": note.0 }));
        Ok(())
    }
}

impl HandleInfo<Again> for Room {
    async fn handle_info(&mut self, _: Again, ctx: &Context<Self>) -> Result<(), Failure> {
        ctx.notify(Again);
        Ok(())
    }
}

impl HandleInfo<Broadcast> for Room {
    async fn handle_info(&mut self, heard: Broadcast, ctx: &Context<Self>) -> Result<(), Failure> {
        ctx.push("heard", heard.payload);
        Ok(())
    }
}

/// Another channel than [`Room`].
pub(crate) struct Other;

impl Channel for Other {
    type Assigns = User;

    async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        Ok(Joined::new(Self))
    }
}

pub(crate) fn endpoint() -> Builder {
    let site = || bennu::socket(Site).channel::<Room>("room:*").channel::<Other>("other");
    let keys = ConnectInfoKeys::new().user_agent().peer_data().uri();
    Endpoint::builder()
        .socket("/socket", site().connect_info(keys).auth_token())
        .socket("/orgs/{name}", site().websocket(bennu::WebSocket::new().path("live")))
}

pub(crate) fn harness() -> Harness {
    Harness::new(endpoint())
}

/// A client of that name.
pub(crate) fn client(t: &Harness, name: &str) -> Client {
    t.socket("/socket", User { name: name.to_owned() })
}
