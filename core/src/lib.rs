//! Phoenix Channels as pure state machines.

pub mod connect;
pub mod event;
mod frame;
mod instant;
mod json;
mod message;
mod payload;
mod reference;
pub mod websocket;

pub use frame::{Frame, FrameBuilder, Kind};
pub use instant::Instant;
pub use message::{Message, Name, PayloadSlice};
pub use payload::{ParseError, Payload, RawJson};
pub use reference::{Ref, RefTooLong};
