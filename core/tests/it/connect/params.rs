use bennu_core::connect::{Param, Params, ParamsNotAnObject, PercentError, QueryError, ShapeError};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

fn decoded(query: &str) -> Value {
    serde_json::to_value(Params::from_query(query).unwrap()).unwrap()
}

#[test]
fn query_of_the_recorded_transcript_decodes_as_recorded() {
    assert_eq!(
        decoded("vsn=2.0.0&a[b]=1&a[c][d]=2&l[]=x&l[]=y&k=1&k=2&s=a+b&u=%C3%A9&flag"),
        json!({
            "vsn": "2.0.0", "a": { "b": "1", "c": { "d": "2" } }, "l": ["x", "y"],
            "k": "2", "s": "a b", "u": "é", "flag": "",
        })
    );
}

#[test]
fn plain_pairs_decode() {
    let rows = [
        ("", json!({})),
        ("=", json!({ "": "" })),
        ("=v", json!({ "": "v" })),
        ("k", json!({ "k": "" })),
        ("k=", json!({ "k": "" })),
        ("k=a=b", json!({ "k": "a=b" })),
        ("&x=1&&y=2&", json!({ "x": "1", "y": "2" })),
        ("a%26b=c%3Dd", json!({ "a&b": "c=d" })),
        ("a%00=b", json!({ "a\0": "b" })),
    ];
    for (query, expected) in rows {
        assert_eq!(decoded(query), expected, "{query}");
    }
}

#[test]
fn brackets_nest() {
    let rows = [
        ("l[]", json!({ "l": [""] })),
        ("x[y][z][]=1&x[y][z][]=2", json!({ "x": { "y": { "z": ["1", "2"] } } })),
        ("x[][][]=1", json!({ "x": [[["1"]]] })),
        ("x[y][][z]=1", json!({ "x": { "y": [{ "z": "1" }] } })),
        ("x[][a]=1&x[][b]=2", json!({ "x": [{ "a": "1", "b": "2" }] })),
        ("x[]=1&x[][a]=2&x[]=3", json!({ "x": ["1", { "a": "2" }, "3"] })),
        ("x%5By%5D=1", json!({ "x": { "y": "1" } })),
        ("x[0]=a&x[1]=b", json!({ "x": { "0": "a", "1": "b" } })),
    ];
    for (query, expected) in rows {
        assert_eq!(decoded(query), expected, "{query}");
    }
}

#[test]
fn brackets_that_do_not_close_at_the_end_are_part_of_a_plain_name() {
    for key in ["x[y", "x]", "[y]", "x[y]z", "]", "[]"] {
        assert_eq!(decoded(&format!("{key}=1")), json!({ key: "1" }), "{key}");
    }
    assert_eq!(decoded("x[y]z[w]=1"), json!({ "x": { "y]z[w": "1" } }));
}

#[test]
fn contradictions_are_decided_by_what_came_last() {
    let rows = [
        ("x[]=1&x[y]=2", json!({ "x": { "y": "2" } })),
        ("x[y]=2&x[]=1", json!({ "x": ["1"] })),
        ("x[]=1&x[y]=2&x[]=3", json!({ "x": ["1", "3"] })),
        ("x=1&x[y]=2", json!({ "x": { "y": "2" } })),
        ("x[y]=2&x=1", json!({ "x": "1" })),
        ("x[y][][w]=2&x[y]=1", json!({ "x": { "y": "1" } })),
        ("x[y][0][w]=2&x[y]=1", json!({ "x": { "y": "1" } })),
        ("x[][a]=1&x[]=2&x[][b]=3", json!({ "x": [{ "a": "1", "b": "3" }, "2"] })),
        ("x[][a]=1&x[k]=2&x[][b]=3", json!({ "x": { "k": "2" } })),
        ("x[a][b]=1&x[]=2&x[a][c]=3", json!({ "x": ["2"] })),
        ("x=1&x[b]=2&x[c]=3", json!({ "x": { "b": "2", "c": "3" } })),
    ];
    for (query, expected) in rows {
        assert_eq!(decoded(query), expected, "{query}");
    }
}

#[test]
fn string_after_brackets_is_final() {
    assert_eq!(decoded("x[a]=1&x=2&x[b]=3"), json!({ "x": "2" }));
    assert_eq!(decoded("x[a]=1&x=2&x[b]=3&x=4"), json!({ "x": "4" }));
}

#[test]
fn broken_encoding_is_an_error_in_keys_and_values() {
    for query in ["a=%", "a=%4", "a=%zz", "%g0=a", "a[%]=1"] {
        let error = Params::from_query(query).unwrap_err();
        assert!(matches!(error, QueryError::Percent(PercentError::NotHex { .. })), "{query}: {error:?}");
    }
    for query in ["a=%ff", "%80=a", "a=%C3&b=%A9"] {
        assert_eq!(Params::from_query(query), Err(QueryError::Percent(PercentError::NotUtf8)), "{query}");
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("a{}=1", "[b]".repeat(depth - 1));

    assert!(Params::from_query(&nested(Params::MAX_DEPTH)).is_ok());
    assert_eq!(
        Params::from_query(&nested(Params::MAX_DEPTH + 1)),
        Err(QueryError::TooDeep { depth: Params::MAX_DEPTH + 1 })
    );
    assert_eq!(Params::from_query(&nested(1_000_000)), Err(QueryError::TooDeep { depth: 1_000_000 }));
}

#[test]
fn pairs_are_bounded() {
    let pairs = |count: usize| (0..count).map(|n| format!("k{n}=")).collect::<Vec<_>>().join("&");

    assert_eq!(Params::from_query(&pairs(Params::MAX_PAIRS)).unwrap().iter().count(), Params::MAX_PAIRS);
    assert_eq!(Params::from_query(&pairs(Params::MAX_PAIRS + 1)), Err(QueryError::TooManyPairs));
    assert_eq!(Params::from_query(&"a&".repeat(1_000_000)), Err(QueryError::TooManyPairs));
}

#[test]
fn str_is_none_unless_the_parameter_is_a_string() {
    let params = Params::from_query("a=1&b[]=2&c[d]=3").unwrap();

    assert_eq!(params.str("a"), Some("1"));
    assert_eq!((params.str("b"), params.str("c"), params.str("d")), (None, None, None));
    assert!(matches!(params.get("c"), Some(Param::Map(inner)) if inner.str("d") == Some("3")));
}

#[test]
fn inserted_text_replaces_whatever_was_there() {
    let mut params = Params::from_query("org[]=evil&org[]=worse&q=1").unwrap();

    params.insert("org", "acme");

    assert_eq!(serde_json::to_value(params).unwrap(), json!({ "org": "acme", "q": "1" }));
}

#[derive(Debug, Deserialize, PartialEq)]
struct Connect<'a> {
    name: &'a str,
    age: u8,
    ratio: Option<f64>,
    admin: bool,
    tags: Vec<String>,
    mode: Mode,
    #[serde(default)]
    inner: Inner,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
struct Inner {
    n: i64,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Watch,
    Play,
}

#[test]
fn parameters_parse_into_a_type_which_may_borrow() {
    let params =
        Params::from_query("name=ann&age=30&ratio=0.5&admin=true&tags[]=a&mode=play&inner[n]=-1&vsn=2.0.0")
            .unwrap();

    assert_eq!(
        params.parse::<Connect<'_>>().unwrap(),
        Connect {
            name: "ann",
            age: 30,
            ratio: Some(0.5),
            admin: true,
            tags: vec!["a".to_owned()],
            mode: Mode::Play,
            inner: Inner { n: -1 },
        }
    );
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Auth {
    token: u32,
    mode: Option<Mode>,
}

#[test]
fn parse_errors_say_what_is_wrong_but_no_value() {
    let parse = |query: &str| Params::from_query(query).unwrap().parse::<Auth>().unwrap_err();

    assert_eq!(parse("a=1"), ShapeError::Missing { field: "token" });
    assert_eq!(parse("token=hunter2"), ShapeError::Expected { what: "u32".to_owned() });
    assert_eq!(parse("token[a]=hunter2"), ShapeError::Expected { what: "u32".to_owned() });
    assert_eq!(parse("token=1&mode=hunter2"), ShapeError::NoneOf { known: &["watch", "play"] });
    for query in ["token=hunter2", "token[a]=hunter2", "token[]=hunter2", "token=1&mode=hunter2"] {
        assert!(!format!("{0} {0:?}", parse(query)).contains("hunter2"), "{query}");
    }
}

#[test]
fn json_becomes_what_a_client_could_have_sent() {
    let params =
        Params::from_json(json!({ "n": 1, "t": true, "z": null, "l": ["a", 2], "m": { "k": "v" } })).unwrap();

    assert_eq!(
        serde_json::to_value(&params).unwrap(),
        json!({ "n": "1", "t": "true", "z": "", "l": ["a", "2"], "m": { "k": "v" } })
    );
    assert_eq!(Params::from_json(json!("text")), Err(ParamsNotAnObject));
    assert_eq!(Params::from_json(json!(["a"])), Err(ParamsNotAnObject));
}

#[test]
fn debug_hides_secrets_at_any_depth() {
    let params = Params::from_query(
        "token=s1&a[password]=s2&l[][secret]=s3&Access_Token=s4&token2[x]=s5&user_secret[]=s6&name=ann",
    )
    .unwrap();

    let printed = format!("{params:?} {:#?}", params.get("a"));

    for n in 1..=6 {
        assert!(!printed.contains(&format!("s{n}")), "{printed}");
    }
    assert!(printed.contains("ann") && printed.contains("[FILTERED]"), "{printed}");
}

proptest! {
    #[test]
    fn no_query_panics(query in ".{0,200}") {
        let _ = Params::from_query(&query);
    }

    #[test]
    fn no_query_made_of_brackets_panics(query in r"([ab\[\]&=%0-9+]|\[\]){0,60}") {
        let _ = Params::from_query(&query);
    }

    #[test]
    fn plain_text_survives_encoding_and_decoding(key in "[^\\[\\]]{1,20}", text in ".{0,40}") {
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();

        let params = Params::from_query(&format!("{}={}", encode(&key), encode(&text))).unwrap();

        prop_assert_eq!(params.str(&key), Some(text.as_str()));
    }
}

/// Few plain pairs are decoded apart.
#[test]
fn plain_pairs_mean_the_same_beside_a_nested_one() {
    let key = "[ab%+]{0,2}(%5B|%5D|\\[|\\])?";
    proptest!(|(pairs in prop::collection::vec((key, "[cd%+]{0,2}"), 0..20))| {
        let query: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let query = query.join("&");

        let alone = Params::from_query(&query);
        let beside = Params::from_query(&format!("{query}&nested[]=1"));

        match (alone, beside) {
            (Ok(alone), Ok(beside)) => {
                let rest: Vec<_> = beside.iter().filter(|(name, _)| *name != "nested").collect();
                prop_assert_eq!(alone.iter().collect::<Vec<_>>(), rest);
            }
            (alone, beside) => prop_assert_eq!(alone.err(), beside.err()),
        }
    });
}
