//! What a test expects, and whether this is it.

use super::arrival::{Arrival, PushRef};
use crate::Payload;
use bennu_core::IntoPayload;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::VecDeque;
use std::fmt;

/// A payload that a test writes down.
#[track_caller]
pub(super) fn payload(payload: impl IntoPayload) -> Payload {
    match payload.into_payload() {
        Ok(payload) => payload,
        Err(error) => panic!("a payload of the test cannot be sent: {}", full(&error)),
    }
}

/// An error with its cause.
fn full(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// Whether two payloads are the same: as JSON values, or byte by byte.
pub(super) fn are_same(one: &Payload, other: &Payload) -> bool {
    match (one.parse::<Value>(), other.parse::<Value>()) {
        (Ok(one), Ok(other)) => one == other,
        // Bytes, or deeper than a value may be.
        _ => one == other,
    }
}

/// Reads a payload, if it is a `T` that the test wants.
pub(super) fn read<T: DeserializeOwned>(payload: &Payload, is_it: impl FnOnce(&T) -> bool) -> Option<T> {
    payload.parse().ok().filter(is_it)
}

/// Takes the first of what has come that is what the test wants.
pub(super) fn take<A, T>(arrivals: &mut VecDeque<A>, mut wanted: impl FnMut(&A) -> Option<T>) -> Option<T> {
    let (place, found) =
        arrivals.iter().enumerate().find_map(|(place, arrival)| Some((place, wanted(arrival)?)))?;
    arrivals.remove(place);
    Some(found)
}

/// The payload, if it is a push of this event.
pub(super) fn pushed<'a>(arrival: &'a Arrival, wanted: &str) -> Option<&'a Payload> {
    match arrival {
        Arrival::Push { event, payload } if event == wanted => Some(payload),
        Arrival::Push { .. } | Arrival::Reply { .. } | Arrival::Close | Arrival::Error => None,
    }
}

/// The response, if it is the answer to this message, with this status.
pub(super) fn replied<'a>(arrival: &'a Arrival, wanted: (&PushRef, &str)) -> Option<&'a Payload> {
    match arrival {
        Arrival::Reply { to, status, response } if (to, &**status) == wanted => Some(response),
        Arrival::Push { .. } | Arrival::Reply { .. } | Arrival::Close | Arrival::Error => None,
    }
}

/// What has come and was not read, for a failure.
pub(super) fn unread<A: fmt::Display>(place: &str, arrivals: &VecDeque<A>) -> String {
    if arrivals.is_empty() {
        return format!("\nnothing is unread on {place:?}");
    }
    let lines: String = arrivals.iter().map(|arrival| format!("\n  {arrival}")).collect();
    format!("\nunread on {place:?}:{lines}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn payloads_are_compared_as_values() {
        let spaced = Payload::from(bennu_core::RawJson::parse(r#"{ "b": 1, "a": [true] }"#).unwrap());

        assert!(are_same(&spaced, &payload(json!({ "a": [true], "b": 1 }))));
        assert!(!are_same(&spaced, &payload(json!({ "a": [true], "b": 2 }))));
        assert!(!are_same(&payload(()), &Payload::binary("{}")));
        assert!(are_same(&Payload::binary("x"), &Payload::binary("x")));
    }
}
