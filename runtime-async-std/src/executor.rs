//! Where tasks run: the one place in which async-std and smol differ.

#[cfg(feature = "async-std")]
pub(crate) use on_async_std::spawn;
#[cfg(all(feature = "smol", not(feature = "async-std")))]
pub(crate) use smol::spawn;

#[cfg(not(any(feature = "async-std", feature = "smol")))]
compile_error!("bennu-async-std needs one of its features `async-std` and `smol`: where would tasks run?");

#[cfg(feature = "async-std")]
mod on_async_std {
    use async_std::task::JoinHandle;
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    /// A task that ends with this handle of it, unless that is [detached](Self::detach).
    pub(crate) struct Task<T>(Option<JoinHandle<T>>);

    pub(crate) fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> Task<T> {
        Task(Some(async_std::task::spawn(future)))
    }

    impl<T> Task<T> {
        pub(crate) fn detach(mut self) {
            self.0 = None;
        }
    }

    impl<T> Future for Task<T> {
        type Output = T;

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
            let task = self.0.as_mut().expect("only `detach` and `drop` take it");
            Pin::new(task).poll(cx)
        }
    }

    impl<T> Drop for Task<T> {
        fn drop(&mut self) {
            let Some(task) = self.0.take() else { return };
            // To ask once cancels; to wait would be for its end.
            let _ = pin!(task.cancel()).poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}
