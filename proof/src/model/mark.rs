//! What a run has reached: a generator that never gets somewhere proves nothing about it.

use super::said::{Asked, Said};
use std::fmt;

macro_rules! marks {
    ($($mark:ident)*) => {
        /// Something that a run can reach: an output, or a branch of the rules.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mark { $(
            #[allow(missing_docs, reason = "each is named after what was reached")]
            $mark,
        )* }

        impl Mark {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$mark),*];
        }
    };
}

marks! {
    // Outputs.
    Send Fanout FanoutToMany CallJoin CallIn CallOut CallBroadcast CallInfo CallTerminate Cancel Ended Pause Resume
    Interest NoInterest CloseDisconnected CloseDraining CloseSlowConsumer CloseMalformed
    // A client's messages.
    Heartbeat TopicIsNoString NameTooLong Unmatched LeaveUnjoined StaleJoinRef Replaced ReplacedClosed
    MessageTooFast JoinTooFast TooManyChannels JoinHeld ReplacementHeld HeldJoinStarted JoinBehindLeave Held Released Left
    OlderTakes OlderDrops OlderCrash
    // Handlers.
    Joined JoinedThoughClosed Refused JoinCrashed WrongOutcome AnswerIgnored Stopped Crashed TerminatedByEnd
    PushWhileClosing PushRefused ReplyRefused Lost Abandoned
    // Bounds.
    Killed JoinKilled HeldJoinKilled CrashingKilled TooMuchFromOthers Relieved ReadRegardless
    // Broadcasts, timers.
    SenderLeftOut OwnCopy BinarySkipped Intercepted FurtherTopic OwnTopicTwice DisconnectedById Unencodable
    TimerDue TimerCancelled InfoRefused SubscribeRefused
}

/// How often each mark was reached, and how many operations took effect.
#[derive(Clone, Debug)]
pub struct Marks {
    seen: Vec<u64>,
    operations: u64,
}

impl Default for Marks {
    fn default() -> Self {
        Self { seen: vec![0; Mark::ALL.len()], operations: 0 }
    }
}

impl Marks {
    /// How often this was reached.
    #[must_use]
    pub fn count(&self, mark: Mark) -> u64 {
        self.seen[mark as usize]
    }

    /// How many operations there were.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: &Self) {
        for (sum, seen) in self.seen.iter_mut().zip(&other.seen) {
            *sum += seen;
        }
        self.operations += other.operations;
    }

    pub(crate) fn see(&mut self, mark: Mark) {
        self.seen[mark as usize] += 1;
    }

    pub(crate) fn see_operation(&mut self) {
        self.operations += 1;
    }

    pub(crate) fn see_output(&mut self, said: &Said) {
        self.see(match said {
            Said::Send { .. } => Mark::Send,
            Said::Fanout { to, .. } if to.len() > 1 => Mark::FanoutToMany,
            Said::Fanout { .. } => Mark::Fanout,
            Said::Call { asked, .. } => match asked {
                Asked::Join { .. } => Mark::CallJoin,
                Asked::In { .. } => Mark::CallIn,
                Asked::Out { .. } => Mark::CallOut,
                Asked::Broadcast { .. } => Mark::CallBroadcast,
                Asked::Info(_) => Mark::CallInfo,
                Asked::Terminate(_) => Mark::CallTerminate,
            },
            Said::Cancel { .. } => Mark::Cancel,
            Said::Ended { .. } => Mark::Ended,
            Said::Pause { .. } => Mark::Pause,
            Said::Resume { .. } => Mark::Resume,
            Said::Interest { wanted: true, .. } => Mark::Interest,
            Said::Interest { wanted: false, .. } => Mark::NoInterest,
            Said::Close { code: 1001, .. } => Mark::CloseDisconnected,
            Said::Close { code: 1012, .. } => Mark::CloseDraining,
            Said::Close { code: 1013, .. } => Mark::CloseSlowConsumer,
            Said::Close { .. } => Mark::CloseMalformed,
            // What is noted is a branch of the rules, which has a mark.
            Said::Notice { .. } => return,
        });
    }
}

/// One line for each mark.
impl fmt::Display for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &mark in Mark::ALL {
            writeln!(f, "{:>20} {:>10}", format!("{mark:?}"), self.count(mark))?;
        }
        Ok(())
    }
}
