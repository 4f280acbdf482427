//! What Prometheus asks for.

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use bennu::Endpoint;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::time::Duration;

/// The handlers of most channels answer within microseconds; those that ask a database do not.
const BUCKETS: [f64; 12] = [1e-5, 1e-4, 1e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

/// How often what histograms have been told is taken in, whether anybody asks for it or not.
const UPKEEP: Duration = Duration::from_secs(5);

/// Installs the exporter: before the endpoint is built, which looks for it then.
pub(crate) fn install() -> Result<PrometheusHandle, BuildError> {
    let handlers = Matcher::Full("bennu_handler_seconds".to_owned());
    let prometheus =
        PrometheusBuilder::new().set_buckets_for_metric(handlers, &BUCKETS)?.install_recorder()?;
    let kept = prometheus.clone();
    tokio::spawn(async move {
        let mut pace = tokio::time::interval(UPKEEP);
        loop {
            pace.tick().await;
            kept.run_upkeep();
        }
    });
    Ok(prometheus)
}

/// The route that is scraped.
pub(crate) fn route(endpoint: Endpoint, prometheus: PrometheusHandle) -> Router {
    Router::new().route("/metrics", get(scrape)).with_state((endpoint, prometheus))
}

async fn scrape(State((endpoint, prometheus)): State<(Endpoint, PrometheusHandle)>) -> impl IntoResponse {
    endpoint.sample_queues();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], prometheus.render())
}
