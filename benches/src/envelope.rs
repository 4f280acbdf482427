//! The five items of a V2 text frame, found and not parsed.

/// `[join_ref, ref, topic, event, payload]`, each item as its JSON text.
///
/// Takes what the load generator sends, which is compact and free of escapes: JSON in general it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// `"1"` or `null`.
    pub join_ref: &'a [u8],
    /// `"2"`.
    pub msg_ref: &'a [u8],
    /// `"bench:fanout"`, quotes included.
    pub topic: &'a [u8],
    /// `"broadcast"`, quotes included.
    pub event: &'a [u8],
    /// Everything up to the last bracket.
    pub payload: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Splits one frame's body; `None` if it has another shape.
    #[must_use]
    pub fn split(body: &'a [u8]) -> Option<Self> {
        let rest = body.strip_prefix(b"[")?.strip_suffix(b"]")?;
        let (join_ref, rest) = item(rest)?;
        let (msg_ref, rest) = item(rest)?;
        let (topic, rest) = item(rest)?;
        let (event, payload) = item(rest)?;
        Some(Self { join_ref, msg_ref, topic, event, payload })
    }

    /// Appends the body of an ok reply to this message.
    ///
    /// Shape: `["1","2","bench:echo","phx_reply",{"status":"ok","response":{}}]`.
    pub fn push_reply(&self, out: &mut Vec<u8>, response: &[u8]) {
        let parts: [&[u8]; 8] = [
            b"[",
            self.join_ref,
            b",",
            self.msg_ref,
            b",",
            self.topic,
            br#","phx_reply",{"status":"ok","response":"#,
            response,
        ];
        for part in parts {
            out.extend_from_slice(part);
        }
        out.extend_from_slice(b"}]");
    }

    /// Appends the body of the broadcast that this push asks for.
    ///
    /// Shape: `[null,null,"bench:fanout","msg",{"n":1}]`.
    pub fn push_broadcast(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"[null,null,");
        out.extend_from_slice(self.topic);
        out.extend_from_slice(br#","msg","#);
        out.extend_from_slice(self.payload);
        out.push(b']');
    }
}

fn item(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let comma = text.iter().position(|&byte| byte == b',')?;
    Some((&text[..comma], &text[comma + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_keeps_its_commas_and_brackets() {
        let envelope = Envelope::split(br#"["1","2","bench:x","echo",{"a":[1,2]}]"#).unwrap();

        assert_eq!(envelope.topic, br#""bench:x""#);
        assert_eq!(envelope.payload, br#"{"a":[1,2]}"#);
    }

    #[test]
    fn four_items_are_no_envelope() {
        assert_eq!(Envelope::split(br#"["1","2","bench:x","echo"]"#), None);
    }

    #[test]
    fn reply_carries_both_refs_and_broadcast_neither() {
        let envelope = Envelope::split(br#"["1","2","bench:x","echo",{"n":3}]"#).unwrap();
        let (mut reply, mut broadcast) = (Vec::new(), Vec::new());

        envelope.push_reply(&mut reply, envelope.payload);
        envelope.push_broadcast(&mut broadcast);

        assert_eq!(reply, br#"["1","2","bench:x","phx_reply",{"status":"ok","response":{"n":3}}]"#);
        assert_eq!(broadcast, br#"[null,null,"bench:x","msg",{"n":3}]"#);
    }
}
