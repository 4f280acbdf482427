//! The command line.

use super::scenario::{Scenario, Wire};
use super::server_process::ServerCommand;
use super::servers::{OwnServer, SERVERS};
use lexopt::{Arg, Parser, ValueExt as _};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What to run, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub(super) size: Size,
    /// How often each scenario is run on each server.
    pub(super) runs: usize,
    /// Words of the chosen scenarios; none: all.
    only: Vec<String>,
    pub(super) servers: Servers,
    /// The directory for the page and the raw figures; none: `target/bench`.
    pub(super) report: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Full,
    Quick,
}

/// What is held against the floor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Servers {
    /// Bennu's.
    Own(Vec<&'static OwnServer>),
    These(Vec<ServerCommand>),
    /// Nothing: the floor is measured alone.
    FloorOnly,
}

/// What `--help` prints.
pub const HELP: &str = "\
load: puts load on whole servers and holds them against a floor

  --quick            small loads, one run: checks that no frame is lost, judges no time
  --only a,b         of connect, fanout, burst, topics, echo, latency, memory, tls
  --runs N           runs of each scenario (5; with --quick 1)
  --servers a,b      of tokio, async-std, smol, mio, io_uring (all)
  --server 'CMD'     another server instead, `{port}` in it is replaced; may be repeated
  --floor-only       the floor alone, to know a machine
  --report DIR       where report.html and report.json are left (target/bench)
";

const RUNS: usize = 5;
/// The scenario that not every server can play.
const TLS: &str = "tls";

impl Options {
    /// Reads the arguments behind the program's name; `None` asks for [`HELP`].
    ///
    /// # Errors
    /// An argument that is not understood.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Self>, lexopt::Error> {
        let mut size = Size::Full;
        let mut runs = None;
        let mut only = Vec::new();
        let mut servers = None;
        let mut report = None;
        let mut parser = Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("quick") => size = Size::Quick,
                Arg::Long("runs") => runs = Some(parser.value()?.parse()?),
                Arg::Long("only") => {
                    for word in parser.value()?.string()?.split(',') {
                        only.push(known_word(word)?);
                    }
                }
                Arg::Long("servers") => {
                    let words = parser.value()?.string()?;
                    servers = Some(Servers::Own(own_servers(&words)?));
                }
                Arg::Long("server") => servers = Some(Servers::with(servers, &parser.value()?.string()?)),
                Arg::Long("floor-only") => servers = Some(Servers::FloorOnly),
                Arg::Long("report") => report = Some(parser.value()?.into()),
                Arg::Long("help") | Arg::Short('h') => return Ok(None),
                other @ (Arg::Short(_) | Arg::Long(_) | Arg::Value(_)) => return Err(other.unexpected()),
            }
        }
        let runs = runs.unwrap_or(match size {
            Size::Full => RUNS,
            Size::Quick => 1,
        });
        let servers = servers.unwrap_or_else(|| Servers::Own(SERVERS.iter().collect()));
        if !servers.speak_tls() && only.iter().any(|word| word == TLS) {
            return Err(format!("none of these servers can be asked for `{TLS}`").into());
        }
        Ok(Some(Self { size, runs, only, servers, report }))
    }

    /// The chosen scenarios, at the chosen size.
    pub(super) fn scenarios(&self) -> Vec<Scenario> {
        let all = match self.size {
            Size::Full => Scenario::FULL,
            Size::Quick => Scenario::QUICK,
        };
        let chosen = |scenario: &Scenario| {
            let asked = self.only.is_empty() || self.only.iter().any(|word| word == scenario.word());
            asked && (scenario.wire() == Wire::Plain || self.servers.speak_tls())
        };
        all.iter().copied().filter(chosen).collect()
    }
}

impl Servers {
    /// Whether one of them plays over TLS.
    fn speak_tls(&self) -> bool {
        matches!(self, Self::Own(servers) if servers.iter().any(|server| server.speaks_tls()))
    }

    /// One more of the others, in the place of Bennu's.
    fn with(servers: Option<Self>, line: &str) -> Self {
        let mut commands = match servers {
            Some(Self::These(commands)) => commands,
            Some(Self::Own(_) | Self::FloorOnly) | None => Vec::new(),
        };
        let program = Path::new(line.split_whitespace().next().unwrap_or_default());
        let mut name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let namesakes = commands.iter().filter(|command| command.name.starts_with(&name)).count();
        if namesakes > 0 {
            name = format!("{name} {}", namesakes + 1);
        }
        commands.push(ServerCommand::parse(&name, line));
        Self::These(commands)
    }
}

fn known_word(word: &str) -> Result<String, lexopt::Error> {
    if Scenario::FULL.iter().any(|scenario| scenario.word() == word) {
        return Ok(word.to_owned());
    }
    Err(format!("no scenario is called `{word}`").into())
}

/// By their names, each once: figures are told apart by these.
fn own_servers(names: &str) -> Result<Vec<&'static OwnServer>, lexopt::Error> {
    let mut servers = Vec::new();
    for name in names.split(',') {
        let server = OwnServer::of(name).ok_or_else(|| format!("no server is called `{name}`"))?;
        if servers.contains(&server) {
            return Err(format!("`{name}` is named twice").into());
        }
        servers.push(server);
    }
    Ok(servers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, lexopt::Error> {
        Options::parse(line.split(' ').map(OsString::from)).map(|options| options.unwrap())
    }

    #[test]
    fn quick_is_one_run_unless_told_otherwise() {
        assert_eq!(parse("--quick").unwrap().runs, 1);
        assert_eq!(parse("--quick --runs 3").unwrap().runs, 3);
        assert_eq!(parse("--only echo").unwrap().runs, 5);
    }

    #[test]
    fn only_selects_by_word() {
        let options = parse("--only echo,memory").unwrap();
        let words: Vec<_> = options.scenarios().into_iter().map(Scenario::word).collect();

        assert_eq!(words, ["echo", "echo", "memory"]);
        assert!(parse("--only nothing").is_err());
    }

    #[test]
    fn servers_are_chosen_by_name_each_once_and_all_are_unless_told_otherwise() {
        let names = |line| {
            let servers = parse(line).unwrap().servers;
            let Servers::Own(servers) = servers else { panic!("{servers:?}") };
            servers.iter().map(|server| server.name).collect::<Vec<_>>()
        };

        assert_eq!(names("--quick"), SERVERS.map(|server| server.name));
        assert_eq!(names("--servers mio,tokio"), ["mio", "tokio"]);
        assert!(parse("--servers mio,nothing").is_err());
        assert!(parse("--servers mio,tokio,mio").is_err());
    }

    #[test]
    fn help_names_every_server() {
        let names = SERVERS.map(|server| server.name).join(", ");

        assert!(HELP.contains(&format!("of {names} (all)")), "{HELP}");
    }

    #[test]
    fn tls_is_asked_of_those_alone_that_speak_it() {
        let words = |line| {
            let options = parse(line).unwrap();
            options.scenarios().into_iter().map(Scenario::word).collect::<Vec<_>>()
        };

        assert!(words("--quick").contains(&TLS));
        assert!(!words("--server=x").contains(&TLS));
        assert!(!words("--servers=mio").contains(&TLS));
        assert!(parse("--floor-only --only tls").is_err());
    }

    #[test]
    fn every_word_has_a_quick_scenario() {
        let quick: Vec<_> = Scenario::QUICK.iter().map(|scenario| scenario.word()).collect();

        assert!(Scenario::FULL.iter().all(|scenario| quick.contains(&scenario.word())));
    }

    #[test]
    fn two_servers_of_one_program_have_two_names() {
        let options = parse("--server=a/x --server=b/x").unwrap();
        let Servers::These(commands) = options.servers else { panic!("{:?}", options.servers) };

        assert_eq!([&commands[0].name, &commands[1].name], ["x", "x 2"]);
    }
}
