//! Phoenix Channels as pure state machines.

pub mod connect;
pub mod event;
mod frame;
mod instant;
mod json;
mod message;
pub mod outbox;
mod payload;
mod reference;
pub mod router;
pub mod server;
mod topic;
mod vsn;
pub mod websocket;
pub mod wire;

pub use frame::{Frame, FrameBuilder, Kind};
pub use instant::Instant;
pub use message::{Message, Name, PayloadSlice};
pub use payload::{EventError, IntoPayload, NotEncodable, ParseError, Payload, RawJson};
pub use reference::{Ref, RefTooLong};
pub use topic::{EventName, MAX_NAME, Topic};
pub use wire::Serializer;
