//! What the placeholders of a scenario stand for while it runs.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use clap::ValueEnum;
use serde_json::{Value, json};

/// A release of Phoenix; a few things on the wire changed between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// Phoenix 1.8.12, from which the scenarios were recorded.
    #[default]
    #[value(name = "1.8.12")]
    V1_8_12,
    /// Phoenix 1.8.9, before `phx_error` carried a reason.
    #[value(name = "1.8.9")]
    V1_8_9,
}

impl Profile {
    /// The name by which scenarios call this release.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V1_8_12 => "1.8.12",
            Self::V1_8_9 => "1.8.9",
        }
    }

    fn crash_payload(self) -> Value {
        match self {
            Self::V1_8_12 => json!({"reason": "channel_crash"}),
            Self::V1_8_9 => json!({}),
        }
    }
}

/// The values of one run of one scenario.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    uniq: String,
    profile: Profile,
    variables: BTreeMap<String, Value>,
}

impl Environment {
    /// Starts with eight fresh characters for `{{uniq}}`.
    pub(crate) fn fresh(profile: Profile) -> Self {
        // The keys of `RandomState` come from the system; eight characters of what they hash need no more.
        let bits = RandomState::new().hash_one("uniq");
        Self { uniq: format!("{bits:016x}")[..8].to_owned(), profile, variables: BTreeMap::new() }
    }

    pub(crate) fn save(&mut self, variable: &str, value: Value) {
        self.variables.insert(variable.to_owned(), value);
    }

    /// Replaces `{{uniq}}` and `{{var:x}}` inside a text.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut text = text.replace("{{uniq}}", &self.uniq);
        for (name, value) in &self.variables {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text = text.replace(&format!("{{{{var:{name}}}}}"), &value);
        }
        text
    }

    /// The same in every string and key of a JSON value; a string that is a placeholder as a whole takes the
    /// placeholder's type.
    pub(crate) fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.whole(text).unwrap_or_else(|| Value::String(self.text(text))),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(key, value)| (self.text(key), self.value(value))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    fn whole(&self, text: &str) -> Option<Value> {
        match placeholder(text)? {
            ("var", Some(name)) => self.variables.get(name).cloned(),
            ("crash_payload", None) => Some(self.profile.crash_payload()),
            _ => None,
        }
    }
}

/// Takes a text that is one placeholder as a whole apart: `{{name}}` or `{{name:argument}}`.
pub(crate) fn placeholder(text: &str) -> Option<(&str, Option<&str>)> {
    let inner = text.strip_prefix("{{")?.strip_suffix("}}")?;
    let (name, argument) = match inner.split_once(':') {
        Some((name, argument)) => (name, Some(argument)),
        None => (inner, None),
    };
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    plain.then_some((name, argument))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniq_is_new_for_each_run_and_the_same_within_it() {
        let (one, two) = (Environment::fresh(Profile::V1_8_12), Environment::fresh(Profile::V1_8_12));

        assert_eq!(one.text("{{uniq}}").len(), 8);
        assert_eq!(one.text("{{uniq}}"), one.text("{{uniq}}"));
        assert_ne!(one.text("{{uniq}}"), two.text("{{uniq}}"));
    }

    #[test]
    fn variable_keeps_its_type_when_it_stands_alone() {
        let mut environment = Environment::fresh(Profile::V1_8_12);
        environment.save("n", json!(7));

        assert_eq!(environment.value(&json!(["{{var:n}}", "n={{var:n}}"])), json!([7, "n=7"]));
    }

    #[test]
    fn unknown_variable_and_matching_placeholders_stay_as_they_are() {
        let environment = Environment::fresh(Profile::V1_8_12);

        assert_eq!(environment.value(&json!(["{{var:x}}", "{{any}}"])), json!(["{{var:x}}", "{{any}}"]));
    }

    #[test]
    fn crash_payload_depends_on_the_profile() {
        let pattern = json!(["{{crash_payload}}"]);

        let newest = Environment::fresh(Profile::V1_8_12).value(&pattern);
        let older = Environment::fresh(Profile::V1_8_9).value(&pattern);

        assert_eq!(newest, json!([{"reason": "channel_crash"}]));
        assert_eq!(older, json!([{}]));
    }

    #[test]
    fn argument_of_a_placeholder_may_hold_braces() {
        assert_eq!(placeholder("{{re:a{3}}}"), Some(("re", Some("a{3}"))));
        assert_eq!(placeholder("{{any}}"), Some(("any", None)));
        assert_eq!(placeholder("{{uniq}}-{{uniq}}"), None);
        assert_eq!(placeholder("room"), None);
    }
}
