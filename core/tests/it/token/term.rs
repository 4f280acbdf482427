//! Terms that are no longer written, or never by us; and those that are refused.

use super::{SIGNED_AT, keys};
use bennu_core::token::{MaxAge, Pid, SignError, Term, TermDecodeError, TermEncodeError};

fn atom(name: &str) -> Term {
    Term::Atom(name.to_owned())
}

/// R277.
#[test]
fn atoms_are_read_in_all_four_forms() {
    for bytes in [&b"\x83d\x00\x03nil"[..], b"\x83s\x03nil", b"\x83v\x00\x03nil", b"\x83w\x03nil"] {
        assert_eq!(Term::decode(bytes), Ok(atom("nil")), "{bytes:?}");
    }
    assert_eq!(Term::decode(b"\x83s\x01\xe9"), Ok(atom("é")), "Latin-1");
    assert_eq!(Term::decode(b"\x83w\x02\xc3\xa9"), Ok(atom("é")));
    assert_eq!(Term::decode(b"\x83w\x01\xe9"), Err(TermDecodeError::NotUtf8));
}

/// R277; PID_EXT is what Erlang/OTP 22 wrote.
#[test]
fn pids_are_read_in_both_forms() {
    let pid = |creation| Term::Pid(Box::new(Pid { node: "a@b".to_owned(), id: 258, serial: 3, creation }));

    assert_eq!(Term::decode(b"\x83Xw\x03a@b\0\0\x01\x02\0\0\0\x03\x01\0\0\x07"), Ok(pid(0x0100_0007)));
    assert_eq!(Term::decode(b"\x83gd\0\x03a@b\0\0\x01\x02\0\0\0\x03\x07"), Ok(pid(7)));
    assert_eq!(pid(7).encode().unwrap(), b"\x83Xw\x03a@b\0\0\x01\x02\0\0\0\x03\0\0\0\x07");
    assert_eq!(Term::decode(b"\x83Xa\x03"), Err(TermDecodeError::UnknownTag { tag: 97 }));
}

#[test]
fn integers_are_read_in_all_forms_up_to_128_bits() {
    let big = |sign: u8, digits: &[u8]| {
        let len = u8::try_from(digits.len()).unwrap();
        Term::decode(&[&[131, 110, len, sign], digits].concat())
    };
    let padded = |last: u8| [[0; 15].as_slice(), &[last]].concat();

    assert_eq!(Term::decode(b"\x83a\xff"), Ok(255.into()));
    assert_eq!(Term::decode(b"\x83b\xff\xff\xff\xfb"), Ok((-5).into()));
    assert_eq!(Term::decode(b"\x83o\0\0\0\x02\x00\x00\x01"), Ok(256.into()));
    for (sign, digits, number) in [
        (0, vec![], 0),
        (1, vec![0], 0),
        (1, vec![5], -5),
        (0, vec![5, 1], 261),
        (0, [[1].as_slice(), &[0; 30]].concat(), 1),
        (0, padded(0x40), 1 << 126),
        (1, padded(0x80), i128::MIN),
    ] {
        assert_eq!(big(sign, &digits), Ok(Term::Integer(number)), "{digits:?}");
    }
    for (sign, digits) in [(0, padded(0x80)), (1, padded(0x81)), (0, [[0; 16].as_slice(), &[1]].concat())] {
        assert_eq!(big(sign, &digits), Err(TermDecodeError::IntegerTooLarge), "{digits:?}");
    }
}

#[test]
fn a_list_of_bytes_is_written_as_a_string_if_it_is_short_enough() {
    let list = |len: usize| Term::List(vec![7.into(); len]);

    assert_eq!(list(0).encode().unwrap(), b"\x83j");
    assert_eq!(list(1).encode().unwrap(), b"\x83k\x00\x01\x07");
    assert_eq!(list(65_535).encode().unwrap()[..4], *b"\x83k\xff\xff");
    assert_eq!(list(65_536).encode().unwrap()[..6], *b"\x83l\0\x01\0\0");
    assert_eq!(Term::List(vec![256.into()]).encode().unwrap(), b"\x83l\0\0\0\x01b\0\0\x01\x00j");
    assert_eq!(Term::decode(b"\x83l\0\0\0\x01a\x01j"), Ok(Term::List(vec![1.into()])));
    assert_eq!(Term::decode(b"\x83l\0\0\0\x01a\x01a\x02"), Err(TermDecodeError::ImproperList));
}

/// R277.
#[test]
fn a_compressed_term_is_inflated_up_to_its_limit() {
    let compressed = |announced: u32, stream: &[u8]| {
        let mut bytes = b"\x83P".to_vec();
        bytes.extend(announced.to_be_bytes());
        bytes.extend(stream);
        Term::decode(&bytes)
    };
    let limit = u32::try_from(Term::MAX_INFLATED).unwrap();
    let stream = stored(b"a\x07");

    assert_eq!(compressed(2, &stream), Ok(7.into()));
    for announced in [0, 1, 3, limit] {
        assert_eq!(compressed(announced, &stream), Err(TermDecodeError::NotCompressed), "{announced}");
    }
    for announced in [limit + 1, u32::MAX] {
        let len = usize::try_from(announced).unwrap();
        assert_eq!(compressed(announced, &stream), Err(TermDecodeError::TooLarge { len }));
    }
    assert_eq!(compressed(2, &stream[..5]), Err(TermDecodeError::NotCompressed));
    assert_eq!(compressed(2, b""), Err(TermDecodeError::NotCompressed));
    assert_eq!(compressed(2, b"garbage"), Err(TermDecodeError::NotCompressed));
    assert_eq!(Term::decode(b"\x83P\0\0"), Err(TermDecodeError::Truncated));
    let nested = stored(b"P\0\0\0\x02");
    assert_eq!(compressed(5, &nested), Err(TermDecodeError::UnknownTag { tag: 80 }), "only once");
}

#[test]
fn terms_of_no_use_to_tokens_are_refused() {
    // A function, an export, a reference, a bit string, a port, an atom of the node's cache.
    for tag in [112, 113, 90, 77, 89, 82, 0, 255] {
        assert_eq!(Term::decode(&[131, tag, 0, 0, 0, 0]), Err(TermDecodeError::UnknownTag { tag }));
    }
    assert_eq!(Term::decode(b""), Err(TermDecodeError::Truncated));
    assert_eq!(Term::decode(b"\x82a\x01"), Err(TermDecodeError::UnknownVersion { version: 130 }));
    assert_eq!(Term::decode(b"\x83a\x01\x01"), Err(TermDecodeError::Surplus { len: 1 }));
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut bytes = b"\x83F".to_vec();
        bytes.extend(float.to_be_bytes());
        assert_eq!(Term::decode(&bytes), Err(TermDecodeError::NotFinite));
    }
}

#[test]
fn a_length_that_is_announced_takes_no_memory_by_itself() {
    for tag in *b"mlito" {
        let announced = [131, tag, 255, 255, 255, 255];
        assert_eq!(Term::decode(&announced), Err(TermDecodeError::Truncated), "{tag}");
    }
}

#[test]
fn a_term_may_be_128_levels_deep() {
    let nested = |levels: usize| (0..levels).fold(Term::from(1), |inner, _| Term::Tuple(vec![inner]));
    let bytes = |levels: usize| [b"\x83".as_slice(), &b"h\x01".repeat(levels), b"a\x01"].concat();

    assert_eq!(nested(128).encode().unwrap(), bytes(128));
    assert_eq!(Term::decode(&bytes(128)), Ok(nested(128)));
    assert_eq!(nested(129).encode(), Err(TermEncodeError::TooDeep));
    for levels in [129, 1_000_000] {
        assert_eq!(Term::decode(&bytes(levels)), Err(TermDecodeError::TooDeep));
    }
    for inner in [Term::List(vec![]), Term::List(vec![1.into()]), Term::Map(vec![]), Term::Tuple(vec![])] {
        let deepest = (0..127).fold(inner.clone(), |inner, _| Term::Tuple(vec![inner]));
        let written = deepest.encode().unwrap();
        assert_eq!(Term::decode(&written), Ok(deepest.clone()));
        assert_eq!(Term::Tuple(vec![deepest]).encode(), Err(TermEncodeError::TooDeep), "{inner:?}");
        let deeper = [b"\x83h\x01".as_slice(), &written[1..]].concat();
        assert_eq!(Term::decode(&deeper), Err(TermDecodeError::TooDeep), "{inner:?}");
    }
}

#[test]
fn an_atom_has_255_characters_at_most() {
    let longest = atom(&"é".repeat(255));
    let written = longest.encode().unwrap();

    assert_eq!(written[..4], *b"\x83v\x01\xfe");
    assert_eq!(Term::decode(&written), Ok(longest));
    assert_eq!(atom(&"a".repeat(256)).encode(), Err(TermEncodeError::AtomTooLong));
    let too_long = [b"\x83v\x01\x00".as_slice(), &[b'a'; 256]].concat();
    assert_eq!(Term::decode(&too_long), Err(TermDecodeError::AtomTooLong));
}

#[test]
fn what_erlang_could_not_read_is_not_signed() {
    for (data, error) in [
        (Term::Float(f64::NAN), TermEncodeError::NotFinite),
        (atom(&"a".repeat(256)), TermEncodeError::AtomTooLong),
        // The payload of a token is a tuple around it.
        ((0..128).fold(Term::from(1), |inner, _| Term::List(vec![inner])), TermEncodeError::TooDeep),
    ] {
        assert_eq!(keys().sign(data, MaxAge::default(), SIGNED_AT), Err(SignError::Term(error)));
    }
}

/// zlib's format around bytes that are not compressed at all.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).unwrap();
    let mut sums = (1_u32, 0_u32);
    for &byte in bytes {
        sums.0 = (sums.0 + u32::from(byte)) % 65_521;
        sums.1 = (sums.1 + sums.0) % 65_521;
    }
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend(len.to_le_bytes());
    stream.extend((!len).to_le_bytes());
    stream.extend(bytes);
    stream.extend(((sums.1 << 16) | sums.0).to_be_bytes());
    stream
}
