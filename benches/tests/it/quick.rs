//! A quick run, from the command line to the table.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

const LOAD: &str = env!("CARGO_BIN_EXE_load");
const FLOOR: &str = env!("CARGO_BIN_EXE_floor");

/// Without cargo's variable, which would make it build the programs that are there already.
fn load(arguments: &[&str]) -> Output {
    let mut command = Command::new(LOAD);
    command.args(arguments).arg("--report").arg(report()).env_remove("CARGO");
    command.output().expect("cargo has built it for this test")
}

fn report() -> PathBuf {
    let name = thread::current().name().expect("a test's thread has its name").replace("::", "-");
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
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
fn run_leaves_a_page_and_its_raw_figures_behind_and_says_where() {
    let direct = format!("{FLOOR} --port {{port}} --direct");

    let output = load(&["--quick", "--only", "echo", "--runs", "2", "--server", &direct]);

    let page = report().join("report.html");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.ends_with(&format!("report: {}\n", page.display())), "{printed}");
    assert!(fs::read_to_string(page).unwrap().contains("<h2>echo 200, 4 in flight</h2>"));
    let raw = fs::read(report().join("report.json")).unwrap();
    let raw: serde_json::Value = serde_json::from_slice(&raw).unwrap();
    let figure = &raw["scenarios"][0]["figures"][0];
    assert_eq!(figure["name"], "µs CPU per echo");
    assert_eq!(figure["floor"].as_array().map(Vec::len), Some(2));
    assert_eq!(figure["servers"][0]["samples"].as_array().map(Vec::len), Some(2));
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

#[test]
fn connections_over_tls_are_opened_and_counted() {
    let output = load(&["--quick", "--only", "tls"]);

    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{table}");
    assert!(table.lines().any(|line| line.starts_with("memory 100 over TLS  B resident, idle")), "{table}");
}
