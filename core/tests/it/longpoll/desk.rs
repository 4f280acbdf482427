//! A long-poll endpoint in small: all that an adapter does, on one thread and with a clock that is turned by hand.

use super::at;
use bennu_core::connect::{Carrier, Options, Params, PathVariables, Scheme, Vsn};
use bennu_core::longpoll::{
    Answer, BodyLimits, Config, Data, Delivery, Encoding, Output, PollId, PostId, Posted, Refusal, Request,
    Session, Ticket, examine, open,
};
use bennu_core::wire::Outgoing;
use bennu_core::{Compat, Payload, RawJson, Serializer};
use bytes::Bytes;
use http::request::Parts;
use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;

const CARRIER: Carrier = Carrier { peer: None, scheme: Scheme::Http };

pub(super) struct Desk {
    /// In milliseconds.
    pub(super) now: u64,
    pub(super) secret: u64,
    pub(super) endpoint: u64,
    pub(super) config: Config,
    options: Options,
    sessions: BTreeMap<u128, Client>,
    opened: u128,
}

struct Client {
    session: Session,
    serializer: Serializer,
    /// What the application was told when it connected.
    params: Params,
}

/// An answer, with what of its body there is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub(super) struct Body {
    pub(super) status: u16,
    pub(super) token: Option<String>,
    pub(super) messages: Option<Vec<String>>,
}

impl Desk {
    pub(super) fn new() -> Self {
        let options = Options { check_origin: bennu_core::connect::CheckOrigin::Any, ..Options::default() };
        let (config, sessions) = (Config::default(), BTreeMap::new());
        Self { now: 0, secret: 1, endpoint: 1, config, options, sessions, opened: 0 }
    }

    pub(super) fn get(&mut self, query: &str) -> Body {
        json(&self.request(request("GET", query, "")))
    }

    pub(super) fn post(&mut self, query: &str, body: &str) -> Body {
        json(&self.request(request("POST", query, body)))
    }

    /// Opens a session, and returns its token.
    pub(super) fn opened(&mut self, query: &str) -> String {
        let opened = self.get(query);
        assert_eq!((opened.status, opened.messages), (410, Some(Vec::new())));
        opened.token.unwrap()
    }

    pub(super) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// What the application knows of a session.
    pub(super) fn params(&self, token: &str) -> &Params {
        &self.sessions[&self.find(Some(token)).expect("a live session").1].params
    }

    /// Ends a session, as `disconnect` does.
    pub(super) fn disconnect(&mut self, token: &str) {
        let (_, id) = self.find(Some(token)).expect("a live session");
        let now = at(self.now);
        self.sessions.get_mut(&id).expect("found").session.close(now);
        self.pump(id);
    }

    /// Lets time pass.
    pub(super) fn sleep(&mut self, millis: u64) {
        self.now += millis;
        for id in self.sessions.keys().copied().collect::<Vec<_>>() {
            let session = &mut self.sessions.get_mut(&id).expect("a key").session;
            session.handle_timeout(at(self.now));
            self.pump(id);
        }
    }

    /// Answers a request, whatever time that takes.
    pub(super) fn request(&mut self, request: http::Request<Bytes>) -> http::Response<Bytes> {
        let (parts, body) = request.into_parts();
        let response = match self.answer(&parts, &body) {
            Ok(response) => response,
            Err(refusal) => refusal.answer().into_response(Compat::default()),
        };
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        response
    }

    fn answer(&mut self, parts: &Parts, body: &Bytes) -> Result<http::Response<Bytes>, Refusal> {
        match examine(parts, CARRIER, &self.options)? {
            Request::Preflight { headers } => {
                Ok(Answer::Preflight { headers }.into_response(Compat::default()))
            }
            Request::Poll { token, params } => match self.find(token.as_deref()) {
                Some((token, id)) => Ok(self.poll(token, id)),
                None => self.connect(parts, params),
            },
            Request::Post { token, encoding } => match self.find(token.as_deref()) {
                Some((_, id)) => self.publish(id, encoding, body),
                None => Ok(Answer::Gone.into_response(Compat::default())),
            },
        }
    }

    fn find<'a>(&self, token: Option<&'a str>) -> Option<(&'a str, u128)> {
        let token = token?;
        let ticket = Ticket::verify(token, self.endpoint, 0, |token| self.verify(token)).ok()?;
        let client = self.sessions.get(&ticket.session)?;
        (!client.session.is_closed()).then_some((token, ticket.session))
    }

    fn connect(&mut self, parts: &Parts, params: Params) -> Result<http::Response<Bytes>, Refusal> {
        let admission = open(parts, params, PathVariables::default(), CARRIER, &self.options)?;
        let vsn = match admission.vsn() {
            Vsn::Absent => Serializer::negotiate(None).ok(),
            Vsn::Text(vsn) => Serializer::negotiate(Some(vsn)).ok(),
            Vsn::NotText => None,
        };
        let Some(serializer) = vsn.filter(|_| admission.params.str("mode") != Some("refused")) else {
            return Ok(Answer::Forbidden.into_response(Compat::default()));
        };
        self.opened += 1;
        let ticket = Ticket { endpoint: self.endpoint, mount: 0, session: self.opened };
        let session = Session::new(self.config, at(self.now));
        self.sessions.insert(ticket.session, Client { session, serializer, params: admission.params });
        Ok(Answer::Opened { token: &ticket.sign(|bytes| self.sign(bytes)) }.into_response(Compat::default()))
    }

    fn poll(&mut self, token: &str, id: u128) -> http::Response<Bytes> {
        let now = self.time();
        let poll = self.session(id).handle_poll(now).expect("what is found is open");
        loop {
            let mine = self.pump(id).into_iter().find(|output| ends_poll(output, poll));
            match mine {
                Some(Output::Ready { .. }) => {
                    let now = self.time();
                    let session = self.session(id);
                    let frames = session.take(poll, now);
                    let response =
                        Answer::Messages { token, frames: &frames }.into_response(Compat::default());
                    session.finish(poll, Delivery::Written, now);
                    self.pump(id);
                    return response;
                }
                Some(_) => return Answer::Empty { token }.into_response(Compat::default()),
                None => self.wait(id),
            }
        }
    }

    fn publish(
        &mut self,
        id: u128,
        encoding: Encoding,
        body: &Bytes,
    ) -> Result<http::Response<Bytes>, Refusal> {
        let messages = encoding.read(body, BodyLimits::default())?;
        let now = self.time();
        let post = self.session(id).handle_post(messages, now).expect("what is found is open");
        loop {
            let mine = self.pump(id).into_iter().find_map(|output| outcome(&output, post));
            match mine {
                Some(Posted::Accepted) => return Ok(Answer::Accepted.into_response(Compat::default())),
                Some(Posted::TimedOut) => return Ok(Answer::TimedOut.into_response(Compat::default())),
                None => self.wait(id),
            }
        }
    }

    /// Turns the clock to what comes next in a session.
    fn wait(&mut self, id: u128) {
        let due = self.session(id).poll_timeout().expect("who waits has a time");
        self.now = self.now.max(u64::try_from(due.since_epoch().as_millis()).unwrap());
        let now = self.time();
        self.session(id).handle_timeout(now);
    }

    /// Does what a session asks for, and returns what it says to requests. Once it is closed no request finds it,
    /// but those that are there already.
    fn pump(&mut self, id: u128) -> Vec<Output> {
        let now = self.time();
        let mut said = Vec::new();
        while let Some(client) = self.sessions.get_mut(&id) {
            match client.session.poll_output() {
                None => break,
                Some(Output::Receive(data)) => client.receive(&data, now),
                Some(Output::Closed(_)) => {}
                Some(Output::End) => drop(self.sessions.remove(&id)),
                Some(output @ (Output::Ready { .. } | Output::Empty { .. } | Output::Posted { .. })) => {
                    said.push(output);
                }
            }
        }
        said
    }

    fn session(&mut self, id: u128) -> &mut Session {
        &mut self.sessions.get_mut(&id).expect("a request holds it").session
    }

    fn time(&self) -> bennu_core::Instant {
        at(self.now)
    }

    /// A toy: what is signed in hex, when, and a hash of both.
    fn sign(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let head = format!("{hex}.{}", self.now);
        format!("{head}.{:016x}", self.mac(&head))
    }

    fn verify(&self, token: &str) -> Option<Vec<u8>> {
        let (head, mac) = token.rsplit_once('.')?;
        if mac != format!("{:016x}", self.mac(head)) {
            return None;
        }
        let (hex, signed_at) = head.split_once('.')?;
        let age = self.now - signed_at.parse::<u64>().ok()?;
        let is_fresh = u128::from(age) <= Ticket::MAX_AGE.as_millis();
        let byte = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
        (0..hex.len()).step_by(2).map(byte).collect::<Option<Vec<u8>>>().filter(|_| is_fresh)
    }

    fn mac(&self, head: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.secret);
        hasher.write(head.as_bytes());
        hasher.finish()
    }
}

impl Client {
    /// A server of one rule: every message is answered with `ok`.
    fn receive(&mut self, data: &Data, now: bennu_core::Instant) {
        let Ok(message) = self.serializer.decode(data.kind, &data.body) else {
            return self.session.handle_malformed(now);
        };
        let response = Payload::from(RawJson::EMPTY_OBJECT);
        let reply = Outgoing::Reply {
            join_ref: None,
            msg_ref: message.msg_ref.as_ref(),
            topic: &message.topic,
            status: "ok",
            response: &response,
        };
        self.session.push_owed(self.serializer.encode(&reply).unwrap()).unwrap();
        self.session.handle_accepted(now);
    }
}

fn ends_poll(output: &Output, poll: PollId) -> bool {
    *output == Output::Ready { poll } || *output == Output::Empty { poll }
}

fn outcome(output: &Output, mine: PostId) -> Option<Posted> {
    let Output::Posted { post, outcome } = output else { return None };
    (*post == mine).then_some(*outcome)
}

pub(super) fn request(method: &str, query: &str, body: &str) -> http::Request<Bytes> {
    let uri = format!("/socket/longpoll?{query}");
    http::Request::builder().method(method).uri(uri).body(Bytes::from(body.to_owned())).unwrap()
}

pub(super) fn json(response: &http::Response<Bytes>) -> Body {
    assert_eq!(response.status(), 200);
    serde_json::from_slice(response.body()).unwrap()
}
