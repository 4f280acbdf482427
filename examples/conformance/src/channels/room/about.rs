//! What a channel knows of itself and its connection.

use super::Room;
use bennu::ConnectInfoKeys;
use bennu::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// The channel, and the message that asks.
pub(super) fn channel(ctx: &Context<Room>) -> Value {
    let json = |json: Option<&str>| json.and_then(|json| RawValue::from_string(json.to_owned()).ok());
    json!({
        "topic": ctx.topic(),
        "ref": json(ctx.msg_ref().as_ref().map(bennu::Ref::as_json)),
        "join_ref": json(ctx.join_ref().map(bennu::Ref::as_json)),
        "joined": true,
        "transport": ctx.transport().to_string(),
        "id": ctx.socket_id(),
    })
}

/// What was kept of the request that opened the connection.
pub(super) fn connection(info: &ConnectInfo) -> Value {
    let mut known = Map::new();
    let keys = info.keys();
    let mut add = |key: &str, wanted: bool, value: Value| {
        if wanted {
            known.insert(key.to_owned(), value);
        }
    };
    let has = |key: ConnectInfoKeys| keys.contains(key);
    let none = ConnectInfoKeys::new;
    let address = info.peer_data().map(|peer| json!({ "address": peer.ip().to_string() }));
    add("peer_data", has(none().peer_data()), json!(address));
    add("trace_context_headers", has(none().trace_context_headers()), json!(info.trace_context_headers()));
    add("x_headers", has(none().x_headers()), json!(info.x_headers()));
    add("sec_websocket_headers", has(none().sec_websocket_headers()), json!(info.sec_websocket_headers()));
    add("user_agent", has(none().user_agent()), json!(info.user_agent()));
    let uri = info.uri().map(|uri| {
        json!({ "scheme": uri.scheme.as_str(), "host": uri.host, "path": uri.path, "query": uri.query })
    });
    add("uri", has(none().uri()), json!(uri));
    add("auth_token", info.auth_token().is_some(), json!(info.auth_token().flatten()));
    Value::Object(known)
}
