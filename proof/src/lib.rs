//! What no input may break: the machines of [`bennu_core`] against a reference, whatever happens to them.

pub mod model;
