#![allow(missing_docs)]

mod end;
mod fanout;
mod join;
mod leave;
mod limits;
mod order;
mod pair;
mod refs;
mod replace;
mod timers;
mod traces;
