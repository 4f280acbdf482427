//! A recorder, which is the application's, is told nothing under a lock.

use super::*;
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use std::sync::{OnceLock, Weak};

/// Looks at the locks whenever it is told anything.
#[derive(Default)]
struct Looking {
    hub: OnceLock<Weak<Hub>>,
    told: std::sync::atomic::AtomicUsize,
}

impl Looking {
    fn look(&self) {
        let Some(hub) = self.hub.get().and_then(Weak::upgrade) else { return };
        self.told.fetch_add(1, Ordering::Relaxed);
        assert!(hub.shards.iter().all(|shard| shard.try_lock().is_some()), "a shard is locked");
    }
}

impl CounterFn for Looking {
    fn increment(&self, _: u64) {
        self.look();
    }

    fn absolute(&self, _: u64) {
        self.look();
    }
}

impl GaugeFn for Looking {
    fn increment(&self, _: f64) {
        self.look();
    }

    fn decrement(&self, _: f64) {
        self.look();
    }

    fn set(&self, _: f64) {
        self.look();
    }
}

struct Shared(Arc<Looking>);

impl Recorder for Shared {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Arc::clone(&self.0).into()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Arc::clone(&self.0).into()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[test]
fn recorder_is_told_nothing_while_a_shard_is_locked() {
    let looking = Arc::new(Looking::default());
    let mut node = metrics::with_local_recorder(&Shared(Arc::clone(&looking)), || Node::new(2));
    let hub = Arc::clone(node.endpoint.hub());
    looking.hub.set(Arc::downgrade(&hub)).expect("it is set once");
    let member = |client| [Act::Join { client, topic: 0 }, Act::Handle { client, which: 0 }];

    for act in (0..CLIENTS).flat_map(member) {
        node.act(&act);
    }
    for n in 0..3 {
        node.act(&Act::Push { client: n, topic: 0 });
        node.act(&Act::Shout { client: 0, topic: 0, what: What::Text });
        node.act(&Act::Publish { topic: 0, what: What::Bytes });
    }
    hub.cut_off(node.clients[1].socket);
    node.act(&Act::Disconnect { client: 2 });

    assert!(looking.told.load(Ordering::Relaxed) > 20);
}
