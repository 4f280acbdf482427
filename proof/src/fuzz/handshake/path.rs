//! Where a socket is mounted, and what a path says about it.

use bennu_core::connect::{Carrier, MountPath, Options, Scheme, examine};
use http::{Request, Uri};

/// The first line is a mount, the second one the path that a request asks for: each variable takes one whole
/// segment, and what is captured, put back in its place, is the path.
pub(super) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (mount, path) = text.split_once('\n').unwrap_or(("/socket/{room}/{_}", text));
    let Ok(pattern) = MountPath::new(mount, "websocket") else { return };
    let Some(variables) = pattern.capture(path) else { return };

    let segments =
        |path: &str| path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
    let mut pattern: Vec<String> = segments(mount);
    pattern.push("websocket".to_owned());
    let found: Vec<String> = segments(path);
    assert_eq!(pattern.len(), found.len(), "{mount:?} has captured {path:?}");
    for (pattern, found) in pattern.iter().zip(&found) {
        assert!(pattern.starts_with('{') || pattern == found, "{mount:?} has captured {path:?}");
    }

    let Ok(uri) = path.parse::<Uri>() else { return };
    let mut request = Request::new(());
    *request.uri_mut() = uri;
    let (parts, ()) = request.into_parts();
    let carrier = Carrier { peer: None, scheme: Scheme::Http };
    let Ok(admission) = examine(&parts, variables, carrier, &Options::default()) else { return };
    for (pattern, found) in pattern.iter().zip(&found) {
        let name = pattern.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        let Some(name) = name.filter(|name| !name.starts_with('_')) else { continue };
        let value = admission.params.str(name).expect("a variable is a parameter");
        if !found.contains('%') {
            assert_eq!(value, found, "the variable {name}");
        }
    }
}
