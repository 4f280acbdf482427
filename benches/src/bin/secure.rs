//! Bennu over TLS: `secure --port 4000`, with a certificate made at start. Prints its URL once it listens.

use bennu::prelude::*;
use bennu_tokio::Tokio;
use lexopt::{Arg, Parser, ValueExt as _};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use std::error::Error;
use std::sync::Arc;

struct Bench;

impl Channel for Bench {
    type Assigns = ();

    async fn join(_: &str, _: Payload, _: &JoinContext<Self>) -> Result<Joined<Self>, Failure> {
        Ok(Joined::new(Self))
    }

    async fn handle_in(
        &mut self,
        event: &str,
        payload: Payload,
        _: &Context<Self>,
    ) -> Result<Reply, Failure> {
        match event {
            "echo" => Ok(Reply::ok(payload)),
            _ => Err(Failure::unknown_event(event)),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut port = 0;
    let mut arguments = Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("port") => port = arguments.value()?.parse()?,
            other @ (Arg::Short(_) | Arg::Long(_) | Arg::Value(_)) => return Err(other.unexpected().into()),
        }
    }

    let socket = bennu::socket(Open).channel::<Bench>("bench:*");
    let endpoint = Endpoint::builder().socket("/socket", socket).build(Tokio);
    let listener = bennu_tokio::bind(([127, 0, 0, 1], port).into())?;
    println!("wss://{}/socket/websocket", listener.local_addr()?);
    bennu_tokio::serve(listener, endpoint).with_tls(tls()?).await?;
    Ok(())
}

fn tls() -> Result<Arc<ServerConfig>, Box<dyn Error>> {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let config = ServerConfig::builder().with_no_client_auth();
    Ok(Arc::new(config.with_single_cert(vec![own.cert.der().clone()], key.into())?))
}
