//! A client looks at the answer.

use super::head::{self, first, has_token, is_visible, lines};
use crate::fuzz::recipe::Recipe;
use crate::fuzz::recorded::Recorded;
use bennu_core::websocket::handshake::{ClientKey, ResponseError, check_response, request_headers};
use http::header::{CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use http::{HeaderValue, Request, Response, StatusCode, Version};
use tungstenite::handshake::HandshakeError;
use tungstenite::handshake::client::ClientHandshake;
use tungstenite::handshake::derive_accept_key;

/// The first byte says whether subprotocols were offered, the rest is a response head.
pub(super) fn check(mut recipe: Recipe<'_>) {
    let offered = (recipe.byte() & 1 != 0).then(|| HeaderValue::from_static("conf.v1, conf.v2"));
    let bytes = recipe.rest();
    let Some(response) = head::response(bytes) else { return };
    // Fixed, so that a dictionary can hold the answer to it.
    let key = ClientKey::new(*b"the sample nonce");

    let ours = check_response(&response, &key, offered.as_ref());
    let theirs = read_by_tungstenite(bytes, &key, offered.as_ref());
    match &ours {
        Ok(()) => assert_is_right(&response, &key, offered.as_ref()),
        Err(error) if theirs => {
            let why = refused_here_alone(&response, error);
            assert!(why.is_some(), "{error}, but tungstenite takes it");
        }
        Err(_) => {}
    }
    if ours.is_ok() && is_plain(&response, offered.as_ref()) {
        assert!(theirs, "tungstenite refuses {response:?}");
    }
}

fn assert_is_right(response: &Response<()>, key: &ClientKey, offered: Option<&HeaderValue>) {
    let headers = response.headers();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert!(has_token(headers, &CONNECTION, "upgrade") && has_token(headers, &UPGRADE, "websocket"));
    let accept = first(headers, &SEC_WEBSOCKET_ACCEPT).trim_ascii();
    assert_eq!(accept, derive_accept_key(key.as_str().as_bytes()).as_bytes());
    if let Some(chosen) = headers.get(SEC_WEBSOCKET_PROTOCOL) {
        assert!(offered.is_some(), "a subprotocol without an offer");
        let chosen = chosen.as_bytes().trim_ascii();
        assert!([&b"conf.v1"[..], b"conf.v2"].contains(&chosen), "{chosen:?} was not offered");
    }
}

/// What this side minds and tungstenite does not.
#[derive(Clone, Copy, Debug)]
enum Stricter {
    /// An extension that nobody offered.
    Extension,
    /// What has to be there once is there once.
    Repeated,
}

fn refused_here_alone(response: &Response<()>, error: &ResponseError) -> Option<Stricter> {
    if let ResponseError::Extension { .. } = error {
        return Some(Stricter::Extension);
    }
    let is_accept = matches!(error, ResponseError::Accept { .. });
    let header = if is_accept { SEC_WEBSOCKET_ACCEPT } else { SEC_WEBSOCKET_PROTOCOL };
    (lines(response.headers(), &header) > 1).then_some(Stricter::Repeated)
}

/// Whether a response is of the form that tungstenite asks for: this side also takes tokens among others and
/// on later lines, and that no subprotocol is chosen.
fn is_plain(response: &Response<()>, offered: Option<&HeaderValue>) -> bool {
    let headers = response.headers();
    let accept = first(headers, &SEC_WEBSOCKET_ACCEPT);
    let protocol = first(headers, &SEC_WEBSOCKET_PROTOCOL);
    response.version() == Version::HTTP_11
        && first(headers, &UPGRADE).eq_ignore_ascii_case(b"websocket")
        && first(headers, &CONNECTION).eq_ignore_ascii_case(b"upgrade")
        && accept.trim_ascii() == accept
        && protocol.trim_ascii() == protocol
        && is_visible(protocol)
        && headers.contains_key(SEC_WEBSOCKET_PROTOCOL) == offered.is_some()
}

fn read_by_tungstenite(bytes: &[u8], key: &ClientKey, offered: Option<&HeaderValue>) -> bool {
    let mut request = Request::get("ws://localhost/socket").body(()).expect("a request");
    *request.headers_mut() = request_headers(key, offered);
    request.headers_mut().insert(HOST, HeaderValue::from_static("localhost"));
    let started = ClientHandshake::start(Recorded(bytes), request, None).expect("a request that is whole");
    match started.handshake() {
        Ok(_) => true,
        Err(HandshakeError::Failure(_)) => false,
        Err(HandshakeError::Interrupted(_)) => panic!("nothing is read that would block"),
    }
}
