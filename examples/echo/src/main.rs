//! A raw WebSocket echo, on the bare machine: `bennu_core::websocket::Connection` and tokio, and no channels.
//!
//! ```text
//!  client.rs ─┐                       ┌─ server.rs
//!             ├─▶ session.rs: bytes ◀─┤
//!             │   in, bytes out       │
//!             └── handshake: hyper ───┘
//! ```
//!
//! Either end answers every message with the same message, so that a fuzzing client or a fuzzing server can be at the
//! other one.

mod client;
mod clock;
mod server;
mod session;

use anyhow::Result;
use bennu_core::websocket::Config;
use clap::Parser;
use http::Uri;

/// Returns every WebSocket message to whoever has sent it. Listens on the loopback address alone.
#[derive(Parser)]
struct Arguments {
    /// The port to listen on; 0 for any that is free.
    #[arg(long, default_value_t = 9001)]
    port: u16,
    /// Goes through all cases of a fuzzing server instead, such as ws://127.0.0.1:9001.
    #[arg(long, value_name = "URL", conflicts_with = "port")]
    connect: Option<Uri>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.connect {
        Some(url) => client::run(&url).await,
        None => server::run(arguments.port).await,
    }
}

/// More than anybody should accept from strangers: cases 9 of the Autobahn suite send messages of 16 MiB, and some in
/// hundreds of thousands of fragments.
fn config() -> Config {
    Config { max_message: 64 << 20, max_fragments: 1_000_000, ..Config::default() }
}
