//! The limits that a format is held to.

use super::House;
use bennu_core::server::Limits;
use bennu_core::wire::{DecodeError, DecodeLimits, EncodeError, FormatError, Outgoing, Serializer};
use bennu_core::{MAX_NAME, Payload, RefTooLong};

impl House {
    fn decode(&self, line: &str) -> Result<(), DecodeError> {
        self.decode_within(line, DecodeLimits::default())
    }

    fn decode_within(&self, line: &str, limits: DecodeLimits) -> Result<(), DecodeError> {
        self.formats.decode_text(self.custom, line, limits, &mut None).map(|_| ())
    }
}

#[test]
fn payload_of_a_format_is_as_deep_as_any() {
    let house = House::new();
    let nested = |depth: usize| format!("1|2|t|e|{}0{}", "[".repeat(depth), "]".repeat(depth));

    // The message itself is a level.
    assert_eq!(house.decode(&nested(127)), Ok(()));
    assert_eq!(house.decode(&nested(128)), Err(DecodeError::TooDeep));
    assert_eq!(house.decode(&nested(100_000)), Err(DecodeError::TooDeep));
}

#[test]
fn lone_surrogate_in_a_payload_is_an_error_in_every_serializer() {
    let payload = r#"{"a":"\ud800"}"#;

    let own = House::new().decode(&format!("1|2|t|e|{payload}"));
    let v2 = Serializer::V2.decode_text(&format!(r#"["1","2","t","e",{payload}]"#)).map(|_| ());

    for decoded in [own, v2] {
        assert!(matches!(decoded, Err(DecodeError::Json { .. })), "{decoded:?}");
    }
}

#[test]
fn ref_of_a_format_is_as_long_as_any() {
    let house = House::new();
    let of = |len: usize| format!("1|{}|t|e|{{}}", "7".repeat(len));

    assert_eq!(house.decode(&of(62)), Ok(()));
    for len in [63, 253] {
        assert_eq!(house.decode(&of(len)), Err(DecodeError::RefTooLong), "{len}");
    }
    // So long that there is no such ref, whatever the limit.
    assert_eq!(house.decode(&of(254)), Err(DecodeError::Format(FormatError::new(RefTooLong))));
}

#[test]
fn limits_of_a_format_are_those_of_its_socket() {
    let house = House::new();
    let limits = DecodeLimits { max_ref: 10, max_depth: 4 };
    let nested = |depth: usize| format!("1|2|t|e|{}0{}", "[".repeat(depth), "]".repeat(depth));
    let refs = |len: usize| {
        let of = "7".repeat(len - 2);
        [format!("{of}|1|t|e|{{}}"), format!("1|{of}|t|e|{{}}")]
    };

    assert_eq!(house.decode_within(&nested(3), limits), Ok(()));
    for depth in [4, 127, 100_000] {
        assert_eq!(house.decode_within(&nested(depth), limits), Err(DecodeError::TooDeep), "{depth}");
    }
    assert_eq!(refs(10).map(|line| house.decode_within(&line, limits)), [Ok(()), Ok(())]);
    for len in [11, 64, 255] {
        let past = Err(DecodeError::RefTooLong);
        assert_eq!(refs(len).map(|line| house.decode_within(&line, limits)), [past.clone(), past], "{len}");
    }
}

#[test]
fn names_of_a_format_are_as_long_as_the_limits_say() {
    let mut house = House::with(Limits { max_topic: 10, max_event: 9, ..Limits::default() });
    let ann = house.connect(house.custom);

    house.send(ann, "1|1|room:abcde|phx_join|{}");
    house.send(ann, "2|2|room:abcdef|phx_join|{}");
    house.send(ann, "1|3|room:abcde|123456789|{}");
    house.send(ann, "1|4|room:abcde|1234567890|{}");

    let replies: Vec<_> =
        house.take(ann).into_iter().map(|line| line.rsplit('|').next().unwrap().to_owned()).collect();
    assert_eq!(replies, ["{}", r#"{"reason":"topic too long"}"#, "{}", r#"{"reason":"event too long"}"#]);
}

#[test]
fn name_that_no_client_could_send_back_is_an_error_before_the_format_is_asked() {
    let house = House::new();
    let name = |len| "n".repeat(len);
    let push = |topic: &str, event: &str| {
        let payload = &Payload::empty();
        let push = Outgoing::Push { join_ref: None, msg_ref: None, topic, event, payload };
        house.formats.encode(house.custom, &push).map(|_| ())
    };

    assert_eq!(push(&name(MAX_NAME), &name(MAX_NAME)), Ok(()));
    assert_eq!(house.encoded(), 1);
    let too_long = |field| Err(EncodeError::NameTooLong { field, len: MAX_NAME + 1 });
    assert_eq!(push(&name(MAX_NAME + 1), "e"), too_long("topic"));
    assert_eq!(push("t", &name(MAX_NAME + 1)), too_long("event"));
    assert_eq!(house.encoded(), 0);
}
