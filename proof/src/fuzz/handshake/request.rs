//! A server looks at a request.

use super::head::{self, first, has_token, is_visible, lines};
use crate::fuzz::recipe::Recipe;
use bennu_core::connect::{
    Carrier, CheckOrigin, ConnectInfoKeys, Limits, MountPath, Offer, Options, Scheme, connect_params, examine,
};
use bennu_core::websocket::handshake::{Accept, UpgradeError, check_upgrade, response};
use http::header::{CONNECTION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{Method, Request, StatusCode, Version};
use tungstenite::handshake::derive_accept_key;
use tungstenite::handshake::server::create_response;

const CARRIER: Carrier = Carrier { peer: None, scheme: Scheme::Http };

/// The first byte is the mount's settings, the rest is a request head.
pub(super) fn check(mut recipe: Recipe<'_>) {
    let settings = recipe.byte();
    let Some(request) = head::request(recipe.rest()) else { return };
    check_admission(&request, &options(settings));
    check_accept(&request);
}

fn options(byte: u8) -> Options {
    let check_origin = match byte & 0b11 {
        0 => CheckOrigin::Any,
        1 => CheckOrigin::SameHost(None),
        2 => CheckOrigin::Conn,
        _ => CheckOrigin::hosts(["https://*.example.com"]).expect("a list of origins"),
    };
    let limits = match byte & 0b100 {
        0 => Limits::default(),
        _ => Limits { target: 40, header_block: 200, headers: 6 },
    };
    let keys = ConnectInfoKeys::new().uri().user_agent().x_headers();
    Options {
        check_origin,
        auth_token: byte & 0b1000 != 0,
        subprotocols: (byte & 0b1_0000 != 0).then(|| vec!["conf.v1".to_owned(), "mqtt".to_owned()]),
        connect_info: keys.trace_context_headers().sec_websocket_headers().peer_data(),
        limits,
        ..Options::default()
    }
}

/// What may go on is what each check by itself would let through.
fn check_admission(request: &Request<()>, options: &Options) {
    let (parts, ()) = request.clone().into_parts();
    let mount = MountPath::new("/socket/{room}", "websocket").expect("a pattern");
    let variables = mount.capture(parts.uri.path()).unwrap_or_default();
    let admission = match examine(&parts, variables.clone(), CARRIER, options) {
        Ok(admission) => admission,
        Err(refusal) => {
            let answers = [
                StatusCode::BAD_REQUEST,
                StatusCode::FORBIDDEN,
                StatusCode::URI_TOO_LONG,
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            ];
            assert!(answers.contains(&refusal.status()), "{refusal}");
            assert!(!refusal.body().contains(['\r', '\n']), "{refusal}");
            return;
        }
    };
    assert_eq!(parts.method, Method::GET);
    assert_eq!(options.limits.check(&parts), Ok(()));
    assert_eq!(options.check_origin.check(&parts, CARRIER), Ok(()));
    assert_eq!(Ok(&admission.params), connect_params(&parts, variables).as_ref());

    let offered = Offer::read(&parts.headers);
    let line = first(&parts.headers, &SEC_WEBSOCKET_PROTOCOL);
    let is_offered = |name: &str| {
        line.split(|byte| *byte == b',').any(|entry| String::from_utf8_lossy(entry).trim() == name)
    };
    if let Some(chosen) = &admission.subprotocol {
        assert!(["phoenix", "conf.v1", "mqtt"].contains(&&**chosen), "{chosen} is not spoken");
        assert!(is_offered(chosen), "{chosen} is not offered");
    }
    let cares = options.auth_token || options.subprotocols.is_some();
    if !cares || offered.is_none() {
        assert_eq!(admission.subprotocol, None, "nobody asked");
    }
    match admission.info.auth_token() {
        None => assert!(!options.auth_token),
        Some(None) => assert!(options.auth_token),
        Some(Some(_)) => {
            let repeated = lines(&parts.headers, &SEC_WEBSOCKET_PROTOCOL) > 1;
            let kept = admission.info.sec_websocket_headers();
            let has_token = |(_, value): &(String, String)| {
                value.split(',').any(|entry| entry.trim().starts_with("base64url.bearer.phx."))
            };
            assert!(
                repeated
                    || !kept.iter().any(|header| header.0 == "sec-websocket-protocol" && has_token(header)),
                "the token is told as a header as well"
            );
        }
    }
}

/// Who may upgrade is answered as RFC 6455 says, and tungstenite would upgrade as well.
fn check_accept(request: &Request<()>) {
    let headers = request.headers();
    let theirs = create_response(request);
    let ours = check_upgrade(request);
    match (&ours, &theirs) {
        (Ok(accept), _) => {
            assert!(has_token(headers, &CONNECTION, "upgrade") && has_token(headers, &UPGRADE, "websocket"));
            assert_eq!(first(headers, &SEC_WEBSOCKET_VERSION).trim_ascii(), b"13");
            assert_answers(accept, first(headers, &SEC_WEBSOCKET_KEY).trim_ascii());
        }
        (Err(error), Ok(_)) => {
            let why = refused_here_alone(request, error);
            assert!(why.is_some(), "{error}, but tungstenite takes it");
        }
        (Err(_), Err(_)) => {}
    }
    if ours.is_ok() && is_plain(request) {
        assert!(theirs.is_ok(), "tungstenite: {theirs:?}");
    }
}

fn assert_answers(accept: &Accept, key: &[u8]) {
    assert_eq!(accept.as_str(), derive_accept_key(key));
    let answer = response(accept, Some("mqtt"));
    assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(answer.headers()["sec-websocket-accept"], accept.as_str());
    assert_eq!(answer.headers().len(), 4);
}

/// What this side asks for and tungstenite does not.
#[derive(Clone, Copy, Debug)]
enum Stricter {
    /// RFC 9112 section 3.2.
    Host,
    /// Tokens are separated by commas; tungstenite takes spaces as well.
    Commas,
    /// What has to be there once is there once.
    Repeated,
}

fn refused_here_alone(request: &Request<()>, error: &UpgradeError) -> Option<Stricter> {
    let headers = request.headers();
    if let UpgradeError::Missing { header } = error {
        return (header == "host").then_some(Stricter::Host);
    }
    if let UpgradeError::NotListed { header, .. } = error {
        let has_spaces = first(headers, &CONNECTION).contains(&b' ');
        return (header == CONNECTION && has_spaces).then_some(Stricter::Commas);
    }
    let is_key = matches!(error, UpgradeError::InvalidKey { .. });
    let header = if is_key { SEC_WEBSOCKET_KEY } else { SEC_WEBSOCKET_VERSION };
    (lines(headers, &header) > 1).then_some(Stricter::Repeated)
}

/// Whether a request is of the form that tungstenite asks for: this side also takes tokens among others and on
/// later lines, any bytes beside them, spaces around, and a key whose unused bits are set.
fn is_plain(request: &Request<()>) -> bool {
    let headers = request.headers();
    let connection = first(headers, &CONNECTION);
    let lists_upgrade =
        connection.split(|byte| *byte == b',').any(|item| item.trim_ascii().eq_ignore_ascii_case(b"upgrade"));
    let key = first(headers, &SEC_WEBSOCKET_KEY);
    request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && is_visible(connection)
        && !connection.contains(&b'\t')
        && lists_upgrade
        && first(headers, &UPGRADE).eq_ignore_ascii_case(b"websocket")
        && first(headers, &SEC_WEBSOCKET_VERSION) == b"13"
        && matches!(key, [.., b'A' | b'Q' | b'g' | b'w', b'=', b'='])
        && key.len() == 24
}
