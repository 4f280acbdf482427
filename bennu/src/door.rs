//! What holds for whoever comes, whichever socket they ask for.

use crate::serving::Handover;
use crate::token::Secret;
use bennu_core::ParameterFilter;
use bennu_core::connect::{Carrier, Scheme, TrustedProxies};
use bennu_core::wire::Formats;
use http::request::Parts;

/// How requests are looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Door {
    pub(crate) proxies: TrustedProxies,
    pub(crate) filter: ParameterFilter,
    /// What the tokens of long-poll sessions are signed with, if the application has said so.
    pub(crate) secret: Option<Secret>,
    /// How clients may speak.
    pub(crate) formats: Formats,
}

impl Door {
    /// What carried a request: what whoever accepted it says, or a proxy that is trusted. Whom to believe, the
    /// application may know better than whoever accepts.
    pub(crate) fn carrier(&self, parts: &Parts) -> Carrier {
        let tcp = parts
            .extensions
            .get()
            .copied()
            .or_else(|| parts.extensions.get().map(Handover::carrier))
            .unwrap_or(Carrier { peer: None, scheme: Scheme::Http });
        self.proxies.carrier(&parts.headers, tcp)
    }
}
