//! Which shards have a topic, while members come and go.

use super::node::{Node, broadcast};
use super::wire::Wire;
use super::{Preemptions, explore, spawn, texts};
use crate::Limits;

const TOPIC: &str = "room:a";
const JOIN: &str = r#"["1","1","room:a","phx_join",{}]"#;

fn has(bytes: &[u8], what: &str) -> bool {
    texts(bytes).iter().any(|text| text.contains(what))
}

#[test]
fn broadcast_behind_the_reply_to_a_join_reaches_its_client_though_another_member_leaves() {
    for shards in [1, 2] {
        explore(Preemptions::AtMost(2), move || {
            let mut node = Node::new(shards, Limits::new());
            let (old, new) = (Wire::wide(), Wire::wide());
            let leaving = node.member(&old, TOPIC);
            let mut joining = node.connect(&new);
            new.send(JOIN);
            let leaver = spawn(move || drop(leaving));
            let joiner = spawn(move || {
                joining.poll();
                joining
            });

            new.wait_until(|state| has(&state.taken, "phx_reply"));
            broadcast(&node.endpoint, TOPIC, 1);
            node.pass();
            let _joined = joiner.join().unwrap();
            new.wait_until(|state| has(&state.taken, r#""n":1"#));

            leaver.join().unwrap();
            let place = u32::from(shards == 2);
            assert_eq!(node.hub().index.get(&TOPIC.into()).collect::<Vec<_>>(), [place]);
        });
    }
}
