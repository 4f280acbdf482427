//! The conformance app: every behaviour of Phoenix Channels that the recorded scenarios ask for.

mod channels;
mod http;
#[cfg(feature = "metrics")]
mod metrics;
mod sockets;

use clap::Parser;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

/// The application that the recorded scenarios talk to. Listens on the loopback address alone.
#[derive(Parser)]
struct Arguments {
    /// The port to listen on; 0 for any that is free.
    #[arg(long, default_value_t = 4100)]
    port: u16,
    /// What to log, to standard error: error, warn, info, debug or trace.
    #[arg(long)]
    log: Option<tracing_subscriber::filter::LevelFilter>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.log {
        Some(level) => tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).init(),
        // Handlers panic because they are asked to, and are heard of on the wire.
        None => std::panic::set_hook(Box::new(|_| {})),
    }
    match run(arguments.port).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conformance: cannot listen on port {}: {error}", arguments.port);
            ExitCode::FAILURE
        }
    }
}

async fn run(port: u16) -> std::io::Result<()> {
    let listener = bennu_tokio::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    let address = listener.local_addr()?;
    #[cfg(feature = "metrics")]
    let prometheus = metrics::install().map_err(std::io::Error::other)?;
    let endpoint = sockets::endpoint().build(bennu_tokio::Tokio);
    let app = http::app(endpoint.clone());
    #[cfg(feature = "metrics")]
    let app = app.merge(metrics::route(endpoint.clone(), prometheus));
    println!("listening on http://{address}");
    bennu_tokio::serve(listener, endpoint)
        .fallback(app)
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await
}
