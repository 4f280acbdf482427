//! Phoenix Channels for Rust.

mod broadcast;
mod channel;
mod connection;
mod context;
mod endpoint;
mod erased;
mod failure;
mod flusher;
mod hub;
mod index;
mod letter;
mod link;
mod mount;
mod panics;
mod peer;
mod reply;
mod routes;
mod running;
mod runtime;
mod scratch;
mod service;
mod settings;
mod sleeper;
mod socket;
mod stream;
mod subscription;

pub use bennu_core::connect::{Carrier, CheckOrigin, ConnectInfo, ConnectInfoKeys, Origin, Params, Scheme};
pub use bennu_core::server::Reason;
pub use bennu_core::{EventError, EventName, Instant, IntoPayload, ParseError, Payload, RawJson, Ref, Topic};
pub use broadcast::Broadcast;
pub use channel::{Channel, HandleInfo, InfoFor, Joined};
pub use context::{Context, Handle, JoinContext, NoMessage, NotifyError, ReplyRef, Timer};
pub use endpoint::{BroadcastError, Builder, Endpoint};
pub use failure::{Failure, OrReason};
pub use link::Transport;
pub use mount::{IntoCheckOrigin, SocketSettings, socket};
pub use reply::Reply;
pub use routes::Routes;
pub use runtime::{BoxFuture, PlainStream, Runtime};
pub use service::{ResponseBody, ResponseFuture};
pub use settings::{Limits, WebSocket};
pub use socket::{Open, Refused, Socket};
pub use subscription::{Notification, Subscription};

pub mod prelude {
    //! What a file with channels needs.

    pub use crate::{
        Broadcast, Channel, ConnectInfo, Context, Endpoint, Failure, Handle, HandleInfo, JoinContext, Joined,
        Open, OrReason, Params, Payload, Reason, Refused, Reply, Routes, Socket,
    };
}
