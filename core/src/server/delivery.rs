//! Mailboxes and their bounds, and messages that come later.

use super::channel::State;
use super::id::{ChannelId, TimerId};
use super::mailbox::{Item, Load, Received};
use super::output::{Notice, Output, Undelivered};
use super::socket::{Life, Overload};
use super::{Server, Timer};
use crate::{Instant, Payload};
use std::collections::VecDeque;
use std::time::Duration;

impl<H: Clone, I> Server<H, I> {
    /// Gives a channel a message of the application, now or at a later time. It ends with its channel.
    ///
    /// # Errors
    /// [`Undelivered`], with the message, if the channel is no more.
    pub fn info(
        &mut self,
        channel: ChannelId,
        info: I,
        at: Instant,
        now: Instant,
    ) -> Result<TimerId, Undelivered<I>> {
        self.begin(now);
        let Some(index) = self.channel(channel) else { return Err(Undelivered(info)) };
        if matches!(self.channels[index as usize].state, State::Closing | State::Crashing) {
            return Err(Undelivered(info));
        }
        let number = self.next_serial();
        let timer = TimerId { channel, at, number };
        if at <= self.now {
            self.deliver(index, Item::Info(info));
            return Ok(timer);
        }
        self.timers.insert((at, number), Timer::Info { channel, info });
        self.channels[index as usize].extra().timers.push(timer);
        Ok(timer)
    }

    /// Takes a scheduled message back; returns it if it had not been given to its channel yet.
    pub fn cancel(&mut self, timer: TimerId) -> Option<I> {
        self.reap();
        // A timer ends with its channel; and numbers of another machine mean nothing here.
        self.channel(timer.channel)?;
        let Timer::Info { info, .. } = self.timers.remove(&(timer.at, timer.number))? else { return None };
        self.forget_timer(timer);
        Some(info)
    }

    /// Does what has become due. Called early or again, it does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.begin(now);
        while let Some(entry) = self.timers.first_entry() {
            let (at, number) = *entry.key();
            if at > self.now {
                return;
            }
            match entry.remove() {
                Timer::Info { channel, info } => {
                    self.forget_timer(TimerId { channel, at, number });
                    if let Some(channel) = self.channel(channel) {
                        self.deliver(channel, Item::Info(info));
                    }
                }
                Timer::Overload { socket } => self.relieve(socket),
            }
        }
    }

    fn forget_timer(&mut self, timer: TimerId) {
        let Some(channel) = self.channel(timer.channel) else { return };
        if let Some(extra) = self.channels[channel as usize].extra.as_mut() {
            extra.timers.retain(|other| *other != timer);
        }
    }

    /// Hands a channel one thing to handle: at once if it is idle, else behind what waits already.
    pub(super) fn deliver(&mut self, channel: u32, item: Item<I>) {
        let limits = {
            let state = &self.channels[channel as usize];
            match state.state {
                State::Closing | State::Crashing => return,
                State::Joined if !state.busy && state.mailbox.is_none() => return self.run(channel, item),
                State::Joined | State::Joining | State::Held => self.mount(state.socket).limits,
            }
        };
        let (is_input, load) = (item.is_input(), item.load());
        let mailbox = self.channels[channel as usize].mailbox();
        mailbox.push(item);
        if is_input {
            self.add_waiting(channel, load);
        } else if mailbox.others.exceeds(limits.channel()) {
            let (socket, topic) = (self.channels[channel as usize].socket, self.topic_of(channel));
            self.note(socket, Notice::ChannelFull { topic });
            self.kill(channel);
        }
    }

    /// Counts input that waits; past the bound, reading pauses.
    pub(super) fn add_waiting(&mut self, channel: u32, load: Load) {
        let socket = self.channels[channel as usize].socket;
        let limits = self.mount(socket).limits;
        let owner = &mut self.sockets[socket as usize];
        let waiting = owner.waiting.get_or_insert_default();
        waiting.load += load;
        if owner.life == Life::Open && waiting.overload.is_none() && waiting.load.reaches(limits.input()) {
            self.arm_overload(socket);
            let socket = self.socket_id(socket);
            self.outputs.push_back(Output::Pause { socket });
        }
    }

    /// Counts input that waits no longer; at half the bound, reading goes on.
    pub(super) fn release_waiting(&mut self, socket: u32, load: Load) {
        self.count_out(socket, load);
        self.resume_at_half(socket);
    }

    pub(super) fn count_out(&mut self, socket: u32, load: Load) {
        if let Some(waiting) = self.sockets[socket as usize].waiting.as_mut() {
            waiting.load -= load;
        }
    }

    pub(super) fn resume_at_half(&mut self, socket: u32) {
        let bound = self.mount(socket).limits.input().half();
        let owner = &mut self.sockets[socket as usize];
        let Some(waiting) = owner.waiting.as_mut() else { return };
        if waiting.load.exceeds(bound) {
            return;
        }
        let overload = waiting.overload.take();
        if waiting.load == Load::default() {
            owner.waiting = None;
        }
        let Some(overload) = overload else { return };
        self.timers.remove(&(overload.until, overload.number));
        let socket = self.socket_id(socket);
        self.outputs.push_back(Output::Resume { socket });
    }

    fn arm_overload(&mut self, socket: u32) {
        // At least a moment, so that a limit of zero does not relieve for ever within one instant.
        let until = self.now + self.mount(socket).limits.overload.max(Duration::from_millis(1));
        let number = self.next_serial();
        self.timers.insert((until, number), Timer::Overload { socket });
        self.sockets[socket as usize].waiting.get_or_insert_default().overload =
            Some(Overload { until, number });
    }

    /// Reading has paused for too long: the channel that holds most of what waits is ended, so that it
    /// cannot silence the others for good.
    fn relieve(&mut self, socket: u32) {
        let bound = self.mount(socket).limits.input();
        let held = |&channel: &u32| self.channels[channel as usize].input().share_of(bound);
        let fullest = self.sockets[socket as usize].channels.iter().copied().max_by_key(held);
        self.arm_overload(socket);
        if let Some(channel) = fullest {
            let topic = self.topic_of(channel);
            self.note(socket, Notice::Overloaded { topic });
            self.kill(channel);
        }
    }

    /// Drops what waits for a channel that ends; the client is not told, as in Phoenix.
    pub(super) fn empty_inbox(&mut self, channel: u32) {
        self.release_join(channel);
        let state = &mut self.channels[channel as usize];
        let (socket, Some(mailbox)) = (state.socket, state.mailbox.as_mut()) else { return };
        let mut dropped = Load::default();
        for item in mailbox.inbox.drain(..).filter(Item::is_input) {
            dropped += item.load();
        }
        mailbox.input -= dropped;
        mailbox.others = Load::default();
        self.drop_empty_mailbox(channel);
        // If nothing was, a message that is just being dispatched anew may be all that waits.
        if dropped != Load::default() {
            self.release_waiting(socket, dropped);
        }
    }

    /// Keeps a join until fewer terminates run; it waits as all input does.
    pub(super) fn hold_join(&mut self, channel: u32, payload: Payload) {
        let load = Load::of(&payload);
        self.channels[channel as usize].extra().held = Some(payload);
        self.add_waiting(channel, load);
    }

    /// Takes out the payload of a join that is held, if this one is.
    pub(super) fn release_join(&mut self, channel: u32) -> Option<Payload> {
        let state = &mut self.channels[channel as usize];
        let (socket, payload) = (state.socket, state.extra.as_mut()?.held.take()?);
        self.release_waiting(socket, Load::of(&payload));
        Some(payload)
    }

    /// Takes out what waits behind a decision, to dispatch it anew. Until that is done it still counts.
    pub(super) fn take_behind(&mut self, channel: u32) -> VecDeque<Received> {
        let Some(mailbox) = self.channels[channel as usize].mailbox.as_mut() else { return VecDeque::new() };
        let behind = std::mem::take(&mut mailbox.behind);
        for received in &behind {
            mailbox.input -= received.load();
        }
        self.drop_empty_mailbox(channel);
        behind
    }

    /// Lets what has waited behind one decision wait behind the next.
    pub(super) fn keep_behind(&mut self, channel: u32, behind: VecDeque<Received>) {
        for received in behind {
            self.channels[channel as usize].mailbox().push_behind(received);
        }
    }

    fn drop_empty_mailbox(&mut self, channel: u32) {
        let state = &mut self.channels[channel as usize];
        if state.mailbox.as_ref().is_some_and(|mailbox| mailbox.is_empty()) {
            state.mailbox = None;
        }
    }
}
