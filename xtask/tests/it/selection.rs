//! Which scenarios are played, and in which order.

use xtask::conformance::{Need, Profile, Server};

use crate::directory::Directory;
use crate::scripted::{answer, play, read_head, serve};

const HEALTH: &str =
    r#"{"op": "http", "method": "GET", "path": "/health", "expect": {"status": 200, "body": "ok"}}"#;

#[test]
fn scenario_that_needs_what_the_server_lacks_is_skipped_by_name() {
    let directory = Directory::new()
        .with_scenario("1-plain", "", HEALTH)
        .with_scenario("2-presence", r#""tags": ["presence"],"#, HEALTH)
        .with_scenario("3-cluster", r#""needs": ["cluster"],"#, HEALTH);

    let (summary, out) = play(&directory, healthy(), |options| options.without = vec![Need::Presence]);

    assert_eq!((summary.passed, summary.failed, summary.skipped), (1, 0, 2));
    assert!(out.contains("skip  2-presence (without presence)\n"), "{out}");
    assert!(out.contains("skip  3-cluster (needs a second node)\n"), "{out}");
    assert!(
        out.ends_with("skipped: 1 needs a second node, 1 without presence\n1 passed, 0 failed, 2 skipped\n"),
        "{out}"
    );
}

#[test]
fn second_node_makes_the_cluster_playable() {
    let step =
        r#"{"op": "http", "method": "GET", "path": "/health", "node": 2, "expect": {"body": "second"}}"#;
    let directory = Directory::new().with_scenario("1", r#""needs": ["cluster"],"#, step);
    let second = serve(|mut stream| {
        read_head(&mut stream);
        answer(&mut stream, 200, "second");
    });

    let (summary, out) = play(&directory, healthy(), |options| options.second_server = Some(second));

    assert_eq!(summary.passed, 1, "{out}");
}

#[test]
fn scenario_for_another_release_is_skipped() {
    let directory = Directory::new().with_scenario("1", r#""profile": ["1.8.9"],"#, HEALTH);

    let (newest, _) = play(&directory, healthy(), |_| {});
    let (older, _) = play(&directory, healthy(), |options| options.profile = Profile::V1_8_9);

    assert_eq!((newest.passed, newest.skipped), (0, 1));
    assert_eq!((older.passed, older.skipped), (1, 0));
}

#[test]
fn filter_chooses_and_repeat_plays_again() {
    let directory = Directory::new().with_scenario("1-a", "", HEALTH).with_scenario("2-b", "", HEALTH);

    let (summary, _) = play(&directory, healthy(), |options| {
        options.filter = Some("2-b".to_owned());
        options.repeat = 3;
    });

    assert_eq!(summary.passed, 3);
}

#[test]
fn serial_scenario_comes_last_and_the_others_in_the_order_of_their_names() {
    let directory = (2..20).fold(Directory::new(), |directory, number| {
        directory.with_scenario(&format!("{number:02}"), "", HEALTH)
    });
    let directory = directory.with_scenario("01", r#""serial": true,"#, HEALTH);

    let (_, out) = play(&directory, healthy(), |_| {});

    let order: Vec<&str> = out.lines().filter_map(|line| line.strip_prefix("ok    ")?.get(..2)).collect();
    let expected: Vec<String> = (2..20).chain([1]).map(|number| format!("{number:02}")).collect();
    assert_eq!(order, expected);
}

fn healthy() -> Server {
    serve(|mut stream| {
        read_head(&mut stream);
        answer(&mut stream, 200, "ok");
    })
}
