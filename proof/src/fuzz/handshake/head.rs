//! Heads of HTTP/1.1, read as hyper reads them.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};

/// More than any limit on headers that is tried.
const MAX_HEADERS: usize = 100;

/// A request head; `None` if it is none, or not whole.
pub(super) fn request(bytes: &[u8]) -> Option<Request<()>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    head.parse(bytes).ok().filter(httparse::Status::is_complete)?;
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(head.method?.as_bytes()).ok()?;
    *request.uri_mut() = head.path?.parse::<Uri>().ok()?;
    *request.version_mut() = version(head.version?);
    *request.headers_mut() = header_map(head.headers)?;
    Some(request)
}

/// A response head; `None` if it is none, or not whole.
pub(super) fn response(bytes: &[u8]) -> Option<Response<()>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    head.parse(bytes).ok().filter(httparse::Status::is_complete)?;
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(head.code?).ok()?;
    *response.version_mut() = version(head.version?);
    *response.headers_mut() = header_map(head.headers)?;
    Some(response)
}

/// The first line of a header, as bytes.
pub(super) fn first<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a [u8] {
    headers.get(name).map_or(&[], HeaderValue::as_bytes)
}

/// How many lines a header has.
pub(super) fn lines(headers: &HeaderMap, name: &HeaderName) -> usize {
    headers.get_all(name).iter().count()
}

/// Whether a header, all its lines taken as one, has this token among those between its commas.
pub(super) fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let lines: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    let line = lines.join(&b',');
    line.split(|byte| *byte == b',').any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// Whether a line is visible ASCII and spaces, all that tungstenite reads.
pub(super) fn is_visible(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
}

fn version(minor: u8) -> Version {
    if minor == 0 { Version::HTTP_10 } else { Version::HTTP_11 }
}

fn header_map(lines: &[httparse::Header<'_>]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in lines {
        let name = HeaderName::from_bytes(line.name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_bytes(line.value).ok()?);
    }
    Some(headers)
}
