//! The `http` steps: what to ask, and what the answer has to be.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::connection::filled;
use super::event::Event;
use super::failure::Failure;
use super::frame_pattern::FramePattern;
use super::hex;
use super::http::{self, Head, Request, Response};
use super::pattern;
use super::play::Play;
use super::server::Server;
use super::step::{Http, HttpExpect};
use super::target::target;

/// How long a request may take unless its step says otherwise.
const PATIENCE: Duration = Duration::from_secs(15);

/// A request that is ready to be sent, on any thread.
#[derive(Debug)]
pub(super) struct Call {
    server: Server,
    request: Request,
    body: Option<Vec<u8>>,
    timeout: Duration,
}

impl Call {
    pub(super) fn new(play: &Play<'_>, step: &Http) -> Result<Self, Failure> {
        let server = play.server(step.node)?.clone();
        let target = target(&step.path, &step.query, &play.environment);
        let mut request = Request::new(&step.method, target, &server);
        if step.json.is_some() {
            request = request.with("Content-Type", "application/json");
        }
        let request = request.overlaid(&play.headers(&step.headers));
        let timeout = step.timeout_ms.map_or(PATIENCE, Duration::from_millis);
        Ok(Self {
            server,
            request,
            body: body(play, step)?,
            timeout: timeout.mul_f64(play.setting.time_scale),
        })
    }

    pub(super) fn run(&self) -> Result<Response, Failure> {
        http::exchange(&self.server, &self.request, self.body.as_deref(), self.timeout)
    }
}

impl Play<'_> {
    /// Compares a response with what a step expects, and saves what the step wants to keep.
    pub(super) fn check_response(
        &mut self,
        expect: &HttpExpect,
        save: &BTreeMap<String, String>,
        response: &Response,
    ) -> Result<(), Failure> {
        let status = response.head.status;
        if let Some(expected) = &expect.status
            && !expected.as_slice().contains(&status)
        {
            let expected = expected.as_slice();
            let body = response.excerpt();
            return Err(Failure::new(format!("expected HTTP status {expected:?}, got {status} {body}")));
        }
        self.check_headers(&expect.headers, &response.head)?;
        self.check_body(expect, response)?;
        self.check_time(expect, response.took)?;
        for (variable, field) in save {
            let mut value = json_body(response)?;
            let Some(value) = value.get_mut(field).map(Value::take) else {
                return Err(Failure::new(format!("the body has no field {field:?} to save")));
            };
            self.environment.save(variable, value);
        }
        Ok(())
    }

    pub(super) fn check_headers(
        &mut self,
        expected: &BTreeMap<String, Option<Value>>,
        head: &Head,
    ) -> Result<(), Failure> {
        let mut differences = Vec::new();
        for (name, expected) in expected {
            match (expected, head.header(name)) {
                (None, None) => {}
                (None, Some(value)) => {
                    differences.push(format!("header {name}: expected none, got {value:?}"))
                }
                (Some(_), None) => differences.push(format!("header {name} is missing")),
                (Some(pattern), Some(value)) => {
                    let pattern = self.environment.value(pattern);
                    if let Err(found) = pattern::compare(&pattern, &Value::String(value), &mut self.binds) {
                        differences
                            .extend(found.iter().map(|difference| format!("header {name}: {difference}")));
                    }
                }
            }
        }
        if differences.is_empty() { Ok(()) } else { Err(Failure::lines(&differences)) }
    }

    fn check_body(&mut self, expect: &HttpExpect, response: &Response) -> Result<(), Failure> {
        if let Some(expected) = &expect.body
            && self.environment.text(expected).as_bytes() != response.body
        {
            return Err(Failure::new(format!("expected the body {expected:?}, got {}", response.excerpt())));
        }
        if let Some(pattern) = &expect.json {
            let pattern = self.environment.value(pattern);
            pattern::compare(&pattern, &json_body(response)?, &mut self.binds)
                .map_err(|differences| Failure::lines(&differences).under("body"))?;
        }
        if let Some(patterns) = &expect.messages {
            self.check_messages(patterns, &json_body(response)?)?;
        }
        Ok(())
    }

    fn check_messages(&mut self, patterns: &[FramePattern], body: &Value) -> Result<(), Failure> {
        let Some(messages) = body.get("messages").and_then(Value::as_array) else {
            return Err(Failure::new(format!("the body has no messages: {}", pattern::show(body))));
        };
        let mut events = messages.iter().map(|message| {
            let text = message.as_str().ok_or_else(|| {
                Failure::new(format!("expected a message as a string, got {}", pattern::show(message)))
            })?;
            Ok(Event::Text(text.to_owned()))
        });
        FramePattern::expect_all(patterns, &self.environment, &mut self.binds, || events.next().transpose())?;
        match events.next().transpose()? {
            None => Ok(()),
            Some(event) => Err(Failure::new(format!("expected no more messages, got {}", event.describe()))),
        }
    }

    fn check_time(&self, expect: &HttpExpect, took: Duration) -> Result<(), Failure> {
        let limit = |ms: Option<u64>| ms.map(Duration::from_millis);
        if let Some(least) = limit(expect.min_ms).filter(|least| took < *least) {
            return Err(Failure::new(format!(
                "expected an answer after {least:?} or later, got it after {took:?}"
            )));
        }
        let most = limit(expect.max_ms).map(|most| most.mul_f64(self.setting.time_scale));
        if let Some(most) = most.filter(|most| took > *most) {
            return Err(Failure::new(format!("expected an answer within {most:?}, got it after {took:?}")));
        }
        Ok(())
    }
}

fn body(play: &Play<'_>, step: &Http) -> Result<Option<Vec<u8>>, Failure> {
    let environment = &play.environment;
    let fill = step.fill.as_ref();
    if let Some(json) = &step.json {
        return Ok(Some(environment.value(json).to_string().into_bytes()));
    }
    if let Some(digits) = &step.body_hex {
        return hex::parse(&filled(digits, fill, environment)).map(Some);
    }
    if let Some(lines) = &step.body_lines {
        let lines: Vec<String> = lines.iter().map(|line| filled(line, fill, environment)).collect();
        return Ok(Some(lines.join("\n").into_bytes()));
    }
    Ok(step.body.as_ref().map(|body| filled(body, fill, environment).into_bytes()))
}

fn json_body(response: &Response) -> Result<Value, Failure> {
    serde_json::from_slice(&response.body)
        .map_err(|error| Failure::new(format!("the body is not JSON ({error}): {}", response.excerpt())))
}
