//! Long runs of the model: `cargo run --release -p bennu-proof --bin nights -- --seconds 3600 [--seed 7]`.

use bennu_proof::model::Nights;
use lexopt::Arg;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn main() -> Result<(), lexopt::Error> {
    let (mut seconds, mut seed) = (60, None);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("seconds") => seconds = number(&mut arguments)?,
            Arg::Long("seed") => seed = Some(number(&mut arguments)?),
            other @ (Arg::Short(_) | Arg::Long(_) | Arg::Value(_)) => return Err(other.unexpected()),
        }
    }
    run(Duration::from_secs(seconds), seed.unwrap_or_else(by_the_clock));
    Ok(())
}

fn number(arguments: &mut lexopt::Parser) -> Result<u64, lexopt::Error> {
    use lexopt::ValueExt as _;
    arguments.value()?.parse()
}

/// A seed that was not there yesterday.
fn by_the_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn run(time: Duration, seed: u64) {
    println!("seed {seed}, {} s", time.as_secs());
    let (start, mut nights) = (Instant::now(), Nights::new(seed));
    while start.elapsed() < time {
        nights.play_next();
    }
    let operations = nights.marks.operations();
    let rate = operations as f64 / start.elapsed().as_secs_f64();
    println!("{} sequences, {operations} operations, {rate:.0} operations/s", nights.played());
    print!("{}", nights.marks);
}
