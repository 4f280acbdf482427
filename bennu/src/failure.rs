//! The one error of a channel.

use crate::Reply;
use bennu_core::{EventError, IntoPayload, ParseError};
use std::error::Error;
use std::fmt;

/// Why a handler did not do what it was asked to: an answer to the client, or a crash.
///
/// * `?` on any error is a **crash**: the channel ends, the client sees `phx_error`.
/// * But a payload that does not parse is the client's fault: it is answered with the error
///   `{"reason":"invalid payload"}`, and the channel goes on.
/// * [`OrReason::or_reason`] makes an error reply of any `Result` or `Option`.
///
/// In `join`, an error reply is the refusal, and a crash is answered with `join crashed`.
///
/// ```
/// use bennu::prelude::*;
///
/// #[derive(serde::Deserialize)]
/// struct Move { dx: f32 }
///
/// fn step(payload: &Payload) -> Result<f32, Failure> {
///     let step: Move = payload.parse()?;                                 // answered: invalid payload
///     let places: f32 = "12".parse()?;                                   // a crash, if it were none
///     let last = [1.0, 2.0].last().copied().or_reason("no such place")?; // answered: no such place
///     Ok(places + last + step.dx)
/// }
/// # assert!(step(&Payload::empty()).is_err());
/// ```
///
/// A type of your own that implements [`std::error::Error`] becomes a crash by `?`, and cannot have its
/// own `From` beside that. To choose case by case, do not implement `Error` for it, or write
/// `.map_err(MyError::into_failure)?`.
///
/// One pointer wide: it is in the future of every handler.
#[must_use]
pub struct Failure(Box<Kind>);

/// What a failure is.
pub(crate) enum Kind {
    /// An error reply.
    Reply(Reply),
    /// The channel ends.
    Crash(Box<dyn Error + Send + Sync>),
}

impl Failure {
    /// The error reply `{"reason": reason}`.
    pub fn reason(reason: impl fmt::Display) -> Self {
        Self::reply(serde_json::json!({ "reason": reason.to_string() }))
    }

    /// An error reply with this response.
    pub fn reply(response: impl IntoPayload) -> Self {
        Reply::error(response).into()
    }

    /// A crash: the channel ends with `phx_error`, and the cause is logged.
    pub fn crash(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Box::new(Kind::Crash(cause.into())))
    }

    /// A crash, as Phoenix crashes on an event that no clause of `handle_in` matches.
    pub fn unknown_event(event: &str) -> Self {
        Self::crash(format!("unknown event {event:?}"))
    }

    pub(crate) fn into_kind(self) -> Kind {
        *self.0
    }
}

impl From<Reply> for Failure {
    fn from(reply: Reply) -> Self {
        Self(Box::new(Kind::Reply(reply)))
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        if is_the_peers_fault(&*error) { Self::reason("invalid payload") } else { Self::crash(error) }
    }
}

/// Whether an error says that the peer sent something of the wrong shape.
fn is_the_peers_fault(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    let event = error.downcast_ref::<EventError>();
    error.is::<ParseError>() || event.is_some_and(|error| matches!(error, EventError::Payload(_)))
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Reply(reply) => f.debug_tuple("Failure::Reply").field(reply).finish(),
            Kind::Crash(cause) => f.debug_tuple("Failure::Crash").field(cause).finish(),
        }
    }
}

/// Turns what went wrong into an error reply.
pub trait OrReason<T> {
    /// The value, or the error reply `{"reason": reason}`.
    ///
    /// # Errors
    /// The reply, if there is no value.
    fn or_reason(self, reason: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E> OrReason<T> for Result<T, E> {
    fn or_reason(self, reason: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|_| Failure::reason(reason))
    }
}

impl<T> OrReason<T> for Option<T> {
    fn or_reason(self, reason: impl fmt::Display) -> Result<T, Failure> {
        self.ok_or_else(|| Failure::reason(reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bennu_core::Payload;

    #[test]
    fn payload_that_does_not_parse_is_answered() {
        let failure = Failure::from(Payload::empty().parse::<u8>().unwrap_err());

        assert!(matches!(failure.into_kind(), Kind::Reply(_)));
    }

    #[test]
    fn unknown_event_is_a_crash() {
        #[derive(serde::Deserialize, Debug)]
        enum In {}
        let failure = Failure::from(Payload::empty().event::<In>("x").unwrap_err());

        assert!(matches!(failure.into_kind(), Kind::Crash(_)));
    }

    #[test]
    fn any_other_error_is_a_crash() {
        let failure = Failure::from("x".parse::<u8>().unwrap_err());

        assert!(matches!(failure.into_kind(), Kind::Crash(_)));
        assert!(matches!(Failure::from("text").into_kind(), Kind::Crash(_)));
    }

    #[test]
    fn failure_is_one_pointer_wide() {
        assert_eq!(size_of::<Failure>(), size_of::<usize>());
    }
}
