//! Whom a request is for, and who is believed about that.

use crate::client::{Client, request, status};
use crate::server::Server;
use bennu::prelude::*;
use bennu::{CheckOrigin, ConnectInfoKeys, TrustedProxies};
use serde_json::{Value, json};
use tokio::net::TcpStream;

const TARGET: &str = "/socket/websocket?vsn=2.0.0";

/// A channel that tells its client who that is.
struct Mirror;

impl Channel for Mirror {
    type Assigns = ();

    async fn join(_: &str, _: Payload, ctx: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        let uri = ctx.info().uri().or_reason("no uri")?;
        let peer = ctx.info().peer_data().map(|peer| peer.ip());
        Ok(Joined::with(Self, json!({ "peer": peer, "scheme": uri.scheme.as_str() })))
    }
}

fn server(proxies: TrustedProxies) -> Server {
    let keys = ConnectInfoKeys::new().peer_data().uri();
    let socket = bennu::socket(Open).channel::<Mirror>("mirror").connect_info(keys);
    let socket = socket.check_origin(CheckOrigin::Conn);
    Server::start(
        Endpoint::builder().trusted_proxies(proxies).socket("/socket", socket).build(crate::rt::RUNTIME),
    )
}

async fn seen(server: &Server, headers: &str) -> Value {
    let stream = TcpStream::connect(server.address).await.unwrap();
    let mut client = Client::over_with(stream, TARGET, request(TARGET, headers).as_bytes()).await;
    let join = client.send_join("mirror").await;
    client.reply(&join).await.1
}

const FORWARDED: &str = "x-forwarded-for: 1.1.1.1, 192.0.2.7\r\nx-forwarded-proto: https\r\n";

#[tokio::test]
async fn proxy_that_is_named_speaks_for_its_client() {
    let server = server(TrustedProxies::new(["127.0.0.0/8"]).unwrap());

    assert_eq!(seen(&server, FORWARDED).await, json!({ "peer": "192.0.2.7", "scheme": "https" }));
    assert_eq!(seen(&server, "").await, json!({ "peer": "127.0.0.1", "scheme": "http" }));
    assert_eq!(
        seen(&server, "x-forwarded-for: nonsense\r\n").await,
        json!({ "peer": null, "scheme": "http" })
    );
}

#[tokio::test]
async fn nobody_else_is_believed() {
    for proxies in [TrustedProxies::default(), TrustedProxies::new(["127.0.0.2", "10.0.0.0/8"]).unwrap()] {
        let server = server(proxies);

        assert_eq!(seen(&server, FORWARDED).await, json!({ "peer": "127.0.0.1", "scheme": "http" }));
    }
}

#[tokio::test]
async fn origins_are_checked_against_the_scheme_by_which_the_client_came() {
    let origin = |headers: &str| request(TARGET, &format!("origin: https://localhost\r\n{headers}"));
    let behind = server(TrustedProxies::new(["127.0.0.1"]).unwrap());
    let open = server(TrustedProxies::default());

    assert_eq!(status(behind.address, &origin(FORWARDED)).await, 101);
    assert_eq!(status(behind.address, &origin("")).await, 403);
    assert_eq!(status(open.address, &origin(FORWARDED)).await, 403);
}

#[tokio::test]
async fn huge_headers_of_a_proxy_are_refused_as_any_others() {
    let server = server(TrustedProxies::new(["127.0.0.1"]).unwrap());
    let chain = format!("x-forwarded-for: 192.0.2.7{}\r\n", ", 127.0.0.1".repeat(2_000));

    assert_eq!(status(server.address, &request(TARGET, &chain)).await, 431);
}
