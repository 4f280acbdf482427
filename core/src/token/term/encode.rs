//! Terms to bytes.

use super::{MAX_ATOM, MAX_DEPTH, Pid, Term, TooDeep, inside, tag};
use std::fmt;

/// Why a term cannot be written: Erlang could not read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TermEncodeError {
    /// Lists, tuples and maps are nested deeper than 128 levels.
    TooDeep,
    /// A binary, list, tuple or map is longer than 32 bits can tell.
    TooLong {
        /// How many bytes, items or entries it has.
        len: usize,
    },
    /// A float is infinite, or no number.
    NotFinite,
    /// An atom is longer than 255 characters.
    AtomTooLong,
}

impl fmt::Display for TermEncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooDeep => write!(f, "the term is nested deeper than {MAX_DEPTH} levels"),
            Self::TooLong { len } => write!(f, "a length of {len} does not fit into 32 bits"),
            Self::NotFinite => f.write_str("a float is not finite"),
            Self::AtomTooLong => write!(f, "an atom is longer than {MAX_ATOM} characters"),
        }
    }
}

impl std::error::Error for TermEncodeError {}

impl From<TooDeep> for TermEncodeError {
    fn from(_: TooDeep) -> Self {
        Self::TooDeep
    }
}

pub(super) fn encode(term: &Term) -> Result<Vec<u8>, TermEncodeError> {
    let mut out = vec![tag::VERSION];
    write(&mut out, term, MAX_DEPTH)?;
    Ok(out)
}

/// Writes a value around which there may be so many `levels` more. Of several forms Erlang has one that it
/// writes: the shortest, and a list of bytes as a string.
fn write(out: &mut Vec<u8>, term: &Term, levels: u32) -> Result<(), TermEncodeError> {
    match term {
        Term::Integer(number) => write_integer(out, *number),
        Term::Float(number) => {
            if !number.is_finite() {
                return Err(TermEncodeError::NotFinite);
            }
            out.push(tag::NEW_FLOAT);
            out.extend(number.to_be_bytes());
        }
        Term::Atom(text) => write_atom(out, text)?,
        Term::Binary(bytes) => {
            write_head(out, tag::BINARY, bytes.len())?;
            out.extend(bytes);
        }
        Term::List(items) => write_list(out, items, levels)?,
        Term::Tuple(items) => {
            match u8::try_from(items.len()) {
                Ok(len) => out.extend([tag::SMALL_TUPLE, len]),
                Err(_) => write_head(out, tag::LARGE_TUPLE, items.len())?,
            }
            write_all(out, items, inside(levels)?)?;
        }
        Term::Map(entries) => {
            let levels = inside(levels)?;
            write_head(out, tag::MAP, entries.len())?;
            for (key, value) in entries {
                write(out, key, levels)?;
                write(out, value, levels)?;
            }
        }
        Term::Pid(pid) => {
            let Pid { node, id, serial, creation } = &**pid;
            out.push(tag::NEW_PID);
            write_atom(out, node)?;
            out.extend([id, serial, creation].into_iter().flat_map(|number| number.to_be_bytes()));
        }
    }
    Ok(())
}

fn write_all(out: &mut Vec<u8>, terms: &[Term], levels: u32) -> Result<(), TermEncodeError> {
    terms.iter().try_for_each(|term| write(out, term, levels))
}

fn write_list(out: &mut Vec<u8>, items: &[Term], levels: u32) -> Result<(), TermEncodeError> {
    let levels = inside(levels)?;
    if items.is_empty() {
        out.push(tag::NIL);
        return Ok(());
    }
    if let (Ok(len), Some(bytes)) = (u16::try_from(items.len()), as_bytes(items)) {
        out.push(tag::STRING);
        out.extend(len.to_be_bytes());
        out.extend(bytes);
        return Ok(());
    }
    write_head(out, tag::LIST, items.len())?;
    write_all(out, items, levels)?;
    out.push(tag::NIL);
    Ok(())
}

fn as_bytes(items: &[Term]) -> Option<Vec<u8>> {
    items.iter().map(|item| u8::try_from(item.as_integer()?).ok()).collect()
}

fn write_integer(out: &mut Vec<u8>, number: i128) {
    if let Ok(byte) = u8::try_from(number) {
        out.extend([tag::SMALL_INTEGER, byte]);
        return;
    }
    if let Ok(number) = i32::try_from(number) {
        out.push(tag::INTEGER);
        out.extend(number.to_be_bytes());
        return;
    }
    let magnitude = number.unsigned_abs().to_le_bytes();
    let zeros = magnitude.iter().rev().take_while(|&&digit| digit == 0).count();
    let digits = &magnitude[..magnitude.len() - zeros];
    let len = u8::try_from(digits.len()).expect("there are 16 digits at most");
    out.extend([tag::SMALL_BIG, len, u8::from(number.is_negative())]);
    out.extend(digits);
}

fn write_atom(out: &mut Vec<u8>, text: &str) -> Result<(), TermEncodeError> {
    if text.chars().count() > MAX_ATOM {
        return Err(TermEncodeError::AtomTooLong);
    }
    match u8::try_from(text.len()) {
        Ok(len) => out.extend([tag::SMALL_ATOM_UTF8, len]),
        Err(_) => {
            let len = u16::try_from(text.len()).expect("255 characters are 1,020 bytes at most");
            out.push(tag::ATOM_UTF8);
            out.extend(len.to_be_bytes());
        }
    }
    out.extend(text.as_bytes());
    Ok(())
}

/// A tag and a length of 32 bits.
fn write_head(out: &mut Vec<u8>, tag: u8, len: usize) -> Result<(), TermEncodeError> {
    let len = u32::try_from(len).map_err(|_| TermEncodeError::TooLong { len })?;
    out.push(tag);
    out.extend(len.to_be_bytes());
    Ok(())
}
