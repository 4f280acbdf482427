//! The programs as their user starts them.
#![allow(missing_docs)]

mod quick;
