//! What frames share: of the standard library, or, under `--cfg bennu_loom`, such that all interleavings of
//! those who share them can be tried.

#[cfg(not(bennu_loom))]
pub(crate) use std::sync::OnceLock;

#[cfg(bennu_loom)]
pub(crate) use watched::OnceLock;

#[cfg(bennu_loom)]
mod watched {
    use loom::sync::atomic::{AtomicBool, Ordering};

    /// A cell that is set once. Whether it is, may change between any two looks at it.
    pub(crate) struct OnceLock<T> {
        value: std::sync::OnceLock<T>,
        is_set: AtomicBool,
    }

    impl<T> OnceLock<T> {
        pub(crate) fn get(&self) -> Option<&T> {
            let is_set = self.is_set.load(Ordering::Acquire);
            self.value.get().filter(|_| is_set)
        }

        pub(crate) fn set(&self, value: T) -> Result<(), T> {
            self.value.set(value)?;
            self.is_set.store(true, Ordering::Release);
            Ok(())
        }
    }

    impl<T> Default for OnceLock<T> {
        fn default() -> Self {
            Self { value: std::sync::OnceLock::new(), is_set: AtomicBool::new(false) }
        }
    }
}
