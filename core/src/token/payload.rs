//! What a token carries: data, when it was signed, and for how long.

use super::{FromTheFuture, MaxAge, Term, TermEncodeError, TokenError, UnixTime};
use std::time::Duration;

/// Shape: `{Data, SignedAtMillis, MaxAgeSeconds}`.
pub(super) struct Payload {
    pub(super) data: Term,
    pub(super) signed_at: UnixTime,
    pub(super) max_age: MaxAge,
}

impl Payload {
    pub(super) fn encode(self) -> Result<Vec<u8>, TermEncodeError> {
        let max_age = match self.max_age {
            MaxAge::Infinity => Term::Atom("infinity".to_owned()),
            MaxAge::For(age) if age.subsec_nanos() == 0 => Term::Integer(age.as_secs().into()),
            MaxAge::For(age) => Term::Float(age.as_secs_f64()),
        };
        Term::Tuple(vec![self.data, self.signed_at.as_millis().into(), max_age]).encode()
    }

    /// Phoenix's older tokens are read, too: `{Data, SignedAtMillis}` and `%{data: _, signed: _}`, good for a
    /// day.
    pub(super) fn decode(payload: &[u8]) -> Result<Self, TokenError> {
        let (data, signed_at, max_age) = match Term::decode(payload)? {
            Term::Tuple(items) => take_apart(items),
            Term::Map(entries) => look_up(entries),
            Term::Integer(_)
            | Term::Float(_)
            | Term::Atom(_)
            | Term::Binary(_)
            | Term::List(_)
            | Term::Pid(_) => None,
        }
        .ok_or(TokenError::NotAToken)?;
        let signed_at = signed_at.as_integer().and_then(|millis| i64::try_from(millis).ok());
        let max_age = match max_age {
            Some(term) => read_max_age(&term),
            None => Some(MaxAge::default()),
        };
        let (Some(millis), Some(max_age)) = (signed_at, max_age) else { return Err(TokenError::NotAToken) };
        Ok(Self { data, signed_at: UnixTime::from_millis(millis), max_age })
    }

    /// The data, if the token is good at this time.
    pub(super) fn judge(
        self,
        max_age: Option<MaxAge>,
        from_the_future: FromTheFuture,
        now: UnixTime,
    ) -> Result<Term, TokenError> {
        let signed_at = self.signed_at;
        let MaxAge::For(age) = max_age.unwrap_or(self.max_age) else { return Ok(self.data) };
        if age.is_zero() || signed_at + age < now {
            return Err(TokenError::Expired { signed_at });
        }
        if signed_at > now && from_the_future == FromTheFuture::Refused {
            return Err(TokenError::FromTheFuture { signed_at });
        }
        Ok(self.data)
    }
}

fn take_apart(items: Vec<Term>) -> Option<(Term, Term, Option<Term>)> {
    let mut items = items.into_iter();
    let taken = (items.next()?, items.next()?, items.next());
    items.next().is_none().then_some(taken)
}

fn look_up(mut entries: Vec<(Term, Term)>) -> Option<(Term, Term, Option<Term>)> {
    let mut take = |name: &str| {
        let at = entries.iter().position(|(key, _)| matches!(key, Term::Atom(atom) if atom == name))?;
        Some(entries.swap_remove(at).1)
    };
    Some((take("data")?, take("signed")?, None))
}

/// Seconds, with or without a fraction, or `:infinity`.
fn read_max_age(term: &Term) -> Option<MaxAge> {
    match term {
        Term::Atom(name) => (name == "infinity").then_some(MaxAge::Infinity),
        Term::Integer(secs) => {
            let secs = u64::try_from((*secs).max(0)).unwrap_or(u64::MAX);
            Some(MaxAge::For(Duration::from_secs(secs)))
        }
        Term::Float(secs) if *secs <= 0.0 => Some(MaxAge::For(Duration::ZERO)),
        Term::Float(secs) => {
            // Whole milliseconds, in floats, as Phoenix counts them. Less than one is none, but it is not
            // zero.
            let age = Duration::from_millis((secs * 1000.0) as u64);
            Some(MaxAge::For(age.max(Duration::from_nanos(1))))
        }
        Term::Binary(_) | Term::List(_) | Term::Tuple(_) | Term::Map(_) | Term::Pid(_) => None,
    }
}
