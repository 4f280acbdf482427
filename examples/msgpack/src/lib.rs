//! A serializer of one's own: Phoenix Channels in MessagePack.
//!
//! [`MsgPack`] is the serializer, [`endpoint`] a server that has it beside V1 and V2.

mod format;
mod room;

pub use format::MsgPack;

use bennu::{Builder, Endpoint, Open};
use room::Room;
use std::sync::Arc;

/// Rooms at `/socket`: in MessagePack for clients that ask for version 3, in JSON for all others.
pub fn endpoint() -> Builder {
    let socket = bennu::socket(Open).channel::<Room>("room:*").serializer("~> 3.0.0", Arc::new(MsgPack));
    Endpoint::builder().socket("/socket", socket)
}
