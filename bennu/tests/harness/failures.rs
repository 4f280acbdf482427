//! What a failed assertion tells.

use crate::app::{Note, Other, Room, User, client, harness};
use bennu::prelude::*;
use bennu::test::{Client, Harness, Member};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the panic of `act` says.
fn failure(act: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(act)).expect_err("an assertion that has to fail");
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|&text| text.into()))
        .unwrap()
}

fn joined() -> (Harness, Client, Member) {
    let t = harness();
    let ann = client(&t, "ann");
    let (room, _) = ann.subscribe_and_join("room:1", ()).unwrap();
    (t, ann, room)
}

#[test]
fn missing_push_is_told_with_what_came_instead() {
    let (_t, _ann, mut room) = joined();
    room.push("push", json!({ "n": 2 }));
    room.push("echo", json!({ "n": 3 }));

    assert_eq!(
        failure(|| room.assert_push("pushed", json!({ "n": 1 }))),
        r#"expected on "room:1": push "pushed" {"n":1}
unread on "room:1":
  push "pushed" {"n":2}
  reply to "3": "ok" {"n":3}"#
    );
    assert_eq!(
        room.assert_push_that("pushed", |_: &Value| true),
        json!({ "n": 2 }),
        "a failure takes nothing"
    );
}

#[test]
fn missing_reply_broadcast_and_pattern_are_told() {
    let (_t, _ann, mut room) = joined();
    let tell = room.push("tell", json!({ "n": 1 }));

    let reply = failure(|| room.assert_reply(&tell, "ok", ()));
    assert_eq!(reply, "expected on \"room:1\": reply to \"2\": \"ok\" {}\nnothing is unread on \"room:1\"");
    let broadcast = failure(|| room.assert_broadcast("told", json!({ "n": 2 })));
    assert_eq!(
        broadcast,
        "expected on \"room:1\": broadcast \"told\" {\"n\":2}\nunread on \"room:1\":\n  broadcast \"told\" {\"n\":1}"
    );
    let pattern = failure(|| drop(room.assert_push_that("x", |_: &Vec<u8>| true)));
    assert!(pattern.starts_with("expected on \"room:1\": push \"x\" with a alloc::vec::Vec<u8> that fits\n"));
}

#[test]
fn what_was_refuted_and_came_is_told() {
    let (_t, _ann, mut room) = joined();
    let echo = room.push("echo", ());
    room.push("say", json!({ "n": 1 }));

    let push = failure(|| room.refute_push("said"));
    assert!(push.starts_with("expected not on \"room:1\": push \"said\" {\"n\":1}\n"), "{push}");
    let reply = failure(|| room.refute_reply(&echo));
    assert!(reply.starts_with("expected not on \"room:1\": reply to \"2\": \"ok\" {}\n"), "{reply}");
    let broadcast = failure(|| room.refute_broadcast("said"));
    assert!(
        broadcast.starts_with("expected not on \"room:1\": broadcast \"said\" {\"n\":1}\n"),
        "{broadcast}"
    );
    let anything = failure(|| room.assert_silence());
    assert!(anything.starts_with("expected not on \"room:1\": reply to \"2\""), "{anything}");
}

#[test]
fn handler_that_sleeps_is_told_with_how_long() {
    let (t, _ann, mut room) = joined();
    let sleep = room.push("sleep", ());
    t.advance(Duration::from_secs(600));

    let told = failure(|| room.assert_reply(&sleep, "ok", ()));

    assert!(
        told.ends_with(
            "\nhandlers that have not returned:\n  harness::app::Room::handle_in \"sleep\" on \"room:1\" sleeps for \
             another 3000s"
        ),
        "{told}"
    );
}

#[test]
fn handler_that_waits_for_something_outside_is_told_as_such() {
    let (_t, _ann, mut room) = joined();
    let wait = room.push("wait", ());
    room.push("echo", ());

    let told = failure(|| room.assert_reply(&wait, "ok", ()));

    let handler =
        "\n  harness::app::Room::handle_in \"wait\" on \"room:1\" waits, and not for virtual time\n";
    assert!(told.contains(handler), "{told}");
    assert!(told.contains("something outside of the harness: a socket, a thread"), "{told}");
}

#[test]
fn handler_that_has_returned_or_was_dropped_is_not_told() {
    let (_t, ann, mut room) = joined();
    room.push("echo", ());
    room.push("wait", ());
    let (mut again, _) = ann.join("room:1", ()).unwrap();

    let told = failure(|| again.assert_push("pushed", ()));

    assert!(!told.contains("handlers"), "{told}");
}

#[test]
fn task_that_waits_is_told() {
    let (_t, _ann, mut room) = joined();
    room.push("spawn", ());
    let later = room.push("later", ());

    let told = failure(|| room.assert_reply(&later, "ok", ()));

    let tasks = "\ntasks of `ctx.spawn` and carried clients that have not ended:\n  one waits, and not for virtual time\n  one sleeps for \
                 another 10s\n";
    assert!(told.contains(tasks), "{told}");
}

#[test]
fn crash_is_told_in_every_failure() {
    let (_t, _ann, mut room) = joined();
    let crash = room.push("crash", ());

    let told = failure(|| room.assert_reply(&crash, "ok", ()));

    assert!(told.contains("\n  phx_error\ncrashed:\n"), "{told}");
    assert!(told.contains("  harness::app::Room::handle_in \"crash\" on \"room:1\": out of paper"), "{told}");
    let other = failure(|| room.assert_crash("ink"));
    assert!(other.starts_with("expected \"room:1\" to crash with \"ink\"\n"), "{other}");
    room.assert_crash("paper");
}

#[test]
fn crash_names_the_message_that_was_handled() {
    let (_t, _ann, mut room) = joined();
    room.handle::<Room>().notify(Note("")).unwrap();

    let told = failure(|| room.assert_push("note", ()));

    assert!(told.contains("Room::handle_info of harness::app::Note on \"room:1\": an empty note"), "{told}");
    room.assert_crash("empty");
}

#[test]
fn closed_connection_is_told() {
    let (t, ann, mut room) = joined();
    t.endpoint.disconnect("user:ann");

    let told = failure(|| room.assert_push("pushed", ()));
    assert!(told.ends_with("\nconnections that are closed:\n  /socket, by the server with 1001"), "{told}");
    let told = failure(|| drop(room.push("echo", ())));
    assert!(
        told.starts_with("\"echo\" cannot be pushed on \"room:1\": the connection is closed\n"),
        "{told}"
    );
    let told = failure(|| drop(ann.begin_join("room:2", ())));
    assert!(told.starts_with("\"room:2\" cannot be joined: the connection is closed\n"), "{told}");
    assert!(failure(|| ann.assert_closed(1012)).contains("by the server with 1001"));
    assert!(failure(|| client(&t, "bob").assert_closed(1000)).contains("; it is open"));
}

#[test]
fn join_without_an_answer_says_who_waits() {
    let t = harness();
    let ann = client(&t, "ann");

    let slow = failure(|| drop(ann.join("room:slow", ())));
    assert!(slow.starts_with("the join of \"room:slow\" has not been answered\nhandlers"), "{slow}");
    assert!(slow.ends_with("harness::app::Room::join on \"room:slow\" sleeps for another 60s"), "{slow}");
    let stuck = failure(|| drop(ann.join("room:stuck", ())));
    assert!(stuck.contains("Room::join on \"room:stuck\" waits, and not for virtual time"), "{stuck}");
}

#[test]
fn connect_that_waits_is_told() {
    let t = harness();

    let told = failure(|| drop(t.connect("/socket", json!({ "name": "slow" }))));

    assert!(told.starts_with("`Socket::connect` of \"/socket\" has not returned"), "{told}");
}

#[test]
fn end_that_has_not_come_or_came_otherwise_is_told() {
    let (_t, _ann, mut room) = joined();

    let told = failure(|| room.assert_end(&Reason::Left));
    assert!(told.starts_with("expected \"room:1\" to end with Left; `terminate` has not run\n"), "{told}");
    assert!(failure(|| room.assert_crash("x")).starts_with("expected \"room:1\" to crash with \"x\"\n"));
    room.push("stop", ());
    let told = failure(|| room.assert_end(&Reason::Left));
    assert!(told.contains("; it was told ShutdownWith(\"done\")\n"), "{told}");
}

#[test]
#[should_panic(expected = "crashed, and the test did not expect it (`Member::assert_crash`):\n  \
                           harness::app::Room::handle_in \"typo\" on \"room:1\": unknown event \"typo\"")]
fn crash_that_nobody_asserts_fails_the_test() {
    let (_t, _ann, mut room) = joined();

    room.push("typo", ());
}

#[test]
#[should_panic(expected = "the application does not come to rest")]
fn channel_that_never_rests_fails_the_test() {
    let (_t, _ann, mut room) = joined();

    room.push("circle", ());
}

#[test]
fn mistakes_of_the_test_are_told() {
    let t = harness();
    let ann = client(&t, "ann");
    let (mut room, _) = ann.join("room:1", ()).unwrap();

    let told = failure(|| drop(room.handle::<Other>()));
    assert_eq!(told, "\"room:1\" is a harness::app::Room, no harness::app::Other");
    let told = failure(|| room.assert_broadcast("said", ()));
    assert!(told.starts_with("nobody listens to the broadcasts on \"room:1\""), "{told}");
    assert_eq!(failure(|| drop(t.socket("/none", ()))), "no socket is mounted at \"/none\"");
    assert_eq!(
        failure(|| drop(t.socket("/socket", ()))),
        "the assigns of the socket at \"/socket\" are no ()"
    );
    assert!(failure(|| drop(t.connect("/socket", 7))).contains("connect parameters are a JSON object"));
    drop(t.socket("/socket", User { name: String::new() }));
}

#[test]
fn failure_points_at_the_line_of_the_test() {
    let (t, ann, mut room) = joined();
    let echo = room.push("echo", ());
    let mut news = t.subscribe("news");

    let mut acts: Vec<Act<'_>> = vec![
        Box::new(|room| room.assert_push("x", ())),
        Box::new(|room| drop(room.assert_push_that("x", |_: &Value| true))),
        Box::new(|room| room.assert_reply(&echo, "error", ())),
        Box::new(|room| drop(room.assert_reply_that(&echo, "error", |_: &Value| true))),
        Box::new(|room| room.refute_reply(&echo)),
        Box::new(|room| room.assert_broadcast("x", ())),
        Box::new(|room| drop(room.assert_broadcast_that("x", |_: &Value| true))),
        Box::new(|room| room.assert_silence()),
        Box::new(|room| room.assert_end(&Reason::Left)),
        Box::new(|room| room.assert_crash("x")),
        Box::new(|room| drop(room.handle::<Other>())),
        Box::new(|_| news.assert_broadcast("x", ())),
        Box::new(|_| ann.assert_closed(1000)),
        Box::new(|_| drop(ann.join("room:stuck", ()))),
        Box::new(|_| drop(t.connect("/socket", 7))),
        Box::new(|_| drop(t.socket("/none", ()))),
    ];

    let files = acts.iter_mut().map(|act| file_of_failure(|| act(&mut room)));
    assert_eq!(files.filter(|file| !file.ends_with("failures.rs")).collect::<Vec<_>>(), [""; 0]);
}

/// Something that has to fail.
type Act<'a> = Box<dyn FnMut(&mut Member) + 'a>;

/// The file that the panic of `act` points at.
fn file_of_failure(act: impl FnOnce()) -> String {
    let file = Arc::new(Mutex::new(String::new()));
    let (noted, this) = (Arc::clone(&file), std::thread::current().id());
    let before = Arc::new(std::panic::take_hook());
    let usual = Arc::clone(&before);
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == this {
            *noted.lock().unwrap() = info.location().map_or("", |location| location.file()).to_owned();
        }
        usual(info);
    }));
    failure(act);
    std::panic::set_hook(Box::new(move |info| before(info)));
    let file = file.lock().unwrap();
    file.clone()
}
