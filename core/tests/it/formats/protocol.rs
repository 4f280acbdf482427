//! Messages in a format, and broadcasts to those who speak it.

use super::{Bars, House, NOW};
use bennu_core::server::{Broadcast, Config, Server, SocketConfig};
use bennu_core::wire::{DecodeError, DecodeLimits, EncodeError, FormatError, Formats, Outgoing, Serializer};
use bennu_core::{Kind, Message, Payload, PayloadSlice, Topic};
use std::sync::Arc;

#[test]
fn client_of_a_format_joins_and_is_answered_in_it() {
    let mut house = House::new();
    let ann = house.connect(house.custom);

    house.send(ann, "1|1|room:a|phx_join|{}");
    house.send(ann, r#"1|2|room:a|echo|{"n":1}"#);
    house.send(ann, "1|3|room:a|echo|0xabc");

    assert_eq!(
        house.take(ann),
        ["reply|1|1|room:a|ok|{}", r#"reply|1|2|room:a|ok|{"n":1}"#, "reply|1|3|room:a|ok|0xabc"]
    );
}

#[test]
fn what_the_protocol_says_itself_is_written_in_the_format() {
    let mut house = House::new();
    let ann = house.joined(house.custom);

    house.send(ann, "|7|phoenix|heartbeat|{}");
    house.send(ann, "|8|nowhere|hi|{}");
    house.send(ann, "2|2|room:crash|phx_join|{}");
    house.send(ann, "1|3|room:a|phx_leave|{}");
    house.send(ann, "4|4|room:a|phx_join|{}");
    house.send(ann, "4|5|room:a|crash|{}");

    assert_eq!(
        house.take(ann),
        [
            "reply||7|phoenix|ok|{}",
            r#"reply||8|nowhere|error|{"reason":"unmatched topic"}"#,
            r#"reply|2|2|room:crash|error|{"reason":"join crashed"}"#,
            "reply|1|3|room:a|ok|{}",
            "push|1|1|room:a|phx_close|{}",
            "reply|4|4|room:a|ok|{}",
            r#"push|4|4|room:a|phx_error|{"reason":"channel_crash"}"#,
        ]
    );
}

#[test]
fn broadcast_is_encoded_once_for_all_of_a_format_by_its_publisher() {
    let mut house = House::new();
    let all = [house.custom, house.other, Serializer::V2, Serializer::V1];
    let members: Vec<_> = (0..300)
        .map(|n| all[n % all.len()])
        .map(|serializer| (house.joined(serializer), serializer))
        .collect();
    house.encoded();
    let mut broadcast = Broadcast::new(Topic::from("room:a"), "news", Payload::empty()).unwrap();
    for serializer in house.formats.serializers() {
        broadcast.encode_with(&house.formats, serializer);
    }

    house.publish(&broadcast);

    assert_eq!(house.encoded(), 1);
    for (member, serializer) in members {
        let expected = match serializer {
            Serializer::V1 => r#"{"event":"news","payload":{},"ref":null,"topic":"room:a"}"#,
            Serializer::V2 => r#"[null,null,"room:a","news",{}]"#,
            Serializer::Custom(_) => "broadcast|room:a|news|{}",
        };
        assert_eq!(house.take(member), [expected], "{serializer:?}");
    }
    let [fanout] = &house.fanouts[..] else { panic!("one output for all") };
    for serializer in fanout.serializers() {
        let [sent, made] = [fanout.frame(serializer), broadcast.frame(serializer)]
            .map(|frame| frame.unwrap().body().as_ptr());
        assert_eq!(sent, made, "{serializer:?}");
    }
}

#[test]
fn format_that_the_publisher_did_not_know_of_is_written_once_by_the_server() {
    let mut house = House::new();
    let members = [house.joined(house.custom), house.joined(house.custom)];
    house.encoded();

    let broadcast = house.broadcast("news", Payload::empty());

    assert_eq!(broadcast.frame(house.custom), None);
    assert_eq!(house.encoded(), 1);
    for member in members {
        assert_eq!(house.take(member), ["broadcast|room:a|news|{}"]);
    }
}

#[test]
fn broadcast_that_was_encoded_without_the_formats_is_encoded_with_them_still() {
    let mut house = House::new();
    let ann = house.joined(house.custom);
    let mut broadcast = Broadcast::new(Topic::from("room:a"), "news", Payload::empty()).unwrap();

    broadcast.encode(house.custom);
    assert!(broadcast.lacks(house.custom));

    house.publish(&broadcast);
    assert_eq!(house.take(ann), ["broadcast|room:a|news|{}"]);
    broadcast.encode_with(&house.formats, house.custom);
    assert!(!broadcast.lacks(house.custom) && broadcast.frame(house.custom).is_some());
}

#[test]
fn format_that_nobody_speaks_is_not_asked() {
    let mut house = House::new();
    let ann = house.joined(Serializer::V2);
    let bob = house.joined(house.custom);
    house.server.disconnect(house.sockets[bob].0, NOW);
    house.settle();
    house.encoded();

    house.broadcast("news", Payload::empty());

    assert!(!house.server.uses(house.custom));
    assert_eq!(house.encoded(), 0);
    assert_eq!(house.take(ann), [r#"[null,null,"room:a","news",{}]"#]);
}

#[test]
fn broadcast_that_a_format_cannot_write_skips_its_members_alone() {
    let mut house = House::new();
    let (ann, bob) = (house.joined(house.custom), house.joined(Serializer::V2));

    house.broadcast("unspeakable", Payload::empty());
    house.broadcast("news", Payload::binary(vec![b'a']));

    assert_eq!(house.take(ann), ["broadcast|room:a|news|0xa"]);
    assert_eq!(house.take(bob).len(), 2);
}

#[test]
fn message_of_the_protocol_that_a_format_cannot_write_ends_its_socket_alone() {
    for message in [
        "|2|phoenix:unspeakable|hi|{}",
        "2|2|unspeakable|phx_join|{}",
        "unspeakable|2|room:crash|phx_join|{}",
        "1|unspeakable|room:a|phx_leave|{}",
    ] {
        let mut house = House::new();
        let (ann, bob) = (house.joined(house.custom), house.joined(house.custom));

        house.send(ann, message);

        assert_eq!(house.take(ann).last().unwrap(), "close 1011", "{message}");
        house.send(ann, "|7|phoenix|heartbeat|{}");
        assert!(house.take(ann).is_empty(), "nothing behind the end");
        house.send(bob, "|7|phoenix|heartbeat|{}");
        assert_eq!(house.take(bob), ["reply||7|phoenix|ok|{}"]);
        for (socket, _) in house.sockets.clone() {
            house.server.disconnect(socket, NOW);
            house.settle();
        }
        assert_eq!((house.server.sockets(), house.server.channels(), house.server.topics()), (0, 0, 0));
    }
}

#[test]
fn what_a_format_cannot_read_or_write_is_an_error_that_says_why() {
    let house = House::new();
    let encode = |event| {
        let payload = &Payload::empty();
        let push = Outgoing::Push { join_ref: None, msg_ref: None, topic: "t", event, payload };
        house.formats.encode(house.custom, &push)
    };

    let decoded =
        house.formats.decode_text(house.custom, "1|2|3", DecodeLimits::default(), &mut None).map(|_| ());

    assert_eq!(decoded, Err(DecodeError::Format(FormatError::new("a message has five items"))));
    assert_eq!(decoded.unwrap_err().to_string(), "a message has five items");
    assert_eq!(
        encode("unspeakable"),
        Err(EncodeError::Format(FormatError::new("there are no words for it")))
    );
    assert_eq!(encode("latin"), Err(EncodeError::NotUtf8));
    assert_eq!(encode("hi").unwrap().kind(), Kind::Text);
    assert_eq!(encode("0x").unwrap().kind(), Kind::Binary);
}

#[test]
fn custom_serializer_says_nothing_without_its_formats() {
    let custom = House::new().other;
    let message = Message {
        join_ref: None,
        msg_ref: None,
        topic: "t".into(),
        event: "e".into(),
        payload: PayloadSlice::Json("{}"),
    };
    let payload = &Payload::empty();
    let broadcast = Outgoing::Broadcast { topic: "t", event: "e", payload };
    let mut one = Formats::default();
    one.add(Arc::new(Bars::default()));

    assert_eq!(custom.decode(Kind::Binary, b"{}"), Err(DecodeError::NoFormat));
    assert_eq!(custom.decode_text("{}"), Err(DecodeError::NoFormat));
    assert_eq!(custom.decode_from_server(Kind::Text, b"[]"), Err(DecodeError::NoFormat));
    assert_eq!(custom.encode(&broadcast), Err(EncodeError::NoFormat));
    assert_eq!(custom.encode_from_client(&message), Err(EncodeError::NoFormat));
    assert_eq!(
        one.decode_text(custom, "1|2|3|4|{}", DecodeLimits::default(), &mut None),
        Err(DecodeError::NoFormat)
    );
    assert_eq!(one.encode(custom, &broadcast), Err(EncodeError::NoFormat));
}

#[test]
#[should_panic(expected = "a socket's serializer is one of the server's")]
fn socket_of_a_format_that_the_server_does_not_know_cannot_connect() {
    let serializer = House::new().custom;
    let mounts = vec![Default::default()];
    let mut server: Server<(), ()> = Server::new(Config { shard: 0, hash_key: (0, 0), mounts });

    server.connect(SocketConfig { handle: (), serializer, mount: 0, id: None }, NOW);
}

#[test]
#[should_panic(expected = "before the first socket connects")]
fn formats_come_before_the_first_socket() {
    let mut house = House::new();
    house.connect(Serializer::V2);

    let _ = house.server.with_formats(house.formats);
}

#[test]
fn serializers_are_in_the_order_of_their_index() {
    let house = House::new();

    let serializers: Vec<_> = house.formats.serializers().collect();

    assert_eq!(serializers, [Serializer::V1, Serializer::V2, house.custom, house.other]);
    for (index, serializer) in serializers.into_iter().enumerate() {
        assert_eq!(serializer.index(), index);
        assert!(house.formats.contains(serializer));
    }
    assert_eq!(Formats::default().serializers().collect::<Vec<_>>(), Serializer::ALL);
    assert!(!Formats::default().contains(house.custom));
}

#[test]
fn serializer_is_one_byte() {
    assert_eq!(size_of::<Serializer>(), 1);
}

#[test]
#[should_panic(expected = "a server has at most 16 formats")]
fn there_is_an_end_to_formats() {
    let bars = Arc::new(Bars::default());
    let mut formats = Formats::default();
    for _ in 0..=Formats::MAX {
        formats.add(bars.clone());
    }
}
