//! A chat room in the browser: the unmodified `phoenix` client in front, Bennu behind, axum around both.
//!
//! ```text
//! browser ── GET /room/lobby ──────► page.rs      index.html, chat.js, phoenix.mjs
//!         ── /socket/websocket ────► room.rs      the channel `room:*`
//!            or /socket/longpoll       └────────► history.rs   what was said
//! ```
//!
//! `runtime.rs` alone names a runtime.

mod history;
mod options;
mod page;
mod room;
mod runtime;

use axum::Router;
use options::{Command, Options};
use page::{Page, PageError};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(Command::Serve(options)) => options,
        Ok(Command::Help) => {
            println!("{}", options::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("chat: {error}; `chat --help` shows what it takes");
            return ExitCode::from(2);
        }
    };
    match runtime::block_on(serve(options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> Result<(), StartError> {
    let page = Page::open(options.page).map_err(StartError::Page)?;
    let endpoint = room::endpoint().build(runtime::Runtime);
    let app = Router::new().route_service("/socket/{*path}", endpoint.clone()).merge(page.routes());

    let address = SocketAddr::new(options.host, options.port);
    let cannot_listen = |error| StartError::Listen { address, error };
    let listener = runtime::bind(address).map_err(cannot_listen)?;
    println!("Bennu chat: http://{}/", listener.local_addr().map_err(cannot_listen)?);

    runtime::serve(listener, endpoint)
        .app(app)
        .with_graceful_shutdown(runtime::asked_to_stop())
        .await
        .map_err(StartError::Serve)
}

/// Why the chat does not run.
#[derive(Debug)]
enum StartError {
    Page(PageError),
    Listen { address: SocketAddr, error: io::Error },
    Serve(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page(error) => error.fmt(f),
            Self::Listen { address, error } if error.kind() == io::ErrorKind::AddrInUse => {
                write!(f, "{address} is in use; choose another with --port, 0 for any that is free")
            }
            Self::Listen { address, error } => write!(f, "cannot listen on {address}: {error}"),
            Self::Serve(error) => write!(f, "the server stopped: {error}"),
        }
    }
}
