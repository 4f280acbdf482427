//! Who may connect, and what is known of them.

use crate::app::{User, client, harness};
use bennu::prelude::*;
use bennu::test::{Dial, Harness};
use serde_json::{Value, json};

fn name_of(client: &bennu::test::Client) -> Value {
    let (_, response) = client.join("room:1", ()).unwrap();
    response.parse::<Value>().unwrap()["you"].clone()
}

// R286
#[test]
fn connect_runs_the_sockets_connect() {
    let t = harness();

    let ann = t.connect("/socket", json!({ "name": "ann" })).unwrap();
    assert_eq!(name_of(&ann), "ann");

    let refused = t.connect("/socket", ()).unwrap_err();
    assert_eq!(refused.status.as_u16(), 403);
    assert_eq!(refused.to_string(), "the connection was refused with 403 Forbidden");
}

// R286
#[test]
fn connected_client_is_subscribed_to_its_id() {
    let t = harness();
    let ann = t.connect("/socket", json!({ "name": "ann" })).unwrap();
    let bob = client(&t, "bob");

    t.endpoint.disconnect("user:ann");

    ann.assert_closed(1001);
    assert!(bob.is_connected());
    t.endpoint.disconnect("user:bob");
    bob.assert_closed(1001);
}

#[test]
fn socket_does_not_run_connect() {
    let t = harness();

    let nobody = t.socket("/socket", User { name: "nobody".to_owned() });

    assert_eq!(name_of(&nobody), "nobody");
}

#[test]
fn failed_connect_says_why() {
    let t = harness();

    let failed = t.connect("/socket", json!({ "name": "nobody" })).unwrap_err();

    assert_eq!(failed.status.as_u16(), 500);
    assert_eq!(failed.cause.as_deref(), Some("the database is gone"));
    assert!(failed.to_string().ends_with("500 Internal Server Error (the database is gone)"), "{failed}");
}

#[test]
fn request_is_looked_at_as_in_production() {
    let t = harness();

    let foreign = Dial::new("/socket").params(json!({ "name": "ann" })).header("origin", "http://evil.test");
    assert_eq!(t.connect_with(foreign).unwrap_err().status.as_u16(), 403);
    assert_eq!(t.connect("/nowhere", ()).unwrap_err().status.as_u16(), 404);
    assert_eq!(t.connect_with(Dial::new("/socket").vsn("9.0.0")).unwrap_err().status.as_u16(), 403);
}

#[test]
fn headers_and_token_reach_connect() {
    let t = harness();

    let ann = t.connect_with(Dial::new("/socket").auth_token("ann").header("user-agent", "/7")).unwrap();

    assert_eq!(name_of(&ann), "ann/7");
}

#[test]
fn address_and_scheme_of_the_client_are_known() {
    let t = harness();
    let dial = Dial::new("/socket").params(json!({ "name": "ann" }));
    let info = |dial: Dial| {
        let refused = t.connect_with(dial).unwrap().join("room:info", ()).unwrap_err();
        refused.response.parse::<Value>().unwrap()
    };

    assert_eq!(info(dial.clone()), json!({ "peer": null, "url": "http://localhost" }));
    let far = dial.peer(([192, 0, 2, 1], 7).into()).https().header("host", "example.com");
    assert_eq!(info(far), json!({ "peer": "192.0.2.1:7", "url": "https://example.com" }));
}

#[test]
fn path_has_variables_and_a_transport_of_its_own() {
    let t = harness();

    let ann = t.connect("/orgs/ann/live", ()).unwrap();

    assert_eq!(name_of(&ann), "ann");
}

#[test]
fn client_of_serializer_v1_is_told_the_same() {
    let t = harness();
    let old = t.connect_with(Dial::new("/socket").vsn("1.0.0").params(json!({ "name": "ann" }))).unwrap();

    let (mut room, _) = old.join("room:warm", ()).unwrap();
    room.assert_push("welcome", json!({ "name": "ann" }));
    let echo = room.push("echo", json!({ "n": 1 }));
    room.assert_reply(&echo, "ok", json!({ "n": 1 }));
    room.leave();
    room.assert_end(&Reason::Left);
}

#[test]
fn limits_of_the_endpoint_hold() {
    let t = Harness::new(crate::app::endpoint().max_connections(1));
    let ann = t.connect("/socket", json!({ "name": "ann" })).unwrap();

    assert_eq!(t.connect("/socket", json!({ "name": "bob" })).unwrap_err().status.as_u16(), 503);

    ann.close();
    assert!(t.connect("/socket", json!({ "name": "bob" })).is_ok());
}

#[test]
fn endpoint_has_one_shard_whatever_its_builder_says() {
    let t = Harness::new(crate::app::endpoint().shards(8));

    for name in ["ann", "bob", "eve"] {
        let refused = client(&t, name).join("room:shard", ()).unwrap_err();
        assert_eq!(refused.response.parse::<u32>().unwrap(), 0);
    }
}
