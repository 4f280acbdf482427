//! Locks and atomics: the usual ones, or, under `--cfg bennu_loom`, such that all interleavings of those who
//! share them can be tried.

#[cfg(not(bennu_loom))]
pub(crate) use parking_lot::{Mutex, MutexGuard, RwLock};
#[cfg(not(bennu_loom))]
pub(crate) use std::sync::atomic;

#[cfg(bennu_loom)]
pub(crate) use loom::sync::MutexGuard;
#[cfg(bennu_loom)]
pub(crate) use watched::{Mutex, RwLock};

#[cfg(bennu_loom)]
pub(crate) mod atomic {
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
}

/// Without poisoning, as the usual ones.
#[cfg(bennu_loom)]
mod watched {
    use loom::sync::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};

    const NOT_POISONED: &str = "a model ends with its first panic";

    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        #[track_caller]
        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect(NOT_POISONED)
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct RwLock<T>(loom::sync::RwLock<T>);

    impl<T> RwLock<T> {
        #[track_caller]
        pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
            self.0.read().expect(NOT_POISONED)
        }

        #[track_caller]
        pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
            self.0.write().expect(NOT_POISONED)
        }
    }
}
