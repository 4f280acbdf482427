use super::peer::*;
use bennu_core::websocket::{Config, Violation};

const SMALL: Config = Config {
    max_message: 100,
    max_fragments: 4,
    max_empty_fragments: 2,
    idle_timeout: None,
    idle_code: 1002,
    close_timeout: std::time::Duration::from_secs(5),
};

#[test]
fn defaults_are_those_of_the_documentation() {
    let config = Config::default();

    assert_eq!(
        (config.max_message, config.max_fragments, config.max_empty_fragments),
        (1_048_576, 1_024, 16)
    );
    assert_eq!(
        (config.idle_code, config.idle_timeout.unwrap().as_secs(), config.close_timeout.as_secs()),
        (1002, 60, 5)
    );
}

#[test]
fn violations_read_as_sentences() {
    let too_long = Violation::MessageTooLong { len: 101, limit: 100 };
    assert_eq!(too_long.to_string(), "a message of at least 101 bytes is over the limit of 100");
    assert_eq!(Violation::ReservedBits { bits: 1 }.to_string(), "reserved bits 001 are set");
}

#[test]
fn a_message_of_the_limit_is_taken_and_one_byte_more_is_not() {
    assert_eq!(violation(SMALL, &masked(BINARY, &[0; 100])), None);

    let too_long = Violation::MessageTooLong { len: 101, limit: 100 };
    assert_eq!(violation(SMALL, &masked(BINARY, &[0; 101])), Some(too_long));
    assert_eq!(too_long.code(), 1009);
}

#[test]
fn a_message_too_long_is_refused_on_its_header() {
    let header = frame_with_form(0x82, 127, 1 << 40, &[], Some(KEY));

    let too_long = Violation::MessageTooLong { len: 1 << 40, limit: 100 };
    assert_eq!(violation(SMALL, &header), Some(too_long));
}

#[test]
fn the_fragments_of_a_message_count_together() {
    let at_the_limit = [fragment(BINARY, &[0; 60]), masked(CONTINUATION, &[0; 40])].concat();
    assert_eq!(violation(SMALL, &at_the_limit), None);

    let mut past_it = fragment(BINARY, &[0; 60]);
    past_it.extend(frame_with_form(0x80, 41, 41, &[], Some(KEY)));
    let too_long = Violation::MessageTooLong { len: 101, limit: 100 };
    assert_eq!(violation(SMALL, &past_it), Some(too_long));
}

#[test]
fn control_frames_do_not_count_as_part_of_the_message() {
    let bytes =
        [fragment(BINARY, &[0; 60]), masked(PING, &[0; 125]), masked(CONTINUATION, &[0; 40])].concat();

    assert_eq!(violation(SMALL, &bytes), None);
}

#[test]
fn a_message_has_at_most_so_many_fragments() {
    let middle = fragment(CONTINUATION, b"x");
    let of_four = [fragment(TEXT, b"x"), middle.repeat(2), masked(CONTINUATION, b"x")].concat();
    let of_five = [fragment(TEXT, b"x"), middle.repeat(3), masked(CONTINUATION, b"x")].concat();

    assert_eq!(violation(SMALL, &of_four.repeat(2)), None);
    assert_eq!(violation(SMALL, &of_five), Some(Violation::TooManyFragments { limit: 4 }));
    assert_eq!(Violation::TooManyFragments { limit: 4 }.code(), 1008);
}

#[test]
fn endless_fragments_of_one_byte_are_cut_at_the_limit() {
    let bytes = [fragment(BINARY, b"x"), fragment(CONTINUATION, b"x").repeat(100_000)].concat();

    assert_eq!(violation(Config::default(), &bytes), Some(Violation::TooManyFragments { limit: 1024 }));
}

#[test]
fn endless_fragments_are_cut_at_the_first_limit_that_they_reach() {
    let endless = |len: usize| {
        let bytes = [fragment(BINARY, b"x"), fragment(CONTINUATION, &vec![0; len]).repeat(3000)].concat();
        violation(Config::default(), &bytes)
    };

    assert_eq!(endless(0), Some(Violation::TooManyEmptyFragments { limit: 16 }));
    assert_eq!(endless(1000), Some(Violation::TooManyFragments { limit: 1024 }));
    assert_eq!(endless(1026), Some(Violation::MessageTooLong { len: 1 + 1023 * 1026, limit: 1_048_576 }));
}

#[test]
fn no_limit_on_fragments_stops_an_unfragmented_message() {
    let config = Config { max_fragments: 0, max_empty_fragments: 0, ..SMALL };

    assert_eq!(violation(config, &masked(TEXT, b"").repeat(3)), None);
    assert_eq!(violation(config, &fragment(TEXT, b"x")), Some(Violation::TooManyFragments { limit: 0 }));
}

#[test]
fn empty_fragments_in_a_row_are_counted() {
    let empty = fragment(CONTINUATION, b"");
    let config = Config { max_fragments: 1024, ..SMALL };
    let two = [fragment(TEXT, b"x"), empty.repeat(2)].concat();
    let three = [fragment(TEXT, b"x"), empty.repeat(3)].concat();

    assert_eq!(violation(config, &two), None);
    assert_eq!(violation(config, &three), Some(Violation::TooManyEmptyFragments { limit: 2 }));
    assert_eq!(Violation::TooManyEmptyFragments { limit: 2 }.code(), 1008);
}

#[test]
fn the_first_fragment_and_the_last_count_as_empty_ones_too() {
    let config = Config { max_fragments: 1024, ..SMALL };
    let bytes = [fragment(TEXT, b""), fragment(CONTINUATION, b""), masked(CONTINUATION, b"")].concat();

    assert_eq!(violation(config, &bytes), Some(Violation::TooManyEmptyFragments { limit: 2 }));
}

#[test]
fn not_even_one_empty_fragment_may_be_allowed() {
    let config = Config { max_empty_fragments: 0, ..SMALL };

    assert_eq!(violation(config, &fragment(TEXT, b"x")), None);
    assert_eq!(violation(config, &fragment(TEXT, b"")), Some(Violation::TooManyEmptyFragments { limit: 0 }));
}

#[test]
fn a_byte_between_empty_fragments_starts_their_count_anew() {
    let config = Config { max_fragments: 1024, ..SMALL };
    let run = [fragment(CONTINUATION, b"").repeat(2), fragment(CONTINUATION, b"x")].concat();
    let bytes = [fragment(TEXT, b"x"), run.repeat(20), masked(CONTINUATION, b"")].concat();

    assert_eq!(
        receive(&mut bennu_core::websocket::Connection::server(config, T0), &bytes, T0),
        [Seen::Text("x".repeat(21))]
    );
}
