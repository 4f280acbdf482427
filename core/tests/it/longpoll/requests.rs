use bennu_core::Compat;
use bennu_core::connect::{
    self, Admission, CheckOrigin, ConnectInfoKeys, Limits, MountPath, Options, Params, PathVariables,
    QueryError, Vsn,
};
use bennu_core::connect::{Carrier, Scheme};
use bennu_core::longpoll::{Answer, BodyError, Encoding, Refusal, Request, examine, open};
use http::request::Parts;
use http::{Method, StatusCode};

const CARRIER: Carrier = Carrier { peer: None, scheme: Scheme::Http };

fn head(method: Method, target: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = http::Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn read(method: Method, target: &str, headers: &[(&str, &str)]) -> Result<Request, Refusal> {
    examine(&head(method, target, headers), CARRIER, &Options::default())
}

fn poll(query: &str, token: Option<&str>) -> Result<Request, Refusal> {
    Ok(Request::Poll { token: token.map(str::to_owned), params: Params::from_query(query).unwrap() })
}

/// Opens a session, if the head is one that polls.
fn opened(parts: &Parts, variables: PathVariables<'_>, options: &Options) -> Result<Admission, Refusal> {
    let Request::Poll { params, .. } = examine(parts, CARRIER, options)? else { panic!("it is no GET") };
    open(parts, params, variables, CARRIER, options)
}

/// The HTTP status, and the one in the body if there is any.
fn statuses(refusal: &Refusal) -> (u16, String) {
    let response = refusal.answer().into_response(Compat::default());
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    (response.status().as_u16(), String::from_utf8(response.body().to_vec()).unwrap())
}

#[test]
fn token_comes_from_the_header_or_else_from_the_query() {
    // R161
    let header = [("x-phoenix-longpoll-token", "from-header")];

    assert_eq!(read(Method::GET, "/socket/longpoll?vsn=2.0.0", &[]), poll("vsn=2.0.0", None));
    assert_eq!(read(Method::GET, "/?token=from%2Dquery", &[]), poll("token=from-query", Some("from-query")));
    assert_eq!(read(Method::GET, "/?vsn=2.0.0", &header), poll("vsn=2.0.0", Some("from-header")));
    assert_eq!(read(Method::GET, "/?token=garbage", &header), poll("token=garbage", Some("from-header")));
    assert_eq!(
        read(Method::POST, "/?token=garbage", &header),
        Ok(Request::Post { token: Some("from-header".to_owned()), encoding: Encoding::Single })
    );
}

#[test]
fn what_is_no_token_is_none_and_no_error() {
    // I-17
    assert_eq!(read(Method::GET, "/?token[]=x", &[]), poll("token[]=x", None));
    assert_eq!(read(Method::GET, "/?token[a]=x", &[]), poll("token[a]=x", None));
    assert_eq!(read(Method::GET, "/?token=", &[]), poll("token=", Some("")));
    let mut parts = head(Method::GET, "/?token=x", &[]);
    parts.headers.insert("x-phoenix-longpoll-token", http::HeaderValue::from_bytes(b"\xff").unwrap());
    assert_eq!(examine(&parts, CARRIER, &Options::default()), poll("token=x", None));
}

#[test]
fn post_says_how_its_body_is_written_down() {
    // R155
    let encoding = |name| match read(Method::POST, "/?token=x", &[("content-type", name)]) {
        Ok(Request::Post { encoding, .. }) => encoding,
        other => panic!("{other:?}"),
    };

    assert_eq!(encoding("application/x-ndjson"), Encoding::Batch);
    assert_eq!(encoding("application/json"), Encoding::Single);
}

#[test]
fn refused_origin_is_http_200_and_403_in_the_body_whatever_the_method() {
    // R148
    let evil = [("origin", "http://evil.test"), ("host", "good.test")];
    for method in [Method::GET, Method::POST, Method::OPTIONS, Method::PUT] {
        let refusal = read(method, "/", &evil).unwrap_err();

        assert!(matches!(refusal, Refusal::Head(connect::Refusal::Origin(_))));
        assert_eq!(statuses(&refusal), (200, "{\"status\":403}".to_owned()));
    }
    assert!(read(Method::GET, "/", &[("origin", "http://good.test"), ("host", "good.test")]).is_ok());
}

#[test]
fn other_methods_are_400_with_an_empty_body() {
    // R150, R151
    for method in [Method::PUT, Method::DELETE, Method::HEAD, Method::PATCH, Method::CONNECT] {
        let refusal =
            examine(&head(method.clone(), "a.test:80", &[]), CARRIER, &Options::default()).unwrap_err();

        assert_eq!(refusal, Refusal::Method(method));
        assert_eq!(statuses(&refusal), (400, String::new()));
    }
}

#[test]
fn preflight_allows_the_headers_that_it_asks_for() {
    // R149
    let headers = |headers: &[(&str, &str)]| match read(Method::OPTIONS, "/?vsn=2.0.0", headers) {
        Ok(Request::Preflight { headers }) => headers,
        other => panic!("{other:?}"),
    };
    let name = "access-control-request-headers";

    assert_eq!(headers(&[]), "");
    assert_eq!(headers(&[(name, "content-type, x-foo")]), "content-type, x-foo");
    assert_eq!(headers(&[(name, "content-type"), (name, "x-foo")]), "content-type, x-foo");
}

#[test]
fn query_that_cannot_be_decoded_is_400() {
    for method in [Method::GET, Method::POST, Method::OPTIONS] {
        let refusal = read(method, "/?token=hunter2%ff", &[("origin", "http://evil.test")]).unwrap_err();

        assert!(matches!(refusal, Refusal::Head(connect::Refusal::Query(QueryError::Percent(_)))));
        let (status, body) = statuses(&refusal);
        assert_eq!(status, 400);
        assert!(!body.contains("hunter2"), "{body}");
    }
}

#[test]
fn head_that_is_too_large_is_refused_before_all_else() {
    let options = Options { limits: Limits { headers: 1, ..Limits::default() }, ..Options::default() };
    let two = head(Method::PUT, "/?a=%ff", &[("a", "1"), ("a", "2")]);
    let long = head(Method::PUT, &format!("/?a=%ff&{}", "b".repeat(9_000)), &[]);

    assert_eq!(statuses(&examine(&two, CARRIER, &options).unwrap_err()).0, 431);
    assert_eq!(statuses(&examine(&long, CARRIER, &options).unwrap_err()).0, 414);
}

#[test]
fn body_that_is_too_long_is_413_and_one_that_cannot_be_read_400() {
    // R156
    let status = |error: BodyError| statuses(&Refusal::from(error)).0;

    assert_eq!(status(BodyError::TooLong { len: 2, limit: 1 }), 413);
    assert_eq!(status(BodyError::NotBase64 { line: 0 }), 400);
    assert_eq!(status(BodyError::Nul { line: 0 }), 400);
}

#[test]
fn application_sees_the_query_the_path_and_what_the_mount_keeps() {
    // R160
    let mount = MountPath::new("/orgs/{org}", "units/{unit}/poll").unwrap();
    let options = Options { connect_info: ConnectInfoKeys::new().user_agent(), ..Options::default() };
    let target = "/orgs/acme/units/7/poll?q=1&vsn=2.0.0&token=mine&org=mallory";
    let parts = head(Method::GET, target, &[("user-agent", "conf/1")]);
    let variables = mount.capture(parts.uri.path()).unwrap();

    let admission = opened(&parts, variables, &options).unwrap();

    assert_eq!(admission.vsn(), Vsn::Text("2.0.0"));
    let params = ["org", "unit", "q", "token"].map(|name| admission.params.str(name));
    assert_eq!(params, [Some("acme"), Some("7"), Some("1"), Some("mine")]);
    assert_eq!(admission.info.user_agent(), Some("conf/1"));
    assert_eq!((admission.info.auth_token(), admission.subprotocol), (None, None));
}

#[test]
fn auth_token_comes_as_it_is_in_a_header_of_its_own() {
    // R160
    let options = Options { auth_token: true, ..Options::default() };
    let token = |headers: &[(&str, &str)]| {
        let parts = head(Method::GET, "/", headers);
        let admission = opened(&parts, PathVariables::default(), &options).unwrap();
        admission.info.auth_token().map(|token| token.map(str::to_owned))
    };

    assert_eq!(token(&[("X-Phoenix-AuthToken", "secret-1")]), Some(Some("secret-1".to_owned())));
    assert_eq!(token(&[("sec-websocket-protocol", "base64url.bearer.phx.QQ")]), Some(None));
}

#[test]
fn auth_token_that_is_no_text_is_400() {
    let options = Options { auth_token: true, ..Options::default() };
    let mut parts = head(Method::GET, "/", &[]);
    parts.headers.insert("x-phoenix-authtoken", http::HeaderValue::from_bytes(b"\xff").unwrap());

    let refusal = opened(&parts, PathVariables::default(), &options).unwrap_err();

    assert_eq!(statuses(&refusal).0, 400);
}

#[test]
fn path_variable_that_cannot_be_decoded_is_400() {
    let mount = MountPath::new("/orgs/{org}", "longpoll").unwrap();
    let parts = head(Method::GET, "/orgs/%ff/longpoll", &[]);

    let refusal = opened(&parts, mount.capture(parts.uri.path()).unwrap(), &Options::default());

    assert_eq!(statuses(&refusal.unwrap_err()).0, 400);
}

#[test]
fn policy_about_origins_is_that_of_the_mount() {
    let strict = Options { check_origin: CheckOrigin::hosts(["//good.test"]).unwrap(), ..Options::default() };
    let open = Options { check_origin: CheckOrigin::Any, ..Options::default() };
    let parts = head(Method::GET, "/", &[("origin", "http://evil.test")]);

    assert!(examine(&parts, CARRIER, &strict).is_err());
    assert!(examine(&parts, CARRIER, &open).is_ok());
}

#[test]
fn failure_of_this_end_is_its_own_http_status() {
    let answer = Answer::Error { status: StatusCode::INTERNAL_SERVER_ERROR, body: String::new() };

    let response = answer.into_response(Compat::default());

    assert_eq!((response.status().as_u16(), response.body().len()), (500, 0));
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
}
