//! The loop: sleep until a tick is due, listen, let the world go on, write.

use bennu_core::Instant;
use clap::Parser;
use game::{Listener, Table, Ticks};
use one_thread::start::hash_key;
use std::convert::Infallible;
use std::process::ExitCode;
use std::{io, thread, time};

/// Serves the channels `game:*` at `/socket/websocket`, on the loopback address.
#[derive(Parser)]
struct Arguments {
    /// The port to listen on; 0 for any that is free.
    #[arg(long, default_value_t = 4200)]
    port: u16,
}

fn main() -> ExitCode {
    match run(Arguments::parse().port) {
        Ok(never) => match never {},
        Err(error) => {
            eprintln!("game: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(port: u16) -> io::Result<Infallible> {
    let listener = Listener::bind(port)?;
    println!("listening on http://{}", listener.local_addr()?);
    let mut table = Table::new(hash_key());
    let epoch = time::Instant::now();
    let clock = || Instant::from_epoch(epoch.elapsed());
    let mut ticks = Ticks::new(clock());
    loop {
        thread::sleep(ticks.next().duration_since(clock()));
        let now = clock();
        while let Some(stream) = listener.accept() {
            table.seat(stream, now);
        }
        table.listen(now);
        table.advance(ticks.due(now), now);
        table.write(now);
    }
}
