#![allow(missing_docs)]

mod join;
mod leave;
mod order;
mod pair;
mod replace;
