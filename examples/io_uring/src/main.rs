//! Channels on io_uring: one thread that hands the kernel all sends of a turn at once.
//!
//! ```text
//!  event_loop.rs  takes turns
//!  ring.rs        the queues shared with the kernel, and the memory that it reads and writes: all that is `unsafe`
//!  token.rs       what a completion belongs to
//! ```
//!
//! All else is in `one_thread`, as it depends on no loop.

#[cfg(target_os = "linux")]
mod event_loop;
#[cfg(target_os = "linux")]
mod ring;
#[cfg(target_os = "linux")]
mod token;

use clap::Parser as _;
use one_thread::start::Arguments;
#[cfg(target_os = "linux")]
use ring::RingError;
use std::process::ExitCode;

/// As in `sysexits.h`: a service is not there. Whoever starts this program takes it for that, and skips it:
/// `xtask/src/process.rs` and `benches/src/load/server_process.rs` have the same number.
const UNAVAILABLE: u8 = 69;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ring = match ring::Ring::new() {
        Ok(ring) => ring,
        Err(RingError::Refused(error)) => return refused(&format!("the kernel refuses io_uring: {error}")),
        Err(RingError::Failed(error)) => return failed(&error),
    };
    serve(ring, arguments.port).map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    Arguments::parse();
    refused("only Linux has io_uring")
}

fn refused(why: &str) -> ExitCode {
    eprintln!("io-uring-example: {why}");
    ExitCode::from(UNAVAILABLE)
}

#[cfg(target_os = "linux")]
fn failed(error: &std::io::Error) -> ExitCode {
    eprintln!("io-uring-example: {error}");
    ExitCode::FAILURE
}

#[cfg(target_os = "linux")]
fn serve(ring: ring::Ring, port: u16) -> std::io::Result<()> {
    use one_thread::start;

    let listener = start::listen(port, start::SEND_BUFFER)?;
    println!("listening on http://{}", listener.local_addr()?);
    let mut event_loop = event_loop::EventLoop::new(ring, listener);
    event_loop.wait_for_end(start::end_on_signal()?);
    event_loop.run()
}
