//! What is logged: on tokio, where the connections of a test run on its own thread.

use crate::client::{Client, until};
use crate::server::Server;
use crate::slow_consumer::lossy::{broadcast, limits, receives};
use bennu::SlowConsumer;
use std::cell::RefCell;
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

thread_local! {
    /// What connections that have ended on this thread are said to have lost.
    static LOST: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Notes it. The subscriber of the whole process: whether one of a thread is asked, other threads have a say in.
struct Log;

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Self);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Visit for Log {
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "lost" {
            LOST.with_borrow_mut(|lost| lost.push(value));
        }
    }
}

#[tokio::test]
async fn what_a_client_has_lost_is_logged_once_when_it_ends() {
    tracing::subscriber::set_global_default(Log).unwrap();
    let (server, _told) = Server::rooms_with(|socket| socket.limits(limits(SlowConsumer::DropOldest)));
    let mut stuck = Client::connect_narrow(server.address).await;
    stuck.join("room:a").await;
    let mut reader = Client::connect(server.address).await;
    reader.join("room:a").await;
    for n in 0..100 {
        broadcast(&server, "room:a", "event", n);
        receives(&mut reader, "room:a", "event", n).await;
    }
    assert!(LOST.take().is_empty());

    drop((stuck, reader));
    until("the connections to be forgotten", || server.endpoint.connections() == 0).await;

    assert_eq!(LOST.take(), [server.endpoint.lost()]);
}
