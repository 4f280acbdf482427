//! Tests that Node.js runs.

use std::process::Command;

use anyhow::Result;

use super::outcome::Outcome;
use crate::process::{self, is_installed};

/// Which of the programs that such tests need is not installed.
pub(super) fn missing() -> Option<&'static str> {
    ["node", "npm"].into_iter().find(|program| !is_installed(program))
}

/// Runs `node --test` and reads how it closes.
pub(super) fn run(command: &mut Command) -> Result<Outcome> {
    let run = process::run(command)?;
    let detail = ["pass", "fail"]
        .map(|label| count(&run.lines, label).map(|count| format!("{count} {label}ed")))
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ");
    Ok(Outcome::of(run.status, detail))
}

/// Reads `# pass 3` or `ℹ pass 3`, as the test runner of Node.js closes.
fn count(lines: &[String], label: &str) -> Option<usize> {
    lines.iter().rev().find_map(|line| {
        let mut words = line.split_whitespace().rev();
        let count = words.next()?.parse().ok()?;
        let marked = words.next() == Some(label) && matches!(words.next(), Some("#" | "ℹ"));
        marked.then_some(count)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_node_are_read_in_both_styles() {
        let lines = ["# tests 4", "# pass 3", "ℹ fail 1", "not a pass 9"].map(str::to_owned);

        assert_eq!(count(&lines, "pass"), Some(3));
        assert_eq!(count(&lines, "fail"), Some(1));
        assert_eq!(count(&lines, "skipped"), None);
    }
}
