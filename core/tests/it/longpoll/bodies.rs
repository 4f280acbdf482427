use super::{Data, data};
use bennu_core::Kind;
use bennu_core::longpoll::{BodyError, BodyLimits, Encoding};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;

fn batch(body: impl Into<Bytes>) -> Result<Vec<Data>, BodyError> {
    Encoding::Batch.read(&body.into(), BodyLimits::default())
}

fn single(body: impl Into<Bytes>) -> Result<Vec<Data>, BodyError> {
    Encoding::Single.read(&body.into(), BodyLimits::default())
}

fn binary(body: &'static [u8]) -> Data {
    Data { kind: Kind::Binary, body: Bytes::from_static(body) }
}

#[test]
fn only_the_exact_content_type_is_a_batch() {
    // R155
    let of = |types: &[&'static str]| {
        let mut headers = HeaderMap::new();
        for name in types {
            headers.append("content-type", HeaderValue::from_static(name));
        }
        Encoding::of(&headers)
    };

    assert_eq!(of(&["application/x-ndjson"]), Encoding::Batch);
    for types in [
        &[][..],
        &["application/json"],
        &["application/x-ndjson; charset=utf-8"],
        &["application/x-ndjson;"],
        &["Application/X-NDJSON"],
        &["application/x-ndjson", "application/x-ndjson"],
    ] {
        assert_eq!(of(types), Encoding::Single, "{types:?}");
    }
}

#[test]
fn body_that_is_no_batch_is_one_text_whatever_is_in_it() {
    // R155
    for body in ["", "[1]\n[2]", "{\"topic\":\"room:1\"}", "not json", "\r\n\r\n"] {
        assert_eq!(single(body), Ok(vec![data(body)]));
    }
    let no_text = Data { kind: Kind::Text, body: Bytes::from_static(b"\xff") };
    assert_eq!(single(&b"\xff"[..]), Ok(vec![no_text]), "who decodes it will say so");
}

#[test]
fn lines_end_in_either_way_and_keep_their_order() {
    // R152
    let expected = vec![data("[1]"), binary(b"\x01\x02"), data("[3]"), data("[4]")];

    assert_eq!(batch("[1]\nAQI=\n[3]\n[4]"), Ok(expected.clone()));
    assert_eq!(batch("[1]\r\nAQI=\r\n[3]\n[4]"), Ok(expected));
}

#[test]
fn one_carriage_return_belongs_to_the_end_of_a_line_and_no_other() {
    assert_eq!(batch("[1]\r\r\n[2]\r"), Ok(vec![data("[1]\r"), data("[2]\r")]));
    assert_eq!(batch("\r"), Err(BodyError::NotBase64 { line: 0 }));
}

#[test]
fn empty_line_is_an_empty_binary_message() {
    // R154
    assert_eq!(batch("[1]\n"), Ok(vec![data("[1]"), binary(b"")]));
    assert_eq!(batch("[1]\r\n\r\n[2]"), Ok(vec![data("[1]"), binary(b""), data("[2]")]));
    assert_eq!(batch(""), Ok(vec![binary(b"")]));
}

#[test]
fn line_101_and_later_are_dropped_unread() {
    // R153
    let lines = |count: usize| (0..count).map(|at| format!("[{at}]")).collect::<Vec<_>>();
    for count in [99, 100, 101, 10_000] {
        let body = lines(count).join("\n");
        let read = batch(body).unwrap();
        let expected: Vec<Data> = lines(count.min(100)).iter().map(|line| data(line)).collect();
        assert_eq!(read, expected, "{count} lines");
    }

    let mut body = lines(100);
    body.push("no base64, \0".to_owned());
    assert_eq!(batch(body.join("\n")).map(|read| read.len()), Ok(100));
}

#[test]
fn millions_of_newlines_are_a_hundred_messages() {
    let body = Bytes::from(vec![b'\n'; 7_900_000]);
    assert_eq!(
        Encoding::Batch.read(&body, BodyLimits::default()),
        Err(BodyError::TooLong { len: 7_900_000, limit: 1 << 20 })
    );

    let read = Encoding::Batch.read(&body, BodyLimits { bytes: 8_000_000, lines: 100 }).unwrap();

    assert_eq!(read, vec![binary(b""); 100]);
}

#[test]
fn line_that_is_neither_array_nor_base64_is_refused_with_all_the_others() {
    // R156
    for bad in ["{\"not\":\"array\"}", "AQ", "AQ==AQ==", "A-_=", " [1]", "AQI=\0", "AR==", "\u{feff}[1]"] {
        assert_eq!(batch(format!("[1]\n{bad}\n[3]")), Err(BodyError::NotBase64 { line: 1 }), "{bad}");
    }
}

#[test]
fn text_with_a_nul_is_refused() {
    assert_eq!(single("[\"\0\"]"), Err(BodyError::Nul { line: 0 }));
    assert_eq!(single("\0"), Err(BodyError::Nul { line: 0 }));
    assert_eq!(batch("[1]\n[\0]"), Err(BodyError::Nul { line: 1 }));
    assert_eq!(batch("\0".repeat(1 << 20)), Err(BodyError::NotBase64 { line: 0 }));
}

#[test]
fn body_of_the_limit_is_read_and_one_byte_more_is_not() {
    // R156
    for encoding in [Encoding::Single, Encoding::Batch] {
        let body = |len: usize| Bytes::from([b"[".as_slice(), &vec![b'x'; len - 1]].concat());
        let read = |len| encoding.read(&body(len), BodyLimits::default());

        assert_eq!(read(1 << 20).map(|read| read.len()), Ok(1));
        let len = (1 << 20) + 1;
        assert_eq!(read(len), Err(BodyError::TooLong { len, limit: 1 << 20 }));
    }
}

#[test]
fn lines_that_wait_do_not_keep_their_body() {
    let body = Bytes::from(format!("[1]\n{}", "x".repeat(100_000)));

    let read = Encoding::Batch.read(&body, BodyLimits { lines: 1, ..BodyLimits::default() }).unwrap();

    assert_eq!(read, [data("[1]")]);
    assert!(body.is_unique());
}

proptest! {
    /// The lines of a batch, joined, are the body, and each comes from its own place.
    #[test]
    fn batch_is_read_back_as_it_was_written(
        lines in prop::collection::vec(prop_oneof![
            "\\[[^\n\r\0]*".prop_map(|text| (Kind::Text, text.into_bytes())),
            prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| (Kind::Binary, bytes)),
        ], 1..20),
        with_carriage_return: bool,
    ) {
        use base64::Engine as _;
        let written: Vec<String> = lines.iter().map(|(kind, bytes)| match kind {
            Kind::Text => String::from_utf8(bytes.clone()).unwrap(),
            Kind::Binary => base64::engine::general_purpose::STANDARD.encode(bytes),
        }).collect();

        let read = batch(written.join(if with_carriage_return { "\r\n" } else { "\n" })).unwrap();

        let read: Vec<(Kind, Vec<u8>)> = read.into_iter().map(|data| (data.kind, data.body.to_vec())).collect();
        prop_assert_eq!(read, lines);
    }

    /// I-1
    #[test]
    fn no_body_is_too_wrong_to_be_read(body: Vec<u8>) {
        let _ = batch(body.clone());
        let _ = single(body);
    }
}
