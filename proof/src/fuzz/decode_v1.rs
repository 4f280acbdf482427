//! Objects as text, in both directions.

use super::json;
use super::text::{self, Fields, is_long_ref};
use bennu_core::Kind;
use bennu_core::wire::{DecodeError, Serializer};

/// Text that V1 takes is what serde_json takes, field by field; it comes back when it is written again; and a
/// frame of bytes is read as if it were text.
pub fn decode_v1(input: &[u8]) {
    text::check(Serializer::V1, input, arrange);

    assert_eq!(Serializer::V1.decode(Kind::Binary, input), Serializer::V1.decode(Kind::Text, input));
    assert_eq!(
        Serializer::V1.decode_from_server(Kind::Binary, input),
        Serializer::V1.decode_from_server(Kind::Text, input)
    );
}

fn arrange(root: &str, max_ref: usize) -> Result<Fields<'_>, Vec<DecodeError>> {
    let Some(members) = json::members(root) else { return Err(vec![DecodeError::NotAnObject]) };
    // Of equal keys the last one wins.
    let field = |name| members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value);
    let join_ref = field("join_ref").unwrap_or("null");
    let required = ["topic", "event", "payload", "ref"];
    let [Some(topic), Some(event), Some(payload), Some(msg_ref)] = required.map(field) else {
        let missing = required.into_iter().filter(|name| field(name).is_none());
        let refs = [Some(join_ref), field("ref")];
        let long = refs
            .into_iter()
            .flatten()
            .find(|json| is_long_ref(json, max_ref))
            .map(|_| DecodeError::RefTooLong);
        return Err(missing.map(|key| DecodeError::MissingKey { key }).chain(long).collect());
    };
    Ok(Fields { join_ref, msg_ref, topic, event, payload })
}
