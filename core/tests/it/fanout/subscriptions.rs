//! Further topics, and a socket's own id.

use crate::pair::{Answer, Pair};
use bennu_core::server::CloseReason;
use bennu_core::wire::Serializer;

#[test]
fn broadcast_of_a_further_topic_reaches_handle_info_and_not_the_client() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");
    pair.subscribe(channel, "news");
    pair.expect_said(["interest news"]);

    pair.broadcast("news", "flash", "{}", None);
    pair.broadcast("news", "own", "{}", Some(channel));

    pair.expect_said(["0 heard room:a news flash"]);
}

#[test]
fn second_subscription_to_ones_own_topic_reaches_handle_out() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");
    pair.subscribe(channel, "room:a");
    pair.expect_said([]);

    pair.broadcast("room:a", "news", "{}", None);

    pair.expect_said([
        r#"0 << [null,null,"room:a","news",{}]"#,
        "0 out room:a news",
        r#"0 << ["1",null,"room:a","news_out",{}]"#,
    ]);
}

#[test]
fn twice_subscribed_is_twice_delivered_and_one_unsubscribe_ends_both() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");
    pair.subscribe(channel, "news");
    pair.subscribe(channel, "news");
    pair.forget();

    pair.broadcast("news", "flash", "{}", None);
    pair.expect_said(["0 heard room:a news flash", "0 heard room:a news flash"]);

    pair.unsubscribe(channel, "news");
    pair.unsubscribe(channel, "news");
    pair.unsubscribe(channel, "never");
    pair.expect_said(["no interest news"]);
    pair.broadcast("news", "flash", "{}", None);
    pair.expect_said([]);
    assert_eq!(pair.server.topics(), 1);
}

#[test]
fn subscription_ends_with_its_channel_and_with_no_other() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let a = pair.joined(ann, "1", "room:a");
    let b = pair.joined(ann, "2", "room:b");
    pair.subscribe(a, "news");
    pair.subscribe(b, "news");

    pair.send(ann, r#"["1","3","room:a","crash",{}]"#);
    pair.forget();
    pair.broadcast("news", "flash", "{}", None);
    pair.expect_said(["0 heard room:b news flash"]);

    pair.send(ann, r#"["2","4","room:b","phx_leave",{}]"#);
    assert!(pair.said().contains(&"no interest news".to_owned()));
    assert_eq!(pair.server.topics(), 0);
    assert!(pair.server.subscribe(a, "news", pair.now).is_err());
    assert!(pair.server.unsubscribe(b, "news", pair.now).is_err());
}

#[test]
fn subscriptions_that_are_left_end_with_their_channel() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    let channel = pair.joined(ann, "1", "room:a");
    pair.subscribe(channel, "news");
    pair.subscribe(channel, "alerts");
    pair.unsubscribe(channel, "news");

    pair.send(ann, r#"["1","2","room:a","phx_leave",{}]"#);

    assert!(pair.said().contains(&"no interest alerts".to_owned()));
    assert_eq!(pair.server.topics(), 0);
}

#[test]
fn subscription_made_while_joining_is_heard_once_joined() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.send(ann, r#"["1","1","room:a","phx_join",{"do":"park"}]"#);
    let channel = pair.channel(ann, "room:a");
    pair.subscribe(channel, "news");
    pair.broadcast("news", "flash", "{}", None);
    pair.forget();

    pair.answer(ann, "room:a", Answer::Join);

    pair.expect_said([
        "interest room:a",
        r#"0 << ["1","1","room:a","phx_reply",{"status":"ok","response":{}}]"#,
        "0 heard room:a news flash",
    ]);
}

#[test]
fn interest_is_told_of_the_first_subscriber_and_of_the_last() {
    let mut pair = Pair::new();
    let (ann, bob) = (pair.connect(), pair.connect());
    let told = |pair: &mut Pair| {
        let mut said = pair.said();
        said.retain(|line| line.contains("interest"));
        said
    };

    pair.join(ann, "1", "room:a");
    assert_eq!(told(&mut pair), ["interest room:a"]);
    pair.join(bob, "1", "room:a");
    pair.send(ann, r#"["1","2","room:a","phx_leave",{}]"#);
    pair.join(ann, "3", "room:a");
    assert_eq!(told(&mut pair), [""; 0]);
    pair.disconnect(bob);
    pair.disconnect(ann);
    assert_eq!(told(&mut pair), ["no interest room:a"]);
}

#[test]
fn disconnect_on_a_sockets_id_closes_it_with_1001_and_no_other() {
    let mut pair = Pair::new();
    let ann = pair.connect_as(Serializer::V2, 0, Some("user:ann"));
    let too = pair.connect_as(Serializer::V1, 0, Some("user:ann"));
    let bob = pair.connect_as(Serializer::V2, 0, Some("user:bob"));
    pair.joined(ann, "1", "room:a");
    pair.forget();

    pair.broadcast("user:ann", "disconnect", "{}", None);

    let said = pair.said();
    assert_eq!(said.iter().filter(|line| line.ends_with("close 1001")).count(), 2);
    assert!(said.contains(&"0 terminate room:a Closed".to_owned()));
    assert!(said.contains(&"no interest user:ann".to_owned()));
    assert!(!pair.is_open(ann) && !pair.is_open(too) && pair.is_open(bob));
}

#[test]
fn other_events_on_a_sockets_id_are_nothing_to_it() {
    let mut pair = Pair::new();
    let ann = pair.connect_as(Serializer::V2, 0, Some("user:ann"));
    pair.expect_said(["interest user:ann"]);

    pair.broadcast("user:ann", "Disconnect", "{}", None);
    pair.broadcast("user:ann", "phx_close", "{}", None);
    pair.expect_said([]);

    pair.stop(ann, CloseReason::SlowConsumer);
    pair.expect_said(["0 close 1013", "no interest user:ann"]);
}

#[test]
fn disconnect_on_a_joined_topic_is_a_broadcast_like_others() {
    let mut pair = Pair::new();
    let ann = pair.connect_as(Serializer::V2, 0, Some("user:ann"));
    pair.joined(ann, "1", "room:a");

    pair.broadcast("room:a", "disconnect", "{}", None);

    pair.expect(ann, [r#"[null,null,"room:a","disconnect",{}]"#]);
    assert!(pair.is_open(ann));
}
