//! Arrays as text, in both directions.

use super::json;
use super::text::{self, Fields, is_long_ref};
use bennu_core::wire::{DecodeError, Serializer};

/// Text that V2 takes is what serde_json takes, field by field; and it comes back when it is written again.
pub fn decode_v2_text(input: &[u8]) {
    text::check(Serializer::V2, input, arrange);
}

fn arrange(root: &str, max_ref: usize) -> Result<Fields<'_>, Vec<DecodeError>> {
    let Some(items) = json::items(root) else { return Err(vec![DecodeError::NotAnArray]) };
    let &[join_ref, msg_ref, topic, event, payload, ..] = &*items else {
        let long =
            items.iter().take(2).find(|json| is_long_ref(json, max_ref)).map(|_| DecodeError::RefTooLong);
        return Err([DecodeError::MissingItem { found: items.len() }].into_iter().chain(long).collect());
    };
    Ok(Fields { join_ref, msg_ref, topic, event, payload })
}
