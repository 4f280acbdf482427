//! What the application's own log lines say by the spans that they stand in.

use crate::app::{Site, User};
use bennu::prelude::*;
use bennu::test::Harness;
use bennu::{LongPoll, Params};
use futures_util::FutureExt as _;
use http::Request;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Level, Metadata, Subscriber};

/// Keeps the spans, and of this module's events what they say and in which spans they were.
#[derive(Clone)]
struct Tree {
    level: Level,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    /// All that there ever were: `join topic="room:1" …`.
    spans: BTreeMap<u64, String>,
    /// Those that are entered, the innermost last.
    entered: Vec<u64>,
    said: Vec<String>,
}

/// What was recorded, but for the numbers of connections, which differ.
#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let value = match (field.name(), format!("{value:?}")) {
            ("socket", value) if value.starts_with("socket ") => "its own".to_owned(),
            (_, value) => value,
        };
        self.0.push_str(&format!(" {field}={value}"));
    }
}

impl Tree {
    fn at(level: Level) -> Self {
        Self { level, kept: Arc::default() }
    }

    fn said(&self) -> Vec<String> {
        std::mem::take(&mut self.kept.lock().unwrap().said)
    }

    fn spans(&self) -> Vec<String> {
        self.kept.lock().unwrap().spans.values().cloned().collect()
    }
}

impl Subscriber for Tree {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields(attributes.metadata().name().to_owned());
        attributes.record(&mut fields);
        let mut kept = self.kept.lock().unwrap();
        let id = kept.spans.len() as u64 + 1;
        kept.spans.insert(id, fields.0);
        Id::from_u64(id)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        if event.metadata().target() != module_path!() {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut kept = self.kept.lock().unwrap();
        let within: Vec<_> = kept.entered.iter().map(|id| &*kept.spans[id]).collect();
        let line = format!("{} in {}", fields.0.trim_start(), within.join(" > "));
        kept.said.push(line);
    }

    fn enter(&self, id: &Id) {
        self.kept.lock().unwrap().entered.push(id.into_u64());
    }

    fn exit(&self, id: &Id) {
        assert_eq!(self.kept.lock().unwrap().entered.pop(), Some(id.into_u64()));
    }
}

/// Says what is run of it.
struct Talker;

impl Channel for Talker {
    type Assigns = User;
    const INTERCEPTS: &'static [&'static str] = &["whisper"];

    async fn join(_: &str, _: Payload, ctx: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        ctx.sleep(Duration::from_secs(1)).await;
        tracing::info!("joins");
        Ok(Joined::new(Self))
    }

    async fn after_join(&mut self, _: &Context<Self>) -> Result<(), Failure> {
        tracing::info!("has joined");
        Ok(())
    }

    async fn handle_in(&mut self, event: &str, _: Payload, ctx: &Context<Self>) -> Result<Reply, Failure> {
        tracing::info!("begins");
        if event == "wait" {
            ctx.sleep(Duration::from_secs(1)).await;
            tracing::info!("ends");
        }
        Ok(Reply::none())
    }

    async fn handle_out(&mut self, _: &str, _: Payload, _: &Context<Self>) -> Result<(), Failure> {
        tracing::info!("lets out");
        Ok(())
    }

    async fn terminate(&mut self, _: &Reason, _: &Context<Self>) {
        tracing::info!("terminates");
    }
}

impl HandleInfo<u8> for Talker {
    async fn handle_info(&mut self, _: u8, _: &Context<Self>) -> Result<(), Failure> {
        tracing::info!("is told");
        Ok(())
    }
}

/// A client that has joined two topics, waits in a handler of one, and leaves both.
fn talk() {
    let t =
        Harness::new(Endpoint::builder().socket("/socket", bennu::socket(Site).channel::<Talker>("room:*")));
    let ann = t.socket("/socket", User { name: "ann".to_owned() });
    let joining = [ann.begin_join("room:1", ()), ann.begin_join("room:2", ())];
    t.advance(Duration::from_secs(1));
    let [mut one, mut two] = joining.map(|joining| joining.answer().unwrap().0);
    one.push("wait", ());
    two.push("go", ());
    t.advance(Duration::from_secs(1));
    t.endpoint.broadcast("room:2", "whisper", ()).unwrap();
    one.handle::<Talker>().notify(7u8).unwrap();
    two.leave();
}

#[test]
fn what_a_handler_says_is_said_of_its_topic_and_event() {
    let tree = Tree::at(Level::DEBUG);
    with_default(tree.clone(), talk);

    let span = |name: &str, topic: &str, event: &str| {
        let of = "channel=\"harness::spans::Talker\" socket=its own";
        format!("{name} topic=\"{topic}\"{event} {of}")
    };
    let said = |what: &str, span: String| format!("message={what} in {span}");
    let wait = || span("handle_in", "room:1", " event=\"wait\"");
    let mut expected = vec![];
    for topic in ["room:1", "room:2"] {
        expected.push(said("joins", span("join", topic, "")));
        expected.push(said("has joined", span("handle_info", topic, "")));
    }
    expected.extend([
        said("begins", wait()),
        said("begins", span("handle_in", "room:2", " event=\"go\"")),
        said("ends", wait()),
        said("lets out", span("handle_out", "room:2", " event=\"whisper\"")),
        said("is told", span("handle_info", "room:1", "")),
        said("terminates", span("terminate", "room:2", "")),
    ]);
    let mut heard = tree.said();
    // Which of the joins ends first is not said here.
    heard[..4].sort();
    expected[..4].sort();
    assert_eq!(heard, expected);
}

#[test]
fn there_is_no_span_where_nobody_listens_to_it() {
    let tree = Tree::at(Level::INFO);
    with_default(tree.clone(), talk);

    assert_eq!(tree.spans(), [""; 0]);
    assert_eq!(tree.said()[4], "message=begins in ");
}

/// Says who connects.
struct Door;

impl Socket for Door {
    type Assigns = ();

    async fn connect(&self, _: Params, _: &ConnectInfo) -> Result<(), Refused> {
        tracing::info!("connects");
        Ok(())
    }
}

#[test]
fn what_is_said_while_a_request_is_answered_is_said_of_its_socket_and_no_secret_with_it() {
    let tree = Tree::at(Level::DEBUG);
    with_default(tree.clone(), || {
        let socket = bennu::socket(Door).longpoll(LongPoll::new());
        let t = Harness::new(Endpoint::builder().socket("/{token}/socket", socket));
        for path in ["/hunter2/socket/longpoll?vsn=2.0.0&password=hunter2", "/hunter2/elsewhere"] {
            let request =
                Request::get(path).header("x-phoenix-longpoll-token", "hunter2").body(String::new());
            t.endpoint.answer(request.unwrap()).now_or_never().expect("it is answered at once").unwrap();
        }
    });

    let request = r#"request method="GET" socket="/{token}/socket""#;
    assert_eq!(tree.spans(), [request, r#"request method="GET""#]);
    assert_eq!(tree.said(), [format!("message=connects in {request}")]);
}
