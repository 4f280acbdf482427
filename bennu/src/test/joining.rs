//! A join under way.

use super::arrival::Shown;
use super::member::Member;
use super::node::Node;
use crate::Payload;
use crate::watch;
use std::fmt;
use std::rc::Rc;

/// A join that has been sent: ask for its [answer](Self::answer) when it should be there.
#[must_use = "a join that is sent may be refused"]
pub struct Joining {
    member: Member,
    node: Rc<Node>,
    line: usize,
    seat: usize,
}

/// A join that was not accepted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JoinError {
    /// The topic.
    pub topic: String,
    /// What the client was answered, such as `{"reason":"unauthorized"}`.
    pub response: Payload,
    /// Why `join` crashed, if it did: clients see `{"reason":"join crashed"}`.
    pub crash: Option<String>,
}

impl Joining {
    pub(super) fn new(member: Member, node: &Rc<Node>, line: usize, seat: usize) -> Self {
        Self { member, node: Rc::clone(node), line, seat }
    }

    /// Whether the join has been answered.
    #[track_caller]
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.node.line(self.line, |line| line.seats[self.seat].answer().is_some())
    }

    /// The answer.
    ///
    /// # Errors
    /// [`JoinError`] if the join was refused, or crashed.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn answer(self) -> Result<(Member, Payload), JoinError> {
        let Self { member, node, line, seat } = self;
        let topic = member.topic().to_owned();
        let Some((status, response)) = node.line(line, |line| line.seats[seat].take_answer()) else {
            panic!("the join of {topic:?} has not been answered{}", node.report());
        };
        if status == "ok" {
            return Ok((member, response));
        }
        let (socket, join_ref) = {
            let line = &node.lines.borrow()[line];
            (line.socket, line.seats[seat].join_ref.clone())
        };
        let channel = node.channel(socket, &join_ref, |channel: &watch::Channel| channel.id);
        let crashes = channel.map(|channel| node.expect_crashes(channel)).unwrap_or_default();
        Err(JoinError { topic, response, crash: crashes.into_iter().next() })
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the join of {:?} was refused: {}", self.topic, Shown(&self.response))?;
        self.crash.as_ref().map_or(Ok(()), |why| write!(f, " ({why})"))
    }
}

impl std::error::Error for JoinError {}

impl fmt::Debug for Joining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Joining").field(&self.member.topic()).finish()
    }
}
