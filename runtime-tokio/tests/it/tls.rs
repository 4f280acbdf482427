//! The same over TLS, where a connection's own task alone can write.

use crate::app::{Probe, Probing, Room, text_of};
use crate::client::{Client, SOCKET, soon, until};
use crate::neighbour::beside;
use crate::recorder::Recorder;
use crate::rt::{RUNTIME, Serve};
use bennu::{Endpoint, Limits};
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// One endpoint behind two listeners.
struct Servers {
    endpoint: Endpoint,
    plain: SocketAddr,
    secure: SocketAddr,
    connector: TlsConnector,
}

impl Servers {
    fn start() -> Self {
        Self::start_with(Limits::new())
    }

    fn start_with(limits: Limits) -> Self {
        Self::serve_with(limits, |serve| serve)
    }

    fn serve_with(limits: Limits, set: impl FnOnce(Serve<Endpoint>) -> Serve<Endpoint>) -> Self {
        let socket = bennu::socket(Probing(Probe::new().0)).channel::<Room>("room:*").limits(limits);
        let endpoint = Endpoint::builder().socket("/socket", socket).build(RUNTIME);

        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
        let mut roots = RootCertStore::empty();
        roots.add(own.cert.der().clone()).unwrap();
        let server = ServerConfig::builder().with_no_client_auth();
        let server = server.with_single_cert(vec![own.cert.der().clone()], key.into()).unwrap();
        let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();

        let secure = crate::rt::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let plain = crate::rt::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let servers = Self {
            endpoint: endpoint.clone(),
            plain: plain.local_addr().unwrap(),
            secure: secure.local_addr().unwrap(),
            connector: Arc::new(client).into(),
        };
        let secure = set(crate::rt::serve(secure, endpoint.clone())).with_tls(Arc::new(server));
        let plain = crate::rt::serve(plain, endpoint);
        tokio::spawn(async move { secure.await });
        tokio::spawn(async move { plain.await });
        servers
    }

    async fn connect(&self) -> Client<TlsStream<TcpStream>> {
        Client::over(self.agree(TcpStream::connect(self.secure).await.unwrap()).await, SOCKET).await
    }

    /// Makes the TLS handshake.
    async fn agree(&self, stream: TcpStream) -> TlsStream<TcpStream> {
        let name = ServerName::try_from("localhost").unwrap();
        soon("the TLS handshake", self.connector.connect(name, stream)).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broadcast_joins_members_over_tls_and_plain_ones() {
    let servers = Servers::start();
    let mut secure = servers.connect().await;
    let mut plain = Client::connect(servers.plain).await;
    secure.join("room:a").await;
    plain.join("room:a").await;

    secure.push("room:a", "tell_others", json!({ "from": "secure" })).await;
    assert_eq!(plain.event("room:a", "told").await, json!({ "from": "secure" }));
    plain.push("room:a", "tell_others", json!({ "from": "plain" })).await;
    assert_eq!(secure.event("room:a", "told").await, json!({ "from": "plain" }));

    let response = secure.call("room:a", "echo", json!({ "text": "x".repeat(300_000) })).await;
    assert_eq!(response["text"].as_str().map(str::len), Some(300_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn burst_of_broadcasts_reaches_a_member_over_tls_whole_and_in_order() {
    let servers = Servers::start();
    let mut secure = servers.connect().await;
    let mut plain = Client::connect(servers.plain).await;
    secure.join("room:a").await;
    plain.join("room:a").await;

    for burst in 0..20 {
        for n in 0..100 {
            let event = format!("event {burst} {n}");
            servers.endpoint.broadcast("room:a", &event, text_of(n)).unwrap();
        }
        for n in 0..100 {
            let event = format!("event {burst} {n}");
            secure.event("room:a", &event).await;
            plain.event("room:a", &event).await;
        }
    }
    secure.heartbeat().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lone_broadcast_wakes_the_task_of_a_member_over_tls() {
    let servers = Servers::start();
    let mut secure = servers.connect().await;
    secure.join("room:a").await;

    for n in 0..200 {
        servers.endpoint.broadcast("room:a", &format!("event {n}"), json!({})).unwrap();
        secure.event("room:a", &format!("event {n}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flood_of_one_s_own_over_tls_cuts_nobody_off() {
    let servers = Servers::start_with(Limits::new().outbox(4 * 1024));
    let mut secure = servers.connect().await;
    secure.join("room:a").await;
    let (mut flood, mut refs) = (Vec::new(), Vec::new());
    for _ in 0..1000 {
        let (push, msg_ref) = secure.pushed("room:a", "echo", json!({ "text": "x".repeat(100) }));
        flood.extend(push);
        refs.push(msg_ref);
    }

    secure.raw(&flood).await;

    for msg_ref in refs {
        assert_eq!(secure.reply(&msg_ref).await.0, "ok");
    }
    secure.heartbeat().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_frame_reaches_a_member_over_tls() {
    let servers = Servers::start();
    let mut secure = servers.connect().await;
    secure.join("room:a").await;

    servers.endpoint.disconnect("socket:everybody");

    assert_eq!(secure.closed().await, 1001);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_handshake_that_never_comes_is_cut_off_after_5_s() {
    let servers = Servers::start();
    let mut silent = TcpStream::connect(servers.secure).await.unwrap();
    let start = Instant::now();

    let read = soon("the end", silent.read(&mut [0; 16])).await;

    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    let took = start.elapsed();
    assert!(took > Duration::from_secs(4) && took < Duration::from_secs(7), "{took:?}");
}

const SHORT: Duration = Duration::from_secs(1);

/// How long until a stream on which nothing comes has ended.
async fn end_of(mut stream: impl AsyncRead + Unpin) -> Duration {
    let start = Instant::now();
    let read = soon("the end", stream.read(&mut [0; 16])).await;
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    start.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_handshake_that_never_comes_is_counted() {
    let recorder = Recorder::default();
    let short = Duration::from_millis(100);
    let servers =
        recorder.during(|| Servers::serve_with(Limits::new(), |serve| serve.tls_handshake_timeout(short)));

    end_of(TcpStream::connect(servers.secure).await.unwrap()).await;

    until("it to be counted", || recorder.limits() == [("tls_handshake".to_owned(), 1)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_for_tls_is_a_setting() {
    let servers = Servers::serve_with(Limits::new(), |serve| serve.tls_handshake_timeout(SHORT));

    beside(servers.plain, async {
        let silent = TcpStream::connect(servers.secure).await.unwrap();
        let mut begun = TcpStream::connect(servers.secure).await.unwrap();
        begun.write_all(&[0x16, 3, 1, 0, 200]).await.unwrap();

        for stream in [silent, begun] {
            let took = end_of(stream).await;
            assert!(took < Duration::from_secs(4), "{took:?}");
        }
        servers.connect().await.heartbeat().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_without_end_is_one_that_can_be_told_over_tls() {
    let servers = Servers::serve_with(Limits::new(), |serve| {
        serve.handshake_timeout(Duration::MAX).tls_handshake_timeout(Duration::MAX)
    });

    servers.connect().await.heartbeat().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_takes_no_more_than_its_share_of_the_handshake() {
    let servers = Servers::serve_with(Limits::new(), |serve| serve.handshake_timeout(SHORT));

    beside(servers.plain, async {
        let silent = TcpStream::connect(servers.secure).await.unwrap();
        let agreed = servers.agree(TcpStream::connect(servers.secure).await.unwrap()).await;

        let took = end_of(silent).await + end_of(agreed).await;

        assert!(took < Duration::from_secs(4), "{took:?}");
        servers.connect().await.heartbeat().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reader_over_tls_that_takes_nothing_is_cut_off_for_size_and_for_age() {
    for (limits, broadcasts) in
        [(Limits::new().outbox(64 * 1024), 300), (Limits::new().outbox(8 << 20).outbox_age(SHORT), 200)]
    {
        let servers = Servers::start_with(limits);

        beside(servers.plain, async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_recv_buffer_size(8 * 1024).unwrap();
            let stream = servers.agree(socket.connect(servers.secure).await.unwrap()).await;
            let mut stuck = Client::over(stream, SOCKET).await;
            stuck.join("room:a").await;

            for n in 0..broadcasts {
                servers.endpoint.broadcast("room:a", &format!("event {n}"), text_of(8 * 1024)).unwrap();
                tokio::task::yield_now().await;
            }

            until("the stuck reader to be cut off", || servers.endpoint.connections() == 1).await;
        })
        .await;
    }
}
