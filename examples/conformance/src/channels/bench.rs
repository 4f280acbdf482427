//! The channel that load runs talk to.

use crate::sockets::Session;
use bennu::prelude::*;

pub(crate) struct Bench;

impl Channel for Bench {
    type Assigns = Session;

    async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        Ok(Joined::new(Self))
    }

    async fn handle_in(
        &mut self,
        event: &str,
        payload: Payload,
        ctx: &Context<Self>,
    ) -> Result<Reply, Failure> {
        match event {
            "echo" => Ok(Reply::ok(payload)),
            "broadcast" => {
                ctx.broadcast("msg", payload);
                Ok(Reply::none())
            }
            "broadcast_ack" => {
                ctx.broadcast("msg", payload);
                Ok(Reply::ok(()))
            }
            _ => Err(Failure::unknown_event(event)),
        }
    }
}
