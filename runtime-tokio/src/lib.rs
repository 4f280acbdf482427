//! Bennu on tokio.

mod runtime;
mod serve;
mod stream;
mod transport;

pub use runtime::Tokio;
pub use serve::{Serve, bind, serve};
