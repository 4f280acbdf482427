//! The runner against the mirror of each scenario.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::environment::{Environment, Profile};
use super::failure::Failure;
use super::mirror::{Flaw, Mirror};
use super::play::{Setting, play_in};
use super::scenario::Scenario;
use crate::repository;

#[test]
fn every_scenario_passes_against_its_mirror() {
    let failures =
        play_against_mirrors(Flaw::None, |outcome| outcome.err().map(|failure| failure.to_string()));

    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_scenario_fails_when_its_last_expectation_is_disappointed() {
    let unnoticed =
        play_against_mirrors(Flaw::LastExpectation, |outcome| outcome.is_ok().then(|| "passed".to_owned()));

    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
}

/// Plays all scenarios, several at once, and returns what `judge` finds fault with.
fn play_against_mirrors(flaw: Flaw, judge: fn(Result<(), Failure>) -> Option<String>) -> Vec<String> {
    let scenarios = Scenario::read_all(&repository::scenarios()).unwrap();
    assert!(scenarios.len() > 200);
    let faults = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(fault) = judge(play_against_mirror(scenario, flaw)) {
                        let mut faults = faults.lock().unwrap_or_else(PoisonError::into_inner);
                        faults.push(format!("{}: {fault}", scenario.file));
                    }
                }
            });
        }
    });
    faults.into_inner().unwrap()
}

fn play_against_mirror(scenario: &Scenario, flaw: Flaw) -> Result<(), Failure> {
    let profile = Profile::default();
    let environment = Environment::fresh(profile);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server: super::Server = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    // The mirror of a cluster is one server under two names.
    let setting = Setting { servers: vec![server.clone(), server], profile, time_scale: 2.0 };
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let mirror = Mirror::new(listener, environment.clone(), &stop).unwrap();
        let mirror = scope.spawn(|| mirror.reflect(scenario, flaw));
        let outcome = play_in(environment, scenario, &setting);
        stop.store(true, Ordering::Relaxed);
        let _ = mirror.join().unwrap();
        outcome
    })
}
