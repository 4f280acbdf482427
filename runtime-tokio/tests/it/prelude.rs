//! The first program that anybody writes.

use crate::client::Client;
use crate::server::Server;
use bennu::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

struct Room;

#[derive(Serialize, Deserialize)]
struct Message {
    body: String,
}

impl Channel for Room {
    type Assigns = ();

    async fn join(_topic: &str, _params: Payload, ctx: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        if ctx.subtopic() == "secret" {
            return Err(Failure::reason("unauthorized"));
        }
        Ok(Joined::new(Self))
    }

    async fn handle_in(
        &mut self,
        event: &str,
        payload: Payload,
        ctx: &Context<Self>,
    ) -> Result<Reply, Failure> {
        match event {
            "new_msg" => {
                let message: Message = payload.parse()?;
                ctx.broadcast("new_msg", &message);
                Ok(Reply::ok(json!({ "length": message.body.len() })))
            }
            _ => Err(Failure::unknown_event(event)),
        }
    }
}

#[tokio::test]
async fn first_room_works() {
    let endpoint = Endpoint::builder()
        .socket("/socket", bennu::socket(Open).channel::<Room>("room:*"))
        .build(crate::rt::RUNTIME);
    let server = Server::start(endpoint);
    let mut client = Client::connect(server.address).await;

    let join = client.send_join("room:secret").await;
    assert_eq!(client.reply(&join).await, ("error".into(), json!({ "reason": "unauthorized" })));

    client.join("room:lobby").await;
    let push = client.push("room:lobby", "new_msg", json!({ "body": "hello" })).await;
    assert_eq!(client.event("room:lobby", "new_msg").await, json!({ "body": "hello" }));
    assert_eq!(client.reply(&push).await, ("ok".into(), json!({ "length": 5 })));

    client.push("room:lobby", "unheard of", json!({})).await;
    client.event("room:lobby", "phx_error").await;
}
