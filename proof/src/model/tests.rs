use super::operation::{Body::*, Bounds, Name::*, Operation::*, Pace::*, Reading::*, RefOf::*, Script};
use super::run::{BYTES, EIGHT, VALUES};
use super::world::World;
use super::{Mark, Marks, Random, server};
use bennu_core::Compat::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// Plays sequences of 40 operations on average, and makes the one that fails small.
fn play(cases: u32, run: impl Fn(&Script) -> Marks) -> Marks {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = Config { cases: wanted.unwrap_or(cases), failure_persistence: None, ..Config::default() };
    let operation = || prop::array::uniform8(any::<u8>());
    let script = (operation(), prop::collection::vec(operation(), 0..80));
    let script = script.prop_map(|(bounds, operations)| {
        Script::decode(&[bounds.as_slice(), operations.as_flattened()].concat())
    });
    let marks = RefCell::new(Marks::default());
    let played = TestRunner::new(config).run(&script, |script| {
        let reached = quietly(|| run(&script)).map_err(TestCaseError::fail)?;
        marks.borrow_mut().add(&reached);
        Ok(())
    });
    if let Err(failure) = played {
        panic!("{failure}");
    }
    marks.into_inner()
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs this, and hands on what it panics with: of hundreds of scripts that fail while one is made small,
/// only the last is worth printing.
fn quietly<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                loud(panic);
            }
        }));
    });
    QUIET.set(true);
    let run = catch_unwind(AssertUnwindSafe(run));
    QUIET.set(false);
    run.map_err(|panic| match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().map_or_else(String::new, ToString::to_string),
    })
}

#[test]
fn server_says_what_the_model_says_and_all_there_is_to_say_is_said() {
    let marks = play(12_000, |script| World::play(script, VALUES).marks);

    if std::env::var_os("PROPTEST_CASES").is_some() {
        return; // Fewer may not get everywhere.
    }
    let missing: Vec<_> = Mark::ALL.iter().filter(|&&mark| marks.count(mark) == 0).collect();
    assert!(missing.is_empty(), "never reached: {missing:?}\n{marks}");
}

#[test]
fn clients_behind_websockets_hear_what_the_model_says() {
    play(4_000, |script| World::play(script, BYTES).marks);
}

#[test]
fn clients_hear_the_same_of_one_server_and_of_eight() {
    play(2_000, |script| {
        let (one, eight) = (World::play(script, VALUES), World::play(script, EIGHT));
        assert_eq!(one.heard, eight.heard);
        eight.marks
    });
}

/// Also those whose last operation is cut off.
#[test]
fn any_bytes_are_a_script() {
    let mut random = Random::new(1);
    for len in 0..200 {
        server(&random.bytes(len));
    }
}

/// Reading went on for a moment, and the clock of its pause began anew.
#[test]
fn what_waited_behind_a_join_does_not_let_reading_go_on() {
    let say = |event, body| Say {
        socket: 0,
        join_ref: Own,
        msg_ref: Own,
        topic: Text("room:a"),
        event: Text(event),
        body,
        reading: Obedient,
    };
    let script = Script {
        bounds: Bounds {
            max_channels: 3,
            max_terminating: 2,
            max_topic: 1024,
            max_event: 1024,
            input_messages: 4,
            input_bytes: 60,
            overload: 10000,
            channel_messages: 3,
            channel_bytes: 1000,
            messages: Any,
            joins: Any,
            compat: Phoenix1_8_12,
        },
        operations: vec![
            say("phx_join", Empty),
            say("echo", Bytes(200)),
            Info { channel: 0, delay: 0 },
            say("echo", Empty),
        ],
    };

    for shape in [VALUES, BYTES, EIGHT] {
        World::play(&script, shape);
    }
}

/// What fails is printed as the code that plays it.
#[test]
fn script_prints_as_code() {
    let script = Script::decode(&[0; 16]);

    let code = format!("{script:?}");

    assert_eq!(
        code,
        "Script {\n    bounds: Bounds { max_channels: 3, max_terminating: 1, max_topic: 1024, \
         max_event: 1024, input_messages: 2, input_bytes: 1000, overload: 10, channel_messages: 3, channel_bytes: 1000, \
         messages: Any, joins: Any, compat: Phoenix1_8_12 },\n    operations: vec![\n        \
         Say { socket: 0, join_ref: Own, msg_ref: Own, topic: Text(\"room:a\"), event: Text(\"echo\"), \
         body: Empty, reading: Obedient },\n    ],\n}"
    );
}
