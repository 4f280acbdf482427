//! Bytes to terms.

use super::{MAX_ATOM, MAX_DEPTH, Pid, Term, TooDeep, inside, tag};
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use std::fmt;

/// Why bytes are not a term that is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TermDecodeError {
    /// They end where more is announced, or there are none.
    Truncated,
    /// Something follows the term.
    Surplus {
        /// How many bytes.
        len: usize,
    },
    /// The first byte is not 131.
    UnknownVersion {
        /// That byte.
        version: u8,
    },
    /// A value of a kind that tokens have no use for, such as a function, or of none.
    UnknownTag {
        /// Its first byte.
        tag: u8,
    },
    /// Lists, tuples and maps are nested deeper than 128 levels.
    TooDeep,
    /// Compressed, and longer than [`Term::MAX_INFLATED`].
    TooLarge {
        /// Its length in bytes, as announced.
        len: usize,
    },
    /// What should be compressed cannot be inflated to the length that it announces.
    NotCompressed,
    /// An integer does not fit into 128 bits.
    IntegerTooLarge,
    /// A float is infinite, or no number.
    NotFinite,
    /// An atom is not UTF-8.
    NotUtf8,
    /// An atom is longer than 255 characters.
    AtomTooLong,
    /// A list ends with something else than the empty list.
    ImproperList,
}

impl fmt::Display for TermDecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the term ends too early"),
            Self::Surplus { len } => write!(f, "{len} bytes follow the term"),
            Self::UnknownVersion { version } => write!(f, "{version} is no known version of terms"),
            Self::UnknownTag { tag } => write!(f, "{tag} is no known tag of a term"),
            Self::TooDeep => write!(f, "the term is nested deeper than {MAX_DEPTH} levels"),
            Self::TooLarge { len } => {
                write!(f, "the term would be inflated to {len} bytes, more than {}", Term::MAX_INFLATED)
            }
            Self::NotCompressed => f.write_str("the term cannot be inflated"),
            Self::IntegerTooLarge => f.write_str("an integer is larger than 128 bits"),
            Self::NotFinite => f.write_str("a float is not finite"),
            Self::NotUtf8 => f.write_str("an atom is not UTF-8"),
            Self::AtomTooLong => write!(f, "an atom is longer than {MAX_ATOM} characters"),
            Self::ImproperList => f.write_str("a list is improper"),
        }
    }
}

impl std::error::Error for TermDecodeError {}

impl From<TooDeep> for TermDecodeError {
    fn from(_: TooDeep) -> Self {
        Self::TooDeep
    }
}

pub(super) fn decode(bytes: &[u8]) -> Result<Term, TermDecodeError> {
    let (&version, body) = bytes.split_first().ok_or(TermDecodeError::Truncated)?;
    if version != tag::VERSION {
        return Err(TermDecodeError::UnknownVersion { version });
    }
    match body.split_first() {
        Some((&tag::COMPRESSED, body)) => decode_whole(&inflate(body)?),
        _ => decode_whole(body),
    }
}

fn decode_whole(bytes: &[u8]) -> Result<Term, TermDecodeError> {
    let mut reader = Reader { rest: bytes };
    let term = reader.term(MAX_DEPTH)?;
    match reader.rest.len() {
        0 => Ok(term),
        len => Err(TermDecodeError::Surplus { len }),
    }
}

/// Shape: the length as four bytes, then zlib's format.
fn inflate(bytes: &[u8]) -> Result<Vec<u8>, TermDecodeError> {
    let mut reader = Reader { rest: bytes };
    let len = reader.len()?;
    if len > Term::MAX_INFLATED {
        return Err(TermDecodeError::TooLarge { len });
    }
    let inflated = decompress_to_vec_zlib_with_limit(reader.rest, len);
    inflated.ok().filter(|inflated| inflated.len() == len).ok_or(TermDecodeError::NotCompressed)
}

/// What is left of a term's bytes.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A value around which there may be so many `levels` more.
    fn term(&mut self, levels: u32) -> Result<Term, TermDecodeError> {
        match self.byte()? {
            tag::SMALL_INTEGER => Ok(Term::Integer(self.byte()?.into())),
            tag::INTEGER => Ok(Term::Integer(i32::from_be_bytes(self.array()?).into())),
            tag::SMALL_BIG => {
                let len = self.byte()?.into();
                self.integer(len)
            }
            tag::LARGE_BIG => {
                let len = self.len()?;
                self.integer(len)
            }
            tag::NEW_FLOAT => {
                let number = f64::from_be_bytes(self.array()?);
                if number.is_finite() { Ok(Term::Float(number)) } else { Err(TermDecodeError::NotFinite) }
            }
            tag::BINARY => {
                let len = self.len()?;
                Ok(Term::Binary(self.bytes(len)?.into()))
            }
            tag::NIL => self.list(0, levels),
            tag::STRING => {
                let len = u16::from_be_bytes(self.array()?).into();
                let items = self.bytes(len)?.iter().map(|&byte| Term::from(byte)).collect();
                inside(levels)?;
                Ok(Term::List(items))
            }
            tag::LIST => {
                let len = self.len()?;
                let list = self.list(len, levels)?;
                if self.byte()? == tag::NIL { Ok(list) } else { Err(TermDecodeError::ImproperList) }
            }
            tag::SMALL_TUPLE => {
                let len = self.byte()?.into();
                Ok(Term::Tuple(self.terms(len, levels)?))
            }
            tag::LARGE_TUPLE => {
                let len = self.len()?;
                Ok(Term::Tuple(self.terms(len, levels)?))
            }
            tag::MAP => {
                let len = self.len()?;
                self.map(len, levels)
            }
            tag @ (tag::PID | tag::NEW_PID) => self.pid(tag),
            tag => self.atom(tag).map(Term::Atom),
        }
    }

    fn list(&mut self, len: usize, levels: u32) -> Result<Term, TermDecodeError> {
        Ok(Term::List(self.terms(len, levels)?))
    }

    /// Room is made as terms are found, not as they are announced.
    fn terms(&mut self, len: usize, levels: u32) -> Result<Vec<Term>, TermDecodeError> {
        let levels = inside(levels)?;
        let mut terms = Vec::new();
        for _ in 0..len {
            terms.push(self.term(levels)?);
        }
        Ok(terms)
    }

    fn map(&mut self, len: usize, levels: u32) -> Result<Term, TermDecodeError> {
        let levels = inside(levels)?;
        let mut entries = Vec::new();
        for _ in 0..len {
            entries.push((self.term(levels)?, self.term(levels)?));
        }
        Ok(Term::Map(entries))
    }

    /// Shape: the sign, then the bytes of the magnitude, the lowest first.
    fn integer(&mut self, len: usize) -> Result<Term, TermDecodeError> {
        let is_negative = self.byte()? != 0;
        let digits = self.bytes(len)?;
        let significant = digits.iter().rposition(|&digit| digit != 0).map_or(0, |last| last + 1);
        let mut magnitude = [0; 16];
        let low = magnitude.get_mut(..significant).ok_or(TermDecodeError::IntegerTooLarge)?;
        low.copy_from_slice(&digits[..significant]);
        let magnitude = u128::from_le_bytes(magnitude);
        let number = match is_negative {
            true => 0_i128.checked_sub_unsigned(magnitude),
            false => i128::try_from(magnitude).ok(),
        };
        number.map(Term::Integer).ok_or(TermDecodeError::IntegerTooLarge)
    }

    /// The text of an atom whose tag has been read.
    fn atom(&mut self, tag: u8) -> Result<String, TermDecodeError> {
        let len = match tag {
            tag::SMALL_ATOM | tag::SMALL_ATOM_UTF8 => self.byte()?.into(),
            tag::ATOM | tag::ATOM_UTF8 => u16::from_be_bytes(self.array()?).into(),
            tag => return Err(TermDecodeError::UnknownTag { tag }),
        };
        let bytes = self.bytes(len)?;
        let text = match tag {
            tag::ATOM | tag::SMALL_ATOM => bytes.iter().copied().map(char::from).collect(),
            _ => std::str::from_utf8(bytes).map_err(|_| TermDecodeError::NotUtf8)?.to_owned(),
        };
        if text.chars().count() > MAX_ATOM {
            return Err(TermDecodeError::AtomTooLong);
        }
        Ok(text)
    }

    fn pid(&mut self, tag: u8) -> Result<Term, TermDecodeError> {
        let node_tag = self.byte()?;
        let node = self.atom(node_tag)?;
        let (id, serial) = (self.u32()?, self.u32()?);
        let creation = if tag == tag::PID { self.byte()?.into() } else { self.u32()? };
        Ok(Term::Pid(Box::new(Pid { node, id, serial, creation })))
    }

    fn byte(&mut self) -> Result<u8, TermDecodeError> {
        self.array().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Result<u32, TermDecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    fn len(&mut self) -> Result<usize, TermDecodeError> {
        // What does not fit into an address is not in memory either.
        usize::try_from(self.u32()?).map_err(|_| TermDecodeError::Truncated)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], TermDecodeError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(TermDecodeError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn bytes(&mut self, len: usize) -> Result<&'a [u8], TermDecodeError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(TermDecodeError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }
}
