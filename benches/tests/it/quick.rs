//! A quick run, from the command line to the table.

use std::process::{Command, Output};

const LOAD: &str = env!("CARGO_BIN_EXE_load");
const FLOOR: &str = env!("CARGO_BIN_EXE_floor");

/// Without cargo's variable, which would make it build the programs that are there already.
fn load(arguments: &[&str]) -> Output {
    Command::new(LOAD).args(arguments).env_remove("CARGO").output().expect("cargo has built it for this test")
}

#[test]
fn both_floors_lose_nothing_in_any_scenario() {
    let direct = format!("{FLOOR} --port {{port}} --direct");
    let coalesced = format!("{FLOOR} --port {{port}} --coalesce");

    let output = load(&["--quick", "--server", &direct, "--server", &coalesced]);

    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{table}");
    for scenario in ["connect", "fanout", "burst 100", "topics", "echo", "latency", "memory"] {
        let lines = table.lines().filter(|line| line.starts_with(scenario));
        assert!(lines.clone().count() >= 2, "{scenario}: {table}");
        for server in ["  floor  ", "  floor 2  "] {
            assert!(lines.clone().any(|line| line.contains(server)), "{scenario}: {table}");
        }
    }
}

#[test]
fn server_that_does_not_start_is_a_failure_that_names_it() {
    let output = load(&["--quick", "--only", "echo", "--server", "/no/such/server {port}"]);

    let table = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success());
    assert!(
        table.contains("FAILED echo 200, 1 in flight, run 1, server: cannot start `/no/such/server`"),
        "{table}"
    );
}

#[test]
fn word_that_is_no_scenario_is_refused() {
    let output = load(&["--only", "fanot"]);

    assert!(!output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "no scenario is called `fanot`\n");
}
