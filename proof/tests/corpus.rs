//! Replays what fuzzers have found, and what they were given to start with.
#![allow(missing_docs)]

use bennu_proof::fuzz::TARGETS;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

#[test]
fn no_input_of_any_corpus_breaks_a_rule() {
    let mut failed = Vec::new();
    for target in TARGETS {
        let files = files_in(&fuzz().join("corpus").join(target.name));
        assert!(!files.is_empty(), "the corpus of {} is empty", target.name);
        for file in files {
            let input = fs::read(&file).unwrap();
            if catch_unwind(|| (target.run)(&input)).is_err() {
                failed.push(file);
            }
        }
    }
    assert!(failed.is_empty(), "these inputs break a rule: {failed:#?}");
}

#[test]
fn every_corpus_and_every_door_is_that_of_a_target() {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    let mut doors: Vec<String> = Vec::new();
    for file in files_in(&fuzz().join("fuzz_targets")) {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let call = format!("bennu_proof::fuzz::{name}(input)");
        assert!(fs::read_to_string(&file).unwrap().contains(&call), "{name} calls its function");
        doors.push(name);
    }
    let corpora: Vec<String> = files_in(&fuzz().join("corpus"))
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();

    assert_eq!(doors, names);
    assert_eq!(corpora, names);
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// Sorted.
fn files_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a directory that is there").path()).collect();
    files.sort();
    files
}
