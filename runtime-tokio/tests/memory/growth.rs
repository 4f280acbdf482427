//! How much memory this process holds more than before.

use crate::neighbour::{Neighbour, beside};
use crate::server::Server;
use std::fs;
use std::future::Future;
use std::time::Duration;
use tokio::sync::Mutex;

/// One attack at a time.
static TURN: Mutex<()> = Mutex::const_new(());

pub(crate) const MIB: u64 = 1 << 20;

/// Heap and stacks, in bytes, as the kernel counts them.
fn held() -> u64 {
    let text = fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kibibytes * 1024
}

/// Attacks a server, beside a client that is served, and fails if that takes more than `bound` bytes at any
/// time.
pub(crate) async fn grows_at_most<T>(bound: u64, server: &Server, attack: impl Future<Output = T>) -> T {
    let _turn = TURN.lock().await;
    // What the first of all needs once.
    Neighbour::connect(server.address).await.is_served().await;
    let before = held();
    let mut most = before;
    let outcome = {
        let mut attack = std::pin::pin!(beside(server.address, attack));
        let mut looks = tokio::time::interval(Duration::from_millis(10));
        loop {
            tokio::select! {
                outcome = &mut attack => break outcome,
                _ = looks.tick() => most = most.max(held()),
            }
        }
    };
    let growth = most.max(held()) - before;
    assert!(growth <= bound, "{growth} bytes are more than {bound}");
    outcome
}
