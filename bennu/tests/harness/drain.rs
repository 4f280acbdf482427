//! How a node, or one socket of it, lets go of its clients.

use crate::app::{Room, Site, User, client};
use bennu::prelude::*;
use bennu::test::{Client, Harness, Member};
use bennu::{Drain, SocketSettings};
use serde_json::json;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

fn site() -> SocketSettings<Site> {
    bennu::socket(Site).channel::<Room>("room:*")
}

/// One channel ends every second, and all that are left after a minute.
fn slowly() -> Drain {
    Drain::new().batch_size(1).interval(SECOND).limit(60 * SECOND)
}

fn harness(drain: Drain) -> Harness {
    Harness::new(
        Endpoint::builder()
            .socket("/socket", site().drain(drain))
            .socket("/calm", site().drain(Drain::off())),
    )
}

fn begin_drain(t: &Harness) {
    let endpoint = t.endpoint.clone();
    t.spawn(async move { endpoint.drain().await });
}

fn begin_drain_of(t: &Harness, path: &'static str) {
    let endpoint = t.endpoint.clone();
    t.spawn(async move {
        let _ = endpoint.drain_socket(path).await;
    });
}

fn in_a_room(t: &Harness, name: &str) -> (Client, Member) {
    let client = client(t, name);
    let (member, _) = client.join(&format!("room:{name}"), ()).unwrap();
    (client, member)
}

fn connected(clients: &[Client]) -> usize {
    clients.iter().filter(|client| client.is_connected()).count()
}

// R84
#[test]
fn node_lets_go_in_batches_and_serves_those_who_wait() {
    let t = harness(slowly());
    let (clients, mut members): (Vec<_>, Vec<_>) =
        ["ann", "bob", "eve"].map(|name| in_a_room(&t, name)).into_iter().unzip();

    begin_drain(&t);
    assert_eq!(connected(&clients), 2);
    t.advance(SECOND - MILLI);
    assert_eq!(connected(&clients), 2);
    let last = members.last_mut().unwrap();
    let echo = last.push("echo", ());
    last.assert_reply(&echo, "ok", ());
    t.advance(MILLI);
    assert_eq!(connected(&clients), 1);
    t.advance(SECOND);

    assert_eq!(connected(&clients), 0);
    for (client, member) in clients.iter().zip(&mut members) {
        client.assert_closed(1012);
        member.assert_end(&Reason::Draining);
    }
}

// R84
#[test]
fn whoever_is_left_at_the_limit_is_let_go_at_once() {
    let t = harness(slowly().limit(1500 * MILLI));
    let (clients, _members): (Vec<_>, Vec<_>) =
        ["a", "b", "c", "d", "e"].map(|name| in_a_room(&t, name)).into_iter().unzip();

    begin_drain(&t);
    t.advance(1499 * MILLI);
    assert_eq!(connected(&clients), 3);
    t.advance(MILLI);

    assert_eq!(connected(&clients), 0);
}

#[test]
fn node_that_drains_takes_nobody_from_its_first_moment() {
    let t = harness(slowly());
    let (clients, _members): (Vec<_>, Vec<_>) =
        ["ann", "bob"].map(|name| in_a_room(&t, name)).into_iter().unzip();

    begin_drain(&t);

    assert_eq!(connected(&clients), 1);
    for path in ["/socket", "/calm"] {
        let refused = t.connect(path, json!({ "name": "eve" })).unwrap_err();
        assert_eq!(refused.status.as_u16(), 503);
    }
}

#[test]
fn clients_without_channels_are_let_go_with_their_node() {
    let t = harness(slowly());
    let clients = ["ann", "bob"].map(|name| client(&t, name));

    begin_drain(&t);
    assert_eq!(connected(&clients), 1);
    t.advance(SECOND);

    clients.iter().for_each(|client| client.assert_closed(1012));
}

// R85
#[test]
fn socket_without_batches_is_let_go_behind_the_others_at_once() {
    let t = harness(slowly());
    let (others, _members): (Vec<_>, Vec<_>) =
        ["ann", "bob"].map(|name| in_a_room(&t, name)).into_iter().unzip();
    let calm = ["eve", "dan"].map(|name| t.socket("/calm", User { name: name.to_owned() }));
    let _rooms = calm.each_ref().map(|client| client.join("room:1", ()).unwrap());

    begin_drain_of(&t, "/calm");
    assert_eq!(connected(&calm), 2);
    begin_drain(&t);
    t.advance(SECOND - MILLI);
    assert_eq!((connected(&others), connected(&calm)), (1, 2));
    t.advance(MILLI);

    assert_eq!(connected(&others), 0);
    calm.iter().for_each(|client| client.assert_closed(1012));
}

// R84
#[test]
fn drained_socket_takes_new_clients_and_can_be_drained_again() {
    let t = harness(slowly());
    for _ in 0..3 {
        let (joined, mut room) = in_a_room(&t, "ann");
        let idle = client(&t, "bob");
        let other = t.socket("/calm", User { name: "eve".to_owned() });

        begin_drain_of(&t, "/socket");

        joined.assert_closed(1012);
        room.assert_end(&Reason::Draining);
        let (later, _room) = in_a_room(&t, "dan");
        t.advance(5 * SECOND);
        assert!(later.is_connected(), "who came after the drain began is left alone");
        assert!(
            idle.is_connected() && other.is_connected(),
            "so are those without a channel, and other sockets"
        );
        later.close();
    }
}

#[test]
fn drain_of_a_socket_counts_and_knows_what_is_mounted() {
    let t = harness(Drain::new());
    let _rooms = ["ann", "bob"].map(|name| in_a_room(&t, name));
    let _idle = client(&t, "eve");
    let (tell, told) = std::sync::mpsc::channel();
    let endpoint = t.endpoint.clone();

    t.spawn(async move {
        for path in ["/socket", "/socket", "/calm", "/nowhere"] {
            tell.send(endpoint.drain_socket(path).await).unwrap();
        }
    });

    assert_eq!(told.try_iter().collect::<Vec<_>>(), [Some(2), Some(0), Some(0), None]);
}
