use super::*;
use bennu::Name;
use serde_json::json;

/// A message in MessagePack.
fn packed(message: impl Serialize) -> Vec<u8> {
    rmp_serde::to_vec_named(&message).unwrap()
}

fn decoded(data: &[u8]) -> Result<Decoded, FormatError> {
    MsgPack.decode(Kind::Binary, data)
}

fn encoded(outgoing: &Outgoing<'_>) -> Vec<u8> {
    let (kind, bytes) = MsgPack.encode(outgoing).unwrap();
    assert_eq!(kind, Kind::Binary);
    bytes
}

/// Bytes, which serde would take for a list.
struct Bytes(&'static [u8]);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.serialize_bytes(self.0)
    }
}

#[test]
fn map_comes_as_json_of_the_same_items() {
    let payload = json!({ "z": [1, -1, 1.5, true, null, "ä\n\"", { "deep": [{}] }], "a": u64::MAX });

    let message = decoded(&packed(("1", "2", "room:a", "new_msg", &payload))).unwrap();

    let (join_ref, msg_ref) = (Some(Ref::text("1")), Some(Ref::text("2")));
    let payload = Payload::json(&payload).unwrap();
    let (topic, event) = ("room:a".to_owned(), "new_msg".to_owned());
    assert_eq!(message, Decoded { join_ref, msg_ref, topic, event, payload });
}

#[test]
fn nil_is_no_ref_and_bytes_are_bytes() {
    let message = decoded(&packed(((), (), "t", "e", Bytes(b"\x00\xff")))).unwrap();

    assert_eq!((message.join_ref, message.msg_ref), (None, None));
    assert_eq!(message.payload, Payload::binary(&b"\x00\xff"[..]));
}

#[test]
fn bytes_on_the_wire_are_those_of_the_specification() {
    let by_hand = b"\x95\xa11\xa12\xa1t\xa1e\x81\xa1n\x01";
    let payload = &Payload::json(&json!({ "n": 1 })).unwrap();
    let [join_ref, msg_ref] = &["1", "2"].map(Ref::text);
    let (join_ref, msg_ref) = (Some(join_ref), Some(msg_ref));

    assert_eq!(decoded(by_hand).unwrap().payload, *payload);
    assert_eq!(encoded(&Outgoing::Push { join_ref, msg_ref, topic: "t", event: "e", payload }), by_hand);
}

#[test]
fn broadcast_has_no_refs_and_a_reply_has_status_and_response() {
    let bytes = &Payload::binary(&b"\x07"[..]);
    let broadcast = Outgoing::Broadcast { topic: "t", event: "e", payload: bytes };
    let topic = &Name::from("t");
    let reply = Outgoing::Reply { join_ref: None, msg_ref: None, topic, status: "ok", response: bytes };

    assert_eq!(encoded(&broadcast), b"\x95\xc0\xc0\xa1t\xa1e\xc4\x01\x07");
    assert_eq!(
        encoded(&reply),
        b"\x95\xc0\xc0\xa1t\xa9phx_reply\x82\xa6status\xa2ok\xa8response\xc4\x01\x07"
    );
}

#[test]
fn what_is_no_message_is_an_error() {
    let deep = |depth: usize| {
        let nested = [vec![0x91; depth], vec![0xc0]].concat();
        [&b"\x95\xc0\xc0\xa1t\xa1e\x81\xa1a"[..], &nested].concat()
    };
    assert!(decoded(&deep(100)).is_ok());
    let long = "7".repeat(254);
    for data in [
        Vec::new(),
        b"\xc1".to_vec(),
        packed("text"),
        packed(("1", "2", "t", "e")),
        packed((1, 2, "t", "e", json!({}))),
        packed((&*long, (), "t", "e", json!({}))),
        packed(("1", "2", Bytes(b"\xff"), "e", json!({}))),
        packed(("1", "2", "t", "e", 1)),
        packed(("1", "2", "t", "e", [1])),
        b"\x95\xa11\xa12\xa1t\xa1e\x81\x90\x01".to_vec(),
        [packed(("1", "2", "t", "e", json!({}))), packed(1)].concat(),
        [packed(("1", "2", "t", "e", json!({}))), b"\xc1".to_vec()].concat(),
        deep(200),
        deep(100_000),
        // A list that says it has four billion items.
        b"\x95\xc0\xc0\xa1t\xa1e\x81\xa1a\xdd\xff\xff\xff\xff".to_vec(),
    ] {
        assert!(decoded(&data).is_err(), "{data:02x?}");
    }
    assert!(MsgPack.decode(Kind::Text, b"\x95\xa11\xa12\xa1t\xa1e\x81\xa1n\x01").is_err());
}
