//! Who else used the machine.

use serde::Serialize;
use std::fmt;
use std::fs;
use std::io;

/// CPU time in ticks, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// Of all processors, idle or not.
    all: u64,
    /// Of all processors while they did something, and what the hypervisor took.
    busy: u64,
    /// Of this process and the children that it has waited for.
    own: u64,
}

/// The part of the machine's CPU that others used between two moments, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Disturbance(pub(super) f64);

/// What a ratio to a floor stands, by experience.
const TOLERABLE: f64 = 0.1;

impl Moment {
    /// Now.
    ///
    /// # Errors
    /// Those of reading `/proc`.
    pub(super) fn now() -> io::Result<Self> {
        let machine = fs::read_to_string("/proc/stat")?;
        let own = fs::read_to_string("/proc/self/stat")?;
        Self::parse(&machine, &own).ok_or_else(|| io::Error::other("/proc has another shape"))
    }

    fn parse(machine: &str, own: &str) -> Option<Self> {
        /// user, nice, system, idle, iowait, irq, softirq, steal: what follows is in `user` already.
        const STATES: usize = 8;
        /// utime, stime, cutime and cstime, counted behind the name, which may have spaces.
        const OWN: std::ops::Range<usize> = 11..15;

        let machine: Vec<u64> = numbers(machine.lines().next()?.strip_prefix("cpu")?).take(STATES).collect();
        let all = machine.iter().sum();
        let idle = machine.get(3)? + machine.get(4)?;
        let (_, fields) = own.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
        let own = fields.get(OWN)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
        Some(Self { all, busy: all - idle, own })
    }

    /// What others used since then.
    ///
    /// # Errors
    /// Those of reading `/proc`.
    pub(super) fn until_now(self) -> io::Result<Disturbance> {
        Ok(self.until(Self::now()?))
    }

    fn until(self, end: Self) -> Disturbance {
        let (all, busy, own) = (end.all - self.all, end.busy - self.busy, end.own - self.own);
        Disturbance(busy.saturating_sub(own) as f64 / all.max(1) as f64)
    }
}

impl Disturbance {
    /// Whether figures that were taken meanwhile can be judged by.
    pub(super) fn is_tolerable(self) -> bool {
        self.0 <= TOLERABLE
    }
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "others used {:.0} % of this machine's CPU", self.0 * 100.0)?;
        if !self.is_tolerable() {
            f.write_str(": too much to judge by these figures")?;
        }
        Ok(())
    }
}

fn numbers(text: &str) -> impl Iterator<Item = u64> {
    text.split_ascii_whitespace().map_while(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(machine: &str, own: &str) -> Moment {
        Moment::parse(machine, own).unwrap()
    }

    #[test]
    fn own_share_is_not_held_against_others() {
        let start = moment("cpu  0 0 0 0 0 0 0 0 0 0\n", "1 (a b) S 0 0 0 0 0 0 0 0 0 0 0 0 0 0 20");
        let end = moment("cpu  30 0 30 130 0 0 5 5 0 0\n", "1 (a b) S 0 0 0 0 0 0 0 0 0 0 10 10 10 10 20");

        assert_eq!(start.until(end), Disturbance(0.15));
    }

    #[test]
    fn much_of_others_is_said_to_be_too_much() {
        assert!(
            Disturbance(0.15).to_string().contains("15 %")
                && Disturbance(0.15).to_string().contains("too much")
        );
        assert!(!Disturbance(0.05).to_string().contains("too much"));
    }

    #[test]
    fn this_machine_has_the_shape() {
        let moment = Moment::now().unwrap();
        assert!(moment.all >= moment.busy && moment.busy > 0);
    }
}
