//! What becomes of a request that wants to connect and has passed the checks of its transport: the same for all of
//! them.

use crate::Refused;
use crate::hub::Hub;
use crate::link::Dialect;
use crate::metrics::{Connect, Limit};
use crate::mount::{Admitted, Mounted};
use crate::panics::catch;
use bennu_core::connect::{Admission, ConnectInfo, LimitError, Params, Refusal, Vsn};
use bennu_core::wire::{Outgoing, Serializer};
use bennu_core::{Instant, Kind, Name, Payload, event};
use http::HeaderMap;
use std::net::SocketAddr;
use tracing::Level;

/// Under what `connect`'s decisions are logged, so that they can be asked for, or not, by themselves.
const CONNECTED: &str = "bennu::socket_connected";

/// Somebody who asks to connect.
pub(crate) struct Asking<'a> {
    pub(crate) hub: &'a Hub,
    pub(crate) dialect: Dialect,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) params: Params,
    pub(crate) info: ConnectInfo,
}

impl Mounted {
    /// The serializer that a client asks for; `None` if there is no such one.
    pub(crate) fn negotiate(&self, hub: &Hub, admission: &Admission) -> Option<Serializer> {
        let serializer = match admission.vsn() {
            Vsn::Absent => Serializer::negotiate_with(None, &self.serializers).ok(),
            Vsn::Text(vsn) => Serializer::negotiate_with(Some(vsn), &self.serializers).ok(),
            Vsn::NotText => None,
        };
        if serializer.is_none() {
            hub.metrics.asked(Connect::Door);
            tracing::warn!(
                socket = &*self.name,
                "a client speaks no version of the protocol that is known here"
            );
        }
        serializer
    }

    /// The serializer that a client asks for which polls. Its answers are JSON, in which bytes have no place: a format is
    /// tried out, and counts as none if it writes these.
    pub(crate) fn negotiate_polled(&self, hub: &Hub, admission: &Admission) -> Option<Serializer> {
        let serializer = self.negotiate(hub, admission)?;
        let Serializer::Custom(_) = serializer else { return Some(serializer) };
        let answer = Outgoing::Reply {
            join_ref: None,
            msg_ref: None,
            topic: &Name::from(event::HEARTBEAT_TOPIC),
            status: "ok",
            response: &Payload::empty(),
        };
        let frame = hub.formats().encode(serializer, &answer);
        if frame.is_ok_and(|frame| frame.kind() == Kind::Binary) {
            hub.metrics.asked(Connect::Door);
            tracing::warn!(socket = &*self.name, "a client that polls asks for a format that writes bytes");
            return None;
        }
        Some(serializer)
    }

    /// Asks the application, which is told the session that belongs to the request.
    pub(crate) async fn ask(&self, asking: Asking<'_>) -> Result<Admitted, Refused> {
        let Asking { hub, dialect, headers, params, mut info } = asking;
        if let Some(read) = &self.session {
            let session = catch(|| std::future::ready(read(headers, &params))).await;
            let session = session.map_err(|panic| {
                hub.metrics.asked(Connect::Failed);
                Refused::failed(panic)
            })?;
            session.into_iter().for_each(|session| info.set_session(session));
        }
        let report = tracing::enabled!(target: CONNECTED, Level::INFO).then(|| Report {
            params: params.clone(),
            peer: info.peer_data(),
            begun: hub.runtime.now(),
        });
        let asked = self.socket.connect(params, info).await;
        hub.metrics.asked(match &asked {
            Ok(_) => Connect::Ok,
            Err(refused) if refused.has_failed() => Connect::Failed,
            Err(_) => Connect::Refused,
        });
        if let Some(report) = report {
            self.report(hub, dialect, &report, if asked.is_ok() { "ok" } else { "error" });
        }
        asked
    }

    fn report(&self, hub: &Hub, dialect: Dialect, report: &Report, result: &str) {
        let vsn = report.params.str("vsn");
        tracing::info!(
            target: CONNECTED,
            socket = &*self.name,
            result,
            duration = ?hub.runtime.now().duration_since(report.begun),
            transport = %dialect.transport,
            serializer = ?dialect.serializer,
            vsn,
            peer = report.peer.map(tracing::field::display),
            parameters = ?hub.door().filter.params(&report.params),
            "somebody has asked to connect"
        );
    }

    /// A request is refused for its head, be it one to connect or one to a session.
    pub(crate) fn refuse(&self, hub: &Hub, refusal: &Refusal) {
        if let Refusal::Limit(error) = refusal {
            hub.metrics.limit(limit(error));
        }
        if matches!(refusal, Refusal::Origin(_) | Refusal::Subprotocol(_)) {
            // Who runs the server has forgotten a setting, most likely.
            tracing::error!(socket = &*self.name, %refusal, "a request was refused");
        } else {
            tracing::info!(socket = &*self.name, %refusal, "a request was refused");
        }
    }
}

/// What is logged of a decision, kept until it is taken.
struct Report {
    params: Params,
    peer: Option<SocketAddr>,
    begun: Instant,
}

/// The limit that a request's head goes past.
fn limit(error: &LimitError) -> Limit {
    match error {
        LimitError::Target { .. } => Limit::RequestTarget,
        LimitError::HeaderBlock { .. } => Limit::HeaderBlock,
        LimitError::Headers { .. } | _ => Limit::Headers,
    }
}
