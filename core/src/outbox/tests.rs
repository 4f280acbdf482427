use super::*;
use crate::Kind;
use proptest::prelude::*;

fn frame(body: &[u8]) -> Frame {
    Frame::new(Kind::Binary, body)
}

fn write_some(outbox: &mut Outbox, wire: &mut Vec<u8>, room: usize) -> Option<Written> {
    let batch = outbox.begin()?;
    let bytes: Vec<u8> = batch.slices().flatten().copied().take(room).collect();
    wire.extend_from_slice(&bytes);
    Some(outbox.finish(batch, bytes.len()))
}

#[test]
fn limit_counts_what_waits_behind_the_first_frame() {
    let mut outbox = Outbox::new(10);

    outbox.push(frame(&[0; 100]));
    outbox.push(frame(&[0; 8]));
    assert_eq!(outbox.overflow(), None);

    outbox.push(frame(&[]));
    assert_eq!(outbox.overflow(), Some(Overflow { waiting: 12, limit: 10 }));
}

#[test]
fn what_is_owed_counts_only_as_congestion() {
    let mut outbox = Outbox::new(10);
    outbox.push_owed(frame(&[0; 100]));
    outbox.push_owed(frame(&[0; 100]));

    assert!(outbox.is_congested());
    assert_eq!(outbox.overflow(), None);

    while write_some(&mut outbox, &mut Vec::new(), usize::MAX) == Some(Written::More) {}
    outbox.push(frame(&[]));
    outbox.push(frame(&[0; 11]));
    assert_eq!(outbox.overflow(), Some(Overflow { waiting: 13, limit: 10 }));
}

#[test]
fn half_of_the_limit_is_no_congestion_and_one_byte_more_is() {
    let mut outbox = Outbox::new(10);
    outbox.push(frame(&[0; 100]));

    outbox.push(frame(&[0; 3]));
    assert!(!outbox.is_congested(), "five bytes with the header");

    outbox.push(frame(&[]));
    assert!(outbox.is_congested());
}

#[test]
fn at_most_32_frames_are_written_at_once() {
    let mut outbox = Outbox::new(1000);
    for _ in 0..33 {
        outbox.push(frame(b"x"));
    }

    let batch = outbox.begin().unwrap();
    assert_eq!((batch.frames(), batch.slices().count()), (32, 32));
    assert_eq!(outbox.finish(batch, 32 * 3), Written::More);

    assert_eq!(outbox.begin().unwrap().frames(), 1);
}

#[test]
fn outbox_is_leased_from_begin_to_finish() {
    let mut outbox = Outbox::new(100);
    outbox.push(frame(b"a"));
    assert!(!outbox.is_leased());

    let batch = outbox.begin().unwrap();
    assert!(outbox.is_leased());

    outbox.finish(batch, 3);
    assert!(!outbox.is_leased());
}

#[test]
fn overflow_reads_as_a_sentence() {
    let overflow = Overflow { waiting: 12, limit: 10 };

    assert_eq!(overflow.to_string(), "12 bytes wait for a peer that may have 10 waiting");
}

#[test]
fn second_writer_goes_away() {
    let mut outbox = Outbox::new(100);
    outbox.push(frame(b"a"));
    let batch = outbox.begin().unwrap();
    outbox.push(frame(b"b"));

    assert!(outbox.begin().is_none());

    assert_eq!(outbox.finish(batch, 3), Written::More);
    assert!(outbox.begin().is_some());
}

#[test]
fn cleared_outbox_keeps_the_frame_that_is_half_written() {
    let mut outbox = Outbox::new(100);
    outbox.push(frame(b"abc"));
    outbox.push(frame(b"d"));
    let mut wire = Vec::new();
    assert_eq!(write_some(&mut outbox, &mut wire, 1), Some(Written::Blocked));

    outbox.clear();

    assert_eq!(write_some(&mut outbox, &mut wire, 100), Some(Written::Everything));
    assert_eq!(wire, frame(b"abc").as_websocket());
    assert_eq!(outbox.waiting(), 0);
}

#[test]
fn empty_outbox_holds_nothing() {
    let mut outbox = Outbox::new(1 << 20);
    for _ in 0..100 {
        outbox.push(frame(b"x"));
    }
    while write_some(&mut outbox, &mut Vec::new(), usize::MAX) == Some(Written::More) {}

    assert!(outbox.is_empty() && outbox.rest.is_none());
    assert_eq!(outbox.waiting(), 0);
}

fn open_run(outbox: &mut Outbox) -> Frame {
    let run = Frame::open();
    outbox.push(run.clone());
    run
}

#[test]
fn open_run_is_not_written_and_what_is_behind_it_waits() {
    let (mut outbox, mut wire) = (Outbox::new(1000), Vec::new());
    outbox.push(frame(b"ahead"));
    let run = open_run(&mut outbox);
    outbox.push(frame(b"behind"));

    assert!(!outbox.awaits_seal(), "there is something ahead of it");
    assert_eq!(write_some(&mut outbox, &mut wire, 1000), Some(Written::More));
    assert_eq!(wire, frame(b"ahead").as_websocket());
    assert!(outbox.awaits_seal());
    assert!(outbox.begin().is_none());
    assert!(!outbox.is_leased() && !outbox.is_empty());

    run.seal(b"run".to_vec());
    assert!(!outbox.awaits_seal());
    assert_eq!(write_some(&mut outbox, &mut wire, 1000), Some(Written::Everything));
    assert_eq!(wire, [frame(b"ahead").as_websocket(), b"run", frame(b"behind").as_websocket()].concat());
}

#[test]
fn run_counts_once_it_is_sealed() {
    let mut outbox = Outbox::new(10);
    outbox.push(frame(b"abc"));
    let (one, two) = (open_run(&mut outbox), open_run(&mut outbox));
    assert_eq!((outbox.waiting(), outbox.is_congested(), outbox.overflow()), (5, false, None));

    one.seal(vec![0; 10]);
    assert_eq!((outbox.waiting(), outbox.is_congested(), outbox.overflow()), (15, true, None));

    two.seal(vec![0; 1]);
    assert_eq!(outbox.overflow(), Some(Overflow { waiting: 11, limit: 10 }));
}

#[test]
fn run_that_is_the_first_frame_does_not_count_against_the_limit() {
    let mut outbox = Outbox::new(10);
    let run = open_run(&mut outbox);
    run.seal(vec![0; 1000]);
    outbox.push(frame(&[0; 8]));

    assert_eq!((outbox.waiting(), outbox.overflow()), (1010, None));
}

#[test]
fn run_that_is_half_written_goes_back_to_its_place_and_counts_again() {
    let (mut outbox, mut wire) = (Outbox::new(1000), Vec::new());
    outbox.push(frame(b"ahead"));
    let run = open_run(&mut outbox);
    outbox.push(frame(b"behind"));
    run.seal(b"0123456789".to_vec());
    let open = open_run(&mut outbox);
    let sent = [frame(b"ahead").as_websocket(), b"0123456789", frame(b"behind").as_websocket()].concat();

    assert_eq!(write_some(&mut outbox, &mut wire, 7 + 4), Some(Written::Blocked));
    assert_eq!((outbox.waiting(), outbox.runs), (10 + 8, 2));
    assert_eq!(write_some(&mut outbox, &mut wire, 3), Some(Written::Blocked));
    assert_eq!((outbox.waiting(), outbox.runs), (10 + 8, 2));
    assert_eq!(write_some(&mut outbox, &mut wire, 1000), Some(Written::More));

    assert_eq!(wire, sent);
    assert_eq!((outbox.waiting(), outbox.runs), (0, 1));
    assert!(open.is_open() && outbox.awaits_seal());
}

#[test]
fn cleared_outbox_keeps_a_run_that_is_half_written_and_no_other() {
    let (mut outbox, mut wire) = (Outbox::new(1000), Vec::new());
    let run = open_run(&mut outbox);
    let late = open_run(&mut outbox);
    run.seal(b"run".to_vec());
    assert_eq!(write_some(&mut outbox, &mut wire, 1), Some(Written::Blocked));

    outbox.clear();
    late.seal(b"late".to_vec());

    assert_eq!((outbox.waiting(), outbox.runs), (3, 1));
    assert_eq!(write_some(&mut outbox, &mut wire, 1000), Some(Written::Everything));
    assert_eq!(wire, b"run");
    assert_eq!((outbox.waiting(), outbox.runs), (0, 0));
}

#[test]
fn cleared_outbox_forgets_an_open_run() {
    let mut outbox = Outbox::new(1000);
    let run = open_run(&mut outbox);

    outbox.clear();
    run.seal(b"run".to_vec());

    assert!(outbox.is_empty() && !outbox.awaits_seal());
    assert_eq!((outbox.waiting(), outbox.runs), (0, 0));
}

#[derive(Clone, Debug)]
enum Step {
    Push(usize),
    /// Opens a run.
    Open,
    /// Seals one of the runs that are open, with so many bytes.
    Seal(prop::sample::Index, usize),
    /// Writes as much at once.
    Write(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0usize..300).prop_map(Step::Push),
        2 => Just(Step::Open),
        2 => (any::<prop::sample::Index>(), 0usize..300).prop_map(|(which, len)| Step::Seal(which, len)),
        3 => (0usize..600).prop_map(Step::Write),
    ]
}

/// What has been sent: a frame's bytes, or a run that may still be open.
fn bytes_of(sent: &[Frame]) -> Vec<u8> {
    sent.iter().flat_map(|frame| frame.as_websocket().to_vec()).collect()
}

#[test]
fn all_that_waits_can_be_taken_with_how_much_of_it_is_owed() {
    let mut outbox = Outbox::new(10);
    outbox.push(frame(b"one"));
    outbox.push_owed(frame(b"two"));
    outbox.push(frame(b"three"));

    assert_eq!(outbox.take_all(), (vec![frame(b"one"), frame(b"two"), frame(b"three")], 5));

    assert!(outbox.is_empty());
    assert_eq!((outbox.waiting(), outbox.overflow(), outbox.take_all()), (0, None, (Vec::new(), 0)));
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "what is being written")]
fn nobody_takes_all_while_somebody_writes() {
    let mut outbox = Outbox::new(10);
    outbox.push(frame(b"one"));
    let _batch = outbox.begin();

    let _ = outbox.take_all();
}

proptest! {
    #[test]
    fn each_byte_of_frames_and_runs_is_written_once_and_in_order(
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let (mut outbox, mut wire) = (Outbox::new(usize::MAX), Vec::new());
        let (mut sent, mut next) = (Vec::<Frame>::new(), 0u8);
        let mut fill = |len: usize| {
            next = next.wrapping_add(1);
            vec![next; len]
        };
        for step in steps {
            let open = sent.iter().filter(|frame| frame.is_open()).collect::<Vec<_>>();
            match step {
                Step::Push(len) => {
                    sent.push(frame(&fill(len)));
                    outbox.push(sent[sent.len() - 1].clone());
                }
                Step::Open => sent.push(open_run(&mut outbox)),
                Step::Seal(_, _) if open.is_empty() => {}
                Step::Seal(which, len) => which.get(&open).seal(fill(len)),
                Step::Write(room) => {
                    write_some(&mut outbox, &mut wire, room);
                }
            }
            let until_open = sent.iter().take_while(|frame| !frame.is_open()).count();
            let writable = bytes_of(&sent[..until_open]);
            prop_assert!(writable.starts_with(&wire), "nothing from behind an open run, nothing twice");
            prop_assert_eq!(wire.len() + outbox.waiting() - outbox.written, bytes_of(&sent).len());
        }
        for frame in &sent {
            frame.seal(fill(5));
        }
        while matches!(write_some(&mut outbox, &mut wire, usize::MAX), Some(Written::More)) {}
        prop_assert_eq!(wire, bytes_of(&sent));
        prop_assert!(outbox.is_empty());
        prop_assert_eq!(outbox.runs, 0);
    }
}

#[test]
fn control_frame_overtakes_a_run_that_is_open_and_nothing_else() {
    let mut outbox = Outbox::new(1000);
    let (message, run, pong) = (frame(b"message"), Frame::open(), frame(b"pong"));
    outbox.push(message.clone());
    outbox.push(run.clone());
    assert!(outbox.ends_open());

    outbox.push_control(pong.clone());
    assert!(outbox.ends_open());
    assert_eq!(outbox.waiting(), message.as_websocket().len() + pong.as_websocket().len());
    run.seal(b"run".to_vec());
    assert!(!outbox.ends_open());
    outbox.push_control(pong.clone());

    let written: Vec<u8> = outbox.begin().unwrap().slices().flatten().copied().collect();
    let order = [&message, &pong, &run, &pong].map(|frame| frame.as_websocket().to_vec()).concat();
    assert_eq!(written, order);
}

#[test]
fn control_frame_overtakes_an_open_run_that_is_alone() {
    let mut outbox = Outbox::new(1000);
    outbox.push(Frame::open());

    outbox.push_control(frame(b"pong"));

    assert!(outbox.ends_open() && !outbox.awaits_seal());
    let batch = outbox.begin().unwrap();
    assert_eq!(batch.frames(), 1);
}
