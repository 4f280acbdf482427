//! The sessions of a node, and the tokens that lead to them.

use super::{Counter, Entrance};
use crate::sync::Mutex;
use crate::token;
use bennu_core::longpoll::{Ticket, TicketError};
use bennu_core::token::{Keys, Secret};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// Who polls here.
pub(crate) struct Sessions {
    secret: Secret,
    /// Made when the first token is: it takes a while.
    keys: OnceLock<Keys>,
    /// Which run of which endpoint this is.
    endpoint: u64,
    live: Mutex<HashMap<u128, Arc<Counter>>>,
}

/// What tokens of sessions are signed for, and no others.
const SALT: &str = "bennu long-poll session";

impl Sessions {
    pub(crate) fn new(secret: Secret) -> Self {
        let endpoint = u64::from_le_bytes(random());
        Self { secret, keys: OnceLock::new(), endpoint, live: Mutex::default() }
    }

    /// Takes a session in, by a number that nobody can guess.
    pub(crate) fn add(&self, counter: &Arc<Counter>) -> u128 {
        let session = u128::from_le_bytes(random());
        self.live.lock().insert(session, Arc::clone(counter));
        session
    }

    /// Forgets a session: its token is dead.
    pub(crate) fn remove(&self, session: u128) {
        let removed = self.live.lock().remove(&session);
        // Behind the lock: it may be the last to hold the frames that wait.
        drop(removed);
    }

    /// The sessions that there are.
    pub(crate) fn all(&self) -> Vec<Arc<Counter>> {
        self.live.lock().values().cloned().collect()
    }

    /// The token of a session at a mount.
    pub(super) fn sign(&self, mount: usize, session: u128, entrance: &Entrance) -> String {
        let ticket = Ticket { endpoint: self.endpoint, mount: number(mount), session };
        ticket.sign(|bytes| {
            let token = self.keys().sign(bytes, entrance.max_age.into(), token::now());
            token.expect("some 30 bytes are not too long for a token")
        })
    }

    /// The session that a token leads to.
    pub(super) fn find(
        &self,
        mount: usize,
        token: Option<&str>,
        entrance: &Entrance,
    ) -> Option<Arc<Counter>> {
        let verify = |token: &str| {
            let term = self.keys().verify(token, Some(entrance.max_age.into()), token::now()).ok()?;
            term.as_bytes().map(<[u8]>::to_vec)
        };
        let ticket: Result<Ticket, TicketError> =
            Ticket::verify(token?, self.endpoint, number(mount), verify);
        self.live.lock().get(&ticket.ok()?.session).cloned()
    }

    fn keys(&self) -> &Keys {
        self.keys.get_or_init(|| Keys::new(&self.secret, SALT))
    }
}

/// A secret for an endpoint that was given none.
pub(crate) fn random_secret() -> Secret {
    Secret::new(random::<64>().to_vec()).expect("64 bytes are enough")
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

fn number(mount: usize) -> u32 {
    u32::try_from(mount).expect("an endpoint has fewer mounts")
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(bennu_loom)))]
mod tests {
    use crate::runtime::still::Still;
    use crate::{BoxFuture, Endpoint, LongPoll, Open};
    use futures_util::FutureExt as _;
    use http::Request;
    use std::task::{Context, Waker};
    use tower_service::Service as _;

    /// Opens a session, and returns its task.
    fn open(endpoint: &Endpoint, runtime: &Still) -> BoxFuture<'static, ()> {
        let request = Request::get("/socket/longpoll?vsn=2.0.0").body(String::new());
        let request = request.expect("it is a request");
        let response = endpoint.clone().call(request).now_or_never();
        let status = response.map(|Ok(response)| response.status());
        assert_eq!(status, Some(http::StatusCode::OK));
        assert_eq!(endpoint.hub().sessions.live.lock().len(), 1);
        runtime.spawned().pop().expect("a session has a task")
    }

    #[test]
    fn session_that_has_ended_is_forgotten_whether_its_task_runs_to_the_end_or_is_dropped() {
        let runtime = Still::default();
        let socket = crate::socket(Open).longpoll(LongPoll::new());
        let endpoint = Endpoint::builder().socket("/socket", socket).build(runtime.clone());
        let live = || (endpoint.hub().sessions.live.lock().len(), endpoint.connections());

        let mut task = open(&endpoint, &runtime);
        endpoint.hub().stop_all(bennu_core::server::CloseReason::Disconnected);
        assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        assert_eq!(live().0, 0);
        drop(task);
        assert_eq!(live(), (0, 0));

        drop(open(&endpoint, &runtime));
        assert_eq!(live(), (0, 0));
    }
}
