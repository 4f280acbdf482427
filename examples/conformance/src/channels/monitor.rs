//! A channel that receives broadcasts, and nothing else.

use crate::sockets::Session;
use bennu::prelude::*;

pub(crate) struct Monitor;

impl Channel for Monitor {
    type Assigns = Session;

    async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        Ok(Joined::new(Self))
    }
}
