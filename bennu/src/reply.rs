//! Answers to a client's message.

use bennu_core::{IntoPayload, NotEncodable, Payload};
use std::borrow::Cow;

/// The answer to a message: a status with a response, or none.
///
/// Shape on the wire: `{"status":"ok","response":{…}}`.
///
/// ```
/// use bennu::Reply;
/// use serde_json::json;
///
/// let _ = Reply::ok(json!({ "length": 5 }));
/// let _ = Reply::ok(());                        // {"status":"ok","response":{}}
/// let _ = Reply::with_status("accepted", ());   // any status is legal; clients know `ok` and `error`
/// let _ = Reply::none();                        // nothing is sent
/// ```
#[derive(Debug)]
#[must_use = "a reply is sent when a handler returns it, or by `ReplyRef::send`"]
pub struct Reply(Option<Answer>);

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: Cow<'static, str>,
    pub(crate) response: Result<Payload, NotEncodable>,
}

impl Reply {
    /// Status `ok`.
    pub fn ok(response: impl IntoPayload) -> Self {
        Self::with_status("ok", response)
    }

    /// Status `error`.
    pub fn error(response: impl IntoPayload) -> Self {
        Self::with_status("error", response)
    }

    /// A status of your own.
    pub fn with_status(status: impl Into<Cow<'static, str>>, response: impl IntoPayload) -> Self {
        Self(Some(Answer { status: status.into(), response: response.into_payload() }))
    }

    /// No answer, or one that comes later through a [`ReplyRef`](crate::ReplyRef).
    pub const fn none() -> Self {
        Self(None)
    }

    pub(crate) fn into_answer(self) -> Option<Answer> {
        self.0
    }
}
