//! Which versions a serializer of the application's own answers to.

use super::Version;
use std::fmt;

/// Which `vsn`s a serializer answers to: `~> 3.0.0`, `~> 3.0`, or one version alone.
///
/// ```
/// use bennu_core::wire::Requirement;
///
/// let requirement = Requirement::parse("~> 3.0.0")?;
/// assert!(requirement.allows("3.0.1"));
/// assert!(!requirement.allows("3.1.0"));
/// # Ok::<(), bennu_core::wire::RequirementError>(())
/// ```
///
/// Source: Elixir `Version.Requirement`, of which these are the forms that Phoenix's own serializers and those of others
/// use; there are no comparisons, no `and`, no `or`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    allowed: Allowed,
    /// The least version: its three numbers.
    least: [Box<str>; 3],
}

/// How far above the least version others may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Allowed {
    /// Not at all: `3.0.0`, or `== 3.0.0`.
    This,
    /// In the patch: `~> 3.0.0`.
    Patches,
    /// In the minor version as well: `~> 3.0`.
    Minors,
}

/// A requirement is none of the forms that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequirementError {
    /// What was given.
    pub requirement: String,
}

impl Requirement {
    /// Reads a requirement: `~> 3.0.0`, `~> 3.0`, `== 3.0.0` or `3.0.0`. A pre-release or a build is none.
    ///
    /// # Errors
    /// [`RequirementError`] if it has another form.
    pub fn parse(text: &str) -> Result<Self, RequirementError> {
        let (allowed, least) = match text.strip_prefix("~>") {
            Some(least) if least.trim().split('.').count() == 2 => {
                (Allowed::Minors, format!("{}.0", least.trim()))
            }
            Some(least) => (Allowed::Patches, least.trim().to_owned()),
            None => (Allowed::This, text.strip_prefix("==").unwrap_or(text).trim().to_owned()),
        };
        match Version::parse(&least) {
            Some(Version { major, minor, patch, pre_release: None }) if !least.contains('+') => {
                Ok(Self { allowed, least: [major, minor, patch].map(Box::from) })
            }
            _ => Err(RequirementError { requirement: text.to_owned() }),
        }
    }

    /// Whether it allows this version. What is no version is not allowed.
    #[must_use]
    pub fn allows(&self, vsn: &str) -> bool {
        Version::parse(vsn).is_some_and(|version| self.allows_version(&version))
    }

    pub(crate) fn allows_version(&self, version: &Version<'_>) -> bool {
        let [major, minor, patch] = &self.least;
        let least = Version { major, minor, patch, pre_release: None };
        match self.allowed {
            Allowed::This => *version == least,
            Allowed::Patches => version.is_patch_of(&least),
            Allowed::Minors => version.major == least.major && version.is_at_least(&least),
        }
    }
}

impl fmt::Display for RequirementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no requirement such as \"~> 3.0.0\"", self.requirement)
    }
}

impl std::error::Error for RequirementError {}
