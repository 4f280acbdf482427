//! Connect parameters out of a query.

use bennu_core::connect::{Param, Params};
use serde_json::Value;

/// A query is decoded or refused, within its bounds; and what was decoded, written again, is the same, also
/// when it has been JSON on the way.
pub(super) fn check(input: &[u8]) {
    let Ok(query) = std::str::from_utf8(input) else { return };
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).count();
    let Ok(params) = Params::from_query(query) else { return };
    assert!(pairs <= Params::MAX_PAIRS, "{pairs} pairs");

    let mut pairs_again = Vec::new();
    for (name, param) in params.iter() {
        write(&mut pairs_again, name.to_owned(), param, 1);
    }
    assert!(pairs_again.len() <= pairs, "{params:?} has more leaves than there were pairs");
    let again = Params::from_query(&pairs_again.join("&"));
    assert_eq!(again.as_ref(), Ok(&params), "{pairs_again:?}");

    // Keys of this name serde_json takes for its own, in any map that becomes a `Value`: an error, or another shape.
    let json = serde_json::to_string(&params).expect("parameters are JSON");
    if json.contains("$serde_json::private::") {
        return;
    }
    let value: Value = params.parse().expect("any shape will do");
    assert_eq!(serde_json::to_value(&params).ok(), Some(value.clone()));
    assert_eq!(Params::from_json(value).as_ref(), Ok(&params));
}

fn write(pairs: &mut Vec<String>, key: String, param: &Param, depth: usize) {
    assert!(depth <= Params::MAX_DEPTH, "{key} is {depth} deep");
    match param {
        Param::Text(text) => pairs.push(format!("{}={}", escaped(&key), escaped(text))),
        Param::List(items) => {
            assert!(!items.is_empty(), "{key} has no item");
            for item in items {
                write(pairs, format!("{key}[]"), item, depth + 1);
            }
        }
        Param::Map(params) => {
            assert!(!params.is_empty(), "{key} has no entry");
            for (name, param) in params.iter() {
                write(pairs, format!("{key}[{name}]"), param, depth + 1);
            }
        }
    }
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}
