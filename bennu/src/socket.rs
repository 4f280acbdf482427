//! What an application writes: sockets.

use bennu_core::connect::{ConnectInfo, Params};
use bytes::Bytes;
use http::{Response, StatusCode};
use std::error::Error;
use std::fmt;
use std::future::Future;

/// Who may connect, and what every channel of the connection then knows.
///
/// One value serves all connections of a mount: it holds what they share (a database pool, a
/// configuration). [`connect`](Self::connect) makes one [`Assigns`](Self::Assigns) for each connection.
///
/// ```
/// use bennu::prelude::*;
///
/// struct GameSocket { secret: String }
/// struct Player { name: String }
///
/// impl Socket for GameSocket {
///     type Assigns = Player;
///
///     async fn connect(&self, params: Params, _: &ConnectInfo) -> Result<Player, Refused> {
///         if params.str("secret") != Some(&self.secret) { return Err(Refused::forbidden()); }
///         let name = params.str("name").ok_or_else(Refused::forbidden)?;
///         Ok(Player { name: name.to_owned() })
///     }
///
///     fn id(&self, player: &Player) -> Option<String> { Some(format!("player:{}", player.name)) }
/// }
/// ```
///
/// Source: `Phoenix.Socket`.
pub trait Socket: Send + Sync + 'static {
    /// What the channels of one connection share.
    type Assigns: Send + Sync + 'static;

    /// `async fn connect(&self, params: Params, info: &ConnectInfo) -> Result<Self::Assigns, Refused>`
    ///
    /// Somebody wants to connect, with these parameters: those of the query and of the path. Runs before
    /// the upgrade, also for a request that turns out to be none; so it should be cheap, and change
    /// nothing. A panic is answered with 500.
    ///
    /// Source: `Phoenix.Socket.connect/3`.
    fn connect(
        &self,
        params: Params,
        info: &ConnectInfo,
    ) -> impl Future<Output = Result<Self::Assigns, Refused>> + Send;

    /// The id of a connection, such as `player:ann`: all that share it are ended by
    /// [`Endpoint::disconnect`](crate::Endpoint::disconnect). None unless implemented.
    ///
    /// Source: `Phoenix.Socket.id/1`.
    fn id(&self, assigns: &Self::Assigns) -> Option<String> {
        let _ = assigns;
        None
    }
}

/// A [`Socket`] that accepts anybody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Open;

impl Socket for Open {
    type Assigns = ();

    async fn connect(&self, _: Params, _: &ConnectInfo) -> Result<(), Refused> {
        Ok(())
    }
}

/// Why somebody may not connect.
///
/// `?` on any error is a 500, and is logged.
#[must_use]
pub struct Refused(Box<Refusal>);

enum Refusal {
    Response(Response<Bytes>),
    Failed(Box<dyn Error + Send + Sync>),
}

impl Refused {
    /// 403, without a body.
    pub fn forbidden() -> Self {
        Self::status(StatusCode::FORBIDDEN)
    }

    /// A status, without a body.
    pub fn status(status: StatusCode) -> Self {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status;
        Self(Box::new(Refusal::Response(response)))
    }

    /// A response of your own, in place of Phoenix's `error_handler`.
    pub fn with<B: Into<Bytes>>(response: Response<B>) -> Self {
        let response = response.map(Into::into);
        Self(Box::new(Refusal::Response(response)))
    }

    /// 500: `connect` itself has failed.
    pub fn failed(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Box::new(Refusal::Failed(cause.into())))
    }

    /// What has failed, if it is no refusal.
    #[cfg(feature = "test")]
    pub(crate) fn cause(&self) -> Option<String> {
        match &*self.0 {
            Refusal::Response(_) => None,
            Refusal::Failed(cause) => Some(cause.to_string()),
        }
    }

    /// Whether `connect` has failed, rather than refused.
    pub(crate) fn has_failed(&self) -> bool {
        matches!(&*self.0, Refusal::Failed(_))
    }

    pub(crate) fn into_response(self) -> Response<Bytes> {
        match *self.0 {
            Refusal::Response(response) => response,
            Refusal::Failed(cause) => {
                tracing::error!(error = %cause, "a socket's connect failed");
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                response
            }
        }
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::failed(error)
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Refusal::Response(response) => f.debug_tuple("Refused").field(&response.status()).finish(),
            Refusal::Failed(cause) => f.debug_tuple("Refused").field(cause).finish(),
        }
    }
}
