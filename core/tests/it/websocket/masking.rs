use super::peer::*;
use bennu_core::{Frame, Kind};
use proptest::prelude::*;

#[test]
fn a_clients_frames_are_masked_with_changing_keys() {
    let mut connection = client();
    let mut out = Vec::new();
    connection.encode(Kind::Binary, &[0; 4], &mut out);
    connection.encode(Kind::Binary, &[0; 4], &mut out);

    let (first, second) = out.split_at(10);

    assert_eq!(first[..2], [0x82, 0x84]);
    assert_eq!(first[2..6], first[6..10], "zeros show the key");
    assert_ne!(first[2..6], second[2..6]);
}

#[test]
fn a_server_encodes_as_a_shared_frame_is_encoded() {
    for len in [0, 125, 126, 127, 0xffff, 0x1_0000] {
        let body = vec![b'x'; len];
        let mut out = Vec::new();
        server().encode(Kind::Text, &body, &mut out);

        assert_eq!(out, plain(TEXT, &body), "length {len}");
        assert_eq!(out, Frame::new(Kind::Text, &body).as_websocket());
    }
}

fn message() -> impl Strategy<Value = Seen> {
    let long = 0_usize..0x1_0100;
    prop_oneof![
        any::<String>().prop_map(Seen::Text),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Seen::Binary),
        long.prop_map(|len| Seen::Text("x".repeat(len))),
    ]
}

proptest! {
    #[test]
    fn what_one_end_encodes_the_other_receives(messages in prop::collection::vec(message(), 0..5), from_client: bool) {
        let (mut sender, mut receiver) = if from_client { (client(), server()) } else { (server(), client()) };
        let mut wire = Vec::new();
        for message in &messages {
            match message {
                Seen::Text(text) => sender.encode(Kind::Text, text.as_bytes(), &mut wire),
                Seen::Binary(bytes) => sender.encode(Kind::Binary, bytes, &mut wire),
                Seen::Ping(_) | Seen::Pong(_) | Seen::Sent(_) | Seen::Closed(_) | Seen::End => {
                    panic!("no message: {message:?}")
                }
            }
        }

        prop_assert_eq!(receive(&mut receiver, &wire, T0), messages);
    }
}
