//! Serves the rooms on the loopback address, at the port that is given: 4000 if none is.

use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).map_or(Ok(4000), |port| port.parse())?;
    let listener = bennu_tokio::bind(([127, 0, 0, 1], port).into())?;
    println!("ws://{}/socket/websocket?vsn=3.0.0", listener.local_addr()?);
    let endpoint = msgpack::endpoint().build(bennu_tokio::Tokio);
    let stopped = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    bennu_tokio::serve(listener, endpoint).with_graceful_shutdown(stopped).await?;
    Ok(())
}
