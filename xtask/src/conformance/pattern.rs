//! JSON patterns: values with placeholders, compared by value.

use std::collections::BTreeMap;

use regex::RegexBuilder;
use serde_json::{Map, Value};

use super::environment::placeholder;

/// What the placeholders of a scenario have been bound to so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Binds {
    /// `{{phx_ref:n}}`: one ref for each `n`, no two the same.
    refs: BTreeMap<String, Value>,
    /// `{{bind:x}}`: any value, the same one each time.
    values: BTreeMap<String, Value>,
}

/// Compares a value with a pattern, and says where they differ. Binds are kept only when nothing differs.
pub(crate) fn compare(pattern: &Value, got: &Value, binds: &mut Binds) -> Result<(), Vec<String>> {
    let mut comparison = Comparison { binds: binds.clone(), differences: Vec::new() };
    comparison.value("$", pattern, got);
    if !comparison.differences.is_empty() {
        return Err(comparison.differences);
    }
    *binds = comparison.binds;
    Ok(())
}

/// Finds a pattern for each item, no pattern twice, and returns what that binds. `fits` is asked with the binds
/// of the choices before: two frames that differ in a ref alone find their places only together.
pub(crate) fn assign<P, T>(
    patterns: &[P],
    items: &[T],
    binds: &Binds,
    fits: &dyn Fn(&P, &T, &mut Binds) -> bool,
) -> Option<Binds> {
    let patterns: Vec<&P> = patterns.iter().collect();
    assign_rest(&patterns, items, binds, fits)
}

fn assign_rest<P, T>(
    patterns: &[&P],
    items: &[T],
    binds: &Binds,
    fits: &dyn Fn(&P, &T, &mut Binds) -> bool,
) -> Option<Binds> {
    let Some((item, rest)) = items.split_first() else {
        return Some(binds.clone());
    };
    (0..patterns.len()).find_map(|index| {
        let mut trial = binds.clone();
        if !fits(patterns[index], item, &mut trial) {
            return None;
        }
        let mut left = patterns.to_vec();
        left.remove(index);
        assign_rest(&left, rest, &trial, fits)
    })
}

/// A value as JSON text, cut where a line becomes unreadable.
pub(crate) fn show(value: &Value) -> String {
    cut(&value.to_string())
}

/// The first 400 characters of a text.
pub(crate) fn cut(text: &str) -> String {
    const SHOWN: usize = 400;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

struct Comparison {
    binds: Binds,
    differences: Vec<String>,
}

impl Comparison {
    fn value(&mut self, path: &str, pattern: &Value, got: &Value) {
        if let Value::String(text) = pattern
            && let Some((name, argument)) = placeholder(text)
            && self.placeholder(path, name, argument, got)
        {
            return;
        }
        match (pattern, got) {
            (Value::Object(fields), _) if fields.len() == 1 && fields.contains_key("{{set}}") => {
                self.set(path, &fields["{{set}}"], got);
            }
            (Value::Object(fields), Value::Object(found)) => self.object(path, fields, found),
            (Value::Array(items), Value::Array(found)) if items.len() == found.len() => {
                for (index, (item, found)) in items.iter().zip(found).enumerate() {
                    self.value(&format!("{path}[{index}]"), item, found);
                }
            }
            (Value::Array(items), Value::Array(found)) => {
                self.differ(path, &format!("{} items", items.len()), &found.len().to_string());
            }
            _ if pattern == got => {}
            _ => self.differ(path, &show(pattern), &show(got)),
        }
    }

    fn object(&mut self, path: &str, pattern: &Map<String, Value>, got: &Map<String, Value>) {
        for (key, pattern) in pattern.iter().filter(|(key, _)| *key != "{{others}}") {
            match got.get(key) {
                Some(value) => self.value(&format!("{path}.{key}"), pattern, value),
                None => self.differences.push(format!("{path}: the key {key:?} is missing")),
            }
        }
        if pattern.contains_key("{{others}}") {
            return;
        }
        for (key, value) in got.iter().filter(|(key, _)| !pattern.contains_key(*key)) {
            self.differences.push(format!("{path}: unexpected key {key:?}: {}", show(value)));
        }
    }

    fn set(&mut self, path: &str, pattern: &Value, got: &Value) {
        let fits = |pattern: &Value, item: &Value, binds: &mut Binds| compare(pattern, item, binds).is_ok();
        if let (Value::Array(patterns), Value::Array(items)) = (pattern, got)
            && patterns.len() == items.len()
            && let Some(binds) = assign(patterns, items, &self.binds, &fits)
        {
            self.binds = binds;
            return;
        }
        self.differ(path, &format!("in any order {}", show(pattern)), &show(got));
    }

    /// Returns whether the name is that of a placeholder; any other text stands for itself.
    fn placeholder(&mut self, path: &str, name: &str, argument: Option<&str>, got: &Value) -> bool {
        match (name, argument) {
            ("any", None) => {}
            ("string", None) => self.require(path, got.is_string(), "a string", got),
            ("int", None) => self.require(path, got.is_i64() || got.is_u64(), "an integer", got),
            ("re", Some(expression)) => self.expression(path, expression, got),
            ("phx_ref", number) => self.reference(path, number, got),
            ("bind", Some(name)) => {
                let bound = self.binds.values.entry(name.to_owned()).or_insert_with(|| got.clone());
                if bound != got {
                    let expected = format!("{} as before", show(bound));
                    self.differ(path, &expected, &show(got));
                }
            }
            _ => return false,
        }
        true
    }

    fn reference(&mut self, path: &str, number: Option<&str>, got: &Value) {
        if got.as_str().is_none_or(str::is_empty) {
            return self.differ(path, "a ref", &show(got));
        }
        let Some(number) = number else { return };
        if let Some(bound) = self.binds.refs.get(number) {
            if bound != got {
                let expected = format!("ref {number}, {}", show(bound));
                self.differ(path, &expected, &show(got));
            }
            return;
        }
        if let Some((other, _)) = self.binds.refs.iter().find(|(_, value)| *value == got) {
            let expected = format!("a ref other than ref {other}");
            return self.differ(path, &expected, &show(got));
        }
        self.binds.refs.insert(number.to_owned(), got.clone());
    }

    fn expression(&mut self, path: &str, expression: &str, got: &Value) {
        let matches = match got.as_str() {
            None => Ok(false),
            Some(text) => matches(expression, text),
        };
        match matches {
            Ok(matches) => self.require(path, matches, &format!("a match of /{expression}/"), got),
            Err(error) => self.differences.push(format!("{path}: {error}")),
        }
    }

    fn require(&mut self, path: &str, holds: bool, expected: &str, got: &Value) {
        if !holds {
            self.differ(path, expected, &show(got));
        }
    }

    fn differ(&mut self, path: &str, expected: &str, got: &str) {
        self.differences.push(format!("{path}: expected {expected}, got {got}"));
    }
}

/// Whether the expression matches the text as a whole.
fn matches(expression: &str, text: &str) -> Result<bool, regex::Error> {
    if let Some((repeated, count)) = repetition(expression) {
        return Ok(text.len() == repeated.len_utf8() * count && text.chars().all(|c| c == repeated));
    }
    let whole = format!(r"\A(?:{expression})\z");
    Ok(RegexBuilder::new(&whole).dot_matches_new_line(true).build()?.is_match(text))
}

/// Reads `z{1000000}`, the echo of a large payload: an automaton of a million states is too much for it.
fn repetition(expression: &str) -> Option<(char, usize)> {
    let (repeated, count) = expression.strip_suffix('}')?.split_once('{')?;
    let mut characters = repeated.chars();
    let repeated = characters.next().filter(char::is_ascii_alphanumeric)?;
    if characters.next().is_some() {
        return None;
    }
    Some((repeated, count.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_compared_with_their_types() {
        assert!(same(json!({"a": [1, null]}), json!({"a": [1, null]})));
        assert!(!same(json!(1), json!(1.0)));
        assert!(!same(json!(1), json!(true)));
        assert!(!same(json!("1"), json!(1)));
        assert!(!same(json!([1, 2]), json!([1, 2, 3])));
    }

    #[test]
    fn missing_and_additional_keys_are_differences() {
        let differences = compare(&json!({"a": 1}), &json!({"b": 2}), &mut Binds::default()).unwrap_err();

        assert_eq!(differences, ["$: the key \"a\" is missing", "$: unexpected key \"b\": 2"]);
    }

    #[test]
    fn others_opens_an_object() {
        assert!(same(json!({"a": 1, "{{others}}": ""}), json!({"a": 1, "b": 2})));
        assert!(!same(json!({"a": 1, "{{others}}": ""}), json!({"b": 2})));
    }

    #[test]
    fn difference_names_the_place() {
        let differences = compare(&json!([{"a": [1]}]), &json!([{"a": [2]}]), &mut Binds::default());

        assert_eq!(differences, Err(vec!["$[0].a[0]: expected 1, got 2".to_owned()]));
    }

    #[test]
    fn type_placeholders_check_the_type_alone() {
        assert!(same(json!("{{any}}"), json!({"x": 1})));
        assert!(same(json!("{{string}}"), json!("")));
        assert!(!same(json!("{{string}}"), json!(1)));
        assert!(same(json!("{{int}}"), json!(-3)));
        assert!(!same(json!("{{int}}"), json!(1.5)));
        assert!(!same(json!("{{int}}"), json!(true)));
    }

    #[test]
    fn expression_matches_the_whole_text() {
        assert!(same(json!("{{re:text/plain.*}}"), json!("text/plain; charset=utf-8")));
        assert!(!same(json!("{{re:b}}"), json!("abc")));
        assert!(!same(json!("{{re:a|ab}}"), json!("abc")));
        assert!(same(json!("{{re:a.b}}"), json!("a\nb")));
        assert!(!same(json!("{{re:1}}"), json!(1)));
    }

    #[test]
    fn repetition_counts_exactly() {
        assert!(same(json!("{{re:a{3}}}"), json!("aaa")));
        assert!(!same(json!("{{re:a{3}}}"), json!("aaaa")));
        assert!(!same(json!("{{re:a{3}}}"), json!("aab")));
        assert!(same(json!("{{re:[ab]{3}}}"), json!("aba")));
    }

    #[test]
    fn same_ref_number_is_the_same_ref_and_another_number_another() {
        let pattern = json!(["{{phx_ref:1}}", "{{phx_ref:1}}", "{{phx_ref:2}}"]);

        assert!(same(pattern.clone(), json!(["x", "x", "y"])));
        assert!(!same(pattern.clone(), json!(["x", "y", "z"])));
        assert!(!same(pattern, json!(["x", "x", "x"])));
        assert!(!same(json!("{{phx_ref:1}}"), json!("")));
    }

    #[test]
    fn bind_takes_any_value_and_holds_on_to_it() {
        assert!(same(json!(["{{bind:x}}", "{{bind:x}}"]), json!([[1], [1]])));
        assert!(!same(json!(["{{bind:x}}", "{{bind:x}}"]), json!([[1], [2]])));
    }

    #[test]
    fn failed_comparison_binds_nothing() {
        let mut binds = Binds::default();

        compare(&json!(["{{bind:x}}", 1]), &json!(["a", 2]), &mut binds).unwrap_err();

        assert_eq!(binds, Binds::default());
    }

    #[test]
    fn set_matches_in_any_order() {
        assert!(same(json!({"{{set}}": [1, 2]}), json!([2, 1])));
        assert!(!same(json!({"{{set}}": [1, 2]}), json!([1, 1])));
        assert!(!same(json!({"{{set}}": [1, 2]}), json!([1])));
    }

    #[test]
    fn set_looks_for_an_order_in_which_all_items_fit() {
        let pattern = json!([{"{{set}}": ["{{string}}", "{{bind:x}}"]}, "{{bind:x}}"]);

        assert!(same(json!({"{{set}}": ["{{string}}", "a"]}), json!(["a", "b"])));
        assert!(!same(pattern, json!([["a", 1], 2])));
    }

    #[test]
    fn cut_respects_characters() {
        assert_eq!(cut("é"), "é");
        assert!(cut(&"é".repeat(401)).ends_with("é… (802 bytes)"));
    }

    fn same(pattern: Value, got: Value) -> bool {
        compare(&pattern, &got, &mut Binds::default()).is_ok()
    }
}
