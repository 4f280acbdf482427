//! What was decoded is written again, in every form there is, and read: it is the same.

use bennu_core::wire::{EncodeError, Incoming, Outgoing, Reply, Serializer};
use bennu_core::{Kind, MAX_NAME, Message, Name, Payload, PayloadSlice, Ref};

/// The most that a field of a binary frame can hold, in bytes.
const MAX_FIELD: usize = 255;

/// A message that a client has sent goes out as that of another client, as a push, a broadcast and a reply.
pub(super) fn from_client(message: &Message<'_>) {
    for serializer in Serializer::ALL {
        client_to_server(serializer, message);
        push_and_broadcast(serializer, message);
        let payload = message.payload.to_payload();
        reply(
            serializer,
            &Reply {
                join_ref: message.join_ref.clone(),
                msg_ref: message.msg_ref.clone(),
                topic: message.topic.clone(),
                status: "ok".into(),
                response: slice(&payload),
            },
        );
    }
}

/// What a server has sent goes out again as that of another server.
pub(super) fn from_server(incoming: &Incoming<'_>) {
    for serializer in Serializer::ALL {
        match incoming {
            Incoming::Message(message) => push_and_broadcast(serializer, message),
            Incoming::Reply(answer) => reply(serializer, answer),
        }
    }
}

fn client_to_server(serializer: Serializer, message: &Message<'_>) {
    let is_binary = matches!(message.payload, PayloadSlice::Binary(_));
    let refs = [("join_ref", message.join_ref.as_ref()), ("ref", message.msg_ref.as_ref())];
    let names = [("topic", message.topic.as_text()), ("event", message.event.as_text())];
    let expected = match (serializer, is_binary) {
        (Serializer::V1, true) => Err(EncodeError::BinaryOnV1),
        (Serializer::V2, true) => fits_bytes(&refs, &names),
        (Serializer::Custom(_), _) => Err(EncodeError::NoFormat),
        (_, false) => Ok(()),
    };
    let encoded = serializer.encode_from_client(message);
    let (kind, bytes) = match (expected, encoded) {
        (Ok(()), Ok(encoded)) => encoded,
        (Err(expected), Err(error)) => return assert_eq!(error, expected),
        (expected, encoded) => panic!("{expected:?}, but {encoded:?}"),
    };
    assert_eq!(kind == Kind::Binary, is_binary);
    assert_eq!(serializer.decode(kind, &bytes).as_ref(), Ok(message), "{serializer:?}");
}

fn push_and_broadcast(serializer: Serializer, message: &Message<'_>) {
    let (Some(topic), Some(event)) = (message.topic.as_text(), message.event.as_text()) else { return };
    let payload = message.payload.to_payload();
    let (join_ref, msg_ref) = (message.join_ref.as_ref(), message.msg_ref.as_ref());
    let push = Outgoing::Push { join_ref, msg_ref, topic, event, payload: &payload };
    let broadcast = Outgoing::Broadcast { topic, event, payload: &payload };

    let names = [("topic", Some(topic)), ("event", Some(event))];
    for (outgoing, join_ref, msg_ref) in [(push, join_ref, msg_ref), (broadcast, None, None)] {
        let long = names.iter().find(|(_, name)| name.is_some_and(|name| name.len() > MAX_NAME));
        let expected = match (long, serializer, &payload) {
            (Some((field, name)), _, _) => {
                Err(EncodeError::NameTooLong { field, len: name.map_or(0, str::len) })
            }
            (None, Serializer::V1, Payload::Binary(_)) => Err(EncodeError::BinaryOnV1),
            (None, Serializer::V2, Payload::Binary(_)) => fits_bytes(&[("join_ref", join_ref)], &names),
            (None, Serializer::V2, Payload::Json(json)) if !json.as_str().starts_with('{') => {
                Err(EncodeError::NotAnObject)
            }
            (None, Serializer::Custom(_), _) => Err(EncodeError::NoFormat),
            (None, _, Payload::Json(_)) => Ok(()),
        };
        let is_binary = matches!(payload, Payload::Binary(_));
        assert_arrives(
            serializer,
            &outgoing,
            expected,
            Message {
                join_ref: join_ref
                    .filter(|_| serializer == Serializer::V2)
                    .filter(|r| !is_binary || !is_empty(r))
                    .cloned(),
                // A push of bytes has no room for it.
                msg_ref: msg_ref.filter(|_| !is_binary).cloned(),
                topic: Name::from(topic),
                event: Name::from(event),
                payload: slice(&payload),
            },
        );
    }
}

/// Compares with what the client of that server decodes.
fn assert_arrives(
    serializer: Serializer,
    outgoing: &Outgoing<'_>,
    expected: Result<(), EncodeError>,
    message: Message<'_>,
) {
    let frame = match (expected, serializer.encode(outgoing)) {
        (Ok(()), Ok(frame)) => frame,
        (Err(expected), Err(error)) => return assert_eq!(error, expected),
        (expected, encoded) => panic!("{expected:?}, but {encoded:?}"),
    };
    assert!(frame.as_websocket().ends_with(frame.body()));
    let decoded = serializer.decode_from_server(frame.kind(), frame.body());
    // A push can say that it is a reply; then its client takes it for one.
    if let (Ok(Incoming::Reply(_)), "phx_reply") = (&decoded, message.event.as_text().unwrap_or_default()) {
        return;
    }
    assert_eq!(decoded, Ok(Incoming::Message(message)), "{serializer:?}");
}

fn reply(serializer: Serializer, answer: &Reply<'_>) {
    let response = answer.response.to_payload();
    let outgoing = Outgoing::Reply {
        join_ref: answer.join_ref.as_ref(),
        msg_ref: answer.msg_ref.as_ref(),
        topic: &answer.topic,
        status: &answer.status,
        response: &response,
    };
    let is_binary = matches!(response, Payload::Binary(_));
    let refs = [("join_ref", answer.join_ref.as_ref()), ("ref", answer.msg_ref.as_ref())];
    let names = [("topic", answer.topic.as_text()), ("status", Some(&*answer.status))];
    let expected = match (serializer, is_binary) {
        (Serializer::V1, true) => Err(EncodeError::BinaryOnV1),
        (Serializer::V2, true) => fits_bytes(&refs, &names),
        (Serializer::Custom(_), _) => Err(EncodeError::NoFormat),
        (_, false) => Ok(()),
    };
    let frame = match (expected, serializer.encode(&outgoing)) {
        (Ok(()), Ok(frame)) => frame,
        (Err(expected), Err(error)) => return assert_eq!(error, expected),
        (expected, encoded) => panic!("{expected:?}, but {encoded:?}"),
    };
    let kept = |value: &Option<Ref>| value.clone().filter(|value| !is_binary || !is_empty(value));
    let decoded = serializer.decode_from_server(frame.kind(), frame.body());
    let expected = Reply {
        join_ref: kept(&answer.join_ref).filter(|_| serializer == Serializer::V2),
        msg_ref: kept(&answer.msg_ref),
        ..answer.clone()
    };
    assert_eq!(decoded, Ok(Incoming::Reply(expected)), "{serializer:?}");
}

/// Whether these can be the fields of a binary frame; if not, which one is the first that cannot.
fn fits_bytes(
    refs: &[(&'static str, Option<&Ref>)],
    names: &[(&'static str, Option<&str>)],
) -> Result<(), EncodeError> {
    let mut lengths = Vec::new();
    for &(field, value) in refs {
        let text = value.map(|value| value.as_text().ok_or(EncodeError::RefNotText { field })).transpose()?;
        lengths.push((field, text.map_or(0, |text| text.len())));
    }
    for &(field, name) in names {
        lengths.push((field, name.ok_or(EncodeError::NameNotText { field })?.len()));
    }
    let long = lengths.into_iter().find(|(_, len)| *len > MAX_FIELD);
    long.map_or(Ok(()), |(field, len)| Err(EncodeError::FieldTooLong { field, len }))
}

/// A ref of length 0 is how a server writes that there is none.
fn is_empty(value: &Ref) -> bool {
    value.as_json() == "\"\""
}

fn slice(payload: &Payload) -> PayloadSlice<'_> {
    match payload {
        Payload::Json(json) => PayloadSlice::Json(json.as_str()),
        Payload::Binary(bytes) => PayloadSlice::Binary(bytes),
    }
}
