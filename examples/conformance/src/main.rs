//! The conformance app: every behaviour of Phoenix Channels that the recorded scenarios ask for.

mod channels;
mod http;
#[cfg(feature = "metrics")]
mod metrics;
mod runtime;
mod sockets;

use bennu::Compat;
use clap::{Parser, ValueEnum};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

/// The application that the recorded scenarios talk to. Listens on the loopback address alone.
#[derive(Parser)]
struct Arguments {
    /// The port to listen on; 0 for any that is free.
    #[arg(long, default_value_t = 4100)]
    port: u16,
    /// The release of Phoenix to follow.
    #[arg(long, value_enum, default_value_t)]
    compat: Release,
    /// What to log, to standard error: error, warn, info, debug or trace.
    #[arg(long)]
    log: Option<tracing_subscriber::filter::LevelFilter>,
}

/// The releases that scenarios were recorded from.
#[derive(Clone, Copy, Default, ValueEnum)]
enum Release {
    #[value(name = "1.8.9")]
    V1_8_9,
    #[default]
    #[value(name = "1.8.12")]
    V1_8_12,
}

impl From<Release> for Compat {
    fn from(release: Release) -> Self {
        match release {
            Release::V1_8_9 => Self::Phoenix1_8_9,
            Release::V1_8_12 => Self::Phoenix1_8_12,
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.log {
        Some(level) => tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).init(),
        // Handlers panic because they are asked to, and are heard of on the wire.
        None => std::panic::set_hook(Box::new(|_| {})),
    }
    match runtime::block_on(run(arguments.port, arguments.compat.into())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conformance: cannot listen on port {}: {error}", arguments.port);
            ExitCode::FAILURE
        }
    }
}

async fn run(port: u16, compat: Compat) -> std::io::Result<()> {
    let listener = runtime::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    let address = listener.local_addr()?;
    #[cfg(feature = "metrics")]
    let prometheus = metrics::install().map_err(std::io::Error::other)?;
    let endpoint = sockets::endpoint(compat).build(runtime::Runtime);
    let app = http::app(endpoint.clone());
    #[cfg(feature = "metrics")]
    let app = app.merge(metrics::route(endpoint.clone(), prometheus));
    println!("listening on http://{address}");
    runtime::serve(listener, endpoint).fallback(app).with_graceful_shutdown(runtime::interrupted()).await
}
