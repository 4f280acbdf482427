//! Values as Erlang writes them, as far as tokens need them.

mod decode;
mod encode;

pub use decode::TermDecodeError;
pub use encode::TermEncodeError;

/// The most levels of lists, tuples and maps around a value.
const MAX_DEPTH: u32 = 128;

/// The most characters of an atom, as in Erlang.
const MAX_ATOM: usize = 255;

/// A value of Erlang or Elixir: what a token carries.
///
/// | Elixir | here |
/// |---|---|
/// | `7` | `Term::from(7)` |
/// | `"user-1"` | `Term::from("user-1")` |
/// | `<<1, 2>>` | `Term::from([1, 2].as_slice())` |
/// | `true` | `Term::from(true)` |
/// | `:admin`, `nil` | `Term::Atom("admin".to_owned())`, `Term::Atom("nil".to_owned())` |
/// | `%{"id" => 7}` | `Term::Map(vec![("id".into(), 7.into())])` |
/// | `{1, [2]}` | `Term::Tuple(vec![1.into(), Term::List(vec![2.into()])])` |
///
/// Atoms are text here, and never interned. There are no functions, references, ports or bit strings.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// An integer, up to 128 bits.
    Integer(i128),
    /// A float, which is finite.
    Float(f64),
    /// An atom, of at most 255 characters.
    Atom(String),
    /// A string, or any bytes.
    Binary(Vec<u8>),
    /// A list.
    List(Vec<Self>),
    /// A tuple.
    Tuple(Vec<Self>),
    /// Keys and values, in the order in which they are written. Erlang sorts up to 32 of them; here the
    /// caller does.
    Map(Vec<(Self, Self)>),
    /// A process of some node.
    Pid(Box<Pid>),
}

/// Which process of which node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pid {
    /// The name of the node, such as `app@127.0.0.1`.
    pub node: String,
    /// Its number.
    pub id: u32,
    /// How often the numbers have begun anew.
    pub serial: u32,
    /// Which start of the node it was.
    pub creation: u32,
}

impl Term {
    /// The longest term that is inflated, in bytes: 256 KiB.
    pub const MAX_INFLATED: usize = 256 << 10;

    /// Reads a term: `:erlang.binary_to_term/1`.
    ///
    /// Shape: `83 61 01` (in hex) for `1`; `83 50` stands in front of what was compressed.
    ///
    /// # Errors
    /// [`TermDecodeError`] if the bytes are anything else, or too large or deep.
    pub fn decode(bytes: &[u8]) -> Result<Self, TermDecodeError> {
        decode::decode(bytes)
    }

    /// Writes the term, as `:erlang.term_to_binary/1` of Erlang/OTP 26 and later.
    ///
    /// # Errors
    /// [`TermEncodeError`] if Erlang could not read it.
    pub fn encode(&self) -> Result<Vec<u8>, TermEncodeError> {
        encode::encode(self)
    }

    /// The text of a binary that is UTF-8: an Elixir string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()?).ok()
    }

    /// The bytes of a binary.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Self::Binary(bytes) = self { Some(bytes) } else { None }
    }

    /// The number that this is, if it is an integer.
    #[must_use]
    pub fn as_integer(&self) -> Option<i128> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }
}

impl From<&str> for Term {
    fn from(text: &str) -> Self {
        Self::Binary(text.into())
    }
}

impl From<String> for Term {
    fn from(text: String) -> Self {
        Self::Binary(text.into_bytes())
    }
}

impl From<&[u8]> for Term {
    fn from(bytes: &[u8]) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<Vec<u8>> for Term {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

impl From<bool> for Term {
    fn from(value: bool) -> Self {
        Self::Atom(value.to_string())
    }
}

macro_rules! from_integer {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Term {
            fn from(number: $integer) -> Self {
                Self::Integer(number.into())
            }
        }
    )*};
}

from_integer!(i8, i16, i32, i64, i128, u8, u16, u32, u64);

/// Lists, tuples and maps are nested deeper than [`MAX_DEPTH`].
struct TooDeep;

/// Of so many levels, those that are left inside of a list, a tuple or a map.
fn inside(levels: u32) -> Result<u32, TooDeep> {
    levels.checked_sub(1).ok_or(TooDeep)
}

/// The bytes that say of which kind a value is.
mod tag {
    pub(super) const VERSION: u8 = 131;
    pub(super) const COMPRESSED: u8 = 80;

    pub(super) const NEW_FLOAT: u8 = 70;
    pub(super) const NEW_PID: u8 = 88;
    pub(super) const SMALL_INTEGER: u8 = 97;
    pub(super) const INTEGER: u8 = 98;
    /// Latin-1, until Erlang/OTP 25.
    pub(super) const ATOM: u8 = 100;
    /// Until Erlang/OTP 22.
    pub(super) const PID: u8 = 103;
    pub(super) const SMALL_TUPLE: u8 = 104;
    pub(super) const LARGE_TUPLE: u8 = 105;
    pub(super) const NIL: u8 = 106;
    /// A list of bytes.
    pub(super) const STRING: u8 = 107;
    pub(super) const LIST: u8 = 108;
    pub(super) const BINARY: u8 = 109;
    pub(super) const SMALL_BIG: u8 = 110;
    pub(super) const LARGE_BIG: u8 = 111;
    /// Latin-1, until Erlang/OTP 25.
    pub(super) const SMALL_ATOM: u8 = 115;
    pub(super) const MAP: u8 = 116;
    pub(super) const ATOM_UTF8: u8 = 118;
    pub(super) const SMALL_ATOM_UTF8: u8 = 119;
}
