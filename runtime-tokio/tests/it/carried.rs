//! Clients over a transport of the application's own: here, messages are lines on a Unix socket.

use crate::app::Told;
use crate::client::soon;
use crate::server::Server;
use bennu::{Endpoint, Inbound, Kind, NotTaken, Outbound, Payload, Refused};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinHandle;

/// Rooms that take such clients at `/socket`.
fn rooms() -> (Server, Told) {
    Server::rooms_with(|socket| socket.carried())
}

fn request(target: &str) -> Request<()> {
    Request::get(target).body(()).unwrap()
}

const TARGET: &str = "/socket/websocket?vsn=2.0.0";

async fn carried(server: &Server) -> (Inbound, Outbound) {
    server.endpoint.carry(request(TARGET)).await.unwrap()
}

/// Carries a client's lines until either end has gone.
async fn serve(client: UnixStream, endpoint: Endpoint) -> std::io::Result<()> {
    let (inbound, mut outbound) = endpoint.carry(request(TARGET)).await.unwrap();
    let (read, mut write) = client.into_split();
    let receive = async {
        let mut lines = BufReader::new(read).lines();
        while let Some(line) = lines.next_line().await? {
            if inbound.receive(Kind::Text, line.into()).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    let send = async {
        while let Some(frames) = outbound.next().await {
            for frame in frames {
                write.write_all(&[frame.body(), b"\n"].concat()).await?;
            }
        }
        Ok(())
    };
    tokio::select! { ended = receive => ended, ended = send => ended }
}

/// A client on a Unix socket.
struct Lined {
    lines: Lines<BufReader<OwnedReadHalf>>,
    write: OwnedWriteHalf,
    served: JoinHandle<std::io::Result<()>>,
}

impl Lined {
    fn connect(endpoint: &Endpoint) -> Self {
        let (near, far) = UnixStream::pair().unwrap();
        let served = tokio::spawn(serve(far, endpoint.clone()));
        let (read, write) = near.into_split();
        Self { lines: BufReader::new(read).lines(), write, served }
    }

    async fn say(&mut self, message: Value) {
        self.write.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        let line = soon("a line", self.lines.next_line()).await.unwrap();
        serde_json::from_str(&line.expect("it is still connected")).unwrap()
    }
}

#[tokio::test]
async fn client_on_a_unix_socket_joins_pushes_and_hears_broadcasts_in_order() {
    let (server, mut told) = rooms();
    let mut client = Lined::connect(&server.endpoint);

    client.say(json!(["1", "1", "room:a", "phx_join", {}])).await;
    let joined = client.hear().await;
    assert_eq!(joined[3], "phx_reply");
    assert_eq!(joined[4]["status"], "ok");
    client.say(json!(["1", "2", "room:a", "echo", { "n": 1 }])).await;
    let reply = json!(["1", "2", "room:a", "phx_reply", { "response": { "n": 1 }, "status": "ok" }]);
    assert_eq!(client.hear().await, reply);
    for n in 0..100 {
        server.endpoint.broadcast("room:a", "news", json!({ "n": n })).unwrap();
    }
    for n in 0..100 {
        assert_eq!(client.hear().await, json!([null, null, "room:a", "news", { "n": n }]));
    }

    let Lined { write, served, .. } = client;
    drop(write);
    soon("the transport to end", served).await.unwrap().unwrap();
    assert_eq!(told.next().await, "terminate Closed after 1");
}

#[tokio::test]
async fn bytes_skip_such_a_client_and_what_follows_reaches_it() {
    let (server, _told) = rooms();
    let mut client = Lined::connect(&server.endpoint);
    client.say(json!(["1", "1", "room:a", "phx_join", {}])).await;
    client.hear().await;

    server.endpoint.broadcast("room:a", "bytes", Payload::binary(vec![1])).unwrap();
    server.endpoint.broadcast("room:a", "news", json!({})).unwrap();

    assert_eq!(client.hear().await, json!([null, null, "room:a", "news", {}]));
}

#[tokio::test]
async fn connection_ends_with_either_half() {
    let (server, mut told) = rooms();
    for half in ["inbound", "outbound"] {
        let (inbound, mut outbound) = carried(&server).await;
        let join = json!(["1", "1", "room:a", "phx_join", {}]).to_string();
        inbound.receive(Kind::Text, join.into()).await.unwrap();
        assert_eq!(outbound.next().await.unwrap().len(), 1);

        if half == "inbound" {
            drop(inbound);
            assert_eq!(soon("the end", outbound.next()).await, None);
        } else {
            drop(outbound);
            let heartbeat = json!([null, "2", "phoenix", "heartbeat", {}]).to_string();
            assert_eq!(inbound.receive(Kind::Text, heartbeat.into()).await, Err(NotTaken));
        }

        assert_eq!(told.next().await, "terminate Closed after 0", "{half}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_message_is_not_taken_and_ends_the_connection() {
    let (server, _told) = rooms();
    let (inbound, mut outbound) = carried(&server).await;

    let (received, next) =
        tokio::join!(inbound.receive(Kind::Text, "no message"[..].into()), outbound.next());

    assert_eq!(received, Err(NotTaken));
    assert_eq!(next, None);
}

#[tokio::test]
async fn draining_ends_such_a_client() {
    let (server, _told) = rooms();
    let (_inbound, mut outbound) = carried(&server).await;

    server.endpoint.drain().await;

    assert_eq!(soon("the end", outbound.next()).await, None);
    assert_eq!(server.endpoint.connections(), 0);
    let refused = server.endpoint.carry(request(TARGET)).await.unwrap_err();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
}

/// Lets nobody in.
struct Closed;

impl bennu::Socket for Closed {
    type Assigns = ();

    async fn connect(&self, _: bennu::Params, _: &bennu::ConnectInfo) -> Result<(), Refused> {
        Err(Refused::forbidden())
    }
}

#[tokio::test]
async fn who_may_not_connect_is_told_what_a_request_would_have_been() {
    let endpoint = Endpoint::builder()
        .socket("/plain", bennu::socket(bennu::Open))
        .socket("/closed", bennu::socket(Closed).carried())
        .build(bennu_tokio::Tokio);

    for (target, status) in [
        ("/plain/websocket?vsn=2.0.0", StatusCode::NOT_FOUND),
        ("/nowhere", StatusCode::NOT_FOUND),
        ("/closed/websocket?vsn=2.0.0", StatusCode::FORBIDDEN),
        ("/closed/websocket?vsn=3.0.0", StatusCode::FORBIDDEN),
    ] {
        let refused = endpoint.carry(request(target)).await.unwrap_err();
        assert_eq!(refused.status(), status, "{target}");
    }
}
