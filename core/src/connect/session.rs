//! What an application has found to be the session of a request.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// A session: a value of the application's own type, shared by the clones of its
/// [`ConnectInfo`](super::ConnectInfo). Equal is what is the same value; `Debug` does not look into it.
#[derive(Clone)]
pub struct Session(Arc<dyn Any + Send + Sync>);

impl Session {
    /// Takes what the application has read.
    pub fn new<T: Send + Sync + 'static>(session: T) -> Self {
        Self(Arc::new(session))
    }

    /// The value, if it is of this type.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl PartialEq for Session {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Session {}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
