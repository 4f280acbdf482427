//! Authorization by topic.

use crate::sockets::Session;
use bennu::prelude::*;
use serde_json::json;

pub(crate) struct User {
    id: String,
}

impl Channel for User {
    type Assigns = Session;

    async fn join(_: &str, _: Payload, ctx: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        let id = ctx.subtopic().to_owned();
        if ctx.assigns().user.as_deref() != Some(&*id) {
            return Err(Failure::reason("unauthorized"));
        }
        let response = json!({ "user_id": id });
        Ok(Joined::with(Self { id }, response))
    }

    async fn handle_in(&mut self, event: &str, _: Payload, _: &Context<Self>) -> Result<Reply, Failure> {
        match event {
            "whoami" => Ok(Reply::ok(json!({ "user_id": self.id }))),
            _ => Err(Failure::unknown_event(event)),
        }
    }
}
