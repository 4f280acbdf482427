//! A runtime without a thread or a clock: tasks are polled by hand, and time moves when it is told to.

use crate::watch::SLEEP;
use crate::{BoxFuture, ConnectionTask, PlainStream, Runtime};
use bennu_core::Instant;
use bytes::Bytes;
use hyper::upgrade::Upgraded;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// Virtual time, and what runs in it. A clone is the same runtime.
#[derive(Clone, Default)]
pub(super) struct VirtualRuntime(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    now: Instant,
    tasks: BTreeMap<u64, Task>,
    /// Tasks that have been woken, in the order of it. Some may have ended.
    ready: VecDeque<u64>,
    timers: BTreeMap<(Instant, u64), Waker>,
    last: u64,
    /// Whose tasks are spawned now.
    spawner: Owner,
}

struct Task {
    owner: Owner,
    /// `None` while it is being polled.
    future: Option<BoxFuture<'static, ()>>,
    waker: Arc<TaskWaker>,
    sleeps_until: Option<Instant>,
    /// How often it has been polled since everything last came to rest.
    turns: u32,
}

/// Whose a task is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Owner {
    /// The endpoint's or the harness's.
    #[default]
    House,
    /// The application's: `ctx.spawn`.
    Application,
}

/// A task that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    /// Until when it sleeps, if it does.
    pub(super) sleeps_until: Option<Instant>,
}

/// How often a task may be polled before everything comes to rest. A connection's task runs 512 handlers at a
/// time: what takes longer goes round in a circle.
const MAX_TURNS: u32 = 500;

impl VirtualRuntime {
    /// Says whose the tasks are that are spawned from here on.
    pub(super) fn set_spawner(&self, spawner: Owner) {
        self.0.lock().spawner = spawner;
    }

    /// Spawns a task of the harness's.
    pub(super) fn spawn_for(&self, owner: Owner, future: BoxFuture<'static, ()>) {
        let mut state = self.0.lock();
        state.last += 1;
        let id = state.last;
        let waker =
            Arc::new(TaskWaker { id, is_woken: AtomicBool::new(true), state: Arc::downgrade(&self.0) });
        state.tasks.insert(id, Task { owner, future: Some(future), waker, sleeps_until: None, turns: 0 });
        state.ready.push_back(id);
    }

    /// Polls what has been woken, until nothing is.
    ///
    /// # Panics
    /// If something never comes to rest, and with what a task panics with.
    pub(super) fn run(&self) {
        while let Some((id, mut future, waker)) = self.next() {
            SLEEP.set(None);
            let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
            let sleeps_until = SLEEP.take();
            match polled {
                Poll::Ready(()) => {
                    self.0.lock().tasks.remove(&id);
                    drop(future);
                }
                Poll::Pending => {
                    if let Some(task) = self.0.lock().tasks.get_mut(&id) {
                        task.future = Some(future);
                        task.sleeps_until = sleeps_until;
                    }
                }
            }
        }
        self.0.lock().tasks.values_mut().for_each(|task| task.turns = 0);
    }

    fn next(&self) -> Option<(u64, BoxFuture<'static, ()>, Waker)> {
        let mut state = self.0.lock();
        loop {
            let id = state.ready.pop_front()?;
            let Some(task) = state.tasks.get_mut(&id) else { continue };
            task.waker.is_woken.store(false, Ordering::Release);
            let Some(future) = task.future.take() else { continue };
            task.turns += 1;
            if task.turns > MAX_TURNS {
                task.turns = 0;
                task.future = Some(future);
                drop(state);
                panic!(
                    "the application does not come to rest: a task has been polled {MAX_TURNS} times while no \
                     time passed; does a channel send itself one message after the other?"
                );
            }
            return Some((id, future, Waker::from(Arc::clone(&task.waker))));
        }
    }

    /// Whether anything has been woken.
    pub(super) fn is_at_rest(&self) -> bool {
        self.0.lock().ready.is_empty()
    }

    pub(super) fn time(&self) -> Instant {
        self.0.lock().now
    }

    /// When the next sleeper wants to be woken.
    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.0.lock().timers.first_key_value().map(|(&(at, _), _)| at)
    }

    /// Moves time on, and wakes those whose time has come.
    pub(super) fn move_to(&self, now: Instant) {
        let due = {
            let mut state = self.0.lock();
            state.now = state.now.max(now);
            let later = state.timers.split_off(&(now, u64::MAX));
            mem::replace(&mut state.timers, later)
        };
        due.into_values().for_each(Waker::wake);
    }

    /// The tasks of the application that wait.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        let state = self.0.lock();
        let tasks = state.tasks.values().filter(|task| task.owner == Owner::Application);
        tasks.map(|task| Waiting { sleeps_until: task.sleeps_until }).collect()
    }

    /// Drops all tasks, and what they spawn while they are dropped. They hold the node, and the node holds this.
    pub(super) fn clear(&self) {
        loop {
            let (tasks, timers) = {
                let mut state = self.0.lock();
                (mem::take(&mut state.tasks), mem::take(&mut state.timers))
            };
            if tasks.is_empty() && timers.is_empty() {
                return;
            }
            drop((tasks, timers));
        }
    }
}

impl Runtime for VirtualRuntime {
    fn spawn(&self, future: BoxFuture<'static, ()>) {
        let spawner = self.0.lock().spawner;
        self.spawn_for(spawner, future);
    }

    fn spawn_connection(&self, connection: ConnectionTask) {
        self.spawn_for(Owner::House, Box::pin(connection));
    }

    fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()> {
        Box::pin(Sleep { runtime: self.clone(), at: self.time() + delay, timer: None, has_waited: false })
    }

    fn yield_now(&self) -> BoxFuture<'static, ()> {
        let mut has_yielded = false;
        Box::pin(std::future::poll_fn(move |cx| {
            if mem::replace(&mut has_yielded, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }))
    }

    fn now(&self) -> Instant {
        self.time()
    }

    fn adopt(&self, upgraded: Upgraded) -> Result<(Box<dyn PlainStream>, Bytes), Upgraded> {
        Err(upgraded)
    }
}

/// Wakes one task, from whatever thread.
struct TaskWaker {
    id: u64,
    /// Whether it is among the ready ones.
    is_woken: AtomicBool,
    state: Weak<Mutex<State>>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(state) = self.state.upgrade() else { return };
        if !self.is_woken.swap(true, Ordering::AcqRel) {
            state.lock().ready.push_back(self.id);
        }
    }
}

/// A time that has to be waited for.
struct Sleep {
    runtime: VirtualRuntime,
    at: Instant,
    timer: Option<(Instant, u64)>,
    /// Also who sleeps for no time lets others have a turn.
    has_waited: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let has_waited = mem::replace(&mut self.has_waited, true);
        let mut state = self.runtime.0.lock();
        if state.now >= self.at {
            drop(state);
            if has_waited {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        state.last += 1;
        let timer = self.timer.unwrap_or((self.at, state.last));
        let before = state.timers.insert(timer, cx.waker().clone());
        drop(state);
        drop(before);
        self.timer = Some(timer);
        SLEEP.set(Some(SLEEP.get().map_or(self.at, |other| other.min(self.at))));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            let waker = self.runtime.0.lock().timers.remove(&timer);
            drop(waker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    fn after(runtime: &VirtualRuntime, seconds: u64, count: &Arc<AtomicUsize>) {
        let (sleep, count) = (runtime.sleep(Duration::from_secs(seconds)), Arc::clone(count));
        runtime.spawn(Box::pin(async move {
            sleep.await;
            count.fetch_add(1, Ordering::Relaxed);
        }));
        runtime.run();
    }

    #[test]
    fn sleeper_wakes_at_its_time_and_not_before() {
        let (runtime, count) = (VirtualRuntime::default(), Arc::default());
        after(&runtime, 10, &count);
        assert_eq!(runtime.next_timer(), Some(Instant::EPOCH + Duration::from_secs(10)));

        runtime.move_to(Instant::EPOCH + Duration::from_millis(9_999));
        runtime.run();
        assert_eq!(count.load(Ordering::Relaxed), 0);

        runtime.move_to(Instant::EPOCH + Duration::from_secs(10));
        runtime.run();
        assert_eq!(count.load(Ordering::Relaxed), 1);
        assert_eq!(runtime.next_timer(), None);
    }

    #[test]
    fn sleep_that_is_dropped_leaves_no_timer() {
        let runtime = VirtualRuntime::default();
        let mut sleep = runtime.sleep(Duration::from_secs(1));
        assert!(sleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());

        drop(sleep);

        assert_eq!(runtime.next_timer(), None);
        SLEEP.set(None);
    }

    #[test]
    fn sleep_for_no_time_lets_others_have_a_turn() {
        let (runtime, order) = (VirtualRuntime::default(), Arc::new(Mutex::new(Vec::new())));
        let (first, second, sleep) = (Arc::clone(&order), Arc::clone(&order), runtime.sleep(Duration::ZERO));
        runtime.spawn(Box::pin(async move {
            sleep.await;
            first.lock().push("first");
        }));
        runtime.spawn(Box::pin(async move { second.lock().push("second") }));

        runtime.run();

        assert_eq!(*order.lock(), ["second", "first"]);
    }

    #[test]
    fn task_is_woken_from_another_thread() {
        let runtime = VirtualRuntime::default();
        let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
        let slot = Arc::clone(&waker);
        runtime.spawn(Box::pin(std::future::poll_fn(move |cx| {
            match slot.lock().replace(cx.waker().clone()) {
                Some(_) => Poll::Ready(()),
                None => Poll::Pending,
            }
        })));
        runtime.run();
        assert!(runtime.is_at_rest());

        std::thread::spawn(move || waker.lock().as_ref().map(Waker::wake_by_ref)).join().unwrap();

        assert!(!runtime.is_at_rest());
        runtime.run();
        assert!(runtime.0.lock().tasks.is_empty());
    }
}
