//! A socket with its settings, mounted at a path.

use crate::BoxFuture;
use crate::format::Register;
use crate::link::{AnyLink, Line, Link, Transport};
use crate::longpoll::Entrance;
use crate::panics::catch;
use crate::places::{Capacity, Places};
use crate::routes::Routes;
use crate::{Channel, Compat, Drain, Limits, LongPoll, Rate, Refused, RequestLimits, Socket, WebSocket};
use bennu_core::connect::{
    CheckOrigin, ConnectInfo, ConnectInfoKeys, MountPath, Options, OriginEntryError, Params, Session,
};
use bennu_core::outbox::Patience;
use bennu_core::wire::{DecodeLimits, Format, Requirement, Serializer};
use bennu_core::{longpoll, server, websocket};
use http::HeaderMap;
use std::fmt;
use std::sync::Arc;

/// Starts the settings of a [`Socket`].
///
/// ```
/// # use bennu::prelude::*;
/// # struct Room;
/// # impl Channel for Room {
/// #     type Assigns = ();
/// #     async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> { Ok(Joined::new(Room)) }
/// # }
/// use bennu::{CheckOrigin, WebSocket};
///
/// let socket = bennu::socket(Open)
///     .channel::<Room>("room:*")
///     .check_origin(CheckOrigin::hosts(["//example.com", "https://*.example.org"]))
///     .max_channels(20)
///     .websocket(WebSocket::new().max_message(64 * 1024));
/// ```
pub fn socket<S: Socket>(socket: S) -> SocketSettings<S> {
    SocketSettings {
        socket,
        routes: Routes::new(),
        options: Options::default(),
        limits: Limits::default(),
        capacity: Capacity::default(),
        websocket: WebSocket::default(),
        longpoll: None,
        carried: Carried::No,
        drain: Drain::default(),
        session: None,
        serializers: Vec::new(),
    }
}

/// A [`Socket`] with its channels and settings, for [`Builder::socket`](crate::Builder::socket).
#[must_use]
pub struct SocketSettings<S: Socket> {
    socket: S,
    routes: Routes<S::Assigns>,
    options: Options,
    limits: Limits,
    capacity: Capacity,
    websocket: WebSocket,
    longpoll: Option<LongPoll>,
    carried: Carried,
    drain: Drain,
    session: Option<ReadSession>,
    serializers: Vec<(Requirement, Arc<dyn Format>)>,
}

/// Whether clients may come over transports of the application's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carried {
    Yes,
    No,
}

impl<S: Socket> SocketSettings<S> {
    /// Adds a channel: see [`Routes::channel`].
    ///
    /// # Panics
    /// If a `*` stands anywhere but at the end of the pattern.
    pub fn channel<C: Channel<Assigns = S::Assigns>>(mut self, pattern: &str) -> Self {
        self.routes = self.routes.channel::<C>(pattern);
        self
    }

    /// Adds channels behind those that are there.
    pub fn channels(mut self, routes: Routes<S::Assigns>) -> Self {
        self.routes.append(routes);
        self
    }

    /// Which origins may connect: by default those with the same host as the request.
    ///
    /// # Panics
    /// If an entry of [`CheckOrigin::hosts`] is malformed: a mistake in the program.
    pub fn check_origin(mut self, check: impl IntoCheckOrigin) -> Self {
        self.options.check_origin = match check.into_check_origin() {
            Ok(check) => check,
            Err(error) => panic!("an allowed origin is wrong: {error}"),
        };
        self
    }

    /// What to keep of the request that opens a connection: by default nothing, as it costs memory for
    /// as long as the connection lives.
    pub fn connect_info(mut self, keys: ConnectInfoKeys) -> Self {
        self.options.connect_info = keys;
        self
    }

    /// Takes an auth token that the client sends beside the parameters (`authToken` in phoenix.js): see
    /// [`ConnectInfo::auth_token`].
    pub fn auth_token(mut self) -> Self {
        self.options.auth_token = true;
        self
    }

    /// How many channels one connection may have: 100 by default. Short for [`Limits::channels`].
    pub fn max_channels(mut self, channels: usize) -> Self {
        self.limits = self.limits.channels(channels);
        self
    }

    /// What a client may grow. Replaces all limits that were set before, [`max_channels`](Self::max_channels)
    /// among them.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How many connections this socket may have, beside the [bound of the endpoint](crate::Builder::max_connections): by
    /// default as many as come. A further one is answered 503.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.capacity.connections = connections;
        self
    }

    /// How fast clients of this socket may come, beside the [rate of the endpoint](crate::Builder::accept_rate), which
    /// has the details: by default as fast as they come. One too many is answered 503, and takes nothing of what the
    /// other sockets have.
    pub fn accept_rate(mut self, rate: Rate) -> Self {
        self.capacity.rate = Some(rate);
        self
    }

    /// Which release of Phoenix to follow, where they differ on the wire: 1.8.12, unless clients were written for an older
    /// one and count on it.
    ///
    /// ```
    /// use bennu::{Compat, Open};
    ///
    /// let socket = bennu::socket(Open).compat(Compat::Phoenix1_8_9);
    /// ```
    pub fn compat(mut self, compat: Compat) -> Self {
        self.options.compat = compat;
        self
    }

    /// How large a request may be that opens a connection; [`RequestLimits::new`] by default.
    pub fn request_limits(mut self, limits: RequestLimits) -> Self {
        self.options.limits = limits.head;
        self
    }

    /// Settings of the WebSocket transport; those of [`WebSocket::new`] by default.
    pub fn websocket(mut self, websocket: WebSocket) -> Self {
        self.websocket = websocket;
        self
    }

    /// Takes clients that poll as well, with these settings: by default there are none, as in Phoenix.
    pub fn longpoll(mut self, longpoll: LongPoll) -> Self {
        self.longpoll = Some(longpoll);
        self
    }

    /// Takes clients that speak a format of your own, in which all their messages are then written: those whose `vsn`
    /// meets the requirement, such as `~> 3.0.0` (any patch of 3.0), `~> 3.0` (any minor version of 3) or `3.0.0`.
    ///
    /// Of several the first that fits counts; V1 (`~> 1.0.0`) and V2 (`~> 2.0.0`) stand behind them. A client without
    /// `vsn` counts as `1.0.0`. The format holds for all transports; but clients that [poll](Self::longpoll) are refused if it
    /// writes bytes, which their answers have no place for.
    ///
    /// A broadcast is encoded once for all who speak a format, on whatever socket that was given the same [`Arc`].
    ///
    /// ```
    /// use bennu::{Decoded, Format, FormatError, Kind, Open, Outgoing};
    /// use std::sync::Arc;
    ///
    /// struct MsgPack;
    ///
    /// impl Format for MsgPack {
    ///     fn decode(&self, kind: Kind, data: &[u8]) -> Result<Decoded, FormatError> {
    ///         // …
    /// #       Err(FormatError::new("shortened"))
    ///     }
    ///
    ///     fn encode(&self, outgoing: &Outgoing<'_>) -> Result<(Kind, Vec<u8>), FormatError> {
    ///         // …
    /// #       Err(FormatError::new("shortened"))
    ///     }
    /// }
    ///
    /// let socket = bennu::socket(Open).serializer("~> 3.0.0", Arc::new(MsgPack));
    /// ```
    ///
    /// `examples/msgpack` has it whole.
    ///
    /// # Panics
    /// If the requirement has another form: a mistake in the program. [`Builder::socket`](crate::Builder::socket) panics if the sockets of
    /// an endpoint have more than 16 formats between them.
    ///
    /// Source: `serializer` among the options of `Phoenix.Endpoint.socket/3`, where the list replaces V1 and V2.
    pub fn serializer(mut self, requirement: &str, format: Arc<dyn Format>) -> Self {
        match Requirement::parse(requirement) {
            Ok(requirement) => self.serializers.push((requirement, format)),
            Err(error) => panic!("a serializer's version is wrong: {error}"),
        }
        self
    }

    /// Takes clients over transports of the application's own as well: see [`Endpoint::carry`](crate::Endpoint::carry).
    pub fn carried(mut self) -> Self {
        self.carried = Carried::Yes;
        self
    }

    /// Reads the session of whoever connects, before [`Socket::connect`] is asked, which finds it in
    /// [`ConnectInfo::session`]; `None` refuses nobody.
    ///
    /// A browser sends its cookies along from every page, also from one of another site. So either origins are
    /// checked, or the session counts only beside a token that the page was given: `_csrf_token` among the parameters,
    /// which phoenix.js sends. Both are for `read` to look at.
    ///
    /// ```
    /// # use bennu::Open;
    /// /// Who is logged in, by the cookie's signature or a store.
    /// struct Login { user: String, csrf_token: String }
    /// # fn login_of(_: &str) -> Option<Login> { None }
    ///
    /// let socket = bennu::socket(Open).session(|headers, params| {
    ///     let login = login_of(headers.get("cookie")?.to_str().ok()?)?;
    ///     (params.str("_csrf_token") == Some(&login.csrf_token)).then_some(login)
    /// });
    /// ```
    ///
    /// Source: `session` in `connect_info` of `Phoenix.Endpoint.socket/3`, and its `check_csrf`.
    pub fn session<T: Send + Sync + 'static>(
        mut self,
        read: impl Fn(&HeaderMap, &Params) -> Option<T> + Send + Sync + 'static,
    ) -> Self {
        self.session = Some(Box::new(move |headers, params| read(headers, params).map(Session::new)));
        self
    }

    /// How connections are let go when the node drains; in batches, as [`Drain::new`] says, by default.
    pub fn drain(mut self, drain: Drain) -> Self {
        self.drain = drain;
        self
    }

    /// Mounts the socket.
    pub(crate) fn mount(self, name: &str, register: &mut Register) -> Mounted {
        let longpoll = self.longpoll.map(|longpoll| longpoll.mount(name, self.limits.outbox));
        let carried = match self.carried {
            Carried::Yes => Some(longpoll::Config { max_queue: self.limits.outbox, ..Default::default() }),
            Carried::No => None,
        };
        let path = match MountPath::new(name, &self.websocket.path) {
            Ok(path) => path,
            Err(error) => panic!("a socket's path is wrong: {error}"),
        };
        let mut options = self.options;
        options.subprotocols = self.websocket.subprotocols;
        Mounted {
            name: name.into(),
            path,
            machine: server::Mount {
                router: self.routes.router().clone(),
                limits: self.limits.machine,
                compat: options.compat,
            },
            places: Places::new(self.capacity),
            decode: self.limits.decode,
            outbox: self.limits.outbox,
            patience: Patience::from(self.limits.outbox_age),
            options,
            websocket: self.websocket.config,
            longpoll,
            carried,
            drain: self.drain,
            session: self.session,
            serializers: self
                .serializers
                .into_iter()
                .map(|(requirement, format)| (requirement, register.add(format)))
                .collect(),
            socket: Box::new(Served { socket: self.socket, routes: Arc::new(self.routes) }),
        }
    }
}

impl<S: Socket> fmt::Debug for SocketSettings<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketSettings").field("routes", &self.routes).finish_non_exhaustive()
    }
}

/// What [`SocketSettings::check_origin`] takes: a [`CheckOrigin`], or what [`CheckOrigin::hosts`] returns.
pub trait IntoCheckOrigin {
    /// The check.
    ///
    /// # Errors
    /// The first entry that is malformed.
    fn into_check_origin(self) -> Result<CheckOrigin, OriginEntryError>;
}

impl IntoCheckOrigin for CheckOrigin {
    fn into_check_origin(self) -> Result<CheckOrigin, OriginEntryError> {
        Ok(self)
    }
}

impl IntoCheckOrigin for Result<CheckOrigin, OriginEntryError> {
    fn into_check_origin(self) -> Result<CheckOrigin, OriginEntryError> {
        self
    }
}

/// Finds a request's session.
pub(crate) type ReadSession = Box<dyn Fn(&HeaderMap, &Params) -> Option<Session> + Send + Sync>;

/// A mounted socket, without its types.
pub(crate) struct Mounted {
    /// The path that it was mounted at, as it was written.
    pub(crate) name: Box<str>,
    pub(crate) path: MountPath,
    pub(crate) machine: server::Mount,
    pub(crate) places: Places,
    /// What one message may have.
    pub(crate) decode: DecodeLimits,
    pub(crate) outbox: usize,
    pub(crate) patience: Patience,
    pub(crate) options: Options,
    pub(crate) websocket: websocket::Config,
    pub(crate) longpoll: Option<Entrance>,
    /// What holds for clients over transports of the application's own, if there may be any.
    pub(crate) carried: Option<longpoll::Config>,
    pub(crate) drain: Drain,
    pub(crate) session: Option<ReadSession>,
    /// Those that were added, and the versions that they answer to.
    pub(crate) serializers: Vec<(Requirement, Serializer)>,
    pub(crate) socket: Box<dyn AnySocket>,
}

impl Mounted {
    /// Whether clients may come so, by a request for a WebSocket.
    pub(crate) fn takes(&self, transport: Transport) -> bool {
        match transport {
            Transport::WebSocket => true,
            Transport::Carried => self.carried.is_some(),
            Transport::LongPoll => false,
        }
    }

    /// Whether a request for this path is one for this socket, by whichever transport.
    pub(crate) fn is_at(&self, path: &str) -> bool {
        let is_polled =
            || self.longpoll.as_ref().is_some_and(|entrance| entrance.path.capture(path).is_some());
        self.path.capture(path).is_some() || is_polled()
    }
}

/// Somebody who may connect.
pub(crate) struct Admitted {
    pub(crate) id: Option<String>,
    /// What its channels will share, once it is known where it belongs; and with its id.
    pub(crate) link: Box<dyn FnOnce(Line, Option<String>) -> Arc<dyn AnyLink> + Send>,
}

/// A socket of any type.
pub(crate) trait AnySocket: Send + Sync {
    fn connect(&self, params: Params, info: ConnectInfo) -> BoxFuture<'_, Result<Admitted, Refused>>;

    /// Lets somebody in without asking, with what `connect` would have returned; `None` if that is of another
    /// type.
    #[cfg(feature = "test")]
    fn admit(&self, assigns: Box<dyn std::any::Any + Send>) -> Option<Admitted>;
}

struct Served<S: Socket> {
    socket: S,
    routes: Arc<Routes<S::Assigns>>,
}

impl<S: Socket> AnySocket for Served<S> {
    fn connect(&self, params: Params, info: ConnectInfo) -> BoxFuture<'_, Result<Admitted, Refused>> {
        Box::pin(async move {
            let assigns = catch(|| self.socket.connect(params, &info)).await;
            let assigns = assigns.map_err(Refused::failed)??;
            let id = catch(|| std::future::ready(self.socket.id(&assigns))).await.map_err(Refused::failed)?;
            Ok(self.linked(id, assigns, info))
        })
    }

    #[cfg(feature = "test")]
    fn admit(&self, assigns: Box<dyn std::any::Any + Send>) -> Option<Admitted> {
        let assigns = *assigns.downcast::<S::Assigns>().ok()?;
        let id = self.socket.id(&assigns);
        Some(self.linked(id, assigns, ConnectInfo::default()))
    }
}

impl<S: Socket> Served<S> {
    /// Somebody who may connect: what its channels will share is made when it is known where it belongs.
    fn linked(&self, id: Option<String>, assigns: S::Assigns, info: ConnectInfo) -> Admitted {
        let routes = Arc::clone(&self.routes);
        let link = move |line, id: Option<String>| -> Arc<dyn AnyLink> {
            let id = id.map(|id| Box::new(id.into_boxed_str()));
            Arc::new(Link { line, id, info, routes, assigns })
        };
        Admitted { id, link: Box::new(link) }
    }
}
