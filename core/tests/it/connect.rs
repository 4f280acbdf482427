//! What is decided before the upgrade.

mod examine;
mod forwarded;
mod info;
mod origin;
mod params;
mod path;
mod subprotocol;

use bennu_core::connect::{Admission, Carrier, Options, PathVariables, Refusal, Scheme, examine};
use http::request::Parts;

const PLAIN: Carrier = Carrier { peer: None, scheme: Scheme::Http };
const TLS: Carrier = Carrier { peer: None, scheme: Scheme::Https };

/// The head of a `GET`.
fn get(target: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = http::Request::get(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn admit(parts: &Parts, options: &Options) -> Result<Admission, Refusal> {
    examine(parts, PathVariables::default(), PLAIN, options)
}
