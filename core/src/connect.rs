//! Everything that is decided about a connection before it is upgraded.
//!
//! ```text
//! request head ─▶ limits ─▶ method ─▶ parameters ─▶ origin ─▶ auth token ─▶ subprotocol ─▶ Admission
//!                414, 431     400         400          403        400           403
//! ```
//!
//! [`examine`] runs these checks in this order, which is Phoenix's, and the first that fails decides the
//! answer. What follows needs more than the request head: the serializer is chosen by [`Admission::vsn`] (403
//! if there is none), the application's `connect` runs (403, or what it says), and only then are the upgrade
//! headers looked at (400). So a plain `GET` meets the application before it meets the WebSocket.
//!
//! Nothing here does I/O: a request head goes in, a value comes out. Each check is also public on its own,
//! for transports that answer differently; long-polling says 403 in a body, not in a status.
//!
//! Source: Phoenix `Transports.WebSocket.call/2`, `Socket.Transport`.

mod auth_token;
mod carrier;
mod check_origin;
mod examine;
mod forwarded;
mod info;
mod limits;
mod options;
mod origin;
mod params;
mod path;
mod percent;
mod refusal;
mod session;
mod subprotocol;

pub use auth_token::{AuthTokenError, decode_auth_token, encode_auth_token};
pub use carrier::{Carrier, Scheme};
pub use check_origin::{CheckOrigin, OriginEntry, OriginEntryError, OriginRefusal};
pub(crate) use examine::with_variables;
pub use examine::{Admission, Vsn, connect_params, examine};
pub use forwarded::{ProxyEntryError, TrustedProxies};
pub use info::{ConnectInfo, ConnectInfoKeys, RequestUri};
pub use limits::{LimitError, Limits};
pub use options::Options;
pub use origin::{Origin, OriginError};
pub use params::{Param, ParamText, Params, ParamsNotAnObject, QueryError, ShapeError};
pub use path::{MountPath, PathError, PathVariables};
pub use percent::PercentError;
pub use refusal::Refusal;
pub use session::Session;
pub use subprotocol::{NoCommonSubprotocol, Offer, negotiate};
