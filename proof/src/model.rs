//! The server beside a reference model: whatever happens, both say the same.
//!
//! ```text
//!   bytes ─▶ Script ─▶ Operation ─┬─▶ Server  (the machine, one or several) ─┐
//!   (fuzzer, proptest, nights)    └─▶ Model   (what it ought to do)  ────────┴─▶ compared, step by step
//! ```
//!
//! A `Script` is what happens: clients send, handlers answer or do not, time goes by. The `Model` is written
//! from the specification, with lists and without care for speed. The `World` does each operation to both and
//! compares all that is said, in order; and it looks for what must hold whatever is predicted. It has three
//! shapes: one server that takes values, one behind WebSockets, and eight that share the sockets.

mod decode;
mod held;
mod mark;
mod operation;
mod random;
mod reference;
mod run;
mod said;
#[cfg(test)]
mod tests;
mod value;
mod world;

pub use held::{Held, held};
pub use mark::{Mark, Marks};
pub use random::Random;
pub use run::{Nights, server};
