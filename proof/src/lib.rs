//! What no input may break.

pub mod fuzz;
pub mod model;
