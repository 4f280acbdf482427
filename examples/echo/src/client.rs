//! The client's role: every case of a fuzzing server, one connection each.

use crate::clock::Clock;
use crate::config;
use crate::session::{self, Message};
use anyhow::{Context as _, Result};
use bennu_core::websocket::{Connection, handshake};
use http::{Request, Uri, header};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// What the server files its results under.
const AGENT: &str = "bennu";

/// Goes through the cases, and has the server write its report.
pub(crate) async fn run(server: &Uri) -> Result<()> {
    let mut count = None;
    visit(server, "/getCaseCount", |(_, text)| {
        count = Some(text);
        None
    })
    .await?;
    let count = String::from_utf8(count.context("the server has not said how many cases it has")?)?;
    let count: u32 = count.parse().context("the number of cases is no number")?;
    for case in 1..=count {
        let path = format!("/runCase?case={case}&agent={AGENT}");
        // How a case has ended is the server's to judge, also if it was with an error.
        if let Err(error) = visit(server, &path, Some).await {
            println!("case {case} of {count}: {error:#}");
        }
    }
    visit(server, &format!("/updateReports?agent={AGENT}"), |_| None).await?;
    println!("{count} cases are done");
    Ok(())
}

/// One connection, from its dialling to its end.
async fn visit(server: &Uri, path: &str, answer: impl FnMut(Message) -> Option<Message>) -> Result<()> {
    let stream = dial(server, path).await?;
    let clock = Clock::start();
    let connection = Connection::client(config(), getrandom::u64()?, clock.now());
    session::run(TokioIo::new(stream), connection, clock, answer).await?;
    Ok(())
}

/// Connects, asks for the upgrade, and looks at the answer.
async fn dial(server: &Uri, path: &str) -> Result<Upgraded> {
    let authority = server.authority().context("the URL names no server")?;
    let address = (authority.host(), authority.port_u16().unwrap_or(80));
    let stream =
        TcpStream::connect(address).await.with_context(|| format!("cannot connect to {authority}"))?;
    stream.set_nodelay(true)?;
    let (mut requests, http) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(http.with_upgrades());

    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce)?;
    let key = handshake::ClientKey::new(nonce);
    let mut request =
        Request::get(path).header(header::HOST, authority.as_str()).body(Empty::<Bytes>::new())?;
    request.headers_mut().extend(handshake::request_headers(&key, None));
    let response = requests.send_request(request).await?;
    handshake::check_response(&response, &key, None)?;
    Ok(hyper::upgrade::on(response).await?)
}

#[cfg(test)]
mod tests {
    use crate::server::tests::listening;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn both_roles_agree_on_an_upgrade_and_the_echo_is_heard() {
        let address = listening().await;
        let upgraded = super::dial(&format!("ws://{address}").parse().unwrap(), "/").await.unwrap();
        let mut stream = TokioIo::new(upgraded);
        let (hello, close) = (b"\x81\x85\0\0\0\0hello", b"\x88\x80\0\0\0\0");

        stream.write_all(&[&hello[..], close].concat()).await.unwrap();

        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"\x81\x05hello\x88\x02\x03\xe8");
    }
}
