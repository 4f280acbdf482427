//! provisional
use crate::*;
use serde_json::value::RawValue;
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Serializer {
    V1,
    V2,
}
pub enum Outgoing<'a> {
    Push {
        join_ref: Option<&'a Ref>,
        msg_ref: Option<&'a Ref>,
        topic: &'a str,
        event: &'a str,
        payload: &'a Payload,
    },
    Reply {
        join_ref: Option<&'a Ref>,
        msg_ref: Option<&'a Ref>,
        topic: &'a Name<'a>,
        status: &'a str,
        response: &'a Payload,
    },
    Broadcast {
        topic: &'a str,
        event: &'a str,
        payload: &'a Payload,
    },
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EncodeError {
    NotAnObject,
    BinaryOnV1,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    Bad,
}
impl Serializer {
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];
    pub fn index(self) -> usize {
        self as usize
    }
    pub fn decode(self, _kind: Kind, data: &[u8]) -> Result<Message<'_>, DecodeError> {
        let v: Vec<&RawValue> = serde_json::from_slice(data).map_err(|_| DecodeError::Bad)?;
        let r = |i: usize| Ref::from_json(v[i].get());
        let n = |i: usize| match serde_json::from_str::<String>(v[i].get()) {
            Ok(s) => Name::Text(s.into()),
            Err(_) => Name::Other(v[i].get()),
        };
        Ok(Message {
            join_ref: r(0),
            msg_ref: r(1),
            topic: n(2),
            event: n(3),
            payload: PayloadSlice::Json(v[4].get()),
        })
    }
    pub fn encode(self, o: &Outgoing<'_>) -> Result<Frame, EncodeError> {
        let j = |r: &Option<&Ref>| r.map_or("null".to_owned(), |r| r.as_json().to_owned());
        let s = |s: &str| serde_json::to_string(s).unwrap_or_default();
        let p = |p: &Payload| String::from_utf8_lossy(p.as_bytes()).into_owned();
        let text = match o {
            Outgoing::Push { join_ref, msg_ref, topic, event, payload } => {
                format!("[{},{},{},{},{}]", j(join_ref), j(msg_ref), s(topic), s(event), p(payload))
            }
            Outgoing::Reply { join_ref, msg_ref, topic, status, response } => format!(
                "[{},{},{},\"phx_reply\",{{\"status\":{},\"response\":{}}}]",
                j(join_ref),
                j(msg_ref),
                match topic {
                    Name::Text(t) => s(t),
                    Name::Other(o) => (*o).to_owned(),
                },
                s(status),
                p(response)
            ),
            Outgoing::Broadcast { topic, event, payload } => {
                format!("[null,null,{},{},{}]", s(topic), s(event), p(payload))
            }
        };
        Ok(Frame::new(Kind::Text, text.as_bytes()))
    }
}
