//! What a process has used, as the kernel counts it.

use std::fs;
use std::io;
use std::time::Duration;

/// CPU time of all living threads of a process, user and system, in steps of 1 ns.
///
/// `/proc/PID/stat` would count in ticks of 10 ms. Threads that have ended are not in the sum, so a server under
/// test keeps its threads.
///
/// # Errors
/// Those of reading `/proc`.
pub(super) fn cpu(pid: u32) -> io::Result<Duration> {
    let mut nanos = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        match fs::read_to_string(task?.path().join("schedstat")) {
            Ok(text) => nanos += first_number(&text)?,
            // A thread that ended between the two calls.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Duration::from_nanos(nanos))
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    /// Resident: what is anonymous, and pages of the binary that were touched.
    pub(super) resident: u64,
    /// Heap, stacks, and data that was written to.
    pub(super) anonymous: u64,
}

impl Memory {
    /// What `pid` holds now.
    ///
    /// # Errors
    /// Those of reading `/proc`.
    pub(super) fn of(pid: u32) -> io::Result<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?)
    }

    fn parse(text: &str) -> io::Result<Self> {
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            first_number(line.unwrap_or_default()).map(|kibibytes| kibibytes * 1024)
        };
        Ok(Self { resident: field("Rss:")?, anonymous: field("Anonymous:")? })
    }
}

fn first_number(text: &str) -> io::Result<u64> {
    let first = text.split_ascii_whitespace().next();
    first.and_then(|word| word.parse().ok()).ok_or_else(|| io::Error::other("no number where /proc has one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rollup_is_read_in_bytes() {
        let text =
            "55bd-7ffd ---p 00000000 00:00 0   [rollup]\nRss:    1708 kB\nPss:  3 kB\nAnonymous:  112 kB\n";

        assert_eq!(Memory::parse(text).unwrap(), Memory { resident: 1708 * 1024, anonymous: 112 * 1024 });
    }

    #[test]
    fn rollup_without_the_fields_is_an_error() {
        assert!(Memory::parse("Rss: 3 kB\n").is_err());
    }

    #[test]
    fn own_process_has_used_cpu_and_memory() {
        assert!(cpu(std::process::id()).unwrap() > Duration::ZERO);
        assert!(Memory::of(std::process::id()).unwrap().anonymous > 0);
    }
}
