//! A recorder that a test can read.

use crate::app::Told;
use crate::server::{Server, rooms};
use bennu::{Builder, SocketSettings};
use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder as Facade, SharedString, Unit,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What a node has told, by name and labels: `bennu_joins_total{result=ok}`.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Recorded>>);

#[derive(Default)]
struct Recorded {
    counters: BTreeMap<String, Arc<AtomicU64>>,
    gauges: BTreeMap<String, Arc<AtomicU64>>,
    histograms: BTreeMap<String, Arc<Values>>,
    described: BTreeMap<String, Option<Unit>>,
}

#[derive(Default)]
struct Values(Mutex<Vec<f64>>);

impl HistogramFn for Values {
    fn record(&self, value: f64) {
        self.0.lock().unwrap().push(value);
    }
}

impl Recorder {
    /// Has what is built meanwhile tell this recorder, and no other.
    pub(crate) fn during<T>(&self, build: impl FnOnce() -> T) -> T {
        metrics::with_local_recorder(self, build)
    }

    /// A server of rooms that tells a recorder of its own.
    pub(crate) fn of_rooms<S>(builder: Builder, set: S) -> (Self, Server, Told)
    where
        S: FnOnce(SocketSettings<crate::app::Probing>) -> SocketSettings<crate::app::Probing>,
    {
        let recorder = Self::default();
        let (endpoint, told) = recorder.during(|| rooms(builder, set));
        (recorder, Server::start(endpoint), told)
    }

    pub(crate) fn counter(&self, name: &str) -> u64 {
        self.0.lock().unwrap().counters.get(name).expect("it is registered").load(Ordering::Acquire)
    }

    pub(crate) fn gauge(&self, name: &str) -> f64 {
        let recorded = self.0.lock().unwrap();
        f64::from_bits(recorded.gauges.get(name).expect("it is registered").load(Ordering::Acquire))
    }

    pub(crate) fn histogram(&self, name: &str) -> Vec<f64> {
        let recorded = self.0.lock().unwrap();
        recorded.histograms.get(name).expect("it is registered").0.lock().unwrap().clone()
    }

    /// The limits that have been met, with how often.
    pub(crate) fn limits(&self) -> Vec<(String, u64)> {
        let recorded = self.0.lock().unwrap();
        let limits = recorded.counters.iter().filter_map(|(name, counter)| {
            let limit = name.strip_prefix("bennu_limit_total{limit=")?.strip_suffix('}')?;
            Some((limit.to_owned(), counter.load(Ordering::Acquire)))
        });
        let mut limits: Vec<_> = limits.filter(|(_, count)| *count > 0).collect();
        limits.sort();
        limits
    }

    /// All that is registered, without labels, each with its unit.
    pub(crate) fn names(&self) -> BTreeMap<String, Option<Unit>> {
        let recorded = self.0.lock().unwrap();
        let counters =
            recorded.counters.keys().chain(recorded.gauges.keys()).chain(recorded.histograms.keys());
        let name = |key: &String| key.split('{').next().unwrap().to_owned();
        counters.map(name).map(|name| (name.clone(), recorded.described[&name])).collect()
    }

    /// All values of all labels: the name of the metric, the label, the value.
    pub(crate) fn labels(&self) -> Vec<[String; 3]> {
        let recorded = self.0.lock().unwrap();
        let keys = recorded.counters.keys().chain(recorded.gauges.keys()).chain(recorded.histograms.keys());
        let labels = keys.filter_map(|key| {
            let (name, labels) = key.strip_suffix('}')?.split_once('{')?;
            let (label, value) = labels.split_once('=')?;
            Some([name, label, value].map(str::to_owned))
        });
        labels.collect()
    }

    fn describe(&self, name: &KeyName, unit: Option<Unit>) {
        self.0.lock().unwrap().described.insert(name.as_str().to_owned(), unit);
    }
}

impl Facade for Recorder {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&name, unit);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&name, unit);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&name, unit);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Arc::clone(self.0.lock().unwrap().counters.entry(written(key)).or_default()).into()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Arc::clone(self.0.lock().unwrap().gauges.entry(written(key)).or_default()).into()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Arc::clone(self.0.lock().unwrap().histograms.entry(written(key)).or_default()).into()
    }
}

fn written(key: &Key) -> String {
    let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
    if labels.is_empty() { key.name().to_owned() } else { format!("{}{{{}}}", key.name(), labels.join(",")) }
}
