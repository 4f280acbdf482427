//! Serves the rooms on a Unix socket at the path that is given; `nc -U` is a client.

#[cfg(unix)]
#[tokio::main]
async fn main() -> std::io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "lines.sock".to_owned());
    let listener = lines::listen(path.as_ref())?;
    println!("{path}");
    lines::serve(listener, lines::endpoint().build(bennu_tokio::Tokio)).await;
    Ok(())
}

#[cfg(not(unix))]
fn main() {
    eprintln!("there are no Unix sockets here");
}
