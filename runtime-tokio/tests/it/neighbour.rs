//! A well-behaved client, beside others that are not.

use crate::client::Client;
use serde_json::json;
use std::cell::Cell;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

/// Where it is at home.
const HOME: &str = "room:neighbour";

/// How often it wants to be served.
const PACE: Duration = Duration::from_millis(5);

/// A client that asks, and is answered.
pub(crate) struct Neighbour {
    client: Client,
    asked: u32,
}

impl Neighbour {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let mut client = Client::connect(address).await;
        client.join(HOME).await;
        Self { client, asked: 0 }
    }

    /// Asks, and has to be answered.
    pub(crate) async fn is_served(&mut self) {
        self.asked += 1;
        let question = json!({ "n": self.asked });
        assert_eq!(self.client.call(HOME, "echo", question.clone()).await, question);
    }
}

/// Does a deed while another client of the same server is served: before it, meanwhile, and behind it.
pub(crate) async fn beside<T>(address: SocketAddr, deed: impl Future<Output = T>) -> T {
    let mut neighbour = Neighbour::connect(address).await;
    neighbour.is_served().await;
    let is_done = Cell::new(false);
    let deed = async {
        let outcome = deed.await;
        is_done.set(true);
        outcome
    };
    let meanwhile = async {
        let mut pace = tokio::time::interval(PACE);
        while !is_done.get() {
            pace.tick().await;
            neighbour.is_served().await;
        }
    };
    let (outcome, ()) = tokio::join!(deed, meanwhile);
    neighbour.is_served().await;
    outcome
}
