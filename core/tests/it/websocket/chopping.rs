//! I-4: what comes out depends on the bytes, not on how reads cut them.

use super::peer::*;
use bennu_core::websocket::{Config, Connection};
use proptest::prelude::*;
use proptest::sample::Index;

/// Small, so that streams go over every limit.
const CONFIG: Config = Config {
    max_message: 300,
    max_fragments: 4,
    max_empty_fragments: 2,
    idle_timeout: None,
    idle_code: 1002,
    close_timeout: std::time::Duration::from_secs(5),
};

/// Bytes that a peer may send next: mostly right, and wrong in every way now and then.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        8 => any::<String>().prop_map(String::into_bytes),
        2 => prop::collection::vec(any::<u8>(), 0..10),
        1 => Just("€".repeat(100).into_bytes()),
        1 => Just("€".repeat(101).into_bytes()),
    ];
    let binary = prop::collection::vec(any::<u8>(), 0..200);
    let control = prop::collection::vec(any::<u8>(), 0..126);
    let close = prop_oneof![
        Just(vec![]),
        Just(vec![3]),
        (any::<u16>(), any::<String>())
            .prop_map(|(code, reason)| close_payload(code, &reason.as_bytes()[..0])),
        Just(close_payload(1000, "tschüß".as_bytes())),
        Just(close_payload(1000, &[0xff])),
    ];
    let fragments = (text.clone(), prop::collection::vec(any::<Index>(), 1..5), control.clone());
    prop_oneof![
        12 => text.prop_map(|text| masked(TEXT, &text)),
        8 => binary.prop_map(|bytes| masked(BINARY, &bytes)),
        16 => fragments.prop_map(|(text, cuts, ping)| in_fragments(&text, &cuts, &ping)),
        6 => control.clone().prop_map(|payload| masked(PING, &payload)),
        3 => control.prop_map(|payload| masked(PONG, &payload)),
        1 => close.prop_map(|payload| masked(CLOSE, &payload)),
        1 => any::<u8>().prop_map(|first| frame(first, b"x", Some(KEY))),
        1 => Just(plain(TEXT, b"unmasked")),
        1 => (126_u8..128, any::<u64>()).prop_map(|(form, len)| frame_with_form(0x81, form, len, b"x", Some(KEY))),
        1 => prop::collection::vec(any::<u8>(), 1..20),
    ]
}

/// One text message, cut anywhere, with a ping after the first fragment.
fn in_fragments(text: &[u8], cuts: &[Index], ping: &[u8]) -> Vec<u8> {
    let pieces = chop(text, cuts);
    let (last, others) = pieces.split_last().expect("a cut makes at least one piece");
    let mut bytes = Vec::new();
    for (i, piece) in others.iter().enumerate() {
        bytes.extend(fragment(if i == 0 { TEXT } else { CONTINUATION }, piece));
        if i == 0 {
            bytes.extend(masked(PING, ping));
        }
    }
    bytes.extend(masked(if others.is_empty() { TEXT } else { CONTINUATION }, last));
    bytes
}

/// The bytes in pieces, some of which may be empty.
fn chop<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.sort_unstable();
    let mut start = 0;
    let mut pieces = Vec::new();
    for place in places.into_iter().chain([bytes.len()]) {
        pieces.push(&bytes[start..place]);
        start = place;
    }
    pieces
}

fn told<'a>(connection: Connection, reads: impl IntoIterator<Item = &'a [u8]>) -> Vec<Seen> {
    let mut connection = connection;
    reads.into_iter().flat_map(|read| receive(&mut connection, read, T0)).collect()
}

proptest! {
    #[test]
    fn events_and_outputs_do_not_depend_on_how_reads_cut_the_stream(
        pieces in prop::collection::vec(piece(), 0..12),
        flipped in prop::option::weighted(0.3, (any::<Index>(), 0_u8..8)),
        cuts in prop::collection::vec(any::<Index>(), 0..8),
    ) {
        let mut stream = pieces.concat();
        if let (Some((place, bit)), false) = (flipped, stream.is_empty()) {
            let place = place.index(stream.len());
            stream[place] ^= 1 << bit;
        }
        let connection = || Connection::server(CONFIG, T0);

        let whole = told(connection(), [&stream[..]]);

        prop_assert_eq!(&told(connection(), stream.chunks(1)), &whole, "byte by byte");
        prop_assert_eq!(&told(connection(), chop(&stream, &cuts)), &whole, "cut at random");
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(stream in prop::collection::vec(any::<u8>(), 0..400), is_client: bool) {
        let connection = || if is_client { Connection::client(CONFIG, 1, T0) } else { Connection::server(CONFIG, T0) };

        prop_assert_eq!(told(connection(), stream.chunks(1)), told(connection(), [&stream[..]]));
    }
}

#[test]
fn every_single_cut_of_a_stream_with_all_kinds_of_frames_is_the_same() {
    let stream = [
        masked(TEXT, "grüße".as_bytes()),
        fragment(TEXT, &[0xe2]),
        masked(PING, b"ping"),
        fragment(CONTINUATION, &[0x82]),
        masked(CONTINUATION, &[0xac]),
        masked(BINARY, &[7; 130]),
        masked(PONG, b""),
        masked(CLOSE, &close_payload(1001, b"bye")),
    ]
    .concat();
    let whole = told(server(), [&stream[..]]);
    assert_eq!(whole.len(), 9);

    for cut in 0..=stream.len() {
        let (first, second) = stream.split_at(cut);
        assert_eq!(told(server(), [first, second]), whole, "cut at {cut}");
    }
}
