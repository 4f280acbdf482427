//! `ref`, `join_ref`, and what is echoed of names that are no strings.

use crate::pair::Pair;

/// Whether a message with one join_ref reaches a channel joined with another.
fn reaches(stored: &str, sent: &str) -> bool {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.send(ann, &format!(r#"[{stored},"j","room:a","phx_join",{{}}]"#));
    pair.forget();

    pair.send(ann, &format!(r#"[{sent},"m","room:a","echo",{{}}]"#));
    let reached = !pair.frames(ann).is_empty();
    pair.send(ann, &format!(r#"[{sent},"l","room:a","phx_leave",{{}}]"#));
    assert_eq!(!pair.frames(ann).is_empty(), reached, "a leave is taken as any message is");
    reached
}

#[test]
fn join_ref_is_compared_by_type_and_value_and_null_is_taken() {
    for (stored, sent, taken) in [
        (r#""1""#, r#""1""#, true),
        (r#""1""#, r#""9""#, false),
        (r#""1""#, "null", true),
        (r#""1""#, "1", false),
        (r#""1""#, r#""""#, false),
        ("null", "null", true),
        ("null", r#""x""#, false),
        ("null", r#""j""#, false),
        ("1", "1", true),
        ("1", r#""1""#, false),
        (r#"{"a":1}"#, r#"{ "a": 1 }"#, true),
        (r#"{"a":1}"#, r#"{"a":2}"#, false),
        ("[1]", "[1]", true),
        ("true", "true", true),
        ("true", "false", false),
        (r#""1""#, r#""\u0031""#, true),
    ] {
        assert_eq!(reaches(stored, sent), taken, "joined with {stored}, sent {sent}");
    }
}

#[test]
fn channel_joined_without_a_join_ref_takes_the_ref_of_its_join() {
    let mut pair = Pair::new();
    let ann = pair.connect();

    pair.send(ann, r#"[null,"28","room:n","phx_join",{}]"#);
    pair.send(ann, r#"[null,"29","room:n","push",{}]"#);
    pair.send(ann, r#"[null,"30","room:n","echo",{}]"#);
    pair.send(ann, r#"[null,"31","room:n","phx_leave",{}]"#);

    pair.expect(
        ann,
        [
            r#"[null,"28","room:n","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["28",null,"room:n","pushed",{}]"#,
            r#"["28","30","room:n","phx_reply",{"status":"ok","response":{}}]"#,
            r#"["28","31","room:n","phx_reply",{"status":"ok","response":{}}]"#,
            r#"[null,null,"room:n","phx_close",{}]"#,
        ],
    );
}

#[test]
fn crash_of_a_channel_joined_without_a_join_ref_has_null_in_both_refs() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.send(ann, r#"[null,"1","room:a","phx_join",{}]"#);
    pair.forget();

    pair.send(ann, r#"[null,"2","room:a","crash",{}]"#);

    pair.expect(ann, [r#"[null,null,"room:a","phx_error",{"reason":"channel_crash"}]"#]);
}

#[test]
fn second_join_without_join_refs_is_answered_then_the_first_is_closed() {
    let mut pair = Pair::new();
    let ann = pair.connect();
    pair.send(ann, r#"[null,"1","room:a","phx_join",{}]"#);
    pair.forget();

    pair.send(ann, r#"[null,"2","room:a","phx_join",{}]"#);

    pair.expect(
        ann,
        [
            r#"[null,"2","room:a","phx_reply",{"status":"ok","response":{}}]"#,
            r#"[null,null,"room:a","phx_close",{}]"#,
        ],
    );
}

#[test]
fn refs_of_every_type_are_echoed_as_they_came() {
    for r in [r#""6""#, "6", "null", "1.50", r#"{"a":[1,null]}"#, "true", r#""\u00e9""#, r#""""#] {
        let mut pair = Pair::new();
        let ann = pair.connect();

        pair.send(ann, &format!(r#"[{r},{r},"room:a","phx_join",{{}}]"#));
        pair.send(ann, &format!(r#"[{r},{r},"room:a","echo",{{}}]"#));
        pair.send(ann, &format!(r#"[{r},{r},"room:a","phx_leave",{{}}]"#));

        let reply = format!(r#"[{r},{r},"room:a","phx_reply",{{"status":"ok","response":{{}}}}]"#);
        let close = format!(r#"[{r},{r},"room:a","phx_close",{{}}]"#);
        pair.expect(ann, [&reply, &reply, &reply, &close]);
    }
}

#[test]
fn topic_that_is_no_string_is_unmatched_and_echoed() {
    for topic in ["1", "null", r#"{"room":"a"}"#, r#"["room:a"]"#, "false"] {
        let mut pair = Pair::new();
        let ann = pair.connect_as(bennu_core::wire::Serializer::V2, 1, None);

        pair.send(ann, &format!(r#"["1","1",{topic},"phx_join",{{}}]"#));
        pair.send(ann, &format!(r#"["1","2",{topic},"echo",{{}}]"#));
        pair.send(ann, &format!(r#"["1","3",{topic},"phx_leave",{{}}]"#));
        pair.send(ann, &format!(r#"["1","4",{topic},"heartbeat",{{}}]"#));

        let error = |n: u32| {
            let response = r#"{"status":"error","response":{"reason":"unmatched topic"}}"#;
            format!(r#"[null,"{n}",{topic},"phx_reply",{response}]"#)
        };
        let left = format!(r#"["1","3",{topic},"phx_reply",{{"status":"ok","response":{{}}}}]"#);
        pair.expect(ann, [&error(1), &error(2), &left, &error(4)]);
    }
}

#[test]
fn event_that_is_no_string_is_one_that_no_handler_knows() {
    let mut pair = Pair::new();
    let ann = pair.connect();

    pair.send(ann, r#"["1","1","room:a",{"phx_join":1},{}]"#);
    pair.joined(ann, "1", "room:a");
    pair.send(ann, r#"["1","2","room:a",["phx_leave"],{}]"#);
    pair.send(ann, r#"["1","3","phoenix",1,{}]"#);

    assert_eq!(pair.said()[0], r#"0 in room:a ["phx_leave"]"#);
}
