//! The event names that belong to the protocol.
//!
//! The shapes are those of serializer V2: join_ref, ref, topic, event, payload.
//!
//! Source: phoenix.js `CHANNEL_EVENTS`; Phoenix `Socket`.

/// Client to server: join a topic.
///
/// Shape: `["1","1","room:lobby","phx_join",{}]`; join_ref and ref are the same.
pub const JOIN: &str = "phx_join";
/// Client to server: leave a topic.
///
/// Shape: `["1","2","room:lobby","phx_leave",{}]`.
pub const LEAVE: &str = "phx_leave";
/// Server to client: the answer to a message.
///
/// Shape: `["1","2","room:lobby","phx_reply",{"response":{},"status":"ok"}]`.
pub const REPLY: &str = "phx_reply";
/// Server to client: the channel has ended.
///
/// Shape: `["1","1","room:lobby","phx_close",{}]`; the join_ref, twice.
pub const CLOSE: &str = "phx_close";
/// Server to client: the channel has crashed.
///
/// Shape: `["1","1","room:lobby","phx_error",{"reason":"channel_crash"}]`; the join_ref, twice. As of
/// [1.8.9](crate::Compat), the payload is `{}`.
pub const ERROR: &str = "phx_error";
/// Client to server, on [`HEARTBEAT_TOPIC`]: the connection is still wanted.
///
/// Shape: `[null,"7","phoenix","heartbeat",{}]`; phoenix.js sends one every 30 s.
pub const HEARTBEAT: &str = "heartbeat";
/// The topic of heartbeats; with any other event it is a topic like all others.
pub const HEARTBEAT_TOPIC: &str = "phoenix";
/// On the topic that is a socket's id: end that socket's connection.
///
/// Never on the wire: the connection is closed with 1001.
pub const DISCONNECT: &str = "disconnect";
