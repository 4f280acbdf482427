//! The event names that belong to the protocol.

/// Client to server: join a topic.
pub const JOIN: &str = "phx_join";
/// Client to server: leave a topic.
pub const LEAVE: &str = "phx_leave";
/// Server to client: the answer to a message.
pub const REPLY: &str = "phx_reply";
/// Server to client: the channel has ended.
pub const CLOSE: &str = "phx_close";
/// Server to client: the channel has crashed.
pub const ERROR: &str = "phx_error";
/// Client to server, on [`HEARTBEAT_TOPIC`]: the connection is still wanted.
pub const HEARTBEAT: &str = "heartbeat";
/// The topic of heartbeats; with any other event it is a topic like all others.
pub const HEARTBEAT_TOPIC: &str = "phoenix";
/// On the topic that is a socket's id: end that socket's connection.
pub const DISCONNECT: &str = "disconnect";
