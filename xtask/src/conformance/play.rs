//! Plays one scenario against a server.

use std::collections::BTreeMap;
use std::panic;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::environment::{Environment, Profile};
use super::event::{self, Event};
use super::failure::Failure;
use super::frame_pattern::FramePattern;
use super::http::{Request, Response};
use super::http_step;
use super::longpoll::LongPoll;
use super::pattern::Binds;
use super::scenario::Scenario;
use super::server::Server;
use super::step::{Close, Connect, Expect, ExpectClose, ExpectSilence, HttpFinish, Step, Transport};
use super::target::target;
use super::websocket::WebSocket;

/// How long a step waits unless it says otherwise.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long `expect_silence` listens unless it says otherwise.
const SILENCE: Duration = Duration::from_millis(150);
/// How long open connections must be silent after the last step.
const END_SILENCE: Duration = Duration::from_millis(80);

/// The servers to talk to, and how patiently.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// Node 1, node 2.
    pub(crate) servers: Vec<Server>,
    pub(crate) profile: Profile,
    /// Multiplies every limit on waiting.
    pub(crate) time_scale: f64,
}

/// Plays the steps, then checks that nothing stray arrives.
pub(crate) fn play(scenario: &Scenario, setting: &Setting) -> Result<(), Failure> {
    play_in(Environment::fresh(setting.profile), scenario, setting)
}

/// The same with the values of the placeholders given.
pub(super) fn play_in(
    environment: Environment,
    scenario: &Scenario,
    setting: &Setting,
) -> Result<(), Failure> {
    let mut play = Play::new(setting, environment);
    for (index, step) in scenario.steps.iter().enumerate() {
        play.step(step).map_err(|failure| failure.under(&format!("step {}: {step}", index + 1)))?;
    }
    if scenario.end_check {
        play.check_end()?;
    }
    Ok(())
}

/// What a scenario has opened, saved and bound so far.
pub(super) struct Play<'a> {
    pub(super) setting: &'a Setting,
    pub(super) environment: Environment,
    pub(super) binds: Binds,
    connections: BTreeMap<String, Connection>,
    requests: BTreeMap<String, JoinHandle<Result<Response, Failure>>>,
}

impl<'a> Play<'a> {
    fn new(setting: &'a Setting, environment: Environment) -> Self {
        Self {
            setting,
            environment,
            binds: Binds::default(),
            connections: BTreeMap::new(),
            requests: BTreeMap::new(),
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), Failure> {
        match step {
            Step::Connect(step) => match step.transport {
                Transport::Ws => self.connect(step),
                Transport::Longpoll => self.open_session(step),
            },
            Step::Send(step) => connection(&mut self.connections, &step.conn)?.send(step, &self.environment),
            Step::Expect(step) => self.expect(step),
            Step::ExpectClose(step) => self.expect_close(step),
            Step::ExpectSilence(step) => self.expect_silence(step),
            Step::Close(step) => self.close(step),
            Step::Drop(step) => match self.connections.remove(&step.conn) {
                Some(Connection::WebSocket(socket)) => socket.reset(),
                Some(Connection::LongPoll(_)) => Ok(()),
                None => Err(no_connection(&step.conn)),
            },
            Step::Sleep(step) => {
                thread::sleep(Duration::from_millis(step.ms));
                Ok(())
            }
            Step::Http(step) => {
                let response = http_step::Call::new(self, step)?.run()?;
                self.check_response(&step.expect, &step.save, &response)
            }
            Step::HttpStart(step) => {
                let call = http_step::Call::new(self, step)?;
                let id = step.id.clone().unwrap_or_default();
                self.requests.insert(id, thread::spawn(move || call.run()));
                Ok(())
            }
            Step::HttpFinish(step) => self.finish_request(step),
        }
    }

    fn connect(&mut self, step: &Connect) -> Result<(), Failure> {
        let server = self.server(step.node)?;
        let target = target(&step.path, &step.query, &self.environment);
        let headers = self.headers(&step.headers);
        let overlay = |request: Request| request.overlaid(&headers);
        let handshake =
            WebSocket::connect(server, &step.method, target, overlay, self.patience(step.timeout_ms))?;

        let expected = step.status.as_ref().map_or(&[101][..], |status| status.as_slice());
        let body = String::from_utf8_lossy(&handshake.body).into_owned();
        if !expected.contains(&handshake.head.status) {
            let status = handshake.head.status;
            return Err(Failure::new(format!("expected status {expected:?}, got {status} {body:?}")));
        }
        self.check_headers(&step.expect_headers, &handshake.head)?;
        if let Some(expected) = &step.expect_body
            && self.environment.text(expected) != body
        {
            return Err(Failure::new(format!("expected the body {expected:?}, got {body:?}")));
        }
        if let Some(socket) = handshake.socket {
            self.connections.insert(step.conn.clone(), Connection::WebSocket(socket));
        }
        Ok(())
    }

    fn open_session(&mut self, step: &Connect) -> Result<(), Failure> {
        let server = self.server(step.node)?.clone();
        let headers = self.headers(&step.headers);
        let timeout = self.patience(step.timeout_ms);
        let (status, session) =
            LongPoll::open(server, &step.path, &step.query, headers, &self.environment, timeout)?;

        let expected = step.status.as_ref().map_or(&[410][..], |status| status.as_slice());
        if !expected.contains(&status) {
            return Err(Failure::new(format!("expected status {expected:?}, got {status}")));
        }
        self.connections.insert(step.conn.clone(), Connection::LongPoll(session));
        Ok(())
    }

    fn expect(&mut self, step: &Expect) -> Result<(), Failure> {
        let patience = self.patience(step.timeout_ms);
        let connection = connection(&mut self.connections, &step.conn)?;
        FramePattern::expect_all(&step.frames, &self.environment, &mut self.binds, || {
            connection.next(Instant::now() + patience)
        })
    }

    fn expect_close(&mut self, step: &ExpectClose) -> Result<(), Failure> {
        let deadline = Instant::now() + self.patience(step.timeout_ms);
        let event = connection(&mut self.connections, &step.conn)?.next(deadline)?;
        let expected = step.code.as_slice();
        let fits = match &event {
            Some(Event::Close { code, reason }) => {
                expected.contains(&Some(*code))
                    && step.reason.as_ref().is_none_or(|expected| expected == reason)
            }
            Some(Event::Ended) => expected.contains(&None),
            Some(Event::Text(_) | Event::Binary(_) | Event::Pong(_)) | None => false,
        };
        if fits {
            return Ok(());
        }
        let codes: Vec<String> = expected
            .iter()
            .map(|code| {
                code.map_or_else(|| "an end without a close frame".to_owned(), |code| format!("close {code}"))
            })
            .collect();
        let reason = step.reason.as_ref().map_or_else(String::new, |reason| format!(" {reason:?}"));
        let got = event::describe(event.as_ref());
        Err(Failure::new(format!("expected {}{reason}\ngot      {got}", codes.join(" or "))))
    }

    fn expect_silence(&mut self, step: &ExpectSilence) -> Result<(), Failure> {
        let deadline = Instant::now() + step.ms.map_or(SILENCE, Duration::from_millis);
        for name in step.conn.as_slice() {
            let connection = connection(&mut self.connections, name)?;
            expect_nothing(name, connection, deadline)?;
        }
        Ok(())
    }

    fn close(&mut self, step: &Close) -> Result<(), Failure> {
        let code = match step.code {
            Some(0) => None,
            Some(code) => Some(code),
            None => Some(1000),
        };
        match connection(&mut self.connections, &step.conn)? {
            Connection::WebSocket(socket) => socket.close(code),
            Connection::LongPoll(_) => Err(Failure::new("a long-poll session has no close frame")),
        }
    }

    fn finish_request(&mut self, step: &HttpFinish) -> Result<(), Failure> {
        let Some(request) = self.requests.remove(&step.id) else {
            return Err(Failure::new("no such request was started"));
        };
        let response = request.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
        self.check_response(&step.expect, &step.save, &response)
    }

    fn check_end(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + END_SILENCE;
        for (name, connection) in self.connections.iter_mut().filter(|(_, connection)| connection.is_open()) {
            expect_nothing(name, connection, deadline)
                .map_err(|failure| failure.under("after the last step"))?;
        }
        Ok(())
    }

    pub(super) fn server(&self, node: usize) -> Result<&'a Server, Failure> {
        let server = node.checked_sub(1).and_then(|index| self.setting.servers.get(index));
        server.ok_or_else(|| Failure::new(format!("there is no node {node}")))
    }

    pub(super) fn headers(
        &self,
        headers: &BTreeMap<String, Option<String>>,
    ) -> BTreeMap<String, Option<String>> {
        let filled = |value: &Option<String>| value.as_ref().map(|value| self.environment.text(value));
        headers.iter().map(|(name, value)| (name.clone(), filled(value))).collect()
    }

    fn patience(&self, timeout_ms: Option<u64>) -> Duration {
        timeout_ms.map_or(PATIENCE, Duration::from_millis).mul_f64(self.setting.time_scale)
    }
}

/// A deadline that has passed still finds what has arrived: each connection is given a moment.
fn expect_nothing(name: &str, connection: &mut Connection, deadline: Instant) -> Result<(), Failure> {
    let moment = Instant::now() + Duration::from_millis(2);
    match connection.next(deadline.max(moment))? {
        None => Ok(()),
        Some(event) => {
            Err(Failure::new(format!("expected silence on {name}\ngot      {}", event.describe())))
        }
    }
}

fn connection<'c>(
    connections: &'c mut BTreeMap<String, Connection>,
    name: &str,
) -> Result<&'c mut Connection, Failure> {
    connections.get_mut(name).ok_or_else(|| no_connection(name))
}

fn no_connection(name: &str) -> Failure {
    Failure::new(format!("there is no connection {name}"))
}
