//! The channel in a harness, and what it takes for fit.

use super::*;
use bennu::test::{Client, Harness, Member};
use serde_json::Value;

/// Comes in under that name, and hears what the channel broadcasts.
fn enter(client: &Client, nick: &str) -> Member {
    client.subscribe_and_join("room:lobby", json!({ "nick": nick })).unwrap().0
}

/// What is answered to somebody who is not let in.
fn refused(client: &Client, topic: &str, payload: Value) -> Value {
    client.join(topic, payload).unwrap_err().response.parse().unwrap()
}

fn client(t: &Harness) -> Client {
    t.connect("/socket", ()).unwrap()
}

#[test]
fn what_one_says_everybody_hears() {
    let t = Harness::new(endpoint());
    let (mut ann, mut bob) = (enter(&client(&t), "ann"), enter(&client(&t), "bob"));

    let sent = ann.push("new_msg", json!({ "body": " hi " }));

    let answer: Value = ann.assert_reply_that(&sent, "ok", |_| true);
    let heard = bob.assert_push_that("new_msg", |said: &Value| said["nick"] == "ann" && said["body"] == "hi");
    assert_eq!(answer, json!({ "id": heard["id"] }));
    ann.assert_push("new_msg", heard);
}

#[test]
fn who_comes_and_who_goes_is_told_to_the_others() {
    let t = Harness::new(endpoint());
    let (annes, bobs) = (client(&t), client(&t));
    let mut ann = enter(&annes, "ann");
    let mut bob = enter(&bobs, "bob");

    ann.assert_push("joined", json!({ "nick": "bob" }));
    bob.refute_push("joined");
    bobs.close();
    ann.assert_push("left", json!({ "nick": "bob" }));
    bob.assert_end(&Reason::Closed);
}

#[test]
fn who_is_typing_is_told_to_the_others_alone() {
    let t = Harness::new(endpoint());
    let (mut ann, mut bob) = (enter(&client(&t), "ann"), enter(&client(&t), "bob"));

    let typing = ann.push("typing", json!({ "typing": true }));

    bob.assert_push("typing", json!({ "nick": "ann", "typing": true }));
    ann.refute_push("typing");
    ann.refute_reply(&typing);
}

#[test]
fn who_comes_late_is_answered_with_what_was_said() {
    let t = Harness::new(endpoint());
    let mut ann = enter(&client(&t), "ann");
    ann.push("new_msg", json!({ "body": "hi" }));
    let said: Value = ann.assert_push_that("new_msg", |_| true);

    let (_, welcome) = client(&t).join("room:lobby", json!({ "nick": " bob " })).unwrap();
    let (_, elsewhere) = client(&t).join("room:garden", json!({ "nick": "eve" })).unwrap();

    assert_eq!(welcome.parse::<Value>().unwrap(), json!({ "messages": [said], "nick": "bob" }));
    assert_eq!(elsewhere.parse::<Value>().unwrap(), json!({ "messages": [], "nick": "eve" }));
}

#[test]
fn what_is_unfit_is_answered_with_the_field_that_it_is_in() {
    let t = Harness::new(endpoint());
    let anybody = client(&t);

    assert_eq!(refused(&anybody, "room:a/b", json!({ "nick": "ann" }))["field"], "room");
    assert_eq!(refused(&anybody, "room:lobby", json!({ "nick": " " }))["field"], "nick");
    assert_eq!(refused(&anybody, "room:lobby", json!({})), json!({ "reason": "invalid payload" }));
    let mut ann = enter(&anybody, "ann");
    let empty = ann.push("new_msg", json!({ "body": " " }));
    ann.assert_reply_that(&empty, "error", |answer: &Value| answer["field"] == "body");
    ann.refute_broadcast("new_msg");
}

#[test]
fn a_nickname_has_1_to_24_visible_characters() {
    assert_eq!(nickname("  Nefer "), Ok("Nefer"));
    assert_eq!(nickname(&"é".repeat(24)), Ok("é".repeat(24).as_str()));
    assert_eq!(nickname(&"é".repeat(25)), Err(Unfit::Nickname));
    assert_eq!(nickname(" \t "), Err(Unfit::Nickname));
    assert_eq!(nickname("a\u{7}b"), Err(Unfit::Nickname));
}

#[test]
fn a_room_name_has_1_to_32_letters_digits_hyphens_and_underscores() {
    assert_eq!(room_name("große-halle_2"), Ok("große-halle_2"));
    assert_eq!(room_name(&"a".repeat(32)), Ok("a".repeat(32).as_str()));
    assert_eq!(room_name(&"a".repeat(33)), Err(Unfit::RoomName));
    assert_eq!(room_name(""), Err(Unfit::RoomName));
    assert_eq!(room_name("a/b"), Err(Unfit::RoomName));
    assert_eq!(room_name("a b"), Err(Unfit::RoomName));
}

#[test]
fn a_message_is_trimmed_and_has_1_to_2000_characters() {
    assert_eq!(text("\n two\nlines "), Ok("two\nlines"));
    assert_eq!(text(&"🔥".repeat(2_000)), Ok("🔥".repeat(2_000).as_str()));
    assert_eq!(text(&"🔥".repeat(2_001)), Err(Unfit::Text));
    assert_eq!(text("   "), Err(Unfit::Text));
}
