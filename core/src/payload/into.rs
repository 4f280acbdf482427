//! Whatever can be sent.

use super::{Payload, RawJson};
use serde::Serialize;
use std::fmt;

/// A value that can be sent as a payload: anything that serde can write (by value or by reference), or
/// a [`Payload`], which is passed on as it is.
///
/// `()` is the empty object, `{}`. Bytes are no JSON: send them with [`Payload::binary`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as a payload",
    label = "not a payload",
    note = "derive `Serialize`, use `serde_json::json!`, or `Payload::binary(bytes)` for bytes"
)]
pub trait IntoPayload {
    /// Encodes the value.
    ///
    /// # Errors
    /// [`NotEncodable`] if the value cannot be written as JSON.
    fn into_payload(self) -> Result<Payload, NotEncodable>;
}

/// A value cannot be written as JSON.
#[derive(Debug)]
pub struct NotEncodable(serde_json::Error);

impl fmt::Display for NotEncodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the payload cannot be written as JSON")
    }
}

impl std::error::Error for NotEncodable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl<T: Serialize> IntoPayload for T {
    fn into_payload(self) -> Result<Payload, NotEncodable> {
        // The unit type has no fields to write, as an object without fields has none.
        if std::any::type_name::<T>() == "()" {
            return Ok(Payload::empty());
        }
        RawJson::encode(&self).map(Payload::Json).map_err(NotEncodable)
    }
}

impl IntoPayload for Payload {
    fn into_payload(self) -> Result<Payload, NotEncodable> {
        Ok(self)
    }
}

impl IntoPayload for &Payload {
    fn into_payload(self) -> Result<Payload, NotEncodable> {
        Ok(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn unit_is_the_empty_object() {
        assert_eq!(().into_payload().unwrap(), Payload::empty());
    }

    #[test]
    fn map_with_keys_that_are_no_strings_is_an_error() {
        let map: BTreeMap<(u8, u8), u8> = [((1, 2), 3)].into();

        assert!(map.into_payload().is_err());
    }
}
