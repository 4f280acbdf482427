//! What drives the runs: a fuzzer's input, or a seed.

use super::mark::Marks;
use super::operation::Script;
use super::random::Random;
use super::world::{Path, Played, Shape, World};

/// Plays the script that these bytes are: any bytes are one.
///
/// # Panics
/// If the server does not do what it ought to. The script is printed as the code that plays it.
pub fn server(input: &[u8]) {
    let script = Script::decode(input);
    let one = play(&script, VALUES, 1);
    let eight = play(&script, EIGHT, 1);
    assert_eq!(one.heard, eight.heard, "clients of one server, and of eight, hear in {script:?}");
    play(&script, BYTES, 1);
}

/// One server that takes values.
pub(crate) const VALUES: Shape = Shape { servers: 1, path: Path::Values };

/// One server behind WebSockets.
pub(crate) const BYTES: Shape = Shape { servers: 1, path: Path::Bytes };

/// Eight servers that share the sockets.
pub(crate) const EIGHT: Shape = Shape { servers: 8, path: Path::Values };

/// Runs without end, by a seed.
#[derive(Debug)]
pub struct Nights {
    random: Random,
    played: usize,
    /// What all of them together have reached.
    pub marks: Marks,
}

impl Nights {
    /// Runs of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), played: 0, marks: Marks::default() }
    }

    /// Plays the next script, of up to 120 operations, in the next of three shapes.
    ///
    /// # Panics
    /// If the server does not do what it ought to; as [`server`].
    pub fn play_next(&mut self) {
        let operations = 20 + self.random.below(100);
        let script = Script::decode(&self.random.bytes(8 * (1 + operations)));
        let shape = [VALUES, BYTES, EIGHT][self.played % 3];
        self.played += 1;
        self.marks.add(&play(&script, shape, self.played).marks);
    }

    /// How many scripts have been played.
    #[must_use]
    pub fn played(&self) -> usize {
        self.played
    }
}

fn play(script: &Script, shape: Shape, number: usize) -> Played {
    let _shown = ShownIfItFails { script, shape, number };
    World::play(script, shape)
}

struct ShownIfItFails<'a> {
    script: &'a Script,
    shape: Shape,
    number: usize,
}

impl Drop for ShownIfItFails<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { script, shape, number } = self;
            eprintln!("// Sequence {number}.\nlet script = {script:?};\nWorld::play(&script, {shape:?});");
        }
    }
}
