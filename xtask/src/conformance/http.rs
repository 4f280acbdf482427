//! One HTTP/1.1 request and its response.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::failure::Failure;
use super::server::Server;
use super::stream::{Read, Stream};

/// A request without its body.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn new(method: &str, target: String, server: &Server) -> Self {
        let headers = vec![("Host".to_owned(), server.authority().to_owned())];
        Self { method: method.to_owned(), target, headers }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Lays headers over those already there; `None` takes one away.
    pub(crate) fn overlaid(mut self, headers: &BTreeMap<String, Option<String>>) -> Self {
        for (name, value) in headers {
            self.headers.retain(|(old, _)| !old.eq_ignore_ascii_case(name));
            if let Some(value) = value {
                self.headers.push((name.clone(), value.clone()));
            }
        }
        self
    }

    pub(crate) fn head(&self) -> String {
        let headers: String =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{} {} HTTP/1.1\r\n{headers}\r\n", self.method, self.target)
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(old, _)| old.eq_ignore_ascii_case(name))
    }
}

/// The head of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    /// Reads a head up to its empty line, and leaves what follows unread.
    pub(crate) fn read(stream: &mut Stream, deadline: Instant) -> Result<Self, Failure> {
        const END: &[u8] = b"\r\n\r\n";
        let end = loop {
            if let Some(end) = stream.unread.windows(END.len()).position(|window| window == END) {
                break end + END.len();
            }
            match stream.fill(deadline)? {
                Read::More => {}
                Read::TimedOut => return Err(Failure::new("no response head in time")),
                Read::Ended => return Err(Failure::new("the connection ended before the response head")),
            }
        };
        let head = stream.take(end);
        let text = String::from_utf8_lossy(&head);
        Self::parse(&text).ok_or_else(|| Failure::new(format!("not a response head: {text:?}")))
    }

    /// The values of a header, joined as one; its name in any case.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .headers
            .iter()
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split("\r\n");
        let (version, rest) = lines.next()?.split_once(' ')?;
        if !version.starts_with("HTTP/1.") {
            return None;
        }
        let status = rest.split(' ').next()?.parse().ok()?;
        let mut headers = Vec::new();
        for line in lines.filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':')?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        Some(Self { status, headers })
    }

    /// Reads the body that follows this head.
    pub(crate) fn read_body(
        &self,
        method: &str,
        stream: &mut Stream,
        deadline: Instant,
    ) -> Result<Vec<u8>, Failure> {
        if method == "HEAD" || self.status < 200 || matches!(self.status, 204 | 304) {
            return Ok(Vec::new());
        }
        if self.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return read_chunks(stream, deadline);
        }
        if let Some(length) = self.header("content-length") {
            let length = length
                .parse()
                .map_err(|_| Failure::new(format!("content-length is not a number: {length:?}")))?;
            await_bytes(stream, length, deadline)?;
            return Ok(stream.take(length));
        }
        loop {
            match stream.fill(deadline)? {
                Read::More => {}
                Read::TimedOut => return Err(Failure::new("the response body did not end in time")),
                Read::Ended => return Ok(std::mem::take(&mut stream.unread)),
            }
        }
    }
}

/// A whole response.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
    /// From before the connection was opened until the body was there.
    pub(crate) took: Duration,
}

impl Response {
    /// The beginning of the body, for a person to read.
    pub(crate) fn excerpt(&self) -> String {
        super::pattern::cut(&String::from_utf8_lossy(&self.body))
    }
}

/// Sends a request on a connection of its own.
pub(crate) fn exchange(
    server: &Server,
    request: &Request,
    body: Option<&[u8]>,
    timeout: Duration,
) -> Result<Response, Failure> {
    let started = Instant::now();
    let deadline = started + timeout;
    let mut request = request.clone().with("Connection", "close");
    let has_body = body.is_some() || matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
    if has_body && !request.has("content-length") {
        request = request.with("Content-Length", body.unwrap_or_default().len().to_string());
    }
    let mut stream = Stream::connect(server, timeout)?;
    let mut bytes = request.head().into_bytes();
    bytes.extend_from_slice(body.unwrap_or_default());
    // A server may refuse a request, and close, before it has read all of it; its answer is what counts.
    let written = stream.write(&bytes);
    let response = Head::read(&mut stream, deadline).and_then(|head| {
        let body = head.read_body(&request.method, &mut stream, deadline)?;
        Ok(Response { head, body, took: started.elapsed() })
    });
    response.map_err(|failure| match written {
        Err(error) => Failure::new(format!("cannot write the request: {error}")),
        Ok(()) => failure,
    })
}

fn read_chunks(stream: &mut Stream, deadline: Instant) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    loop {
        let size = read_line(stream, deadline)?;
        let digits = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(digits, 16)
            .map_err(|_| Failure::new(format!("not the size of a chunk: {size:?}")))?;
        if size == 0 {
            while !read_line(stream, deadline)?.is_empty() {}
            return Ok(body);
        }
        await_bytes(stream, size + 2, deadline)?;
        body.extend(stream.take(size));
        stream.take(2);
    }
}

fn read_line(stream: &mut Stream, deadline: Instant) -> Result<String, Failure> {
    loop {
        if let Some(end) = stream.unread.windows(2).position(|window| window == b"\r\n") {
            let line = stream.take(end + 2);
            return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
        }
        await_bytes(stream, stream.unread.len() + 1, deadline)?;
    }
}

fn await_bytes(stream: &mut Stream, count: usize, deadline: Instant) -> Result<(), Failure> {
    while stream.unread.len() < count {
        match stream.fill(deadline)? {
            Read::More => {}
            Read::TimedOut => return Err(Failure::new("the response body did not arrive in time")),
            Read::Ended => return Err(Failure::new("the connection ended within the response body")),
        }
    }
    Ok(())
}
