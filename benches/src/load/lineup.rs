//! Who plays a scenario, in which order.

use super::options::{Options, Servers};
use super::programs::{self, ProgramError};
use super::report::{Contender, Subject};
use super::scenario::{Scenario, Wire};
use super::server_process::ServerCommand;
use super::servers::Standing;
use crate::floor::Writes;

/// The programs that take turns.
#[derive(Debug)]
pub(super) struct Lineup {
    entrants: Vec<Entrant>,
    direct: ServerCommand,
    coalesced: ServerCommand,
    skipped: Vec<String>,
}

/// A server under test.
#[derive(Debug)]
struct Entrant {
    contender: Contender,
    /// Over plain TCP.
    plain: Option<ServerCommand>,
    /// The same over TLS.
    secure: Option<ServerCommand>,
}

impl Lineup {
    /// What these scenarios need, built and ready to start.
    ///
    /// # Errors
    /// [`ProgramError`] if a program is not there.
    pub(super) fn of(options: &Options, scenarios: &[Scenario]) -> Result<Self, ProgramError> {
        let needs = |wire| scenarios.iter().any(|scenario| scenario.wire() == wire);
        let (mut entrants, mut skipped) = (Vec::new(), Vec::new());
        match &options.servers {
            Servers::Own(servers) => {
                for server in servers {
                    let plain = if needs(Wire::Plain) { Some(server.plain()?) } else { None };
                    if plain.as_ref().is_some_and(ServerCommand::is_refused) {
                        skipped.push(server.name.to_owned());
                        continue;
                    }
                    entrants.push(Entrant {
                        contender: Contender { name: server.name.to_owned(), standing: server.standing },
                        plain,
                        secure: if needs(Wire::Tls) { server.secure()? } else { None },
                    });
                }
            }
            Servers::These(commands) => entrants.extend(commands.iter().map(|command| Entrant {
                contender: Contender { name: command.name.clone(), standing: Standing::Judged },
                plain: Some(command.clone()),
                secure: None,
            })),
            Servers::FloorOnly => {}
        }
        entrants.retain(|entrant| entrant.plain.is_some() || entrant.secure.is_some());
        let (direct, coalesced) = (programs::floor(Writes::Direct)?, programs::floor(Writes::Coalesced)?);
        Ok(Self { entrants, direct, coalesced, skipped })
    }

    /// What would have been under test, if the system did not refuse it.
    pub(super) fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The servers under test.
    pub(super) fn contenders(&self) -> Vec<Contender> {
        self.entrants.iter().map(|entrant| entrant.contender.clone()).collect()
    }

    /// Who plays this one: the servers under test that can, then the floor if it can.
    pub(super) fn of_scenario(&self, scenario: Scenario) -> Vec<(Subject, &ServerCommand)> {
        let floor = scenario.floor().map(|writes| match writes {
            Writes::Direct => &self.direct,
            Writes::Coalesced => &self.coalesced,
        });
        let servers = self.entrants.iter().enumerate().filter_map(|(number, entrant)| {
            let command = match scenario.wire() {
                Wire::Plain => entrant.plain.as_ref(),
                Wire::Tls => entrant.secure.as_ref(),
            };
            Some((Subject::Server(number), command?))
        });
        servers.chain(floor.map(|floor| (Subject::Floor, floor))).collect()
    }
}
