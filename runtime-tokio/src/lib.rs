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
//!
//! # Features
//!
//! | feature | it adds |
//! |---|---|
//! | `tls` | `Serve::with_tls`, and TLS by rustls with its provider `ring` |
//!
//! None is on by default.
//!
//! # Public dependencies
//!
//! Of other crates' types, these are part of this crate's interface, so that an incompatible version of theirs is one of
//! this crate's: `bennu`; `tokio` 1 (`TcpListener`); `hyper` 1, `http` 1, `http-body` 1, `bytes` 1 and `tower-service` 0.3,
//! as bounds on the application that is served; with the feature `tls`, `rustls` 0.23 (`ServerConfig`).
#![cfg_attr(docsrs, feature(doc_cfg))]

mod door;
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
