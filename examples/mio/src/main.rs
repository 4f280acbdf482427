//! Channels in an event loop: one thread, `mio`, the machines of `bennu_core`, and no async anywhere.
//!
//! ```text
//!  event_loop.rs  waits, reads, writes
//!  stream.rs      one client's stream
//! ```
//!
//! All else is in `one_thread`, as it depends on no loop.

mod event_loop;
mod stream;

use clap::Parser as _;
use event_loop::EventLoop;
use one_thread::start::{self, Arguments};
use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    match serve(Arguments::parse().port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mio-example: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(port: u16) -> io::Result<()> {
    let listener = start::listen(port, start::SEND_BUFFER)?;
    println!("listening on http://{}", listener.local_addr()?);
    let mut event_loop = EventLoop::new(listener)?;
    #[cfg(unix)]
    event_loop.wait_for_end(start::end_on_signal()?)?;
    event_loop.run()
}
