//! What is said on one topic: the frames to send, and those to expect.

use crate::template::Template;
use crate::websocket::push_masked;

/// The frames of one topic.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) join: Vec<u8>,
    pub(super) joined: Vec<u8>,
    broadcast: Template,
    echo: Template,
    delivery: Template,
    reply: Template,
}

/// A broadcast is this long on the wire, its WebSocket header of four bytes included.
const DELIVERY: usize = 180;
const HEADER: usize = 4;

impl Session {
    /// The frames of `bench:<name>`, whose broadcasts are 180 bytes long.
    pub(super) fn new(name: &str) -> Self {
        let bare = Template::new(&delivery(name, ""));
        let pad = "x".repeat((DELIVERY - HEADER).saturating_sub(bare.len()));
        let payload = payload(&pad);
        let mut join = Vec::new();
        push_masked(&mut join, format!(r#"["1","1","bench:{name}","phx_join",{{}}]"#).as_bytes());
        let joined = format!(r#"["1","1","bench:{name}","phx_reply",{{"status":"ok","response":{{}}}}]"#);
        let push =
            |event: &str| Template::new(&format!(r#"["1","{{n}}","bench:{name}","{event}",{payload}]"#));
        let reply =
            format!(r#"["1","{{n}}","bench:{name}","phx_reply",{{"status":"ok","response":{payload}}}]"#);
        Self {
            join,
            joined: joined.into_bytes(),
            broadcast: push("broadcast"),
            echo: push("echo"),
            delivery: Template::new(&delivery(name, &pad)),
            reply: Template::new(&reply),
        }
    }

    /// Appends the push that makes the server broadcast `number`.
    pub(super) fn push_broadcast(&self, out: &mut Vec<u8>, number: u32) {
        push_masked(out, &self.broadcast.fill(number));
    }

    /// Appends the push that makes the server reply with `number`.
    pub(super) fn push_echo(&self, out: &mut Vec<u8>, number: u32) {
        push_masked(out, &self.echo.fill(number));
    }

    /// A broadcast as a server sends it.
    #[cfg(test)]
    pub(super) fn delivery_frame(&self, number: u32) -> Vec<u8> {
        let body = self.delivery.fill(number);
        let (header, size) = crate::websocket::header(crate::websocket::TEXT, body.len());
        [&header[..size], &body].concat()
    }

    /// The number in a broadcast or in a reply to an echo; `None` if the body is neither.
    pub(super) fn number(&self, body: &[u8]) -> Option<u32> {
        self.delivery.read(body).or_else(|| self.reply.read(body))
    }
}

fn delivery(name: &str, pad: &str) -> String {
    format!(r#"[null,null,"bench:{name}","msg",{}]"#, payload(pad))
}

fn payload(pad: &str) -> String {
    format!(r#"{{"n":{{n}},"pad":"{pad}"}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delivery_is_180_bytes_on_the_wire_whatever_the_topic() {
        for name in ["x", "topics-1999"] {
            assert_eq!(Session::new(name).delivery.len() + HEADER, 180);
        }
    }

    #[test]
    fn delivery_and_reply_are_known_by_their_number() {
        let session = Session::new("x");

        assert_eq!(session.number(&session.delivery.fill(3)), Some(3));
        assert_eq!(session.number(&session.reply.fill(4)), Some(4));
        assert_eq!(session.number(&session.echo.fill(5)), None);
    }
}
