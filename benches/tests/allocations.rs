//! What an echo takes from the heap, counted: no time is measured here, so a busy machine changes nothing.
//!
//! A binary of its own, since the counting allocator is the whole program's.
#![allow(missing_docs)]

use allocation_counter::{AllocationInfo, measure};
use bennu_benches::driver::Driver;
use bennu_benches::sample::Sample;
use bennu_benches::websocket::push_masked;
use bennu_core::server::Broadcast;
use bennu_core::websocket::{Config, Connection, Event};
use bennu_core::{Frame, Instant, Kind, PayloadSlice, Serializer};

/// A peer that has joined, and has echoed once: what grows on first use is there.
fn warm(sample: &Sample) -> (Driver, usize) {
    let mut driver = Driver::new(&["bench:*"]);
    let peer = driver.connect(Serializer::V2);
    driver.receive(peer, r#"["1","1","bench:echo","phx_join",{}]"#);
    driver.receive(peer, &sample.text(Serializer::V2));
    driver.write(peer);
    (driver, peer)
}

fn echo(sample: &Sample) -> AllocationInfo {
    let (mut driver, peer) = warm(sample);
    let text = sample.text(Serializer::V2);
    measure(|| {
        driver.receive(peer, &text);
        driver.write(peer);
    })
}

/// The payload, and the frame.
const ALLOCATIONS: u64 = 2;

#[test]
fn echo_allocates_its_payload_and_its_reply_and_nothing_else() {
    let found = echo(&Sample::chat());

    assert_eq!(found.count_total, ALLOCATIONS, "{found:?}");
    assert_eq!(found.count_current, 0, "it leaves something behind: {found:?}");
}

#[test]
fn payload_of_an_echo_is_copied_once_in_and_once_out() {
    let (short, long) = (500, 2500);

    let [less, more] = [short, long].map(|len| echo(&Sample::flat(len)));

    assert_eq!(more.bytes_total - less.bytes_total, 2 * (long - short) as u64, "{less:?}, {more:?}");
    assert_eq!(more.bytes_max - less.bytes_max, 2 * (long - short) as u64, "{less:?}, {more:?}");
}

/// A tree has an allocation for each list, object and string at least.
#[test]
fn payload_of_an_echo_is_never_parsed() {
    let nested = Sample::nested();
    let flat = Sample::flat(nested.payload.len());

    let [nested, flat] = [nested, flat].map(|sample| echo(&sample));

    assert_eq!((nested.count_total, nested.bytes_total), (flat.count_total, flat.bytes_total));
    assert_eq!(nested.count_total, ALLOCATIONS);
}

#[test]
fn payload_is_unmasked_and_decoded_where_it_was_read() {
    let sample = Sample::nested();
    let mut buffer = Vec::new();
    push_masked(&mut buffer, sample.text(Serializer::V2).as_bytes());
    let read = buffer.as_ptr_range();
    let mut connection = Connection::server(Config::default(), Instant::EPOCH);
    let mut payload = None;

    let found = measure(|| {
        let received = connection.receive(&mut buffer, Instant::EPOCH);
        let Some(Event::Text(text)) = received.event else { panic!("the frame is a whole text") };
        let message = Serializer::V2.decode_text(text).unwrap();
        let PayloadSlice::Json(json) = message.payload else { panic!("a text carries JSON") };
        payload = Some(json.as_bytes().as_ptr_range());
    });

    assert_eq!(found.count_total, 0, "{found:?}");
    let payload = payload.unwrap();
    assert!(read.start <= payload.start && payload.end <= read.end);
}

#[test]
fn broadcast_allocates_as_much_for_many_members_as_for_one() {
    let allocations = [1, 1000].map(|members| {
        let mut driver = Driver::new(&["bench:*"]);
        for _ in 0..members {
            let peer = driver.connect(Serializer::V2);
            driver.receive(peer, r#"["1","1","bench:echo","phx_join",{}]"#);
            driver.write(peer);
        }
        let payload = PayloadSlice::Json(&Sample::chat().payload).to_payload();
        measure(|| {
            let broadcast = Broadcast::new("bench:echo".into(), "msg", payload.clone()).unwrap();
            driver.broadcast(&broadcast);
        })
    });

    assert_eq!(allocations[0].count_total, allocations[1].count_total, "{allocations:?}");
    assert_eq!(allocations[0].bytes_total, allocations[1].bytes_total, "{allocations:?}");
}

/// The counter itself: without it, all of the above would pass for a codec that copies.
#[test]
fn frame_made_of_a_copied_body_is_counted_byte_for_byte() {
    let (short, long) = (vec![0; 100], vec![0; 1100]);

    let [less, more] = [&short, &long].map(|body| measure(|| drop(Frame::new(Kind::Binary, body))));

    assert_eq!((less.count_total, more.count_total), (1, 1));
    assert_eq!(more.bytes_total - less.bytes_total, 1000);
}
