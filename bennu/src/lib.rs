//! Phoenix Channels for Rust: what an application is written against.
//!
//! A client opens one connection, a *socket*, and joins any number of *topics* over it, such as `room:lobby`. For
//! each topic that it joins it has a *channel* of its own: a value of a type of yours, whose methods are called for
//! what the client sends, and which can push to the client, or broadcast to everybody on the topic. Clients of
//! Phoenix connect over WebSocket, or by long-polling, phoenix.js first of all.
//!
//! ```
//! use bennu::Notification;
//! use bennu::prelude::*;
//! use serde::{Deserialize, Serialize};
//! use serde_json::json;
//!
//! /// Who may connect: one value for all connections.
//! struct Site;
//!
//! /// What the channels of one connection know of it.
//! struct User { name: String }
//!
//! impl Socket for Site {
//!     type Assigns = User;
//!
//!     async fn connect(&self, params: Params, _: &ConnectInfo) -> Result<User, Refused> {
//!         let name = params.str("name").ok_or_else(Refused::forbidden)?;
//!         Ok(User { name: name.to_owned() })
//!     }
//! }
//!
//! /// One client in one room.
//! struct Room { said: u32 }
//!
//! #[derive(Deserialize)]
//! struct Said { body: String }
//!
//! #[derive(Serialize)]
//! struct Message<'a> { from: &'a str, body: &'a str }
//!
//! impl Channel for Room {
//!     type Assigns = User;
//!
//!     async fn join(_topic: &str, _params: Payload, ctx: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
//!         if ctx.subtopic() == "secret" { return Err(Failure::reason("unauthorized")); }
//!         Ok(Joined::new(Room { said: 0 }))
//!     }
//!
//!     async fn handle_in(&mut self, event: &str, payload: Payload, ctx: &Context<Self>) -> Result<Reply, Failure> {
//!         match event {
//!             "new_msg" => {
//!                 let Said { body } = payload.parse()?;
//!                 self.said += 1;
//!                 ctx.broadcast("new_msg", Message { from: &ctx.assigns().name, body: &body });
//!                 Ok(Reply::ok(json!({ "said": self.said })))
//!             }
//!             _ => Err(Failure::unknown_event(event)),
//!         }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let endpoint = Endpoint::builder()
//!     .socket("/socket", bennu::socket(Site).channel::<Room>("room:*"))
//!     .build(bennu_tokio::Tokio);
//!
//! // The endpoint takes connections, as a tower service; and it broadcasts and listens, from anywhere.
//! let mut lobby = endpoint.subscribe("room:lobby");
//! endpoint.broadcast("room:lobby", "new_msg", Message { from: "the house", body: "welcome" })?;
//!
//! let Notification::Broadcast(heard) = lobby.next().await else { panic!("nothing is lost so soon") };
//! assert_eq!(&*heard.event, "new_msg");
//! assert_eq!(heard.payload.parse::<Said>()?.body, "welcome");
//! # Ok(())
//! # }
//! ```
//!
//! What a client that connected to `/socket/websocket?name=ann&vsn=2.0.0` sends (→) and receives (←). The five items of
//! a message are join_ref, ref, topic, event and payload:
//!
//! ```text
//! → ["1","1","room:lobby","phx_join",{}]
//! ← ["1","1","room:lobby","phx_reply",{"response":{},"status":"ok"}]
//! → ["1","2","room:lobby","new_msg",{"body":"hi"}]
//! ← [null,null,"room:lobby","new_msg",{"from":"ann","body":"hi"}]
//! ← ["1","2","room:lobby","phx_reply",{"response":{"said":1},"status":"ok"}]
//! ```
//!
//! # The map
//!
//! | you write | it says |
//! |---|---|
//! | [`Channel`] | who may join, and what is done with events: `join`, `handle_in`, `handle_out`, `terminate` |
//! | [`HandleInfo`] | what a channel does with messages of a type: its own, timers, other tasks', other topics' |
//! | [`Socket`] | who may connect, what the channels of a connection know, and the connection's id |
//! | [`Format`] | how messages are written, where [V1 and V2 will not do](SocketSettings::serializer): rarely needed |
//! | `main` | [`Endpoint::builder`], [`socket`] with its channels and settings, and a runtime |
//!
//! | you are given | it can |
//! |---|---|
//! | [`JoinContext`], in `join` | tell topic, assigns and connection; send messages to the channel; spawn; subscribe |
//! | [`Context`], in the other handlers | all that, and push, broadcast, stop, defer a reply |
//! | [`Handle`], [`ReplyRef`], [`Timer`] | leave the handler: send a message, answer later, take a message back |
//! | [`Endpoint`] | broadcast, subscribe, disconnect, drain, be looked at; be mounted as a service |
//! | [`Payload`] | be parsed into a type of yours, or passed on unread |
//! | [`Inbound`], [`Outbound`] | take in what a client over a [transport of your own](Endpoint::carry) sends; give out what goes to it |
//!
//! | a handler returns | it is |
//! |---|---|
//! | [`Joined`] | an accepted join: the channel's state, and a response |
//! | [`Reply`] | the answer to a message, or none |
//! | [`Failure`] | an error reply, or a crash; [`OrReason`] makes one of any `Result` or `Option` |
//! | [`Refused`] | a connection that may not be |
//!
//! | settings | of |
//! |---|---|
//! | [`Builder`] | the endpoint |
//! | [`SocketSettings`], [`Routes`] | one socket, and which channel has which topics |
//! | [`CheckOrigin`], [`ConnectInfoKeys`] | what is looked at before a connection is accepted, and kept of it |
//! | [`WebSocket`], [`LongPoll`], [`Limits`], [`Rate`] | the transports, what a client may grow, and how fast it may speak |
//! | [`SlowConsumer`] | what becomes of broadcasts for a client that takes too little |
//! | [`Compat`] | which release of Phoenix a socket follows |
//! | [`RequestLimits`] | how large the head of a request may be |
//! | [`TrustedProxies`], [`ParameterFilter`] | who is believed to speak for a client, and what is not logged |
//! | [`Drain`] | how connections are let go when the node ends |
//! | [`token`] | what clients show when they connect: `Phoenix.Token`, signed and encrypted |
//!
//! With the feature `test` there is a harness in which channels are tested on virtual time.
//!
//! [`prelude`] has what a file with channels needs. Methods of the traits open their docs with the line to copy: an
//! `async fn` is how they are implemented, whatever an editor completes.
//!
//! [Coming from Phoenix](guide::coming_from_phoenix) has Phoenix's names beside those here, and
//! [Deployment](guide::deployment) what matters on a server, with [what a node counts](guide::metrics). Where the docs name a source, it is Phoenix 1.8.12.
//!
#![doc = include_str!("docs/guide.md")]
#![doc = include_str!("docs/guarantees.md")]
#![doc = include_str!("docs/runtime.md")]
//!
//! # Features
//!
//! | feature | it adds |
//! |---|---|
//! | `metrics` | counters, gauges and histograms, for an exporter of the application's: [what a node counts](guide::metrics) |
//! | `test` | the module `test`: channels in tests, on virtual time, without a runtime |
//!
//! None is on by default.
//!
//! # Public dependencies
//!
//! Of other crates' types, these are part of this crate's interface, so that an incompatible version of theirs is one of
//! this crate's:
//!
//! | crate | where |
//! |---|---|
//! | `bennu-core` | what is re-exported here: [`Payload`], [`Params`], [`ConnectInfo`], [`CheckOrigin`], … |
//! | `bytes` 1, `http` 1 | [`Payload`], [`Refused`], [`SocketSettings::session`], the endpoint as a service, and `test::ConnectError` |
//! | `serde` 1, `serde_json` 1 | what can be sent and parsed: [`IntoPayload`], [`Payload::parse`] |
//! | `metrics` 0.24 | with the feature of that name: the recorder that the application installs is one for this version |
//! | `futures-core` 0.3 | `Stream`, for [`Subscription`] |
//! | `tower-service` 0.3 | the endpoint as a service |
//! | `hyper` 1 | `Upgraded`, in [`Runtime::adopt`]; `Body`, of requests and of [`ResponseBody`]; `rt` in [`serving`] |
//! | `http-body-util` 0.1 | `Either`, the body of what [`serving::Beside`] answers |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod admission;
mod broadcast;
mod carried;
mod channel;
mod connection;
mod context;
mod door;
mod drain;
mod endpoint;
mod erased;
mod failure;
mod flusher;
mod format;
pub mod guide;
mod heard;
mod hub;
mod index;
mod inspect;
#[cfg(all(test, bennu_loom))]
mod interleavings;
mod letter;
mod link;
mod longpoll;
mod metrics;
mod mount;
mod notice;
mod opening;
mod panics;
mod peer;
mod places;
mod reply;
mod routes;
mod run;
mod running;
mod runtime;
mod scratch;
mod service;
pub mod serving;
mod settings;
mod sleeper;
mod socket;
mod stream;
mod subscription;
mod sync;
#[cfg(feature = "test")]
#[cfg_attr(docsrs, doc(cfg(feature = "test")))]
pub mod test;
pub mod token;
mod watch;

pub use bennu_core::connect::{
    Carrier, CheckOrigin, ConnectInfo, ConnectInfoKeys, Origin, OriginEntryError, Param, ParamText, Params,
    ProxyEntryError, QueryError, RequestUri, Scheme, ShapeError, TrustedProxies,
};
pub use bennu_core::outbox::SlowConsumer;
pub use bennu_core::rate::Rate;
pub use bennu_core::server::{ChannelStage, Reason, SocketId};
pub use bennu_core::wire::{Decoded, EncodeError, Format, FormatError, Outgoing};
pub use bennu_core::{
    Compat, EventError, EventName, Frame, Instant, IntoPayload, Kind, Name, NotEncodable, ParameterFilter,
    ParseError, Payload, RawJson, Ref, RefTooLong, Topic,
};
pub use broadcast::Broadcast;
pub use carried::{Inbound, NotTaken, Outbound};
pub use channel::{Channel, HandleInfo, InfoFor, Joined};
pub use connection::ConnectionTask;
pub use context::{Context, Handle, JoinContext, NoMessage, NotifyError, ReplyRef, Timer};
pub use endpoint::{BroadcastError, Builder, Endpoint};
pub use failure::{Failure, OrReason};
pub use inspect::{InspectedChannel, InspectedSocket, Inspection};
pub use link::Transport;
pub use mount::{IntoCheckOrigin, SocketSettings, socket};
pub use reply::Reply;
pub use routes::Routes;
pub use runtime::{BoxFuture, PlainStream, Runtime};
pub use service::{ResponseBody, ResponseFuture};
pub use settings::{Drain, Limits, LongPoll, RequestLimits, WebSocket};
pub use socket::{Open, Refused, Socket};
pub use subscription::{Notification, Subscription};

pub mod prelude {
    //! What a file with channels needs.

    pub use crate::{
        Broadcast, Channel, ConnectInfo, Context, Endpoint, Failure, Handle, HandleInfo, JoinContext, Joined,
        Open, OrReason, Params, Payload, Reason, Refused, Reply, Routes, SlowConsumer, Socket,
    };
}
