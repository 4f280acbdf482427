//! `vsn`: the version of the serializer that a client asks for.

mod requirement;

pub use requirement::{Requirement, RequirementError};

use std::fmt;

/// Why a `vsn` names no serializer. The connection is refused before the application hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VsnError {
    /// It is no version by SemVer 2.0, such as `2.0` or `v2.0.0`.
    NotAVersion,
    /// It is a version that no serializer matches, such as `2.1.0` or `2.0.0-rc.1`.
    Unsupported,
}

impl fmt::Display for VsnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAVersion => f.write_str("vsn is not a semantic version"),
            Self::Unsupported => f.write_str("vsn matches no serializer"),
        }
    }
}

impl std::error::Error for VsnError {}

/// A version by SemVer 2.0, still as text: there is nothing to order here, and no number to overflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version<'a> {
    major: &'a str,
    minor: &'a str,
    patch: &'a str,
    pre_release: Option<&'a str>,
}

impl<'a> Version<'a> {
    /// Reads `2.0.0`, `2.0.1-dev` or `2.0.0+build`; build metadata is checked and forgotten.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (version, build) = split(text, '+');
        // The first hyphen opens the pre-release: the numbers before it have none.
        let (numbers, pre_release) = split(version, '-');
        let mut numbers = numbers.split('.');
        let parsed =
            Self { major: numbers.next()?, minor: numbers.next()?, patch: numbers.next()?, pre_release };
        let valid = numbers.next().is_none()
            && [parsed.major, parsed.minor, parsed.patch].into_iter().all(is_number)
            && pre_release.is_none_or(|text| text.split('.').all(is_pre_release_part))
            && build.is_none_or(|text| text.split('.').all(is_identifier));
        valid.then_some(parsed)
    }

    /// The first release of a major version: `1.0.0`.
    pub(crate) const fn first_of(major: &'a str) -> Self {
        Self { major, minor: "0", patch: "0", pre_release: None }
    }

    /// Whether `~> least`, of three numbers, allows this version.
    ///
    /// A pre-release sorts below its release, so one of the least patch comes too early; and Elixir's upper bound
    /// lies below every pre-release of the next minor version.
    pub(crate) fn is_patch_of(&self, least: &Self) -> bool {
        self.major == least.major && self.minor == least.minor && self.is_at_least(least)
    }

    /// Whether it is not lower than `least`, of the same major version, which is no pre-release.
    fn is_at_least(&self, least: &Self) -> bool {
        // Without leading zeros the longer number is the larger.
        let [mine, its] =
            [self, least].map(|version| [version.minor, version.patch].map(|number| (number.len(), number)));
        mine > its || (mine == its && self.pre_release.is_none())
    }
}

fn split(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn is_number(text: &str) -> bool {
    is_digits(text) && (text == "0" || !text.starts_with('0'))
}

fn is_pre_release_part(text: &str) -> bool {
    if is_digits(text) { is_number(text) } else { is_identifier(text) }
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_neither_empty_nor_padded_numbers() {
        for text in ["1.0.0-", "1.0.0+", "1.0.0-a..b", "1.0.0-01", "1.0.0-é", "1.0.0+a+b", "1.0.0.0", "1..0"]
        {
            assert_eq!(Version::parse(text), None, "{text}");
        }
        for text in ["1.0.0-0", "1.0.0--", "1.0.0-01a", "1.0.0+01", "1.0.0-a.b-c+d.0-1", "10.20.30"] {
            assert!(Version::parse(text).is_some(), "{text}");
        }
    }
}
