//! The chores of this repository, behind `cargo xtask`.
//!
//! Set-up is part of each: what a command needs, it builds or installs, or it says in one line what is missing.

pub mod autobahn;
pub mod bench;
pub mod chat;
pub mod conformance;
pub mod fuzz;
pub mod mutants;
mod process;
mod repository;
pub mod test;
