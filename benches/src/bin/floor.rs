//! The floor server: `floor --port 4000 --direct` or `--coalesce`. Prints its URL once it listens.

use bennu_benches::floor::{Floor, Writes};
use lexopt::{Arg, Parser, ValueExt as _};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut port = 0;
    let mut writes = Writes::Direct;
    let mut arguments = Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("port") => port = arguments.value()?.parse()?,
            Arg::Long("direct") => writes = Writes::Direct,
            Arg::Long("coalesce") => writes = Writes::Coalesced,
            other @ (Arg::Short(_) | Arg::Long(_) | Arg::Value(_)) => return Err(other.unexpected().into()),
        }
    }

    let floor = Floor::listen(port, writes)?;
    println!("ws://{}/socket/websocket", floor.local_addr()?);
    floor.serve()?;
    Ok(())
}
