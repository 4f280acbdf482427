//! What happens when something of the application is dropped.

use crate::client::{Client, until};
use crate::rt::RUNTIME;
use crate::server::Server;
use bennu::prelude::*;
use serde_json::json;
use std::time::Duration;

/// A message that broadcasts when it is dropped.
struct Will(Endpoint);

impl Drop for Will {
    fn drop(&mut self) {
        let _ = self.0.broadcast("keeper:heir", "will", json!({}));
    }
}

/// A channel that keeps a message for later.
struct Keeper;

impl Channel for Keeper {
    type Assigns = ();

    async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        Ok(Joined::new(Self))
    }

    async fn handle_in(&mut self, _: &str, _: Payload, ctx: &Context<Self>) -> Result<Reply, Failure> {
        ctx.notify_after(Duration::from_secs(60), Will(ctx.endpoint()));
        Ok(Reply::ok(()))
    }
}

impl HandleInfo<Will> for Keeper {
    async fn handle_info(&mut self, _: Will, _: &Context<Self>) -> Result<(), Failure> {
        Ok(())
    }
}

/// A state that panics when it is dropped.
struct Brittle;

impl Drop for Brittle {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

impl Channel for Brittle {
    type Assigns = ();

    async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        Ok(Joined::new(Self))
    }
}

fn server() -> Server {
    let socket = bennu::socket(Open).channel::<Keeper>("keeper:*").channel::<Brittle>("brittle:*");
    Server::start(Endpoint::builder().shards(1).socket("/socket", socket).build(RUNTIME))
}

// Not by the attribute: where this fails a lock is held for good, and a runtime would wait for its tasks.
#[test]
fn message_may_broadcast_when_it_is_dropped_with_its_channel() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();

    let heard = runtime.block_on(async {
        let server = server();
        let mut client = Client::connect(server.address).await;
        let mut heir = Client::connect(server.address).await;
        client.join("keeper:a").await;
        heir.join("keeper:heir").await;
        client.call("keeper:a", "keep", json!({})).await;

        let leave = client.push("keeper:a", "phx_leave", json!({})).await;

        let heard = tokio::time::timeout(Duration::from_secs(5), async {
            client.reply(&leave).await;
            heir.event("keeper:heir", "will").await;
        });
        let heard = heard.await;
        std::mem::forget(server);
        heard
    });
    runtime.shutdown_background();

    heard.expect("the leave is answered, and the broadcast arrives");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_that_panics_when_it_is_dropped_harms_nobody_and_leaves_nothing_behind() {
    let server = server();
    let mut client = Client::connect(server.address).await;
    client.join("keeper:a").await;
    client.join("brittle:a").await;
    client.join("brittle:b").await;

    let leave = client.push("brittle:a", "phx_leave", json!({})).await;

    assert_eq!(client.reply(&leave).await.0, "ok");
    client.event("brittle:a", "phx_close").await;
    client.call("keeper:a", "keep", json!({})).await;
    drop(client);
    until("the connection to be forgotten", || server.endpoint.connections() == 0).await;
    Client::connect(server.address).await.heartbeat().await;
}
