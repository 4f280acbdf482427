//! Who plays a scenario, in which order.

use super::options::{Options, Servers};
use super::programs::{self, ProgramError};
use super::report::Subject;
use super::scenario::{Scenario, Wire};
use super::server_process::ServerCommand;
use crate::floor::Writes;

/// The programs that take turns.
#[derive(Debug)]
pub(super) struct Lineup {
    /// Under test, over plain TCP.
    plain: Vec<ServerCommand>,
    /// The same over TLS.
    secure: Vec<ServerCommand>,
    direct: ServerCommand,
    coalesced: ServerCommand,
    skipped: Vec<String>,
}

impl Lineup {
    /// What these scenarios need, built and ready to start.
    ///
    /// # Errors
    /// [`ProgramError`] if a program is not there.
    pub(super) fn of(options: &Options, scenarios: &[Scenario]) -> Result<Self, ProgramError> {
        let needs = |wire| scenarios.iter().any(|scenario| scenario.wire() == wire);
        let (mut plain, mut secure, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        match &options.servers {
            Servers::Bennu => {
                if needs(Wire::Plain) {
                    plain.extend([programs::bennu()?, programs::mio()?]);
                    let io_uring = programs::io_uring()?;
                    if io_uring.is_refused() {
                        skipped.push(io_uring.name);
                    } else {
                        plain.push(io_uring);
                    }
                }
                if needs(Wire::Tls) {
                    secure.push(programs::secure()?);
                }
            }
            Servers::These(commands) => plain.clone_from(commands),
            Servers::FloorOnly => {}
        }
        let (direct, coalesced) = (programs::floor(Writes::Direct)?, programs::floor(Writes::Coalesced)?);
        Ok(Self { plain, secure, direct, coalesced, skipped })
    }

    /// What would have been under test, if the system did not refuse it.
    pub(super) fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// What the servers under test are called.
    pub(super) fn names(&self) -> Vec<String> {
        let servers = if self.plain.is_empty() { &self.secure } else { &self.plain };
        servers.iter().map(|server| server.name.clone()).collect()
    }

    /// Who plays this one: the servers under test, then the floor if it can.
    pub(super) fn of_scenario(&self, scenario: Scenario) -> Vec<(Subject, &ServerCommand)> {
        let servers = match scenario.wire() {
            Wire::Plain => &self.plain,
            Wire::Tls => &self.secure,
        };
        let floor = scenario.floor().map(|writes| match writes {
            Writes::Direct => &self.direct,
            Writes::Coalesced => &self.coalesced,
        });
        let servers = servers.iter().enumerate().map(|(number, server)| (Subject::Server(number), server));
        servers.chain(floor.map(|floor| (Subject::Floor, floor))).collect()
    }
}
