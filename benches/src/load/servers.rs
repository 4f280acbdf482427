//! Bennu's own servers: the columns of the comparison.

use super::programs::{self, ProgramError};
use super::server_process::ServerCommand;
use serde::Serialize;

/// A program of this workspace that speaks the protocol.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OwnServer {
    /// On the command line and in the table.
    pub(super) name: &'static str,
    /// The package; its program has the same name.
    package: &'static str,
    /// The feature of the package that chooses the runtime, where there is a choice.
    runtime: Option<&'static str>,
    pub(super) standing: Standing,
    /// The program of this package that speaks the protocol over TLS on the same runtime, if there is one.
    secure: Option<&'static str>,
}

/// What figures are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Standing {
    /// They have to keep their budgets, which are meant for a runtime of several threads.
    Judged,
    /// They are to be seen beside the others.
    Compared,
}

/// All of them, in the order of the columns.
pub(super) const SERVERS: [OwnServer; 5] = [
    OwnServer {
        name: "tokio",
        package: "conformance",
        runtime: Some("tokio"),
        standing: Standing::Judged,
        secure: Some("secure"),
    },
    OwnServer {
        name: "async-std",
        package: "conformance",
        runtime: Some("async-std"),
        standing: Standing::Compared,
        secure: None,
    },
    OwnServer {
        name: "smol",
        package: "conformance",
        runtime: Some("smol"),
        standing: Standing::Compared,
        secure: None,
    },
    OwnServer {
        name: "mio",
        package: "mio-example",
        runtime: None,
        standing: Standing::Compared,
        secure: None,
    },
    OwnServer {
        name: "io_uring",
        package: "io-uring-example",
        runtime: None,
        standing: Standing::Compared,
        secure: None,
    },
];

const ARGUMENTS: [&str; 2] = ["--port", "{port}"];

impl OwnServer {
    /// The one of that name.
    pub(super) fn of(name: &str) -> Option<&'static Self> {
        SERVERS.iter().find(|server| server.name == name)
    }

    /// Whether it can be asked for TLS.
    pub(super) fn speaks_tls(&self) -> bool {
        self.secure.is_some()
    }

    /// How it is started.
    ///
    /// # Errors
    /// [`ProgramError`] if its program is not there.
    pub(super) fn plain(&self) -> Result<ServerCommand, ProgramError> {
        match self.runtime {
            Some(runtime) => programs::on_runtime(self.name, self.package, runtime, &ARGUMENTS),
            None => programs::command(self.name, self.package, self.package, &ARGUMENTS),
        }
    }

    /// How its like over TLS is started; `None` if there is none.
    ///
    /// # Errors
    /// [`ProgramError`] if that program is not there.
    pub(super) fn secure(&self) -> Result<Option<ServerCommand>, ProgramError> {
        let name = format!("{}, TLS", self.name);
        self.secure.map(|binary| programs::command(&name, programs::OWN, binary, &ARGUMENTS)).transpose()
    }
}
