//! Long-polling at the door: requests that come and go, and the sessions that they belong to.
//!
//! ```text
//!  GET  ─▶ requests.rs ─▶ Counter ◀─▶ the session's task (connection/longpoll.rs) ─▶ Server
//!  POST ─▶ requests.rs ─▶ (counter.rs)
//! ```
//!
//! A session has a task of its own, which runs its channels' handlers as that of a WebSocket does. Requests never
//! meet it: they leave what they bring at the session's counter, and wait there for what they came for.

mod body;
mod counter;
mod requests;
mod sessions;

pub(crate) use counter::{Counter, Delivery, Errand, Unsent};
pub(crate) use requests::{Visit, answer};
pub(crate) use sessions::{Sessions, random_secret};

use bennu_core::connect::MountPath;
use bennu_core::longpoll::{BodyLimits, Config};
use std::time::Duration;

/// Where one socket is polled, and what holds there.
#[derive(Debug)]
pub(crate) struct Entrance {
    pub(crate) path: MountPath,
    pub(crate) config: Config,
    pub(crate) body: BodyLimits,
    /// How long a body may take to arrive, in all.
    pub(crate) body_timeout: Duration,
    /// How old a token may be.
    pub(crate) max_age: Duration,
}
