//! The sockets: where to connect, and who may.

use crate::channels::{Bench, Bye, Exact, Intercept, Join, Monitor, Room, User};
use axum::http::{Response, StatusCode, header};
use bennu::prelude::*;
use bennu::{Builder, CheckOrigin, Compat, ConnectInfoKeys, LongPoll, SocketSettings, WebSocket};
use std::time::Duration;

/// What the channels of a connection know of it.
pub(crate) struct Session {
    pub(crate) params: Params,
    pub(crate) user: Option<Box<str>>,
}

/// The socket that is drained on request.
pub(crate) const DRAINED: &str = "/drain_socket";

/// The endpoint, yet to be built on a runtime.
pub(crate) fn endpoint(compat: Compat) -> Builder {
    let anybody = || anybody(compat);
    let keys = ConnectInfoKeys::new()
        .peer_data()
        .trace_context_headers()
        .x_headers()
        .uri()
        .user_agent()
        .sec_websocket_headers();
    let origins = ["//example.com", "https://*.allowed.test", "http://port.test:8080"];
    Endpoint::builder()
        .socket("/socket", anybody())
        .socket("/user_socket", open_to_all(bennu::socket(Users).channels(routes()), compat))
        .socket("/error_socket", open_to_all(bennu::socket(Never), compat))
        .socket("/limit_socket", anybody().max_channels(2))
        .socket("/poll_socket", anybody().longpoll(LongPoll::new().window(Duration::from_millis(600))))
        .socket(
            "/expire_socket",
            anybody().longpoll(
                LongPoll::new().window(Duration::from_millis(300)).token_max_age(Duration::from_secs(1)),
            ),
        )
        .socket("/small_socket", anybody().websocket(WebSocket::new().max_message(4096)))
        .socket(
            "/idle_socket",
            anybody().websocket(WebSocket::new().idle_timeout(Duration::from_millis(600))),
        )
        .socket("/origin_socket", anybody().check_origin(CheckOrigin::hosts(origins)))
        .socket("/proto_socket", anybody().websocket(WebSocket::new().subprotocols(["conf.v1", "conf.v2"])))
        .socket("/auth_socket", anybody().auth_token())
        .socket("/info_socket", anybody().connect_info(keys))
        .socket(DRAINED, anybody())
        .socket(
            "/orgs/{org}",
            anybody()
                .websocket(WebSocket::new().path("units/{unit}/live"))
                .longpoll(LongPoll::new().path("units/{unit}/poll")),
        )
}

fn anybody(compat: Compat) -> SocketSettings<Anybody> {
    open_to_all(bennu::socket(Anybody).channels(routes()), compat)
}

fn open_to_all<S: Socket>(socket: SocketSettings<S>, compat: Compat) -> SocketSettings<S> {
    socket.compat(compat).check_origin(CheckOrigin::Any).longpoll(LongPoll::new())
}

fn routes() -> Routes<Session> {
    Routes::new()
        .channel::<Exact>("room:exact")
        .channel::<Room>("room:*")
        .channel::<Exact>("exact")
        .channel::<Join>("join:*")
        .channel::<Bye>("bye:*")
        .channel::<Monitor>("monitor:*")
        .channel::<Intercept>("intercept:*")
        .channel::<Bench>("bench:*")
        .channel::<Exact>("wild*")
        .channel::<User>("user:*")
}

/// Accepts anybody.
struct Anybody;

impl Socket for Anybody {
    type Assigns = Session;

    async fn connect(&self, params: Params, _: &ConnectInfo) -> Result<Session, Refused> {
        Ok(Session { params, user: None })
    }
}

/// Accepts those whose token names a user.
struct Users;

impl Socket for Users {
    type Assigns = Session;

    async fn connect(&self, params: Params, _: &ConnectInfo) -> Result<Session, Refused> {
        let user = params.str("token").and_then(|token| token.strip_prefix("letmein:"));
        let user = user.filter(|user| !user.is_empty()).ok_or_else(Refused::forbidden)?.to_owned();
        Ok(Session { params, user: Some(user.into()) })
    }

    fn id(&self, session: &Session) -> Option<String> {
        session.user.as_ref().map(|user| format!("user_socket:{user}"))
    }
}

/// Accepts nobody.
struct Never;

impl Socket for Never {
    type Assigns = Session;

    async fn connect(&self, params: Params, _: &ConnectInfo) -> Result<Session, Refused> {
        match params.str("mode") {
            Some("plain") => Err(Refused::forbidden()),
            Some("raise") => panic!("asked to"),
            _ => Err(Refused::with(
                Response::builder()
                    .status(StatusCode::TOO_MANY_REQUESTS)
                    .header(header::RETRY_AFTER, 7)
                    .header(header::CONTENT_TYPE, "text/plain")
                    .body("Too many requests")?,
            )),
        }
    }
}
