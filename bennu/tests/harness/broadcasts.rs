//! Broadcasts: who hears them.

use crate::app::{client, harness};
use bennu::test::Arrival;
use serde_json::json;

// R282
#[test]
fn subscribed_test_hears_the_broadcasts_of_the_channel() {
    let t = harness();
    let (mut room, _) = client(&t, "ann").subscribe_and_join("room:1", ()).unwrap();

    room.push("say", json!({ "n": 1 }));
    room.push("tell", json!({ "n": 2 }));

    room.assert_broadcast("said", json!({ "n": 1 }));
    room.assert_broadcast("told", json!({ "n": 2 }));
    room.assert_push("said", json!({ "n": 1 }));
    room.refute_push("told");
    room.refute_broadcast("said");
}

#[test]
fn listener_hears_a_topic_that_nobody_has_joined() {
    let t = harness();
    let mut news = t.subscribe("news");

    t.endpoint.broadcast("news", "flash", json!({ "n": 1 })).unwrap();
    t.endpoint.broadcast("other", "flash", json!({ "n": 2 })).unwrap();

    assert_eq!(&*news.next().unwrap().event, "flash");
    assert_eq!(news.next(), None);
    news.refute_broadcast("flash");
}

#[test]
fn clients_hear_one_another_and_the_endpoint() {
    let t = harness();
    let (ann, bob) = (client(&t, "ann"), client(&t, "bob"));
    let (mut anns, _) = ann.join("room:1", ()).unwrap();
    let (mut bobs, _) = bob.join("room:1", ()).unwrap();

    anns.push("tell", json!({ "n": 1 }));
    t.endpoint.broadcast("room:1", "said", json!({ "n": 2 })).unwrap();
    t.endpoint.broadcast("room:1", "whisper", json!({ "to": "bob" })).unwrap();

    bobs.assert_push("told", json!({ "n": 1 }));
    bobs.assert_push("said", json!({ "n": 2 }));
    bobs.assert_push("whisper", json!({ "to": "bob" }));
    anns.assert_push("said", json!({ "n": 2 }));
    anns.assert_silence();
}

#[test]
fn channel_hears_a_further_topic() {
    let t = harness();
    let (mut room, _) = client(&t, "ann").join("room:1", ()).unwrap();
    room.push("listen", ());

    t.endpoint.broadcast("news", "flash", json!({ "n": 1 })).unwrap();

    room.assert_push("heard", json!({ "n": 1 }));
}

#[test]
fn burst_to_many_clients_arrives_whole_and_in_order() {
    let t = harness();
    let clients: Vec<_> = (0..50).map(|n| client(&t, &n.to_string())).collect();
    let mut rooms: Vec<_> = clients.iter().map(|client| client.join("room:1", ()).unwrap().0).collect();

    for n in 0..100 {
        t.endpoint.broadcast("room:1", "n", json!({ "n": n })).unwrap();
    }

    for room in &mut rooms {
        for n in 0..100 {
            // The next that has come, and not the first that fits.
            let Some(Arrival::Push { event, payload, .. }) = room.next() else { panic!("{n} is missing") };
            assert_eq!((&*event, payload.parse().ok()), ("n", Some(json!({ "n": n }))));
        }
        room.assert_silence();
    }
}
