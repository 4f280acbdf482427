//! A channel that knows nothing of how its messages are written.

use bennu::prelude::*;

/// A room in which everybody hears what anybody says.
pub(crate) struct Room;

impl Channel for Room {
    type Assigns = ();

    async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        Ok(Joined::new(Self))
    }

    async fn handle_in(
        &mut self,
        event: &str,
        payload: Payload,
        ctx: &Context<Self>,
    ) -> Result<Reply, Failure> {
        ctx.broadcast_from(event, &payload);
        Ok(Reply::ok(payload))
    }
}
