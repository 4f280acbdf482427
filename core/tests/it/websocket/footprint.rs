use super::peer::*;
use bennu_core::websocket::{Connection, Event};

#[test]
fn an_idle_connection_is_at_most_72_bytes() {
    assert!(size_of::<Connection>() <= 72, "{}", size_of::<Connection>());
}

#[test]
fn a_message_that_lies_whole_in_the_input_is_borrowed_from_it() {
    let mut connection = server();
    let mut input = masked(TEXT, b"hello");
    let place = input[6..].as_ptr_range();

    let Some(Event::Text(text)) = connection.receive(&mut input, T0).event else { panic!("no text") };

    assert_eq!(text.as_bytes().as_ptr_range(), place);
}

#[test]
fn a_payload_that_lies_whole_in_the_input_is_borrowed_though_its_header_came_before() {
    let frame = masked(BINARY, b"hello");

    for cut in 1..=6 {
        let mut connection = server();
        let (mut first, mut second) = (frame[..cut].to_vec(), frame[cut..].to_vec());
        connection.receive(&mut first, T0);
        let place = second[6 - cut..].as_ptr_range();

        let Some(Event::Binary(bytes)) = connection.receive(&mut second, T0).event else {
            panic!("no bytes")
        };

        assert_eq!(bytes.as_ptr_range(), place, "cut at {cut}");
    }
}
