//! From a request to its answer.

use super::body::{self, Failure};
use super::{Counter, Entrance};
use crate::admission::{self, Asking};
use crate::hub::Hub;
use crate::link::{Dialect, Transport};
use crate::metrics::{Connect, Limit, Tally};
use crate::mount::Mounted;
use crate::opening::Opening;
use crate::service::ResponseBody;
use bennu_core::Compat;
use bennu_core::connect::{self, Admission, Carrier, Params, PathVariables};
use bennu_core::longpoll::{Answer, BodyError, Encoding, Posted, Refusal, Request, examine, open};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use hyper::body::Body;
use std::sync::Arc;

/// What a request is for: a mount, by its place, and the entrance in it.
pub(crate) struct Visit<'a> {
    pub(crate) hub: &'a Arc<Hub>,
    pub(crate) place: usize,
    pub(crate) entrance: &'a Entrance,
    pub(crate) carrier: Carrier,
}

/// Answers a request.
pub(crate) async fn answer<B: Body>(
    visit: Visit<'_>,
    parts: &Parts,
    variables: PathVariables<'_>,
    body: B,
) -> Response<ResponseBody> {
    let socket = &*visit.mount().name;
    let examined = examine(parts, visit.carrier, &visit.mount().options).inspect_err(|_| {
        if parts.method == Method::GET {
            visit.hub.metrics.asked(Connect::Door);
        }
    });
    let answered = match examined {
        Ok(Request::Preflight { headers }) => Ok(visit.respond(Answer::Preflight { headers })),
        Ok(Request::Poll { token, params }) => match visit.poll(token).await {
            Some(response) => Ok(response),
            None => visit.connect(parts, params, variables).await,
        },
        Ok(Request::Post { token, encoding }) => visit.post(token, encoding, body).await,
        Err(refusal) => Err(refusal),
    };
    answered.unwrap_or_else(|refusal| {
        if let Some(limit) = limit(&refusal) {
            visit.hub.metrics.limit(limit);
        }
        if matches!(refusal, Refusal::Head(connect::Refusal::Origin(_))) {
            // Who runs the server has forgotten a setting, most likely.
            tracing::error!(socket, %refusal, "a long-poll request was refused");
        } else {
            tracing::info!(socket, %refusal, "a long-poll request was refused");
        }
        visit.respond(refusal.answer())
    })
}

impl Visit<'_> {
    /// Waits for what there is in a session; `None` if the token leads to none.
    async fn poll(&self, token: Option<String>) -> Option<Response<ResponseBody>> {
        let counter = self.find(token.as_deref())?;
        let polled = counter.poll().await.ok()?;
        let token = token.as_deref()?;
        Some(match polled {
            Some((frames, delivery)) => {
                let mut tally = Tally::default();
                tally.write_all(&frames);
                self.hub.metrics.tell(&mut tally);
                let response = Answer::Messages { token, frames: &frames }.into_response(self.compat());
                response.map(|bytes| ResponseBody::delivering(bytes, delivery))
            }
            None => self.respond(Answer::Empty { token }),
        })
    }

    /// Gives messages to a session.
    async fn post<B: Body>(
        &self,
        token: Option<String>,
        encoding: Encoding,
        body: B,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let Some(counter) = self.find(token.as_deref()) else { return Ok(self.respond(Answer::Gone)) };
        let Entrance { body: limits, body_timeout, .. } = *self.entrance;
        let body = match body::receive(body, limits.bytes, body_timeout, &*self.hub.runtime).await {
            Ok(body) => body,
            Err(Failure::TooLong { len }) => {
                return Err(BodyError::TooLong { len, limit: limits.bytes }.into());
            }
            Err(Failure::Late) => {
                self.hub.metrics.limit(Limit::BodyTimeout);
                return Ok(self.error(StatusCode::REQUEST_TIMEOUT));
            }
            Err(Failure::Cut) => return Ok(self.error(StatusCode::BAD_REQUEST)),
        };
        let mut tally = Tally::default();
        tally.read(body.len());
        self.hub.metrics.tell(&mut tally);
        let messages = encoding.read(&body, limits)?;
        if messages.len() >= limits.lines && encoding.drops_lines(&body, limits) {
            self.hub.metrics.limit(Limit::Batch);
        }
        Ok(self.respond(match counter.post(messages).await {
            Ok(Posted::Accepted) => Answer::Accepted,
            Ok(Posted::TimedOut) => {
                self.hub.metrics.limit(Limit::PostWait);
                Answer::TimedOut
            }
            Err(_) => Answer::Gone,
        }))
    }

    /// Opens a session, by the checks that a WebSocket has to pass.
    async fn connect(
        &self,
        parts: &Parts,
        params: Params,
        variables: PathVariables<'_>,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let Ok(slot) = Arc::clone(self.hub).admit(self.place) else {
            return Ok(self.error(StatusCode::SERVICE_UNAVAILABLE));
        };
        let mount = self.mount();
        let admission = open(parts, params, variables, self.carrier, &mount.options).inspect_err(|_| {
            self.hub.metrics.asked(Connect::Door);
        })?;
        let Some(serializer) = mount.negotiate_polled(self.hub, &admission) else {
            return Ok(self.respond(Answer::Forbidden));
        };
        let Admission { params, info, .. } = admission;
        let dialect = Dialect { serializer, transport: Transport::LongPoll };
        let asking = Asking { hub: self.hub, dialect, headers: &parts.headers, params, info };
        let admitted = match mount.ask(asking).await {
            Ok(admitted) => admitted,
            Err(refused) => {
                return Ok(match refused.into_response().status() {
                    status @ StatusCode::INTERNAL_SERVER_ERROR => self.error(status),
                    _ => self.respond(Answer::Forbidden),
                });
            }
        };

        let opening = Opening::new(serializer, admitted, slot);
        let (_, session) = opening.open_session(Transport::LongPoll, self.entrance.config);
        let token = self.hub.sessions.sign(self.place, session, self.entrance);
        Ok(self.respond(Answer::Opened { token: &token }))
    }

    fn find(&self, token: Option<&str>) -> Option<Arc<Counter>> {
        self.hub.sessions.find(self.place, token, self.entrance)
    }

    fn mount(&self) -> &Mounted {
        &self.hub.mounts()[self.place]
    }

    fn compat(&self) -> Compat {
        self.mount().machine.compat
    }

    fn respond(&self, answer: Answer<'_>) -> Response<ResponseBody> {
        answer.into_response(self.compat()).map(ResponseBody::from)
    }

    fn error(&self, status: StatusCode) -> Response<ResponseBody> {
        self.respond(Answer::Error { status, body: String::new() })
    }
}

/// The limit that a request goes past, if that is why it is refused.
fn limit(refusal: &Refusal) -> Option<Limit> {
    match refusal {
        Refusal::Head(connect::Refusal::Limit(error)) => Some(admission::limit(error)),
        Refusal::Body(BodyError::TooLong { .. }) => Some(Limit::Body),
        Refusal::Head(_) | Refusal::Method(_) | Refusal::Body(_) | _ => None,
    }
}
