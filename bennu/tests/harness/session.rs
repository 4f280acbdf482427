//! The session of whoever connects.

use bennu::prelude::*;
use bennu::test::{Dial, Harness};
use serde_json::{Value, json};

struct Site;

/// Who is logged in.
#[derive(Clone)]
struct Login {
    user: &'static str,
}

impl Socket for Site {
    type Assigns = Option<Login>;

    async fn connect(&self, _: Params, info: &ConnectInfo) -> Result<Option<Login>, Refused> {
        assert!(info.session::<String>().is_none(), "a session has one type");
        assert!(!format!("{info:?}").contains("ann"));
        Ok(info.session::<Login>().cloned())
    }
}

struct Desk;

impl Channel for Desk {
    type Assigns = Option<Login>;

    async fn join(_: &str, _: Payload, ctx: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        let user = ctx.assigns().as_ref().map(|login| login.user);
        let seen = ctx.info().session::<Login>().map(|login| login.user);
        assert_eq!(user, seen);
        Ok(Joined::with(Self, json!({ "user": user })))
    }
}

/// An application whose sessions are cookies, and count beside the token that the page was given.
fn harness() -> Harness {
    let site = bennu::socket(Site).channel::<Desk>("desk").session(|headers, params| {
        let cookie = headers.get("cookie")?.to_str().ok()?;
        assert_ne!(cookie, "broken", "the store is down");
        let user = (cookie == "session=ann").then_some("ann")?;
        (params.str("_csrf_token") == Some("for ann")).then_some(Login { user })
    });
    Harness::new(Endpoint::builder().socket("/socket", site))
}

fn dial(cookie: &str, token: &str) -> Dial {
    Dial::new("/socket").header("cookie", cookie).params(json!({ "_csrf_token": token }))
}

fn user(t: &Harness, dial: Dial) -> Value {
    let (_, response) = t.connect_with(dial).unwrap().join("desk", ()).unwrap();
    response.parse::<Value>().unwrap()["user"].clone()
}

// R138
#[test]
fn session_is_there_for_cookie_and_token_together() {
    assert_eq!(user(&harness(), dial("session=ann", "for ann")), "ann");
}

// R138
#[test]
fn who_has_no_session_connects_without() {
    let t = harness();

    for dial in [
        Dial::new("/socket"),
        Dial::new("/socket").header("cookie", "session=ann"),
        dial("session=eve", "for ann"),
        dial("session=ann", "for eve"),
    ] {
        assert_eq!(user(&t, dial), Value::Null);
    }
}

#[test]
fn reader_that_panics_is_an_error_of_the_server() {
    let failed = harness().connect_with(dial("broken", "")).unwrap_err();

    assert_eq!(failed.status.as_u16(), 500);
    assert!(failed.cause.unwrap().contains("the store is down"));
}
