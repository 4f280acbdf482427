//! On what a run was made.

use serde::Serialize;
use std::fs;
use std::num::NonZeroUsize;
use std::process::Command;
use std::thread;

/// A machine, as far as it says what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Machine {
    /// Such as `AMD EPYC 7763 64-Core Processor`.
    pub(super) cpu: String,
    /// As many threads as it runs at once.
    pub(super) cores: usize,
    /// In bytes.
    pub(super) memory: u64,
    /// Such as `Linux 6.18.5`.
    pub(super) kernel: String,
}

const UNKNOWN: &str = "unknown";

impl Machine {
    /// The machine that this runs on.
    pub(super) fn this() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self::parse(
            &read("/proc/cpuinfo"),
            &read("/proc/meminfo"),
            &read("/proc/sys/kernel/osrelease"),
            cores,
        )
    }

    fn parse(cpus: &str, memory: &str, release: &str, cores: usize) -> Self {
        let cpu = field(cpus, "model name").unwrap_or(UNKNOWN);
        let kibibytes =
            field(memory, "MemTotal").and_then(|total| total.split(' ').next()?.parse::<u64>().ok());
        Self {
            cpu: cpu.to_owned(),
            cores,
            memory: kibibytes.unwrap_or_default() * 1024,
            kernel: format!("Linux {}", release.trim()),
        }
    }
}

/// The state of the sources that this program was run in, such as `a1b2c3d-dirty`; `None` outside of git.
pub(super) fn revision() -> Option<String> {
    let output = Command::new("git").args(["describe", "--always", "--dirty"]).output().ok()?;
    let revision = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !revision.is_empty()).then_some(revision)
}

/// The value behind the first `name   : value`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim_start().strip_prefix(':')?.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_is_read_from_what_linux_says() {
        let cpus = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n\nprocessor\t: 1\nmodel name\t: Other\n";
        let memory = "MemTotal:       24589736 kB\nMemFree: 1 kB\n";

        let machine = Machine::parse(cpus, memory, "6.18.5\n", 2);

        assert_eq!(
            machine,
            Machine {
                cpu: "Some CPU @ 2 GHz".to_owned(),
                cores: 2,
                memory: 24_589_736 * 1024,
                kernel: "Linux 6.18.5".to_owned()
            }
        );
    }

    #[test]
    fn machine_that_does_not_name_its_cpu_is_unknown_but_no_error() {
        assert_eq!(Machine::parse("Features: fp\n", "", "6.1", 4).cpu, UNKNOWN);
    }
}
