//! Request targets: a path and its query.

use super::environment::Environment;
use super::step::Query;

/// The target of a request, with its placeholders filled in.
pub(crate) fn target(path: &str, query: &Query, environment: &Environment) -> String {
    let path = environment.text(path);
    match query {
        Query::Raw(text) if text.is_empty() => path,
        Query::Raw(text) => format!("{path}?{}", environment.text(text)),
        Query::Pairs(pairs) => pairs.iter().fold(path, |target, (name, value)| {
            append(target, &environment.text(name), &environment.text(value))
        }),
    }
}

/// Adds one more parameter to a target.
pub(crate) fn append(target: String, name: &str, value: &str) -> String {
    let separator = if target.contains('?') { '&' } else { '?' };
    format!("{target}{separator}{}={}", encode(name), encode(value))
}

/// Encodes as HTML forms do: a space becomes `+`, what is not plain a `%` and two hex digits.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            b' ' => "+".to_owned(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::environment::Profile;
    use super::*;

    #[test]
    fn pairs_are_encoded_and_raw_text_is_not() {
        let environment = Environment::fresh(Profile::default());
        let pairs = Query::Pairs(vec![("a b".to_owned(), "é:=&".to_owned())]);
        let raw = Query::Raw("l[]=x&flag".to_owned());

        assert_eq!(target("/p", &pairs, &environment), "/p?a+b=%C3%A9%3A%3D%26");
        assert_eq!(target("/p", &raw, &environment), "/p?l[]=x&flag");
        assert_eq!(target("/p", &Query::default(), &environment), "/p");
    }

    #[test]
    fn further_parameter_follows_the_query() {
        assert_eq!(append("/p?vsn=2.0.0".to_owned(), "token", "x/y"), "/p?vsn=2.0.0&token=x%2Fy");
        assert_eq!(append("/p".to_owned(), "token", "x"), "/p?token=x");
    }
}
