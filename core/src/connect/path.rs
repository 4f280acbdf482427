//! Where a socket is mounted, and what the request path says about it.

use std::fmt;

/// A transport's path: the socket's mount followed by the transport's own, with `{variables}`.
///
/// Shape: `/orgs/{org}` and `units/{unit}/live` match `/orgs/acme/units/7/live`. A variable takes one whole
/// segment; one whose name starts with `_` is matched and then forgotten. Segments are compared as they are
/// sent. Empty ones do not count, so `//` and a slash at the end make no difference.
///
/// ```
/// use bennu_core::connect::MountPath;
///
/// let path = MountPath::new("/socket", "websocket").unwrap();
/// assert!(path.capture("/socket/websocket/").is_some());
/// assert!(path.capture("/socket/websocket/more").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountPath {
    segments: Vec<Segment>,
    /// The path as clients write it, if nothing in it is variable.
    literal: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Variable(String),
    /// `{_…}`: any segment, kept nowhere.
    Ignored,
}

/// What the variables of a [`MountPath`] matched, still percent-encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathVariables<'a> {
    pub(super) raw: Vec<(&'a str, &'a str)>,
}

/// Why a pattern is no mount path: the caller's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathError {
    /// The mount does not start with a slash.
    NotAbsolute {
        /// The mount.
        mount: String,
    },
    /// Braces, colons or stars where none can be: a variable is a whole segment, `{name}`, its name made of
    /// ASCII letters, digits and underscores.
    Segment {
        /// The segment.
        segment: String,
    },
    /// A name stands for two segments.
    Repeated {
        /// The name.
        variable: String,
    },
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAbsolute { mount } => write!(f, "the mount {mount:?} does not start with a slash"),
            Self::Segment { segment } => {
                write!(f, "the segment {segment:?} is neither plain text nor a variable such as {{name}}")
            }
            Self::Repeated { variable } => write!(f, "the variable {variable:?} is there twice"),
        }
    }
}

impl std::error::Error for PathError {}

impl MountPath {
    /// Joins the pattern of a mount (`/socket`) and that of a transport (`websocket`).
    ///
    /// # Errors
    /// [`PathError`] if they are no patterns.
    pub fn new(mount: &str, transport: &str) -> Result<Self, PathError> {
        if !mount.starts_with('/') {
            return Err(PathError::NotAbsolute { mount: mount.to_owned() });
        }
        let mut segments = Vec::new();
        for text in split(mount).chain(split(transport)) {
            let segment = Segment::parse(text)?;
            if let Segment::Variable(name) = &segment
                && segments.contains(&segment)
            {
                return Err(PathError::Repeated { variable: name.clone() });
            }
            segments.push(segment);
        }
        let literal: Option<String> = segments.iter().map(Segment::as_literal).collect();
        Ok(Self { segments, literal })
    }

    /// Matches a request path, and takes what its variables stand for; `None` if it is another path.
    #[must_use]
    pub fn capture<'a>(&'a self, path: &'a str) -> Option<PathVariables<'a>> {
        if let Some(literal) = &self.literal {
            if literal == path {
                return Some(PathVariables::default());
            }
            // Whoever writes it in another way writes more slashes. Most of a node's paths are told apart by that.
            if path.starts_with('/') && path.len() <= literal.len() {
                return None;
            }
        }
        let mut found = split(path);
        let mut raw = Vec::new();
        for segment in &self.segments {
            let text = found.next()?;
            match segment {
                Segment::Literal(literal) if literal != text => return None,
                Segment::Literal(_) | Segment::Ignored => {}
                Segment::Variable(name) => raw.push((name.as_str(), text)),
            }
        }
        found.next().is_none().then_some(PathVariables { raw })
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, PathError> {
        let refused = || PathError::Segment { segment: text.to_owned() };
        let Some(name) = text.strip_prefix('{').and_then(|open| open.strip_suffix('}')) else {
            // `:name` and `*rest` are variables elsewhere: taken as text, they would never match.
            if text.starts_with([':', '*']) || text.contains(['{', '}', '?', '#']) {
                return Err(refused());
            }
            return Ok(Self::Literal(text.to_owned()));
        };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(refused());
        }
        if name.starts_with('_') {
            return Ok(Self::Ignored);
        }
        Ok(Self::Variable(name.to_owned()))
    }

    /// With the slash before it; `None` if it is variable.
    fn as_literal(&self) -> Option<String> {
        match self {
            Self::Literal(text) => Some(format!("/{text}")),
            Self::Variable(_) | Self::Ignored => None,
        }
    }
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}
