//! Subprotocols, and the token that travels among them.

use bennu_core::connect::{Offer, decode_auth_token, encode_auth_token, negotiate};
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderMap, HeaderValue};

const PREFIX: &str = "base64url.bearer.phx.";
const SPOKEN: [&str; 3] = ["phoenix", "conf.v1", "mqtt"];

/// The input is a header's line, and the text of a token.
pub(super) fn check(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        let entry = encode_auth_token(text);
        let (prefix, encoded) = entry.split_at(PREFIX.len());
        let url_safe = encoded.replace('+', "-").replace('/', "_");
        for entry in [entry.clone(), format!("{prefix}{url_safe}"), format!("{entry}{}", padding(encoded))] {
            assert_eq!(decode_auth_token(&entry), Some(Ok(text.to_owned())), "{entry}");
        }
        check_entry(text);
    }
    let Ok(line) = HeaderValue::from_bytes(input) else { return };
    let headers = HeaderMap::from_iter([(SEC_WEBSOCKET_PROTOCOL, line)]);
    let offer = Offer::read(&headers).expect("the header is there");
    check_offer(&offer);
}

fn padding(encoded: &str) -> &'static str {
    match encoded.len() % 4 {
        2 => "==",
        3 => "=",
        _ => "",
    }
}

/// What is decoded is what was encoded: in either alphabet, with padding or without.
fn check_entry(entry: &str) {
    let decoded = decode_auth_token(entry);
    assert_eq!(decoded.is_some(), entry.starts_with(PREFIX), "{entry}");
    let Some(Ok(token)) = decoded else { return };
    let encoded = entry[PREFIX.len()..].trim_end_matches('=').replace('-', "+").replace('_', "/");
    assert_eq!(encode_auth_token(&token), format!("{PREFIX}{encoded}"), "{entry}");
}

fn check_offer(offer: &Offer) {
    let line = offer.line();
    let entries: Vec<&str> = line.split(", ").filter(|entry| !entry.is_empty()).collect();
    let expected = SPOKEN.into_iter().find(|name| entries.contains(name));
    match negotiate(Some(&SPOKEN), Some(offer)) {
        Ok(chosen) => assert_eq!(chosen.as_deref(), expected, "{line:?}"),
        Err(_) => assert_eq!(expected, None, "{line:?}"),
    }
    assert_eq!(negotiate::<&str>(None, Some(offer)), Ok(None));
    assert_eq!(negotiate(Some(&SPOKEN), None), Ok(None));

    let tokens: Vec<&str> = entries.iter().copied().filter(|entry| entry.starts_with(PREFIX)).collect();
    let Ok((rest, token)) = offer.clone().take_auth_token() else {
        return assert_eq!(tokens.len(), 1, "only a token of its own can be garbage");
    };
    assert_eq!(token.is_some(), tokens.len() == 1, "{line:?}");
    let expected: Vec<&str> = match token {
        Some(_) => entries.into_iter().filter(|entry| !entry.starts_with(PREFIX)).collect(),
        None => entries,
    };
    let rest = rest.map_or_else(String::new, |rest| rest.line());
    assert_eq!(rest, expected.join(", "), "{line:?}");
}
