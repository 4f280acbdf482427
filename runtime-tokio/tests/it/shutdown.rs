//! How a node comes to its end.

use crate::app::{Probe, Probing, Room, Told};
use crate::client::{Client, Got, SOCKET, answer, request, soon, status};
use crate::rt::RUNTIME;
use crate::server::{Server, rooms};
use axum::Router;
use axum::routing::get;
use bennu::{Drain, Endpoint};
use std::future::IntoFuture as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drain_closes_the_old_and_refuses_the_new_and_waits_for_handlers() {
    let (server, mut told) = Server::rooms();
    let mut idle = Client::connect(server.address).await;
    let mut busy = Client::connect(server.address).await;
    busy.join("room:a").await;
    busy.push("room:a", "wait", ().into()).await;
    assert_eq!(told.next().await, "handler waits");

    let endpoint = server.endpoint.clone();
    let drained = tokio::spawn(async move { endpoint.drain().await });
    assert_eq!(busy.closed().await, 1012);
    assert_eq!(idle.closed().await, 1012);
    assert_eq!(status(server.address, &request(SOCKET, "")).await, 503);
    assert!(!drained.is_finished());

    told.let_pass(1);
    assert_eq!(told.next().await, "terminate Draining after 1");
    soon("the drain", drained).await.unwrap();
    assert_eq!(server.endpoint.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connection_that_is_being_opened_is_drained_too() {
    let (server, mut told) = Server::rooms();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let slow = format!("{SOCKET}&slow=1");
    let opening = tokio::spawn(async move {
        stream.write_all(request(&slow, "").as_bytes()).await.unwrap();
        let (status, rest) = answer(&mut stream).await;
        (stream, status, rest)
    });
    assert_eq!(told.next().await, "connect waits");

    soon("the drain", server.endpoint.drain()).await;
    told.let_pass(1);

    let (mut stream, status, mut bytes) = soon("an answer", opening).await.unwrap();
    if status == 101 {
        let read = async {
            while bytes.len() < 4
                && tokio::io::AsyncReadExt::read_buf(&mut stream, &mut bytes).await.unwrap() > 0
            {}
        };
        soon("the close frame", read).await;
        assert_eq!(bytes, [0x88, 2, 0x03, 0xf4], "1012");
    } else {
        assert_eq!(status, 503);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serving_that_is_dropped_comes_to_its_end() {
    let (endpoint, _told) = rooms(Endpoint::builder(), |socket| socket);
    let listener = crate::rt::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(crate::rt::serve(listener, endpoint).into_future());
    Client::connect(address).await.heartbeat().await;

    serving.abort();

    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    soon("the listener to be closed", refused).await;
}

/// Rooms beside a route that waits for a permit.
struct Application {
    address: SocketAddr,
    told: Told,
    permits: Arc<Semaphore>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<io::Result<()>>,
}

impl Application {
    fn start() -> Self {
        let (probe, told) = Probe::new();
        let socket = bennu::socket(Probing(probe)).channel::<Room>("room:*");
        let endpoint = Endpoint::builder().socket("/socket", socket).build(RUNTIME);
        let permits = Arc::new(Semaphore::new(0));
        let waiting = Arc::clone(&permits);
        let route = get(move || async move { waiting.acquire().await.map(|_| "done").unwrap_or("closed") });
        let app = Router::new().route("/waits", route).route_service("/socket/{*path}", endpoint.clone());
        let listener = crate::rt::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = crate::rt::serve(listener, endpoint).app(app);
        let serve = serve.with_graceful_shutdown(async { stopped.await.unwrap() });
        let served = tokio::spawn(async move { serve.await });
        Self { address, told, permits, stop, served }
    }

    /// Sends a request that waits, or a part of one.
    async fn request(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }
}

const WAITS: &[u8] = b"GET /waits HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn graceful_shutdown_waits_5_s_for_all_that_is_stuck_and_no_longer() {
    let mut app = Application::start();
    let mut client = Client::connect(app.address).await;
    client.join("room:a").await;
    client.push("room:a", "wait", ().into()).await;
    assert_eq!(app.told.next().await, "handler waits");
    let _unfinished = app.request(b"GET / HTTP/1.1\r\n").await;
    let _stuck = app.request(WAITS).await;
    // Whoever connected later has been served: so have these.
    Client::connect(app.address).await.heartbeat().await;

    app.stop.send(()).unwrap();
    let start = Instant::now();
    assert_eq!(client.closed().await, 1012);
    assert!(TcpStream::connect(app.address).await.is_err(), "the listener is closed");
    app.served.await.unwrap().unwrap();

    let took = start.elapsed();
    assert!(took > Duration::from_secs(4) && took < Duration::from_secs(7), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn graceful_shutdown_waits_for_a_request_that_is_being_answered() {
    let app = Application::start();
    let mut client = Client::connect(app.address).await;
    let mut waiting = app.request(WAITS).await;
    Client::connect(app.address).await.heartbeat().await;

    app.stop.send(()).unwrap();
    assert_eq!(client.closed().await, 1012);
    let (mut served, permits) = (app.served, app.permits);
    let early = tokio::time::timeout(Duration::from_millis(300), &mut served).await;
    assert!(early.is_err(), "the request is still waiting");
    permits.add_permits(1);

    assert_eq!(answer(&mut waiting).await.0, 200);
    soon("the shutdown", served).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn graceful_shutdown_ends_at_once_if_nothing_runs() {
    let (server, mut told) = Server::rooms();
    let mut client = Client::connect(server.address).await;
    client.join("room:a").await;
    let mut unused = TcpStream::connect(server.address).await.unwrap();
    unused.write_all(b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert_eq!(answer(&mut unused).await.0, 404);
    let start = Instant::now();

    let served = server.stop();
    assert_eq!(client.closed().await, 1012);
    assert_eq!(told.next().await, "terminate Draining after 0");
    served.await.unwrap().unwrap();

    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn graceful_shutdown_waits_for_all_batches_and_serves_those_who_wait() {
    let interval = Duration::from_millis(5500);
    let drain = Drain::new().batch_size(1).interval(interval);
    let (server, mut told) = Server::rooms_with(|socket| socket.drain(drain));
    let mut one = Client::connect(server.address).await;
    one.join("room:a").await;
    let mut two = Client::connect(server.address).await;
    two.join("room:a").await;
    let start = Instant::now();

    let served = server.stop();
    let mut last = tokio::select! {
        // Which of the two is first, the node says.
        code = one.closed() => { assert_eq!(code, 1012); two }
        code = two.closed() => { assert_eq!(code, 1012); one }
    };
    assert_eq!(told.next().await, "terminate Draining after 0");
    last.heartbeat().await;
    assert!(start.elapsed() < interval, "{:?}", start.elapsed());

    assert_eq!(last.closed().await, 1012);
    assert!(start.elapsed() >= interval, "{:?}", start.elapsed());
    assert_eq!(told.next().await, "terminate Draining after 0");
    served.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drained_socket_takes_new_connections_and_can_be_drained_again() {
    let (server, mut told) = Server::rooms();
    let mut idle = Client::connect(server.address).await;
    for _ in 0..3 {
        let mut client = Client::connect(server.address).await;
        client.join("room:a").await;

        assert_eq!(server.endpoint.drain_socket("/socket").await, Some(1));

        assert_eq!(client.closed().await, 1012);
        assert_eq!(told.next().await, "terminate Draining after 0");
        idle.heartbeat().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disconnect_ends_all_connections_of_an_id() {
    let (server, mut told) = Server::rooms();
    let mut one = Client::connect(server.address).await;
    let mut two = Client::connect(server.address).await;
    one.heartbeat().await;
    two.join("room:a").await;

    server.endpoint.disconnect("socket:everybody");

    assert_eq!(one.closed().await, 1001);
    assert_eq!(two.closed().await, 1001);
    assert_eq!(told.next().await, "terminate Closed after 0");
    assert_eq!(one.next().await, Got::Ended);
}
