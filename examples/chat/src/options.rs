//! The command line.

use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
A chat room in the browser

Usage: chat [--port N] [--host ADDRESS] [--page DIR]

  --port N        where to listen; 0 takes any free port (4000)
  --host ADDRESS  the address to listen on; others than this machine reach it only if you say so (127.0.0.1)
  --page DIR      the page's files, with the npm packages installed there (examples/chat/page)";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Serve(Options),
    Help,
}

/// How the chat is served.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
    pub(crate) page: PathBuf,
}

/// Why the command line cannot be followed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum UsageError {
    Unknown { argument: OsString },
    MissingValue { option: &'static str },
    BadValue { option: &'static str, value: OsString },
}

impl Options {
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, UsageError> {
        let mut options = Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 4000,
            page: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/page")),
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = |option| arguments.next().ok_or(UsageError::MissingValue { option });
            match argument.to_str() {
                Some("--port") => options.port = parsed("--port", value("--port")?)?,
                Some("--host") => options.host = parsed("--host", value("--host")?)?,
                Some("--page") => options.page = value("--page")?.into(),
                Some("--help" | "-h") => return Ok(Command::Help),
                _ => return Err(UsageError::Unknown { argument }),
            }
        }
        Ok(Command::Serve(options))
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { argument } => write!(f, "unknown argument {argument:?}"),
            Self::MissingValue { option } => write!(f, "{option} needs a value"),
            Self::BadValue { option, value } => write!(f, "{value:?} is no value for {option}"),
        }
    }
}

fn parsed<T: std::str::FromStr>(option: &'static str, value: OsString) -> Result<T, UsageError> {
    let parsed = value.to_str().and_then(|text| text.parse().ok());
    parsed.ok_or(UsageError::BadValue { option, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_arguments_only_this_machine_reaches_it() {
        let Ok(Command::Serve(options)) = parse(&[]) else { panic!("no arguments are needed") };

        assert!(options.host.is_loopback());
        assert_eq!(options.port, 4000);
        assert!(options.page.ends_with("page"));
    }

    #[test]
    fn each_option_takes_the_value_behind_it() {
        let expected = Options { host: [0, 0, 0, 0].into(), port: 0, page: "elsewhere".into() };

        assert_eq!(
            parse(&["--port", "0", "--page", "elsewhere", "--host", "0.0.0.0"]),
            Ok(Command::Serve(expected))
        );
    }

    #[test]
    fn what_cannot_be_followed_is_named() {
        assert_eq!(parse(&["--port"]), Err(UsageError::MissingValue { option: "--port" }));
        assert_eq!(
            parse(&["--port", "65536"]),
            Err(UsageError::BadValue { option: "--port", value: "65536".into() })
        );
        assert_eq!(parse(&["lobby"]), Err(UsageError::Unknown { argument: "lobby".into() }));
    }

    fn parse(arguments: &[&str]) -> Result<Command, UsageError> {
        Options::parse(arguments.iter().map(OsString::from))
    }
}
