//! The same over TCP, on the loopback address.

use crate::client::Client;
use bennu_core::Instant;
use game::{Listener, Table, Ticks};
use std::net::TcpStream;

#[test]
fn two_clients_play_over_sockets() {
    let listener = Listener::bind(0).unwrap();
    let mut clients = [(); 2].map(|()| {
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut client = Client::new(stream);
        client.push("move", r#"{"dx":1,"dy":1}"#);
        client
    });
    let mut table = Table::new((1, 2));
    let mut ticks = Ticks::new(Instant::EPOCH);

    // The system may take its time with bytes. What is waited for comes in a few turns; without it there would be many.
    for _ in 0..100_000 {
        let now = ticks.next();
        while let Some(stream) = listener.accept() {
            table.seat(stream, now);
        }
        table.listen(now);
        table.advance(ticks.due(now), now);
        table.write(now);
        for client in &mut clients {
            client.write();
            client.read(64 * 1024);
        }
        if clients.iter().all(|client| client.replies().len() == 2 && client.ticks().len() >= 100) {
            break;
        }
    }

    for client in &clients {
        assert_eq!(client.replies(), [1, 2]);
        let ticks = client.ticks();
        assert!(ticks.len() >= 100);
        assert!(ticks.is_sorted_by(|before, after| before < after), "{ticks:?}");
    }
    drop(clients);
    for _ in 0..100_000 {
        table.listen(ticks.next());
        table.write(ticks.next());
        if table.clients() == 0 {
            return;
        }
    }
    panic!("they have gone");
}
