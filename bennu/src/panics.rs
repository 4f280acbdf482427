//! Panics of the application, held where they happen.

use pin_project_lite::pin_project;
use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Runs what of the application `make` starts; if it panics, returns what it said.
///
/// What the handler borrowed stays as the panic left it: a channel sees it once more, in `terminate`.
pub(crate) fn catch<M, F>(make: M) -> Catch<M, F>
where
    M: FnOnce() -> F,
    F: Future,
{
    Catch::New { make: Some(make) }
}

pin_project! {
    /// A future of the application's, and what starts it: by hand, since an `async fn` would keep room for
    /// both, and for the future twice.
    #[project = Stage]
    pub(crate) enum Catch<M, F> {
        New { make: Option<M> },
        Runs { #[pin] future: F },
    }
}

impl<M, F> Future for Catch<M, F>
where
    M: FnOnce() -> F,
    F: Future,
{
    type Output = Result<F::Output, String>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Stage::New { make } = self.as_mut().project() {
            let make = make.take().expect("started once");
            match catch_unwind(AssertUnwindSafe(make)) {
                Ok(future) => self.set(Self::Runs { future }),
                Err(panic) => return Poll::Ready(Err(message(&*panic))),
            }
        }
        let Stage::Runs { future } = self.project() else { unreachable!("it has just been started") };
        match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(message(&*panic))),
        }
    }
}

/// Drops what is the application's: should that panic, nobody else is to suffer.
pub(crate) fn drop_quietly<T>(value: T) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        tracing::error!(why = message(&*panic), "something of the application panicked when it was dropped");
    }
}

/// Runs what of the application returns at once; if it panics, returns what it said.
pub(crate) fn held<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| message(&*panic))
}

/// What an error of the application says of itself, should it come to say it.
pub(crate) fn text(error: &dyn fmt::Display) -> String {
    catch_unwind(AssertUnwindSafe(|| error.to_string())).unwrap_or_else(|panic| message(&*panic))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("(no message)"))
}
