#![allow(missing_docs)]

mod end;
mod join;
mod leave;
mod limits;
mod order;
mod pair;
mod refs;
mod replace;
