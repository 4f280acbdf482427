//! Messages for the benches of the core: the sizes that its budgets are about.

use bennu_core::{Kind, Message, PayloadSlice, Ref, Serializer};

/// A client's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// What a bench calls it.
    pub name: &'static str,
    /// `None` for a heartbeat, which belongs to no channel.
    pub join_ref: Option<&'static str>,
    /// Where it goes.
    pub topic: &'static str,
    /// What it is.
    pub event: &'static str,
    /// JSON text: an object.
    pub payload: String,
}

/// The topic that samples are for.
pub const TOPIC: &str = "bench:echo";
/// What `ref` every sample has.
pub const MSG_REF: &str = "7";

/// What `{fill}` in a payload is made of. Words, since a scanner may be fast on one long run of letters.
const WORDS: &str = "a heron stands in shallow water and waits until the sun is up, ";

impl Sample {
    /// Shape: `[null,"7","phoenix","heartbeat",{}]`.
    #[must_use]
    pub fn heartbeat() -> Self {
        Self {
            name: "heartbeat",
            join_ref: None,
            topic: "phoenix",
            event: "heartbeat",
            payload: "{}".to_owned(),
        }
    }

    /// A line of a chat: 175 bytes as V2 text.
    #[must_use]
    pub fn chat() -> Self {
        Self::filled("175 B", 175, r#"{"body":"{fill}","user":{"id":4711,"name":"Ann"},"urgent":false}"#)
    }

    /// Objects in lists in objects: 2,400 bytes as V2 text.
    #[must_use]
    pub fn nested() -> Self {
        let item = |n: u32| {
            format!(
                r#"{{"id":{},"at":[{n}.25,-{n}e-3,{{"z":null}}],"tags":["new","a\"b","{n}"],"on":{{"now":true,"by":{{"name":"user {n}"}}}}}}"#,
                1000 + n
            )
        };
        let items: Vec<_> = (0..20).map(item).collect();
        let payload = format!(r#"{{"items":[{}],"note":"{{fill}}"}}"#, items.join(","));
        Self::filled("2.4 KB nested", 2400, &payload)
    }

    /// A message whose payload says nothing, but at length.
    #[must_use]
    pub fn flat(payload: usize) -> Self {
        let around = r#"{"body":""}"#.len();
        Self::echo("flat", format!(r#"{{"body":"{}"}}"#, words(payload - around)))
    }

    fn filled(name: &'static str, len: usize, payload: &str) -> Self {
        let bare = Self::echo(name, payload.replace("{fill}", ""));
        let fill = words(len - bare.text(Serializer::V2).len());
        Self::echo(name, payload.replace("{fill}", &fill))
    }

    fn echo(name: &'static str, payload: String) -> Self {
        Self { name, join_ref: Some("1"), topic: TOPIC, event: "echo", payload }
    }

    /// As a client sends it in a text frame.
    #[must_use]
    pub fn text(&self, serializer: Serializer) -> String {
        let (_, bytes) = self.encode(serializer, PayloadSlice::Json(&self.payload));
        String::from_utf8(bytes).expect("JSON is UTF-8")
    }

    /// As a client sends it in a binary frame of V2, the payload's text standing for bytes.
    #[must_use]
    pub fn binary(&self) -> Vec<u8> {
        self.encode(Serializer::V2, PayloadSlice::Binary(self.payload.as_bytes())).1
    }

    fn encode(&self, serializer: Serializer, payload: PayloadSlice<'_>) -> (Kind, Vec<u8>) {
        let message = Message {
            join_ref: self.join_ref.map(Ref::text),
            msg_ref: Some(Ref::text(MSG_REF)),
            topic: self.topic.into(),
            event: self.event.into(),
            payload,
        };
        serializer.encode_from_client(&message).expect("its names are short, and V2 takes bytes")
    }
}

fn words(len: usize) -> String {
    WORDS.chars().cycle().take(len).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_have_the_lengths_that_budgets_name() {
        assert_eq!(Sample::chat().text(Serializer::V2).len(), 175);
        assert_eq!(Sample::nested().text(Serializer::V2).len(), 2400);
        assert_eq!(Sample::flat(1000).payload.len(), 1000);
    }

    #[test]
    fn every_sample_is_a_message_in_every_form() {
        for sample in [Sample::heartbeat(), Sample::chat(), Sample::nested()] {
            for serializer in Serializer::ALL {
                let text = sample.text(serializer);
                let message = serializer.decode_text(&text).unwrap();
                assert_eq!(message.payload, PayloadSlice::Json(&sample.payload), "{text}");
            }
            let binary = sample.binary();
            let message = Serializer::V2.decode(Kind::Binary, &binary).unwrap();
            assert_eq!(message.payload, PayloadSlice::Binary(sample.payload.as_bytes()));
        }
    }
}
