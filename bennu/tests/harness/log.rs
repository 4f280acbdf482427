//! What is logged while somebody acts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};

/// One event: its target and level, and its fields as text.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) target: String,
    pub(crate) level: Level,
    fields: BTreeMap<String, String>,
}

impl Told {
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }
}

/// A line for each field.
impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields.iter().try_for_each(|(name, value)| writeln!(f, "{name}={value}"))
    }
}

/// What is told, up to a level, while somebody acts.
pub(crate) fn told_up_to(up_to: Level, act: impl FnOnce()) -> Vec<Told> {
    LazyLock::force(&OTHERS);
    let log = Log { up_to, told: Arc::default() };
    tracing::subscriber::with_default(log.clone(), act);
    let told = log.told.lock().unwrap();
    told.clone()
}

/// As long as there are two, `tracing` asks all that there are whether an event is of interest when it comes to that for
/// the first time. Else it might ask nobody but the thread of another test, which has none, and never again.
static OTHERS: LazyLock<[Dispatch; 2]> = LazyLock::new(|| {
    let other = || Dispatch::new(Log { up_to: Level::TRACE, told: Arc::default() });
    [other(), other()]
});

/// Takes the events up to a level.
#[derive(Clone)]
struct Log {
    up_to: Level,
    told: Arc<Mutex<Vec<Told>>>,
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.up_to
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let (target, level) = (event.metadata().target().to_owned(), *event.metadata().level());
        self.told.lock().unwrap().push(Told { target, level, fields: fields.0 });
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}
