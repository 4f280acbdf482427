//! What serves HTTP, called by whoever accepts streams of other kinds.

use crate::client::{SOCKET, answer, request};
use bennu::serving::{Handover, Handshake, Http, TurnedAway};
use bennu::{Carrier, Endpoint, Open, Scheme};
use bennu_tokio::Tokio;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::future::pending;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::runtime::Builder;
use tokio::time::{Instant, timeout};

/// What a client has left behind its TLS.
const LEFT: Duration = Duration::from_secs(1);

/// A place for one.
fn endpoint() -> Endpoint {
    Endpoint::builder().max_connections(1).socket("/socket", bennu::socket(Open)).build(Tokio)
}

fn http(handshake: Handshake) -> Http<Endpoint> {
    let endpoint = endpoint();
    let limits = endpoint.request_limits();
    Http::new(endpoint, handshake, limits, TokioTimer::new())
}

fn handover() -> Handover {
    Handover::new(Carrier { peer: None, scheme: Scheme::Http })
}

/// Serves one stream to its end.
async fn serve(http: &Http<Endpoint>, stream: DuplexStream, left: Option<Duration>) -> io::Result<()> {
    http.serve(TokioIo::new(stream), &handover(), left, pending()).await
}

#[tokio::test(start_paused = true)]
async fn what_tls_has_taken_is_missing_for_the_first_head_alone() {
    let http = http(Handshake::default().of_heads());
    let (mut client, stream) = duplex(4096);

    let start = Instant::now();
    let asking = async {
        client.write_all(b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        answer(&mut client).await.0
    };
    let (served, status) = tokio::join!(serve(&http, stream, Some(LEFT)), asking);

    assert_eq!(status, 404);
    assert_eq!(served.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(start.elapsed() >= http.handshake().timeout() - LEFT / 10, "{:?}", start.elapsed());
}

#[test]
fn who_is_too_late_is_told_by_the_kind_of_the_error_whatever_is_timed() {
    for handshake in [Handshake::default(), Handshake::default().of_heads()] {
        for left in [None, Some(LEFT)] {
            // A clock each: an older hyper takes the time of the system, which a clock that has been moved on is ahead of.
            let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            runtime.block_on(silence_is_too_late(handshake, left));
        }
    }
}

async fn silence_is_too_late(handshake: Handshake, left: Option<Duration>) {
    let http = http(handshake);
    let (_silent, stream) = duplex(4096);

    let start = Instant::now();
    let error = serve(&http, stream, left).await.unwrap_err();

    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(TurnedAway::of(&error), Some(TurnedAway::Late));
    let expected = left.unwrap_or_else(|| http.handshake().timeout());
    assert!(start.elapsed().abs_diff(expected) < LEFT / 10, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn connection_that_nobody_asks_for_ends_with_its_handover_and_its_place_is_free() {
    let http = http(Handshake::default());

    for _ in 0..2 {
        let (mut client, stream) = duplex(4096);
        let asking = async {
            client.write_all(request(SOCKET, "").as_bytes()).await.unwrap();
            answer(&mut client).await.0
        };
        let (served, status) = tokio::join!(serve(&http, stream, None), asking);
        served.unwrap();
        assert_eq!(status, 101);

        let read = timeout(LEFT, client.read(&mut [0; 16])).await;
        assert_eq!(read.expect("the stream ends").unwrap(), 0);
    }
}
