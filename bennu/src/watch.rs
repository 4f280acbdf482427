//! Somebody who looks on while handlers run: a test harness, or nobody.
//!
//! With the feature `test` each handler that runs in a harness says when it begins, waits and ends. Without it,
//! nothing of this is there.

#[cfg(feature = "test")]
mod register;

#[cfg(feature = "test")]
pub(crate) use register::{Channel, Crash, Register, SLEEP};

use crate::BoxFuture;
use crate::erased::{Finished, Seed};
use crate::letter::Letter;
use bennu_core::server::{CallId, Event, SocketId};

/// What a handler is known by, once it runs.
#[must_use]
pub(crate) struct Watch {
    #[cfg(feature = "test")]
    begun: Option<register::Begun>,
}

impl Watch {
    /// A client's join begins.
    pub(crate) fn join<C: crate::Channel>(seed: &Seed, socket: SocketId) -> Self {
        #[cfg(not(feature = "test"))]
        let _ = (seed, socket, std::any::type_name::<C>);
        Self {
            #[cfg(feature = "test")]
            begun: register::Begun::join::<C>(seed, socket),
        }
    }

    /// A handler of a joined channel begins.
    pub(crate) fn call(call: CallId, event: &Event<Letter>) -> Self {
        #[cfg(not(feature = "test"))]
        let _ = (call, event);
        Self {
            #[cfg(feature = "test")]
            begun: register::Begun::call(call, event),
        }
    }

    /// The handler, watched if somebody watches.
    pub(crate) fn handler(self, handler: BoxFuture<'static, Finished>) -> BoxFuture<'static, Finished> {
        #[cfg(feature = "test")]
        if let Some(begun) = self.begun {
            return Box::pin(begun.watch(handler));
        }
        handler
    }
}
