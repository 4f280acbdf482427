//! Bennu on tokio: a listener, tasks, timers, TLS.
//!
//! An application's channels depend on [`bennu`] alone; what is in this crate is named in `main.rs`, and nowhere else.
//!
//! | here | is |
//! |---|---|
//! | [`Tokio`] | the runtime that [`Builder::build`](bennu::Builder::build) wants |
//! | [`bind`] | a listener that is set up for many connections |
//! | [`serve`] | the endpoint served: alone, or within an application |
//!
#![doc = include_str!("docs/serving.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod handshake;
mod runtime;
mod serve;
mod stream;
mod transport;

pub use runtime::Tokio;
pub use serve::{Serve, bind, serve};

/// The examples of the repository's README, so that they stay true.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct RepositoryReadme;

/// The example of this crate's README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
