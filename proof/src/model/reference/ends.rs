//! How channels and sockets end.

use super::message::because;
use super::{Asked, Due, Mark, Model, Phase, Thing, Who};
use crate::model::said::{Heard, Said, What};
use crate::model::value::Content;
use bennu_core::server::Reason;

impl Model {
    /// A graceful end: `phx_close`, then `terminate`; the topic may be joined meanwhile.
    pub(super) fn close_channel(&mut self, channel: usize, reason: &Reason) {
        let (socket, topic) = (self.channels[channel].socket, self.channels[channel].topic.clone());
        self.end_subscription(&topic, Who::Member(channel));
        let join_ref = self.channels[channel].join_ref.clone();
        self.say_end(channel, join_ref, "phx_close", Content::empty());
        self.drop_what_waits(channel);
        self.end_further(channel);
        self.channels[channel].phase = Phase::Closing;
        self.call(channel, Asked::terminate(reason));
        self.release(socket, &topic);
    }

    /// A crash: `terminate`; `phx_error` follows when it has run.
    pub(super) fn crash(&mut self, channel: usize, reason: &Reason) {
        self.mark(Mark::Crashed);
        self.drop_what_waits(channel);
        self.end_further(channel);
        self.channels[channel].phase = Phase::Crashing;
        self.call(channel, Asked::terminate(reason));
    }

    /// `phx_error`, and the channel is gone.
    pub(super) fn fail(&mut self, channel: usize) {
        let topic = self.channels[channel].topic.clone();
        self.end_subscription(&topic, Who::Member(channel));
        let join_ref = self.channels[channel].join_ref.clone();
        let is_older = self.is_older(self.channels[channel].socket);
        self.mark_if(is_older, Mark::OlderCrash);
        let body = if is_older { Content::empty() } else { because("channel_crash") };
        self.say_end(channel, join_ref, "phx_error", body);
        self.finish_channel(channel);
    }

    /// Ends a channel that holds too much, without `terminate`. Bennu's own.
    pub(super) fn kill(&mut self, channel: usize) {
        match self.channels[channel].phase {
            phase @ (Phase::Held | Phase::Joining) => {
                self.mark(if phase == Phase::Held { Mark::HeldJoinKilled } else { Mark::JoinKilled });
                self.refuse(channel, "overloaded");
            }
            Phase::Joined => {
                self.mark(Mark::Killed);
                self.fail(channel);
            }
            Phase::Crashing => {
                self.mark(Mark::CrashingKilled);
                self.fail(channel);
            }
            Phase::Closing | Phase::Over => unreachable!("nothing waits for such a channel"),
        }
    }

    /// A channel is gone; what was held back for its topic is acted on.
    pub(super) fn finish_channel(&mut self, channel: usize) {
        self.forget_channel(channel);
        let (socket, topic) = (self.channels[channel].socket, self.channels[channel].topic.clone());
        self.release(socket, &topic);
    }

    /// A channel is gone, and whatever belonged to it.
    pub(super) fn forget_channel(&mut self, channel: usize) {
        let (socket, topic) = (self.channels[channel].socket, self.channels[channel].topic.clone());
        self.end_subscription(&topic, Who::Member(channel));
        self.drop_what_waits(channel);
        self.end_further(channel);
        let phase = std::mem::replace(&mut self.channels[channel].phase, Phase::Over);
        if let Some(call) = self.channels[channel].running.take() {
            self.said.push(Said::Cancel { socket, call });
        }
        if phase != Phase::Held {
            // Of a join that was held back, nobody has heard.
            self.said.push(Said::Ended { socket, channel });
        }
        if phase == Phase::Closing {
            self.start_held_joins(socket);
        }
    }

    /// Channels of a socket whose `terminate` runs behind their `phx_close`.
    pub(super) fn terminating(&self, socket: usize) -> usize {
        let runs = self.channels.iter().filter(|channel| channel.socket == socket);
        runs.filter(|channel| channel.phase == Phase::Closing).count()
    }

    fn start_held_joins(&mut self, socket: usize) {
        for channel in self.channels_of(socket) {
            let below = self.terminating(socket) < self.limits_of(socket).max_terminating;
            if below && let Some(payload) = self.channels[channel].payload.take() {
                self.mark(Mark::HeldJoinStarted);
                self.check_resume(socket);
                self.start_join(channel, payload);
            }
        }
    }

    /// What waits for a channel that ends is lost, and nobody is told.
    fn drop_what_waits(&mut self, channel: usize) {
        let ending = &mut self.channels[channel];
        let inbox = std::mem::take(&mut ending.inbox);
        if ending.payload.take().is_some() || inbox.iter().any(Thing::is_input) {
            self.mark(Mark::Lost);
            self.check_resume(self.channels[channel].socket);
        }
    }

    /// Timers and further subscriptions end with their channel.
    fn end_further(&mut self, channel: usize) {
        let of = |due: Due| matches!(due, Due::Info { channel: other, .. } if other == channel);
        self.timers.retain(|timer| !of(timer.what));
        while let Some(further) =
            self.subscriptions.iter().find(|subscription| subscription.who == Who::Listener(channel))
        {
            let topic = further.topic.clone();
            self.end_subscription(&topic, Who::Listener(channel));
        }
    }

    /// Nothing goes to the socket or comes from it any more. What its channels have received is handled,
    /// then they terminate; a pending join is decided first.
    pub(super) fn close(&mut self, socket: usize) {
        self.sockets[socket].open = false;
        self.sockets[socket].paused = false;
        self.timers.retain(|timer| timer.what != Due::Overload { socket });
        let ids = self.subscriptions.iter().filter(|subscription| subscription.who == Who::Socket(socket));
        for id in ids.map(|subscription| subscription.topic.clone()).collect::<Vec<_>>() {
            self.end_subscription(&id, Who::Socket(socket));
        }
        for channel in self.channels_of(socket) {
            let topic = self.channels[channel].topic.clone();
            self.end_subscription(&topic, Who::Member(channel));
            match self.channels[channel].phase {
                Phase::Held => self.finish_channel(channel),
                Phase::Joined => self.deliver(channel, Thing::Closed),
                Phase::Joining | Phase::Closing | Phase::Crashing | Phase::Over => {}
            }
        }
    }

    /// `phx_close` and `phx_error` carry the join_ref as it was sent, in both refs.
    pub(super) fn say_end(&mut self, channel: usize, join_ref: Option<String>, event: &str, body: Content) {
        let heard = Heard {
            join_ref: join_ref.clone(),
            msg_ref: join_ref,
            topic: self.channels[channel].word(),
            what: What::Event(event.to_owned()),
            body,
        };
        self.say_to(self.channels[channel].socket, heard);
    }
}
