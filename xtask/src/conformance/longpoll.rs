//! A long-poll session, seen from the client.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::environment::Environment;
use super::event::Event;
use super::failure::Failure;
use super::http::{self, Request, Response};
use super::server::Server;
use super::step::Query;
use super::target::{append, target};

/// The longest that a server holds a poll back, with room to spare.
const POLL_TIMEOUT: Duration = Duration::from_secs(15);
const POST_TIMEOUT: Duration = Duration::from_secs(30);

/// One session: every frame to the server is a POST, frames from it come by GET.
#[derive(Debug)]
pub(crate) struct LongPoll {
    server: Server,
    /// With the pairs of its query.
    target: String,
    headers: BTreeMap<String, Option<String>>,
    token: Option<String>,
    events: VecDeque<Event>,
    is_gone: bool,
}

/// What a POST carries.
#[derive(Debug)]
pub(crate) enum Post {
    Frame(String),
    Batch(String),
}

/// The body of an answer.
#[derive(Debug, Deserialize)]
struct Answer {
    status: u16,
    token: Option<String>,
    #[serde(default)]
    messages: Vec<String>,
}

impl Post {
    /// A binary frame is a line of base64 in a batch.
    pub(crate) fn binary(bytes: &[u8]) -> Self {
        Self::Batch(STANDARD.encode(bytes))
    }
}

impl LongPoll {
    /// Asks for a session, and returns the status that the body of the answer carries.
    pub(crate) fn open(
        server: Server,
        path: &str,
        query: &Query,
        headers: BTreeMap<String, Option<String>>,
        environment: &Environment,
        timeout: Duration,
    ) -> Result<(u16, Self), Failure> {
        let target = target(path, query, environment);
        let mut session =
            Self { server, target, headers, token: None, events: VecDeque::new(), is_gone: false };
        let answer = session.get(timeout)?;
        session.token = answer.token;
        Ok((answer.status, session))
    }

    pub(crate) fn post(&self, post: Post, expected: u16) -> Result<(), Failure> {
        let (content_type, body) = match post {
            Post::Frame(body) => ("application/json", body),
            Post::Batch(body) => ("application/x-ndjson", body),
        };
        let request = self.request("POST").with("Content-Type", content_type);
        let response = http::exchange(&self.server, &request, Some(body.as_bytes()), POST_TIMEOUT)?;
        let status = read_answer("POST", &response)?.status;
        if status != expected {
            return Err(Failure::new(format!("expected status {expected} for the POST, got {status}")));
        }
        Ok(())
    }

    /// Polls until something is there, or the deadline has passed.
    pub(crate) fn next(&mut self, deadline: Instant) -> Result<Option<Event>, Failure> {
        while self.events.is_empty() && !self.is_gone && Instant::now() < deadline {
            let answer = self.get(POLL_TIMEOUT)?;
            match answer.status {
                200 => self.events.extend(answer.messages.into_iter().map(Event::Text)),
                204 => {}
                status => {
                    self.is_gone = true;
                    self.events.push_back(Event::Close { code: status, reason: String::new() });
                }
            }
        }
        Ok(self.events.pop_front())
    }

    fn get(&self, timeout: Duration) -> Result<Answer, Failure> {
        let response = http::exchange(&self.server, &self.request("GET"), None, timeout)?;
        read_answer("GET", &response)
    }

    fn request(&self, method: &str) -> Request {
        let target = self.target.clone();
        let target = match &self.token {
            // The parameter, not the header of newer releases: every release reads it.
            Some(token) => append(target, "token", token),
            None => target,
        };
        Request::new(method, target, &self.server).overlaid(&self.headers)
    }
}

fn read_answer(method: &str, response: &Response) -> Result<Answer, Failure> {
    let status = response.head.status;
    if status != 200 {
        return Err(Failure::new(format!("{method} answered HTTP {status}: {}", response.excerpt())));
    }
    serde_json::from_slice(&response.body)
        .map_err(|error| Failure::new(format!("{method} answered {}: {error}", response.excerpt())))
}
