//! The endpoint within an axum application.

use crate::app::{Probe, Probing, Room, text_of};
use crate::client::{Client, SOCKET, answer, request, status};
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{map_request, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bennu::{
    BoxFuture, Carrier, CheckOrigin, ConnectionTask, Endpoint, Instant, PlainStream, Runtime, Scheme,
};
use bennu_tokio::Tokio;
use bytes::Bytes;
use hyper::upgrade::Upgraded;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Tokio, counting the streams that it knew, and the connections that were spawned.
#[derive(Clone, Default)]
struct Counting {
    adopted: Arc<AtomicUsize>,
    spawned: Arc<AtomicUsize>,
}

impl Runtime for Counting {
    fn spawn(&self, future: BoxFuture<'static, ()>) {
        Tokio.spawn(future);
    }

    fn spawn_connection(&self, connection: ConnectionTask) {
        self.spawned.fetch_add(1, Ordering::Relaxed);
        Tokio.spawn_connection(connection);
    }

    fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()> {
        Tokio.sleep(delay)
    }

    fn yield_now(&self) -> BoxFuture<'static, ()> {
        Tokio.yield_now()
    }

    fn now(&self) -> Instant {
        Tokio.now()
    }

    fn adopt(&self, upgraded: Upgraded) -> Result<(Box<dyn PlainStream>, Bytes), Upgraded> {
        let adopted = Tokio.adopt(upgraded);
        self.adopted.fetch_add(usize::from(adopted.is_ok()), Ordering::Relaxed);
        adopted
    }
}

fn application(runtime: Counting) -> (Endpoint, Router) {
    let socket = bennu::socket(Probing(Probe::new().0)).channel::<Room>("room:*");
    let endpoint = Endpoint::builder().socket("/socket", socket).build(runtime);
    let router = Router::new()
        .route("/health", get(|| async { "ok" }))
        .route_service("/socket/{*path}", endpoint.clone());
    (endpoint, router)
}

/// Uses everything that is mounted.
async fn use_all(address: SocketAddr, endpoint: &Endpoint) {
    let plain = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert_eq!(status(address, &plain("/health")).await, 200);
    assert_eq!(status(address, &plain("/nowhere")).await, 404);
    assert_eq!(status(address, &plain("/socket/nowhere")).await, 404);
    assert_eq!(status(address, &plain("/socket/websocket?vsn=2.0.0")).await, 400);

    let mut client = Client::connect(address).await;
    client.join("room:a").await;
    client.call("room:a", "echo", json!({ "text": "x".repeat(200_000) })).await;
    for n in 0..50 {
        endpoint.broadcast("room:a", &format!("event {n}"), text_of(n * 100)).unwrap();
    }
    for n in 0..50 {
        client.event("room:a", &format!("event {n}")).await;
    }
    assert_eq!(status(address, &plain("/health")).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endpoint_in_a_router_is_served_by_axum() {
    let runtime = Counting::default();
    let (endpoint, router) = application(runtime.clone());
    let listener = bennu_tokio::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });

    use_all(address, &endpoint).await;

    assert_eq!(runtime.adopted.load(Ordering::Relaxed), 1, "the stream is written to from any task");
    assert_eq!(
        runtime.spawned.load(Ordering::Relaxed),
        1,
        "the task of the handshake is not the connection's"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn application_beside_an_endpoint_gets_what_is_asked_of_no_socket() {
    let runtime = Counting::default();
    let (endpoint, _) = application(runtime.clone());
    let aside = || async { StatusCode::IM_A_TEAPOT };
    let router =
        Router::new().route("/health", get(|| async { "ok" })).route("/socket/websocket", get(aside));
    let listener = bennu_tokio::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let serve = bennu_tokio::serve(listener, endpoint.clone()).fallback(router);
    tokio::spawn(async move { serve.await });

    use_all(address, &endpoint).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn carrier_that_an_application_names_counts_for_more_than_the_listeners() {
    let socket = bennu::socket(Probing(Probe::new().0)).check_origin(CheckOrigin::Conn);
    let endpoint = Endpoint::builder().socket("/socket", socket).build(Tokio);
    let trusting = map_request(|mut request: Request| async {
        request.extensions_mut().insert(Carrier { peer: None, scheme: Scheme::Https });
        request
    });
    let router = Router::new().route_service("/socket/{*path}", endpoint.clone()).layer(trusting);
    let listener = bennu_tokio::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let serve = bennu_tokio::serve(listener, endpoint).app(router);
    tokio::spawn(async move { serve.await });

    assert_eq!(status(address, &request(SOCKET, "origin: https://localhost\r\n")).await, 101);
    assert_eq!(status(address, &request(SOCKET, "origin: http://localhost\r\n")).await, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn place_of_a_connection_whose_101_was_replaced_is_free_for_the_next_request() {
    let socket = bennu::socket(Probing(Probe::new().0)).channel::<Room>("room:*");
    let endpoint = Endpoint::builder().socket("/socket", socket).max_connections(1).build(Tokio);
    let refusing = map_response(|response: Response| async {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return StatusCode::IM_A_TEAPOT.into_response();
        }
        response
    });
    let router = Router::new().route_service("/socket/{*path}", endpoint.clone()).layer(refusing);
    let listener = bennu_tokio::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let serve = bennu_tokio::serve(listener, endpoint.clone()).app(router);
    tokio::spawn(async move { serve.await });

    for _ in 0..3 {
        stream.write_all(request(SOCKET, "").as_bytes()).await.unwrap();
        assert_eq!(answer(&mut stream).await.0, 418);
    }

    assert_eq!(endpoint.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn router_with_an_endpoint_is_served_by_bennu() {
    let runtime = Counting::default();
    let (endpoint, router) = application(runtime.clone());
    let listener = bennu_tokio::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let serve = bennu_tokio::serve(listener, endpoint.clone()).app(router);
    tokio::spawn(async move { serve.await });

    use_all(address, &endpoint).await;

    assert_eq!(runtime.adopted.load(Ordering::Relaxed), 1, "the stream is written to from any task");
    assert_eq!(runtime.spawned.load(Ordering::Relaxed), 0, "its client has a task already");
}

/// A service that has to be asked whether it is ready, and each clone anew, as those of tower that bound something.
#[derive(Default)]
struct Strict {
    is_ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<B> tower_service::Service<axum::http::Request<B>> for Strict {
    type Response = Response;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Response, std::convert::Infallible>>;

    fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        if std::mem::replace(&mut self.is_ready, true) {
            return std::task::Poll::Ready(Ok(()));
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    }

    fn call(&mut self, _: axum::http::Request<B>) -> Self::Future {
        assert!(self.is_ready);
        std::future::ready(Ok(StatusCode::IM_A_TEAPOT.into_response()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn application_is_given_a_request_when_it_is_ready() {
    let endpoint = || Endpoint::builder().build(Tokio);
    let listener = || bennu_tokio::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let (around, beside) = (listener(), listener());
    let addresses = [&around, &beside].map(|listener| listener.local_addr().unwrap());
    tokio::spawn(async move { bennu_tokio::serve(around, endpoint()).app(Strict::default()).await });
    tokio::spawn(async move { bennu_tokio::serve(beside, endpoint()).fallback(Strict::default()).await });

    for address in addresses {
        assert_eq!(status(address, &request("/", "")).await, 418);
    }
}
