//! Which broadcasts may be lost, and by whom.

use bennu_core::outbox::SlowConsumer;
use bennu_core::server::{
    Broadcast, ChannelId, Config, Limits, Mount, Outcome, Output, Server, SocketConfig, SocketId,
};
use bennu_core::wire::Serializer;
use bennu_core::{Frame, Instant, Kind, Payload, Topic};

const NOW: Instant = Instant::EPOCH;

/// A machine of several mounts.
struct Machine {
    server: Server<&'static str, ()>,
}

/// A fan-out: whether it may be merged with the next, whom it goes to, and what becomes of it for each.
type Sent = (bool, Vec<(&'static str, SlowConsumer)>);

impl Machine {
    fn new(mounts: impl IntoIterator<Item = Mount>) -> Self {
        let mounts = mounts.into_iter().collect();
        Self { server: Server::new(Config { shard: 0, hash_key: (0, 0), mounts }) }
    }

    fn join(&mut self, handle: &'static str, mount: usize, topic: &str) -> (SocketId, ChannelId) {
        let serializer = Serializer::V2;
        let socket = self.server.connect(SocketConfig { handle, serializer, mount, id: None }, NOW);
        let join = format!(r#"["1","1","{topic}","phx_join",{{}}]"#);
        self.server.receive(socket, &serializer.decode(Kind::Text, join.as_bytes()).unwrap(), NOW);
        let mut channel = None;
        while let Some(output) = self.server.poll_output() {
            if let Output::Call { call, .. } = output {
                let reply = Frame::new(Kind::Text, b"reply");
                self.server.done(call, Outcome::Joined { reply, next: None }, NOW);
                channel = Some(call.channel());
            }
        }
        (socket, channel.unwrap())
    }

    fn broadcast(&mut self, topic: &str, event: &str) -> Vec<Sent> {
        let broadcast = Broadcast::new(Topic::from(topic), event, Payload::empty()).unwrap();
        self.server.broadcast(&broadcast, None, NOW);
        self.sent()
    }

    fn sent(&mut self) -> Vec<Sent> {
        let mut sent = Vec::new();
        while let Some(output) = self.server.poll_output() {
            let Output::Fanout(fanout) = output else { continue };
            let policy = |serializer| fanout.frame(serializer).unwrap().slow_consumer();
            let to = self.server.recipients(&fanout).map(|(&to, serializer)| (to, policy(serializer)));
            sent.push((fanout.is_uniform(), to.collect()));
        }
        sent
    }
}

fn mount(slow_consumer: SlowConsumer, events: &'static [(&'static str, SlowConsumer)]) -> Mount {
    let mut mount = Mount { limits: Limits { slow_consumer, ..Limits::default() }, ..Mount::default() };
    let route = mount.router.add("room:*", &["seen"]).unwrap();
    mount.router.set_lossy(route, events);
    mount.router.add("plain:*", &[]).unwrap();
    mount
}

const CURSOR: &[(&str, SlowConsumer)] = &[("cursor", SlowConsumer::KeepLatest)];

#[test]
fn by_default_nothing_may_be_lost_and_all_is_merged() {
    let mut machine = Machine::new([mount(SlowConsumer::Disconnect, &[])]);
    machine.join("ann", 0, "plain:a");

    assert_eq!(machine.broadcast("plain:a", "news"), [(true, vec![("ann", SlowConsumer::Disconnect)])]);
}

#[test]
fn policy_of_a_socket_is_that_of_every_broadcast_to_it_and_these_are_not_merged() {
    let mut machine = Machine::new([mount(SlowConsumer::DropOldest, &[])]);
    machine.join("ann", 0, "plain:a");
    machine.join("ben", 0, "plain:a");

    let each = [("ann", SlowConsumer::DropOldest), ("ben", SlowConsumer::DropOldest)];
    assert_eq!(machine.broadcast("plain:a", "news"), [(false, each.to_vec())]);
}

#[test]
fn event_of_a_route_has_a_policy_of_its_own_and_others_are_merged_as_ever() {
    let mut machine = Machine::new([mount(SlowConsumer::Disconnect, CURSOR)]);
    machine.join("ann", 0, "room:a");
    machine.join("ben", 0, "plain:a");

    assert_eq!(machine.broadcast("room:a", "cursor"), [(false, vec![("ann", SlowConsumer::KeepLatest)])]);
    assert_eq!(machine.broadcast("room:a", "news"), [(false, vec![("ann", SlowConsumer::Disconnect)])]);
    assert_eq!(machine.broadcast("plain:a", "cursor"), [(true, vec![("ben", SlowConsumer::Disconnect)])]);
}

#[test]
fn event_may_be_kept_from_the_policy_of_its_socket() {
    let kept: &[(&str, SlowConsumer)] = &[("score", SlowConsumer::Disconnect)];
    let mut machine = Machine::new([mount(SlowConsumer::DropNewest, kept)]);
    machine.join("ann", 0, "room:a");

    assert_eq!(machine.broadcast("room:a", "score"), [(false, vec![("ann", SlowConsumer::Disconnect)])]);
    assert_eq!(machine.broadcast("room:a", "news"), [(false, vec![("ann", SlowConsumer::DropNewest)])]);
}

#[test]
fn members_of_one_topic_by_several_mounts_each_have_their_own_policy_and_one_copy() {
    let mounts = [SlowConsumer::Disconnect, SlowConsumer::DropOldest, SlowConsumer::Disconnect];
    let mut machine = Machine::new(mounts.map(|policy| mount(policy, CURSOR)));
    for (handle, mount) in [("ann", 0), ("ben", 1), ("cem", 2), ("dan", 1)] {
        machine.join(handle, mount, "plain:a");
    }

    let kept = [("ann", SlowConsumer::Disconnect), ("cem", SlowConsumer::Disconnect)];
    let lossy = [("ben", SlowConsumer::DropOldest), ("dan", SlowConsumer::DropOldest)];
    assert_eq!(machine.broadcast("plain:a", "news"), [(false, kept.to_vec()), (false, lossy.to_vec())]);
}

#[test]
fn policy_that_nobody_on_the_topic_has_makes_no_fan_out() {
    let mounts = [SlowConsumer::Disconnect, SlowConsumer::DropOldest];
    let mut machine = Machine::new(mounts.map(|policy| mount(policy, &[])));
    machine.join("ann", 0, "plain:a");

    let sent = machine.broadcast("plain:a", "news");
    assert_eq!(sent, [(false, vec![("ann", SlowConsumer::Disconnect)])]);
}

#[test]
fn who_intercepts_a_broadcast_that_may_be_lost_gets_no_copy() {
    let mut machine = Machine::new([mount(SlowConsumer::DropOldest, &[])]);
    machine.join("ann", 0, "room:a");

    assert_eq!(machine.broadcast("room:a", "seen"), []);
    assert_eq!(machine.broadcast("room:a", "news"), [(false, vec![("ann", SlowConsumer::DropOldest)])]);
}

#[test]
fn own_copy_of_a_broadcast_may_be_lost_and_nothing_else_that_is_sent_to_one_client() {
    let mut machine = Machine::new([mount(SlowConsumer::DropOldest, CURSOR)]);
    let (socket, channel) = machine.join("ann", 0, "room:a");
    let policy = |machine: &mut Machine| {
        let output = std::iter::from_fn(|| machine.server.poll_output())
            .find_map(|output| if let Output::Send { frame, .. } = output { Some(frame) } else { None });
        output.unwrap().slow_consumer()
    };

    for (event, expected) in [("news", SlowConsumer::DropOldest), ("cursor", SlowConsumer::KeepLatest)] {
        let broadcast = Broadcast::new(Topic::from("room:a"), event, Payload::empty()).unwrap();
        machine.server.broadcast_by(channel, &broadcast, NOW);
        assert_eq!(policy(&mut machine), expected);
    }
    machine.server.push(channel, Frame::new(Kind::Text, b"push")).unwrap();
    assert_eq!(policy(&mut machine), SlowConsumer::Disconnect);
    machine.server.reply(socket, Frame::new(Kind::Text, b"reply")).unwrap();
    assert_eq!(policy(&mut machine), SlowConsumer::Disconnect);
    let leave = Serializer::V2.decode(Kind::Text, br#"["1","2","room:a","phx_leave",{}]"#).unwrap();
    machine.server.receive(socket, &leave, NOW);
    assert_eq!(policy(&mut machine), SlowConsumer::Disconnect);
}
