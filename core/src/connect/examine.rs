//! All checks, in order.

use super::percent::{self, Plus};
use super::{Carrier, ConnectInfo, Offer, Options, Param, Params, PathVariables, Refusal, negotiate};
use http::Method;
use http::request::Parts;

/// A request that may go on: to the serializer, to the application, to the upgrade.
#[derive(Clone, Debug, PartialEq)]
pub struct Admission {
    /// The query, and what the path's variables matched; on a clash of names the path wins.
    pub params: Params,
    /// The subprotocol to answer with, in `sec-websocket-protocol`; `None` for no such header.
    pub subprotocol: Option<String>,
    /// What the mount wants to keep of the request.
    pub info: ConnectInfo,
}

/// The `vsn` parameter: which version of the serializer a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vsn<'a> {
    /// There is none: V1.
    Absent,
    /// A version, or any other string.
    Text(&'a str),
    /// A list or a map: refused.
    NotText,
}

impl Admission {
    /// The `vsn` parameter.
    #[must_use]
    pub fn vsn(&self) -> Vsn<'_> {
        match self.params.get("vsn") {
            None => Vsn::Absent,
            Some(Param::Text(text)) => Vsn::Text(text),
            Some(Param::List(_) | Param::Map(_)) => Vsn::NotText,
        }
    }
}

/// Examines the request head of a WebSocket handshake.
///
/// `variables` are what [`MountPath::capture`](super::MountPath::capture) found in the path.
///
/// ```
/// use bennu_core::connect::{Carrier, Options, PathVariables, Scheme, Vsn, examine};
///
/// let request = http::Request::get("/socket/websocket?token=x&vsn=2.0.0").body(()).unwrap();
/// let (parts, ()) = request.into_parts();
/// let carrier = Carrier { peer: None, scheme: Scheme::Http };
///
/// let admission = examine(&parts, PathVariables::default(), carrier, &Options::default()).unwrap();
/// assert_eq!(admission.vsn(), Vsn::Text("2.0.0"));
/// assert_eq!(admission.params.str("token"), Some("x"));
/// ```
///
/// # Errors
/// [`Refusal`] of the first check that fails; their order is that of the variants.
///
/// Source: Phoenix `Transports.WebSocket.call/2`.
pub fn examine(
    parts: &Parts,
    variables: PathVariables<'_>,
    carrier: Carrier,
    options: &Options,
) -> Result<Admission, Refusal> {
    options.limits.check(parts).map_err(Refusal::Limit)?;
    if parts.method != Method::GET {
        return Err(Refusal::Method(parts.method.clone()));
    }
    let params = connect_params(parts, variables)?;
    options.check_origin.check(parts, carrier).map_err(Refusal::Origin)?;

    let mut offer = Offer::read(&parts.headers);
    let mut auth_token = None;
    if options.auth_token
        && let Some(all) = offer
    {
        (offer, auth_token) = all.take_auth_token().map_err(Refusal::AuthToken)?;
    }
    let subprotocol = negotiate(options.spoken().as_deref(), offer.as_ref()).map_err(Refusal::Subprotocol)?;

    let mut info = ConnectInfo::collect(options.connect_info, parts, carrier);
    if auth_token.is_some() {
        info.replace_offer(offer.as_ref());
    }
    if options.auth_token {
        info.set_auth_token(auth_token);
    }
    Ok(Admission { params, subprotocol, info })
}

/// Decodes the query and the path's variables into one.
///
/// # Errors
/// [`Refusal::Query`] or [`Refusal::PathVariable`].
pub fn connect_params(parts: &Parts, variables: PathVariables<'_>) -> Result<Params, Refusal> {
    let query = parts.uri.query().unwrap_or_default();
    with_variables(Params::from_query(query).map_err(Refusal::Query)?, variables)
}

/// Adds what the path's variables matched; on a clash of names the path wins.
pub(crate) fn with_variables(mut params: Params, variables: PathVariables<'_>) -> Result<Params, Refusal> {
    for (name, raw) in variables.raw {
        params.insert(name, percent::decode(raw, Plus::Plus).map_err(Refusal::PathVariable)?);
    }
    Ok(params)
}
