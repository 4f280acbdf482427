use super::operation::Script;
use super::run::SHAPES;
use super::world::World;
use super::{Mark, Marks};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;

/// As many sequences in each shape; in all 20,000.
const CASES: [u32; 3] = [12_000, 4_000, 4_000];

/// Plays sequences of 40 operations on average; the one that fails is made small.
fn play(shape: usize) -> Marks {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config =
        Config { cases: cases.unwrap_or(CASES[shape]), failure_persistence: None, ..Config::default() };
    let operation = || prop::array::uniform8(any::<u8>());
    let script = (operation(), prop::collection::vec(operation(), 0..80));
    let script = script.prop_map(|(bounds, operations)| {
        Script::decode(&[bounds.as_slice(), operations.as_flattened()].concat())
    });
    let marks = RefCell::new(Marks::default());
    let played = TestRunner::new(config).run(&script, |script| {
        let run = World::play(&script, SHAPES[shape]);
        marks.borrow_mut().add(&run);
        Ok(())
    });
    if let Err(failure) = played {
        panic!("{failure}");
    }
    marks.into_inner()
}

#[test]
fn server_says_what_the_model_says_and_all_there_is_to_say_is_said() {
    let marks = play(0);

    let missing: Vec<_> = Mark::ALL.iter().filter(|&&mark| marks.count(mark) == 0).collect();
    assert!(missing.is_empty(), "never reached: {missing:?}\n{marks}");
}

#[test]
fn clients_behind_websockets_hear_what_the_model_says() {
    play(1);
}

#[test]
fn eight_servers_say_to_each_socket_what_the_model_says() {
    play(2);
}
