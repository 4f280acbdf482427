//! What is a failure, and what is none.

use xtask::conformance::{self, Options};

use crate::directory::Directory;
use crate::scripted::{answer, play, read_head, serve};

const HEALTH: &str = r#"{"op": "http", "method": "GET", "path": "/health", "expect": {"status": 200}}"#;

#[test]
fn failure_shows_the_step_and_the_difference() {
    let directory = Directory::new().with_scenario("7-health", "", HEALTH);
    let server = serve(|mut stream| {
        read_head(&mut stream);
        answer(&mut stream, 503, "down");
    });

    let (summary, out) = play(&directory, server, |_| {});

    assert!(!summary.is_success());
    assert_eq!(
        out,
        "FAIL  7-health: what it shows\n  step 1: GET /health\n    expected HTTP status [200], got 503 down\n\
         0 passed, 1 failed\n"
    );
}

#[test]
fn server_that_hangs_up_is_a_failure_of_the_scenario() {
    let directory = Directory::new().with_scenario("1", "", HEALTH);

    let (summary, out) = play(&directory, serve(drop), |_| {});

    assert_eq!((summary.passed, summary.failed), (0, 1), "{out}");
}

#[test]
fn known_difference_is_counted_apart() {
    let directory = Directory::new().with_scenario("1-a", "", HEALTH).with_scenario("2-b", "", HEALTH);
    let lists = Directory::new().with("known.txt", "1-a: Bennu is always down\n");
    let server = serve(|mut stream| {
        read_head(&mut stream);
        answer(&mut stream, 503, "");
    });

    let (summary, out) =
        play(&directory, server, |options| options.known_differences = Some(lists.path().join("known.txt")));

    assert_eq!((summary.failed, summary.differs), (1, 1));
    assert!(out.contains("diff  1-a: differs on purpose: Bennu is always down\n"), "{out}");
}

#[test]
fn saved_field_and_elapsed_time_are_used() {
    let steps = r#"
        {"op": "http", "method": "GET", "path": "/token", "save": {"t": "token"}},
        {"op": "http", "method": "GET", "path": "/use", "query": {"token": "{{var:t}}"}, "expect": {"min_ms": 5000}}"#;
    let directory = Directory::new().with_scenario("1", "", steps);
    let server = serve(|mut stream| {
        let head = read_head(&mut stream);
        assert!(head.starts_with("GET /token ") || head.starts_with("GET /use?token=a%2Fb "), "{head}");
        answer(&mut stream, 200, r#"{"token": "a/b"}"#);
    });

    let (_, out) = play(&directory, server, |_| {});

    assert!(out.contains("step 2: GET /use\n    expected an answer after 5s or later"), "{out}");
}

#[test]
fn file_that_is_no_scenario_is_an_error_with_its_name() {
    let directory = Directory::new().with("broken.json", "{}");
    let options = Options::new("http://127.0.0.1:9".parse().unwrap(), vec![directory.path().to_owned()]);

    let error = conformance::run(&options, &mut Vec::new()).unwrap_err();

    assert!(error.to_string().ends_with("broken.json is not a scenario"), "{error}");
}
