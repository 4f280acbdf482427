//! Patterns of frames, and of the order in which they arrive.

use serde::Deserialize;
use serde_json::Value;

use super::environment::Environment;
use super::event::{self, Event};
use super::failure::Failure;
use super::hex;
use super::pattern::{self, Binds};

/// An expected frame as a scenario writes it: `{"json": pattern}` and so on.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FramePattern {
    Json(Value),
    Text(String),
    Hex(String),
    Pong(String),
    /// These frames, in any order.
    Unordered(Vec<Self>),
}

impl FramePattern {
    /// Takes frames from `next` and compares them with the patterns, one after the other.
    pub(crate) fn expect_all(
        patterns: &[Self],
        environment: &Environment,
        binds: &mut Binds,
        mut next: impl FnMut() -> Result<Option<Event>, Failure>,
    ) -> Result<(), Failure> {
        for pattern in patterns {
            if let Self::Unordered(patterns) = pattern {
                let frames: Vec<Frame> =
                    patterns.iter().map(|pattern| pattern.resolve(environment)).collect::<Result<_, _>>()?;
                expect_unordered(&frames, binds, &mut next)?;
                continue;
            }
            let frame = pattern.resolve(environment)?;
            let event = next()?;
            frame.compare(event.as_ref(), binds).map_err(|differences| {
                let expected = format!("expected {}", frame.describe());
                let got = format!("got      {}", event::describe(event.as_ref()));
                Failure::lines(&[vec![expected, got], differences].concat())
            })?;
        }
        Ok(())
    }

    fn resolve(&self, environment: &Environment) -> Result<Frame, Failure> {
        Ok(match self {
            Self::Json(pattern) => Frame::Json(environment.value(pattern)),
            Self::Text(text) => Frame::Exactly(Event::Text(environment.text(text))),
            Self::Hex(bytes) => Frame::Exactly(Event::Binary(hex::parse(&environment.text(bytes))?)),
            Self::Pong(bytes) => Frame::Exactly(Event::Pong(hex::parse(&environment.text(bytes))?)),
            Self::Unordered(_) => return Err(Failure::new("\"unordered\" inside of \"unordered\"")),
        })
    }
}

/// An expected frame with everything filled in that is known before it arrives.
enum Frame {
    Json(Value),
    Exactly(Event),
}

impl Frame {
    fn compare(&self, event: Option<&Event>, binds: &mut Binds) -> Result<(), Vec<String>> {
        match self {
            Self::Exactly(expected) if event == Some(expected) => Ok(()),
            Self::Exactly(_) => Err(Vec::new()),
            Self::Json(pattern) => {
                let Some(Event::Text(text)) = event else {
                    return Err(Vec::new());
                };
                let value = serde_json::from_str(text).map_err(|error| vec![format!("not JSON: {error}")])?;
                pattern::compare(pattern, &value, binds)
            }
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Json(pattern) => format!("json {}", pattern::show(pattern)),
            Self::Exactly(event) => event.describe(),
        }
    }
}

fn expect_unordered(
    frames: &[Frame],
    binds: &mut Binds,
    mut next: impl FnMut() -> Result<Option<Event>, Failure>,
) -> Result<(), Failure> {
    let fits = |frame: &Frame, event: &Event, binds: &mut Binds| frame.compare(Some(event), binds).is_ok();
    let mut events = Vec::new();
    let mut found = binds.clone();
    while events.len() < frames.len() {
        let event = next()?;
        let assigned = event.clone().and_then(|event| {
            events.push(event);
            pattern::assign(frames, &events, binds, &fits)
        });
        let Some(assigned) = assigned else {
            let mut lines = vec!["expected in any order".to_owned()];
            lines.extend(frames.iter().map(|frame| format!("  {}", frame.describe())));
            lines.push("got".to_owned());
            lines.extend(events.iter().map(|event| format!("  {}", event.describe())));
            if event.is_none() {
                lines.push("  nothing more".to_owned());
            }
            return Err(Failure::lines(&lines));
        };
        found = assigned;
    }
    *binds = found;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::environment::Profile;
    use super::*;

    #[test]
    fn frames_are_taken_in_order() {
        let patterns = json!([{"json": [1, "{{any}}"]}, {"text": "x"}, {"hex": "00 'a'"}, {"pong": ""}]);
        let events = [text("[1, 2]"), text("x"), Event::Binary(vec![0, b'a']), Event::Pong(Vec::new())];

        assert!(expect(&patterns, &events).is_ok());
        assert!(expect(&patterns, &[&events[1..], &events[..1]].concat()).is_err());
    }

    #[test]
    fn missing_frame_and_end_of_the_connection_are_failures() {
        let patterns = json!([{"json": "{{any}}"}]);

        assert!(expect(&patterns, &[]).is_err());
        assert!(expect(&patterns, &[Event::Ended]).is_err());
        assert!(expect(&patterns, &[text("{")]).is_err());
    }

    #[test]
    fn binary_frame_is_not_a_text_frame() {
        assert!(expect(&json!([{"hex": "61"}]), &[text("a")]).is_err());
        assert!(expect(&json!([{"json": 1}]), &[Event::Binary(b"1".to_vec())]).is_err());
        assert!(expect(&json!([{"pong": "61"}]), &[Event::Binary(b"a".to_vec())]).is_err());
    }

    #[test]
    fn unordered_frames_may_swap() {
        let patterns = json!([{"unordered": [{"json": 1}, {"json": 2}]}, {"json": 3}]);

        assert!(expect(&patterns, &[text("2"), text("1"), text("3")]).is_ok());
        assert!(expect(&patterns, &[text("2"), text("2"), text("3")]).is_err());
        assert!(expect(&patterns, &[text("2"), text("3"), text("1")]).is_err());
    }

    #[test]
    fn unordered_frames_find_their_places_together() {
        let patterns = json!([{"unordered": [{"json": "{{string}}"}, {"json": "a"}]}]);

        assert!(expect(&patterns, &[text("\"a\""), text("\"b\"")]).is_ok());
    }

    #[test]
    fn failure_shows_both_sides_and_the_place() {
        let failure = expect(&json!([{"json": [1]}]), &[text("[2]")]).unwrap_err().to_string();

        assert_eq!(failure, "expected json [1]\ngot      text [2]\n$[0]: expected 1, got 2");
    }

    fn text(text: &str) -> Event {
        Event::Text(text.to_owned())
    }

    fn expect(patterns: &Value, events: &[Event]) -> Result<(), Failure> {
        let patterns: Vec<FramePattern> = serde_json::from_value(patterns.clone()).unwrap();
        let mut events = events.iter().cloned();
        let environment = Environment::fresh(Profile::default());
        FramePattern::expect_all(&patterns, &environment, &mut Binds::default(), || Ok(events.next()))
    }
}
