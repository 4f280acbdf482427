//! What a machine says of itself, and what it takes from whoever drives it.

use bennu_core::server::{
    CallId, ChannelId, CloseReason, Config, Ended, Event, Limits, Mount, Outcome, Output, Server,
    SocketConfig, SocketId,
};
use bennu_core::wire::Serializer;
use bennu_core::{Frame, Instant, Kind};

const NOW: Instant = Instant::EPOCH;

type Machine = Server<&'static str, ()>;

fn machine(shard: u32) -> Machine {
    let mut mount = Mount { limits: Limits::default(), ..Mount::default() };
    mount.router.add("room:*", &[]).unwrap();
    Server::new(Config { shard, hash_key: (0, 0), mounts: vec![mount] })
}

fn connect(server: &mut Machine, handle: &'static str) -> SocketId {
    server.connect(SocketConfig { handle, serializer: Serializer::V2, mount: 0, id: None }, NOW)
}

fn send(server: &mut Machine, socket: SocketId, text: &str) {
    server.receive(socket, &Serializer::V2.decode(Kind::Text, text.as_bytes()).unwrap(), NOW);
}

/// Drains the outputs: the calls among them, and how many frames were sent.
fn drain(server: &mut Machine) -> (Vec<CallId>, usize) {
    let (mut calls, mut sent) = (Vec::new(), 0);
    while let Some(output) = server.poll_output() {
        sent += usize::from(matches!(output, Output::Send { .. }));
        if let Output::Call { call, .. } = output {
            calls.push(call);
        }
    }
    (calls, sent)
}

fn join(server: &mut Machine, socket: SocketId) -> ChannelId {
    send(server, socket, r#"["1","1","room:a","phx_join",{}]"#);
    let (calls, _) = drain(server);
    server.done(calls[0], Outcome::Joined { reply: Frame::new(Kind::Text, b"{}"), next: None }, NOW);
    drain(server);
    calls[0].channel()
}

fn reply() -> Outcome<()> {
    Outcome::Continue { reply: Some(Frame::new(Kind::Text, b"{}")) }
}

#[test]
fn outcome_of_a_call_is_taken_once() {
    let mut server = machine(0);
    let socket = connect(&mut server, "ann");
    join(&mut server, socket);
    for n in 2..5 {
        send(&mut server, socket, &format!(r#"["1","{n}","room:a","echo",{{}}]"#));
    }
    let (first, _) = drain(&mut server);
    server.done(first[0], reply(), NOW);
    let (second, sent) = drain(&mut server);
    assert_eq!((second.len(), sent), (1, 1));

    server.done(first[0], reply(), NOW);
    assert_eq!(drain(&mut server), (vec![], 0), "while the second runs");
    server.done(second[0], reply(), NOW);
    let (third, _) = drain(&mut server);
    server.done(third[0], reply(), NOW);
    assert_eq!(drain(&mut server), (vec![], 1));
    server.done(third[0], reply(), NOW);

    assert_eq!(drain(&mut server), (vec![], 0), "while none runs");
}

#[test]
fn machine_and_all_its_ids_know_its_shard() {
    let mut server = machine(5);
    let socket = connect(&mut server, "ann");
    let channel = join(&mut server, socket);

    assert_eq!((server.shard(), socket.shard(), channel.shard()), (5, 5, 5));
}

#[test]
fn no_two_channels_have_the_same_number_not_even_one_after_the_other() {
    let mut server = machine(0);
    let (ann, bob) = (connect(&mut server, "ann"), connect(&mut server, "bob"));

    let mut serials = [ann, bob, ann].map(|socket| join(&mut server, socket).serial()).to_vec();

    serials.sort_unstable();
    serials.dedup();
    assert_eq!(serials.len(), 3);
}

#[test]
fn channel_leads_to_its_socket_and_a_socket_to_its_handle() {
    let mut server = machine(0);
    let (ann, bob) = (connect(&mut server, "ann"), connect(&mut server, "bob"));
    let channel = join(&mut server, bob);

    assert_eq!(server.socket_of(channel), Some(bob));
    assert_eq!((server.handle(ann), server.handle(bob)), (Some(&"ann"), Some(&"bob")));

    server.abandon(bob, NOW);
    assert_eq!(server.socket_of(channel), None);
}

#[test]
fn sockets_that_are_connected_are_listed_and_those_that_end_are_not() {
    let mut server = machine(0);
    let [ann, bob, eve] = ["ann", "bob", "eve"].map(|handle| connect(&mut server, handle));

    server.stop(bob, CloseReason::Draining, NOW);
    assert_eq!(
        (server.socket_ids(), server.sockets()),
        (vec![ann, eve], 3),
        "bob's transport is there still"
    );
    server.disconnect(eve, NOW);

    assert_eq!(
        (server.socket_ids(), server.sockets()),
        (vec![ann], 2),
        "also before the outputs are drained"
    );
}

#[test]
fn timer_leads_to_its_channel() {
    let mut server = machine(0);
    let ann = connect(&mut server, "ann");
    let channel = join(&mut server, ann);

    let timer = server.info(channel, (), NOW, NOW).unwrap();

    assert_eq!(timer.channel(), channel);
    let called = server.poll_output();
    assert!(matches!(called, Some(Output::Call { event: Event::Info(()), .. })), "{called:?}");
}

#[test]
fn what_has_ended_reads_as_a_sentence() {
    assert_eq!(Ended.to_string(), "the channel has ended");
}

#[test]
fn machine_knows_how_the_messages_of_each_socket_are_written_until_it_is_forgotten() {
    let mut server = machine(0);
    let ann = connect(&mut server, "ann");
    let config = SocketConfig { handle: "bob", serializer: Serializer::V1, mount: 0, id: None };
    let bob = server.connect(config, NOW);
    assert_eq!(server.serializer(ann), Some(Serializer::V2));
    assert_eq!(server.serializer(bob), Some(Serializer::V1));

    server.disconnect(ann, NOW);
    drain(&mut server);

    assert_eq!(server.serializer(ann), None);
    assert_eq!(server.serializer(bob), Some(Serializer::V1));
}
