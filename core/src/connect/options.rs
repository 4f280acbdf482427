//! What is set for one mount.

use super::{CheckOrigin, ConnectInfoKeys, Limits};
use crate::Compat;

/// The settings of one mount that are decided before the upgrade.
///
/// The default is Phoenix's: origins are checked, no subprotocol is spoken, no auth token is looked for,
/// nothing is kept of the request.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The origins that may connect.
    pub check_origin: CheckOrigin,
    /// The subprotocols spoken, the preferred one first; `None` ignores what the client offers.
    pub subprotocols: Option<Vec<String>>,
    /// Whether a token may come as a subprotocol. If so, `phoenix` is spoken, before all others.
    pub auth_token: bool,
    /// What is kept of the request for the application.
    pub connect_info: ConnectInfoKeys,
    /// How large the request head may be.
    pub limits: Limits,
    /// Which release of Phoenix is followed: it says where a long-poll session's token may stand.
    pub compat: Compat,
}

impl Options {
    /// The subprotocols spoken, `phoenix` among them if there are auth tokens.
    pub(super) fn spoken(&self) -> Option<Vec<&str>> {
        let configured = self.subprotocols.as_ref().map(|list| list.iter().map(String::as_str));
        if !self.auth_token {
            return configured.map(Iterator::collect);
        }
        Some(std::iter::once("phoenix").chain(configured.into_iter().flatten()).collect())
    }
}
