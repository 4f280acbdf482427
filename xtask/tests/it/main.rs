//! The runner as a whole, against servers that follow a script.
#![allow(missing_docs)]

mod directory;
mod outcomes;
mod scripted;
mod selection;
mod wire;
