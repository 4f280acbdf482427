//! The application under test: rooms that do what they are told, and tell what happens to them.

use bennu::prelude::*;
use bennu::{IntoPayload, Timer};
use serde::Deserialize;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc};

/// What the channels and their test share.
#[derive(Clone)]
pub(crate) struct Probe {
    tell: mpsc::UnboundedSender<String>,
    gate: Arc<Semaphore>,
    handle: Arc<Mutex<Option<Handle<Room>>>>,
}

/// The test's end of it.
pub(crate) struct Told {
    told: mpsc::UnboundedReceiver<String>,
    probe: Probe,
}

impl Probe {
    pub(crate) fn new() -> (Self, Told) {
        let (tell, told) = mpsc::unbounded_channel();
        let probe = Self { tell, gate: Arc::new(Semaphore::new(0)), handle: Arc::default() };
        (probe.clone(), Told { told, probe })
    }

    pub(crate) fn tell(&self, what: impl Into<String>) {
        let _ = self.tell.send(what.into());
    }

    /// Waits until the test lets one pass. Tells when it is dropped instead.
    pub(crate) async fn pass(&self, who: &'static str) {
        let mut guard = Guard { probe: self, who: Some(who) };
        self.tell(format!("{who} waits"));
        self.gate.acquire().await.expect("never closed").forget();
        guard.who = None;
    }
}

struct Guard<'a> {
    probe: &'a Probe,
    who: Option<&'static str>,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if let Some(who) = self.who {
            self.probe.tell(format!("{who} dropped"));
        }
    }
}

impl Told {
    /// The next thing told.
    pub(crate) async fn next(&mut self) -> String {
        crate::client::soon("the application to tell something", self.told.recv()).await.expect("a probe")
    }

    /// Lets so many pass.
    pub(crate) fn let_pass(&self, how_many: usize) {
        self.probe.gate.add_permits(how_many);
    }

    /// The handle that a room has given away.
    pub(crate) fn handle(&self) -> Handle<Room> {
        self.probe.handle.lock().expect("nobody panics with it").take().expect("one was given")
    }

    /// Whether nothing has been told.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.told.try_recv().is_err()
    }
}

/// A socket whose channels share a probe.
pub(crate) struct Probing(pub(crate) Probe);

impl Socket for Probing {
    type Assigns = Probe;

    async fn connect(&self, params: Params, _: &ConnectInfo) -> Result<Probe, Refused> {
        if params.str("slow").is_some() {
            self.0.pass("connect").await;
        }
        Ok(self.0.clone())
    }

    fn id(&self, _: &Probe) -> Option<String> {
        Some("socket:everybody".to_owned())
    }
}

/// A channel that does what the event says.
#[derive(Default)]
pub(crate) struct Room {
    count: u64,
    timer: Option<Timer>,
    /// Until when it sends itself messages.
    spin_until: Option<Instant>,
}

/// A message that is pushed to the client.
#[derive(Debug)]
pub(crate) struct Note(pub(crate) &'static str);

/// A message that makes a room send itself another.
struct Spin;

/// A message that makes a room panic.
struct Panic;

#[derive(Deserialize)]
struct About {
    #[serde(default)]
    topic: String,
    #[serde(default)]
    millis: u64,
    #[serde(default)]
    bytes: usize,
    #[serde(default)]
    times: usize,
}

impl Channel for Room {
    type Assigns = Probe;
    const INTERCEPTS: &'static [&'static str] = &["panic_out"];

    async fn join(_: &str, _: Payload, ctx: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        match ctx.subtopic() {
            "slow" => ctx.assigns().pass("join").await,
            "panic" => panic!("in join"),
            _ => {}
        }
        Ok(Joined::new(Self::default()))
    }

    async fn handle_in(
        &mut self,
        event: &str,
        payload: Payload,
        ctx: &Context<Self>,
    ) -> Result<Reply, Failure> {
        self.count += 1;
        match event {
            "echo" => return Ok(Reply::ok(payload)),
            "count" => return Ok(Reply::ok(json!({ "n": self.count }))),
            "shout" => {
                ctx.broadcast("shout", payload);
                return Ok(Reply::ok(()));
            }
            "tell_others" => ctx.broadcast_from("told", payload),
            "grow" => {
                let about: About = payload.parse()?;
                return Ok(Reply::ok(json!({ "text": "x".repeat(about.bytes) })));
            }
            "push_much" => {
                let about: About = payload.parse()?;
                for _ in 0..about.times {
                    ctx.push("much", text_of(about.bytes));
                }
            }
            "spin" => {
                let about: About = payload.parse()?;
                self.spin_until = Some(Instant::now() + Duration::from_millis(about.millis));
                ctx.notify(Spin);
                return Ok(Reply::ok(()));
            }
            "halt" => {
                let spins = self.spin_until.take().is_some_and(|until| Instant::now() < until);
                return Ok(Reply::ok(json!({ "spins": spins })));
            }
            "wait" => {
                ctx.assigns().pass("handler").await;
                return Ok(Reply::ok(()));
            }
            "panic" => panic!("in handle_in"),
            "panic_later" => {
                tokio::task::yield_now().await;
                panic!("in handle_in, later");
            }
            "panic_info" => ctx.notify(Panic),
            "panic_out" => ctx.broadcast("panic_out", payload),
            "later" => {
                let (reply, probe) = (ctx.reply_ref()?, ctx.assigns().clone());
                ctx.spawn(async move {
                    probe.pass("task").await;
                    reply.send(Reply::ok(json!({ "at": "last" })));
                    probe.tell("replied");
                });
            }
            "stop" => {
                ctx.stop(Reason::Normal);
                ctx.push("pushed", json!({ "before": "the reply" }));
                return Ok(Reply::ok(()));
            }
            "stop_twice" => {
                ctx.stop(Reason::Crash("first".to_owned()));
                ctx.stop(Reason::ShutdownWith("last".to_owned()));
            }
            "stop_and_crash" => {
                ctx.stop(Reason::Normal);
                return Err(Failure::crash("outranks"));
            }
            "push_number" => ctx.push("pushed", 5),
            "reply_unwritable" => return Ok(Reply::ok(Unwritable)),
            "broadcast_unwritable" => ctx.broadcast("never", Unwritable),
            "notify" => ctx.notify(Note("now")),
            "notify_after" => {
                let about: About = payload.parse()?;
                self.timer = Some(ctx.notify_after(Duration::from_millis(about.millis), Note("later")));
            }
            "cancel" => {
                let cancelled = self.timer.take().is_some_and(Timer::cancel);
                return Ok(Reply::ok(json!({ "cancelled": cancelled })));
            }
            "give_handle" => {
                let mut handle = ctx.assigns().handle.lock().expect("nobody panics with it");
                *handle = Some(ctx.handle());
                return Ok(Reply::ok(()));
            }
            "subscribe" => ctx.subscribe(&payload.parse::<About>()?.topic),
            "unsubscribe" => ctx.unsubscribe(&payload.parse::<About>()?.topic),
            other => return Err(Failure::unknown_event(other)),
        }
        Ok(Reply::none())
    }

    async fn handle_out(&mut self, _: &str, _: Payload, _: &Context<Self>) -> Result<(), Failure> {
        panic!("in handle_out");
    }

    async fn terminate(&mut self, reason: &Reason, ctx: &Context<Self>) {
        ctx.push("goodbye", json!({ "count": self.count }));
        ctx.assigns().tell(format!("terminate {reason:?} after {}", self.count));
        match ctx.subtopic() {
            "panics_at_the_end" => panic!("in terminate"),
            "lingers" => ctx.assigns().pass("terminate").await,
            _ => {}
        }
    }
}

impl HandleInfo<Note> for Room {
    async fn handle_info(&mut self, note: Note, ctx: &Context<Self>) -> Result<(), Failure> {
        ctx.push("note", json!({ "text": note.0 }));
        Ok(())
    }
}

impl HandleInfo<Spin> for Room {
    async fn handle_info(&mut self, _: Spin, ctx: &Context<Self>) -> Result<(), Failure> {
        if self.spin_until.is_some_and(|until| Instant::now() < until) {
            ctx.notify(Spin);
        }
        Ok(())
    }
}

impl HandleInfo<Panic> for Room {
    async fn handle_info(&mut self, _: Panic, _: &Context<Self>) -> Result<(), Failure> {
        panic!("in handle_info");
    }
}

impl HandleInfo<Broadcast> for Room {
    async fn handle_info(&mut self, broadcast: Broadcast, ctx: &Context<Self>) -> Result<(), Failure> {
        ctx.push("heard", json!({ "on": &*broadcast.topic, "event": &*broadcast.event }));
        Ok(())
    }
}

/// What cannot be written as JSON.
struct Unwritable;

impl serde::Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("unwritable"))
    }
}

/// A payload of so many bytes of text.
pub(crate) fn text_of(bytes: usize) -> Payload {
    json!({ "text": "x".repeat(bytes) }).into_payload().expect("it is JSON")
}
