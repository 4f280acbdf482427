//! One masked text message from a read buffer to its text, with tungstenite beside it.

use bennu_benches::websocket::push_masked;
use bennu_core::Instant;
use bennu_core::websocket::{Config, Connection, Event};
use criterion::{BenchmarkId, Criterion, Throughput};
use std::hint::black_box;
use std::io::{self, ErrorKind, Read, Write};
use tungstenite::protocol::{Role, WebSocket};

/// Gives the same bytes each time it is rewound.
struct Wire {
    bytes: Vec<u8>,
    read: usize,
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = &self.bytes[self.read..];
        if left.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let read = left.len().min(buffer.len());
        buffer[..read].copy_from_slice(&left[..read]);
        self.read += read;
        Ok(read)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Both copy the frame into a buffer first, as the kernel would: it is unmasked in place.
pub(crate) fn receive(c: &mut Criterion) {
    let mut group = c.benchmark_group("websocket, receive a text");
    for (name, len) in [("175 B", 175), ("4 KiB", 4 << 10), ("64 KiB", 64 << 10)] {
        let mut frame = Vec::new();
        push_masked(&mut frame, &vec![b'x'; len]);
        group.throughput(Throughput::Bytes(len as u64));

        group.bench_function(BenchmarkId::new("bennu", name), |b| {
            let mut connection = Connection::server(Config::default(), Instant::EPOCH);
            let mut buffer = vec![0; frame.len()];
            b.iter(|| {
                buffer.copy_from_slice(black_box(&frame));
                let received = connection.receive(&mut buffer, Instant::EPOCH);
                let Some(Event::Text(text)) = received.event else { panic!("the frame is a whole text") };
                black_box(text).len()
            });
        });
        group.bench_function(BenchmarkId::new("tungstenite", name), |b| {
            let wire = Wire { bytes: frame.clone(), read: 0 };
            let mut socket = WebSocket::from_raw_socket(wire, Role::Server, None);
            b.iter(|| {
                socket.get_mut().read = 0;
                let message = socket.read().expect("the frame is whole");
                black_box(message).len()
            });
        });
    }
    group.finish();
}
