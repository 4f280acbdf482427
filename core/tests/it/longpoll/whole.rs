use super::desk::{Desk, json, request};
use super::*;

const HEARTBEAT: &str = r#"[null,"1","phoenix","heartbeat",{}]"#;
const ANSWER: &str = r#"[null,"1","phoenix","phx_reply",{"response":{},"status":"ok"}]"#;
const V2: &str = "vsn=2.0.0";

fn with(token: &str) -> String {
    format!("{V2}&token={token}")
}

#[test]
fn get_without_a_token_opens_a_session() {
    // R140
    let mut desk = Desk::new();

    let opened = desk.get(V2);

    assert_eq!((opened.status, opened.messages, desk.sessions()), (410, Some(vec![]), 1));
    assert_ne!(opened.token, desk.get(V2).token, "every GET without a token opens its own");
}

#[test]
fn answer_to_a_post_comes_by_the_next_get_with_the_same_token() {
    // R142, R144
    let mut desk = Desk::new();
    let token = desk.opened(V2);

    let posted = desk.post(&with(&token), HEARTBEAT);
    assert_eq!((posted.status, posted.token, posted.messages), (200, None, None));

    let polled = desk.get(&with(&token));
    assert_eq!((polled.status, polled.token.as_deref()), (200, Some(&*token)));
    assert_eq!(polled.messages.unwrap(), [ANSWER]);
}

#[test]
fn without_a_vsn_messages_are_those_of_version_1() {
    let mut desk = Desk::new();
    let token = desk.opened("");
    let query = format!("token={token}");

    let heartbeat = r#"{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}"#;
    assert_eq!(desk.post(&query, heartbeat).status, 200);

    let reply =
        r#"{"topic":"phoenix","event":"phx_reply","payload":{"status":"ok","response":{}},"ref":"1"}"#;
    let messages = desk.get(&query).messages.unwrap();
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(messages.iter().map(|text| value(text)).collect::<Vec<_>>(), [value(reply)]);
}

#[test]
fn idle_get_is_204_after_the_window_with_the_same_token() {
    // R143
    let mut desk = Desk::new();
    let token = desk.opened(V2);

    let polled = desk.get(&with(&token));

    assert_eq!((polled.status, polled.token, polled.messages), (204, Some(token), Some(vec![])));
    assert_eq!(desk.now, WINDOW);
}

#[test]
fn dead_token_opens_another_session_by_get_and_is_410_by_post() {
    // R141, R145, I-17
    let mut desk = Desk::new();
    let token = desk.opened(V2);
    assert_eq!(desk.post(&with(&token), HEARTBEAT).status, 200);
    let altered: Vec<String> = (0..token.len())
        .map(|at| {
            let mut altered = token.clone().into_bytes();
            altered[at] ^= 1;
            String::from_utf8(altered).unwrap()
        })
        .collect();

    for dead in altered.iter().map(String::as_str).chain(["", "garbage", "%00", &token[1..]]) {
        let gone = desk.post(&with(dead), HEARTBEAT);
        assert_eq!((gone.status, gone.token), (410, None), "{dead}");
        let opened = desk.get(&with(dead));
        assert_eq!((opened.status, opened.messages), (410, Some(vec![])), "{dead}");
    }

    assert_eq!(desk.get(&with(&token)).messages.unwrap(), [ANSWER], "the session itself lives on");
}

#[test]
fn token_of_another_secret_or_another_run_of_the_endpoint_is_dead() {
    // I-17
    for change in [|desk: &mut Desk| desk.secret = 2, |desk: &mut Desk| desk.endpoint = 2] {
        let mut desk = Desk::new();
        let token = desk.opened(V2);

        change(&mut desk);

        assert_eq!(desk.post(&with(&token), HEARTBEAT).status, 410);
        assert_eq!(desk.get(&with(&token)).status, 410);
    }
}

#[test]
fn token_expires_though_its_session_is_polled_all_the_time() {
    // R162
    let mut desk = Desk::new();
    desk.config = Config::with_window(Duration::from_secs(24 * 60 * 60));
    let token = desk.opened(V2);
    for day in 1..=14 {
        assert_eq!(desk.get(&with(&token)).status, 204, "day {day}");
    }
    assert_eq!(desk.post(&with(&token), HEARTBEAT).status, 200);

    desk.sleep(1);

    assert_eq!(desk.post(&with(&token), HEARTBEAT).status, 410);
    let opened = desk.get(&with(&token));
    assert_eq!((opened.status, opened.messages), (410, Some(vec![])));
}

#[test]
fn session_that_is_not_polled_is_gone() {
    // R159
    let mut desk = Desk::new();
    let token = desk.opened(V2);
    desk.sleep(INACTIVE - 1);
    assert_eq!(desk.post(&with(&token), HEARTBEAT).status, 200);

    desk.sleep(1);

    assert_eq!(desk.sessions(), 0);
    assert_eq!(desk.post(&with(&token), HEARTBEAT).status, 410);
    assert_ne!(desk.get(&with(&token)).token, Some(token));
}

#[test]
fn disconnected_session_is_gone_and_the_next_get_opens_another() {
    // R164
    let mut desk = Desk::new();
    let token = desk.opened(V2);

    desk.disconnect(&token);

    assert_eq!(desk.post(&with(&token), HEARTBEAT).status, 410);
    let opened = desk.get(&with(&token));
    assert_eq!(opened.status, 410);
    assert_ne!(opened.token, Some(token));
}

#[test]
fn refused_connect_is_403_without_a_token() {
    // R147, R14
    let mut desk = Desk::new();

    for query in ["vsn=2.0.0&mode=refused", "vsn=3.0.0", "vsn=x", "vsn[]=2.0.0"] {
        let refused = desk.get(query);
        assert_eq!((refused.status, refused.token, refused.messages), (403, None, None), "{query}");
    }
    assert_eq!(desk.sessions(), 0);
}

#[test]
fn application_is_told_about_the_get_that_opened_the_session_and_no_other() {
    // R160
    let mut desk = Desk::new();
    let token = desk.opened("vsn=2.0.0&user=ann&token=letmein");

    desk.post(&format!("{}&user=bob", with(&token)), HEARTBEAT);
    desk.get(&format!("{}&user=eve", with(&token)));

    let params = desk.params(&token);
    assert_eq!((params.str("user"), params.str("token")), (Some("ann"), Some("letmein")));
}

fn batch(desk: &mut Desk, token: &str, body: &str) -> http::Response<bytes::Bytes> {
    let mut request = request("POST", &with(token), body);
    let name = http::HeaderValue::from_static("application/x-ndjson");
    request.headers_mut().insert("content-type", name);
    desk.request(request)
}

#[test]
fn batch_that_ends_in_a_newline_ends_its_session_and_is_408_after_the_window() {
    // R154
    let mut desk = Desk::new();
    let token = desk.opened(V2);

    let posted = json(&batch(&mut desk, &token, &format!("{HEARTBEAT}\n")));

    assert_eq!((posted.status, desk.now, desk.sessions()), (408, WINDOW, 0));
    assert_eq!(desk.get(&with(&token)).status, 410);
}

#[test]
fn batch_of_101_lines_is_answered_100_times() {
    // R153
    let mut desk = Desk::new();
    let token = desk.opened(V2);
    let lines = vec![HEARTBEAT; 101].join("\n");

    assert_eq!(json(&batch(&mut desk, &token, &lines)).status, 200);

    assert_eq!(desk.get(&with(&token)).messages.unwrap(), vec![ANSWER; 100]);
}

#[test]
fn body_that_cannot_be_read_leaves_the_session_as_it_is() {
    // R156
    let mut desk = Desk::new();
    let token = desk.opened(V2);
    let long = "x".repeat((1 << 20) + 1);

    assert_eq!(batch(&mut desk, &token, &format!("{HEARTBEAT}\n{{}}")).status(), 400);
    assert_eq!(batch(&mut desk, &token, &long).status(), 413);
    assert_eq!(desk.request(request("POST", &with(&token), "\0")).status(), 400);
    assert_eq!(desk.request(request("POST", &with(&token), &long)).status(), 413);

    assert_eq!(desk.post(&with(&token), HEARTBEAT).status, 200);
    assert_eq!(desk.get(&with(&token)).messages.unwrap(), [ANSWER]);
}

#[test]
fn what_is_no_message_ends_the_session() {
    // R154
    let mut desk = Desk::new();
    for body in ["not json", "", "{}", "[1,2]", "[null,\"1\",\"phoenix\",\"heartbeat\",{}]\n[]"] {
        let token = desk.opened(V2);

        let before = desk.now;
        assert_eq!(desk.post(&with(&token), body).status, 408, "{body}");

        assert_eq!(desk.now, before + WINDOW);
        assert_eq!(desk.post(&with(&token), HEARTBEAT).status, 410);
    }
}
