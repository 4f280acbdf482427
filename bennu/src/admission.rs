//! What becomes of a request that wants to connect and has passed the checks of its transport: the same for all of
//! them.

use crate::Refused;
use crate::door::Door;
use crate::mount::{Admitted, Mounted};
use crate::panics::catch;
use bennu_core::connect::{Admission, ConnectInfo, Params, Vsn};
use bennu_core::wire::{Formats, Outgoing, Serializer};
use bennu_core::{Kind, Name, Payload, event};
use http::HeaderMap;

impl Mounted {
    /// The serializer that a client asks for; `None` if there is no such one.
    pub(crate) fn negotiate(&self, admission: &Admission) -> Option<Serializer> {
        let serializer = match admission.vsn() {
            Vsn::Absent => Serializer::negotiate_with(None, &self.serializers).ok(),
            Vsn::Text(vsn) => Serializer::negotiate_with(Some(vsn), &self.serializers).ok(),
            Vsn::NotText => None,
        };
        if serializer.is_none() {
            tracing::warn!(
                socket = &*self.name,
                "a client speaks no version of the protocol that is known here"
            );
        }
        serializer
    }

    /// The serializer that a client asks for which polls. Its answers are JSON, in which bytes have no place: a format is
    /// tried out, and counts as none if it writes these.
    pub(crate) fn negotiate_polled(&self, admission: &Admission, formats: &Formats) -> Option<Serializer> {
        let serializer = self.negotiate(admission)?;
        let Serializer::Custom(_) = serializer else { return Some(serializer) };
        let answer = Outgoing::Reply {
            join_ref: None,
            msg_ref: None,
            topic: &Name::from(event::HEARTBEAT_TOPIC),
            status: "ok",
            response: &Payload::empty(),
        };
        let frame = formats.encode(serializer, &answer);
        if frame.is_ok_and(|frame| frame.kind() == Kind::Binary) {
            tracing::warn!(socket = &*self.name, "a client that polls asks for a format that writes bytes");
            return None;
        }
        Some(serializer)
    }

    /// Asks the application, which is told the session that belongs to the request.
    pub(crate) async fn ask(
        &self,
        door: &Door,
        headers: &HeaderMap,
        params: Params,
        mut info: ConnectInfo,
    ) -> Result<Admitted, Refused> {
        if let Some(read) = &self.session {
            let session = catch(|| std::future::ready(read(headers, &params))).await;
            session.map_err(Refused::failed)?.into_iter().for_each(|session| info.set_session(session));
        }
        tracing::debug!(
            socket = &*self.name,
            parameters = ?door.filter.params(&params),
            "somebody wants to connect"
        );
        self.socket.connect(params, info).await
    }
}
