//! Plain HTTP: what reaches the channels from outside.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use bennu::{Endpoint, Inspection, Payload};
use serde::Deserialize;
use serde_json::{Value, json};

/// What is served beside the endpoint.
pub(crate) fn app(endpoint: Endpoint) -> Router {
    Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/broadcast", post(broadcast))
        .route("/local_broadcast", post(local_broadcast))
        .route("/disconnect", post(disconnect))
        .route("/drain", post(drain))
        .route("/inspect", get(inspect))
        .with_state(endpoint)
}

#[derive(Deserialize)]
struct Sending {
    topic: String,
    event: String,
    payload: Option<Value>,
    payload_hex: Option<String>,
}

impl Sending {
    fn payload(&self) -> Option<Payload> {
        match (&self.payload, &self.payload_hex) {
            (Some(payload), _) => Payload::json(payload).ok(),
            (None, Some(hex)) => crate::channels::from_hex(hex).map(Payload::binary),
            (None, None) => None,
        }
    }
}

type Answer = Result<Json<Value>, StatusCode>;

async fn broadcast(State(endpoint): State<Endpoint>, Json(sending): Json<Sending>) -> Answer {
    let payload = sending.payload().ok_or(StatusCode::BAD_REQUEST)?;
    endpoint.broadcast(&sending.topic, &sending.event, payload).map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(ok())
}

async fn local_broadcast(State(endpoint): State<Endpoint>, Json(sending): Json<Sending>) -> Answer {
    let payload = sending.payload().ok_or(StatusCode::BAD_REQUEST)?;
    endpoint.local_broadcast(&sending.topic, &sending.event, payload).map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(ok())
}

#[derive(Deserialize)]
struct Whom {
    id: String,
}

async fn disconnect(State(endpoint): State<Endpoint>, Json(whom): Json<Whom>) -> Json<Value> {
    endpoint.disconnect(&whom.id);
    ok()
}

async fn inspect(State(endpoint): State<Endpoint>) -> Json<Inspection> {
    Json(endpoint.inspect())
}

async fn drain(State(endpoint): State<Endpoint>) -> Answer {
    endpoint.drain_socket(crate::sockets::DRAINED).await.ok_or(StatusCode::NOT_FOUND)?;
    Ok(ok())
}

fn ok() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}
