//! How channels and sockets come to their end.

use super::channel::State;
use super::dispatch::because;
use super::mailbox::Item;
use super::output::{CloseReason, Event, Outcome, Output, Reason};
use super::socket::Life;
use super::topics::{Listener, Member, Share};
use super::{Lossy, Server};
use crate::message::Name;
use crate::wire::Outgoing;
use crate::{Compat, Payload, Ref, event};

impl<H: Clone, I> Server<H, I> {
    /// Acts on what a handler answered.
    pub(super) fn conclude(&mut self, channel: u32, outcome: Outcome<I>) {
        match self.channels[channel as usize].state {
            State::Held => {}
            State::Joining => self.conclude_join(channel, outcome),
            State::Joined => self.conclude_handler(channel, outcome),
            State::Closing => self.end(channel),
            State::Crashing => self.end_with_error(channel),
        }
    }

    fn conclude_join(&mut self, channel: u32, outcome: Outcome<I>) {
        let socket = self.channels[channel as usize].socket;
        match outcome {
            Outcome::Joined { reply, next } => {
                self.subscribe_member(channel);
                let _ = self.send(socket, reply);
                self.close_replaced(channel);
                self.channels[channel as usize].state = State::Joined;
                let gone = self.sockets[socket as usize].life != Life::Open;
                match next {
                    // Before whatever `join` itself sent to its channel.
                    Some(next) => self.run(channel, Item::Info(next)),
                    None => self.proceed(channel),
                }
                self.decided(channel);
                if gone {
                    self.deliver(channel, Item::Closed);
                }
            }
            Outcome::Refused { reply } => {
                let _ = self.send(socket, reply);
                self.close_replaced(channel);
                self.end(channel);
            }
            Outcome::Continue { .. } | Outcome::Stop { .. } => self.refuse(channel, "join crashed"),
        }
    }

    /// Answers a pending join with an error, and forgets it.
    pub(super) fn refuse(&mut self, channel: u32, reason: &'static str) {
        let state = &self.channels[channel as usize];
        let (socket, Some(key)) = (state.socket, state.topic) else { return };
        let topic = self.topics.get(key).name.clone();
        let (join_ref, msg_ref) = (state.refs.sent().cloned(), state.refs.msg_ref().cloned());
        self.own_frame(
            socket,
            &Outgoing::Reply {
                join_ref: join_ref.as_ref(),
                msg_ref: msg_ref.as_ref(),
                topic: &Name::from(&*topic),
                status: "error",
                response: &because(reason),
            },
        );
        self.close_replaced(channel);
        self.end(channel);
    }

    fn conclude_handler(&mut self, channel: u32, outcome: Outcome<I>) {
        let socket = self.channels[channel as usize].socket;
        match outcome {
            Outcome::Continue { reply } => {
                if let Some(reply) = reply {
                    let _ = self.send(socket, reply);
                }
                self.proceed(channel);
            }
            Outcome::Stop { reply, reason } => {
                if let Some(reply) = reply {
                    let _ = self.send(socket, reply);
                }
                self.terminate(channel, reason);
            }
            // No handler of a joined channel answers a join: whoever does is broken.
            Outcome::Joined { .. } | Outcome::Refused { .. } => {
                self.terminate(channel, Reason::Crash("a join's outcome for another handler".to_owned()));
            }
        }
    }

    /// Handles the next thing that waits for a channel, which is joined and idle.
    fn proceed(&mut self, channel: u32) {
        let state = &mut self.channels[channel as usize];
        let (socket, Some(item)) = (state.socket, state.pop()) else { return };
        if item.is_input() {
            self.release_waiting(socket, item.load());
        }
        self.run(channel, item);
    }

    /// Handles one thing, the channel being idle.
    pub(super) fn run(&mut self, channel: u32, item: Item<I>) {
        let event = match item {
            Item::Leave { msg_ref } => return self.leave(channel, msg_ref.as_ref()),
            Item::Closed => {
                let socket = self.channels[channel as usize].socket;
                return self.terminate(channel, self.sockets[socket as usize].ending());
            }
            Item::In { msg_ref, event, payload } => Event::In { msg_ref, event, payload },
            Item::Out { event, payload } => Event::Out { event, payload },
            Item::Broadcast { topic, event, payload } => Event::Broadcast { topic, event, payload },
            Item::Info(info) => Event::Info(info),
        };
        self.call(channel, event);
    }

    fn leave(&mut self, channel: u32, msg_ref: Option<&Ref>) {
        let state = &self.channels[channel as usize];
        let (socket, Some(key)) = (state.socket, state.topic) else { return };
        let (topic, join_ref) = (self.topics.get(key).name.clone(), state.refs.own().cloned());
        self.own_frame(
            socket,
            &Outgoing::Reply {
                join_ref: join_ref.as_ref(),
                msg_ref,
                topic: &Name::from(&*topic),
                status: "ok",
                response: &Payload::empty(),
            },
        );
        self.terminate(channel, Reason::Left);
    }

    /// Ends a joined channel with its `terminate`: `phx_close` before it, or `phx_error` behind it.
    fn terminate(&mut self, channel: u32, reason: Reason) {
        if !reason.is_graceful() {
            self.empty_inbox(channel);
            self.end_extras(channel);
            self.channels[channel as usize].state = State::Crashing;
            return self.call(channel, Event::Terminate(reason));
        }
        self.unsubscribe_member(channel);
        self.farewell(channel, event::CLOSE, &Payload::empty());
        self.empty_inbox(channel);
        self.end_extras(channel);
        let socket = self.channels[channel as usize].socket;
        self.sockets[socket as usize].terminating += 1;
        self.channels[channel as usize].state = State::Closing;
        self.call(channel, Event::Terminate(reason));
        let behind = self.take_behind(channel);
        let Some(topic) = self.detach(channel) else { return };
        self.dispatch_anew(socket, &topic, behind);
    }

    /// Ends a channel at once: its handler is cancelled, `terminate` does not run.
    pub(super) fn kill(&mut self, channel: u32) {
        match self.channels[channel as usize].state {
            State::Held | State::Joining => self.refuse(channel, "overloaded"),
            State::Joined | State::Crashing => self.end_with_error(channel),
            State::Closing => self.end(channel),
        }
    }

    fn end_with_error(&mut self, channel: u32) {
        self.unsubscribe_member(channel);
        let payload = match self.mount(self.channels[channel as usize].socket).compat {
            Compat::Phoenix1_8_9 => Payload::empty(),
            Compat::Phoenix1_8_12 => because("channel_crash"),
        };
        self.farewell(channel, event::ERROR, &payload);
        self.end(channel);
    }

    /// Forgets a channel, and cancels its handler if one runs. What waited behind it is dispatched anew.
    pub(super) fn end(&mut self, channel: u32) {
        let socket = self.channels[channel as usize].socket;
        let id = self.channel_id(channel);
        self.unsubscribe_member(channel);
        self.empty_inbox(channel);
        self.end_extras(channel);
        let behind = self.take_behind(channel);
        let topic = self.detach(channel);
        let state = self.channels.remove(channel as usize);
        let to = self.socket_id(socket);
        if state.busy {
            let call = super::CallId { channel: id, number: state.calls };
            self.outputs.push_back(Output::Cancel { socket: to, call });
        }
        if state.calls > 0 {
            // Of a join that was held, nobody has heard.
            self.outputs.push_back(Output::Ended { socket: to, channel: id });
        }
        if state.state == State::Closing {
            self.sockets[socket as usize].terminating -= 1;
            self.start_held_joins(socket);
        }
        if let Some(topic) = topic {
            self.dispatch_anew(socket, &topic, behind);
        }
        self.forget_socket(socket);
    }

    /// Takes a channel out of its topic and of the reach of messages; returns the topic's name.
    fn detach(&mut self, channel: u32) -> Option<crate::Topic> {
        let state = &mut self.channels[channel as usize];
        let (socket, key) = (state.socket, state.topic.take()?);
        let name = self.topics.get(key).name.clone();
        self.topics.remove_channel(key);
        let channels = &mut self.sockets[socket as usize].channels;
        if let Some(at) = channels.iter().position(|&other| other == channel) {
            channels.remove(at);
        }
        Some(name)
    }

    /// Starts the joins that have waited for a terminate to end.
    fn start_held_joins(&mut self, socket: u32) {
        let limit = self.mount(socket).limits.max_terminating;
        let owner = &self.sockets[socket as usize];
        if owner.terminating as usize + 1 != limit {
            return; // None is held below the limit, and none may start at it.
        }
        for channel in owner.channels.clone() {
            if let Some(payload) = self.release_join(channel) {
                self.start_join(channel, payload);
            }
        }
    }

    /// Sends `phx_close` or `phx_error`, whose refs are the join_ref as it was sent.
    fn farewell(&mut self, channel: u32, event: &str, payload: &Payload) {
        let state = &self.channels[channel as usize];
        let Some(key) = state.topic else { return };
        let (socket, join_ref) = (state.socket, state.refs.sent().cloned());
        let topic = self.topics.get(key).name.clone();
        let join_ref = join_ref.as_ref();
        self.own_frame(
            socket,
            &Outgoing::Push { join_ref, msg_ref: join_ref, topic: &topic, event, payload },
        );
    }

    /// Sends the `phx_close` of the channel that this one has replaced.
    fn close_replaced(&mut self, channel: u32) {
        let state = &mut self.channels[channel as usize];
        let Some(replaced) = state.extra.as_mut().and_then(|extra| extra.replaces.take()) else { return };
        let (socket, Some(key)) = (state.socket, state.topic) else { return };
        let topic = self.topics.get(key).name.clone();
        let join_ref = replaced.as_ref();
        let payload = &Payload::empty();
        self.own_frame(
            socket,
            &Outgoing::Push { join_ref, msg_ref: join_ref, topic: &topic, event: event::CLOSE, payload },
        );
    }

    /// A pending join has been decided: what waited behind it is dispatched.
    fn decided(&mut self, channel: u32) {
        let state = &self.channels[channel as usize];
        let (socket, Some(key), Some(_)) = (state.socket, state.topic, &state.mailbox) else { return };
        let topic = self.topics.get(key).name.clone();
        let behind = self.take_behind(channel);
        self.dispatch_anew(socket, &topic, behind);
    }

    fn subscribe_member(&mut self, channel: u32) {
        let state = &self.channels[channel as usize];
        let (socket, Some(key), None) = (state.socket, state.topic, state.member) else { return };
        if self.sockets[socket as usize].life != Life::Open {
            return; // Broadcasts would go nowhere.
        }
        let share = match self.lossy {
            _ if !self.mount(socket).router.intercepts(state.route).is_empty() => Share::NotIntercepted,
            Lossy::Perhaps => Share::OfItsMount,
            Lossy::Never => Share::All,
        };
        let owner = &self.sockets[socket as usize];
        let mount = u16::try_from(owner.mount).expect("Server::new takes no more mounts");
        let (serializer, handle) = (owner.serializer, owner.handle.clone());
        let member = Member { channel, serializer, share, mount, handle };
        let (at, change) = self.topics.add_member(key, member);
        self.channels[channel as usize].member = Some(at);
        self.interest(key, change, true);
    }

    pub(super) fn unsubscribe_member(&mut self, channel: u32) {
        let state = &mut self.channels[channel as usize];
        let (Some(key), Some(at)) = (state.topic, state.member.take()) else { return };
        let (moved, change) = self.topics.remove_member(key, at);
        if let Some(moved) = moved {
            self.channels[moved as usize].member = Some(at);
        }
        self.interest(key, change, false);
    }

    /// Ends the timers and further subscriptions of a channel.
    fn end_extras(&mut self, channel: u32) {
        let id = self.channel_id(channel);
        let Some(extra) = self.channels[channel as usize].extra.as_mut() else { return };
        let (timers, subscriptions) =
            (std::mem::take(&mut extra.timers), std::mem::take(&mut extra.subscriptions));
        for timer in timers {
            self.timers.remove(&(timer.at, timer.number));
        }
        for key in subscriptions {
            self.remove_listener(key, Listener::Channel(id));
        }
    }

    pub(super) fn stop_socket(&mut self, socket: u32, reason: CloseReason) {
        if self.sockets[socket as usize].life != Life::Open {
            return;
        }
        let to = self.socket_id(socket);
        self.sockets[socket as usize].stopped = Some(reason);
        self.outputs.push_back(Output::Close { to, reason });
        self.close_socket(socket, Life::Closing);
    }

    /// Brings a socket's channels to their end.
    pub(super) fn close_socket(&mut self, socket: u32, life: Life) {
        let owner = &mut self.sockets[socket as usize];
        let was = std::mem::replace(&mut owner.life, life);
        if was == Life::Gone {
            owner.life = Life::Gone;
            return;
        }
        if was == Life::Open {
            self.connected[owner.serializer] -= 1;
            if let Some(overload) = owner.waiting.as_mut().and_then(|waiting| waiting.overload.take()) {
                self.timers.remove(&(overload.until, overload.number));
            }
            if let Some(key) = owner.id.take() {
                self.remove_listener(key, Listener::Socket(socket));
            }
            for channel in self.sockets[socket as usize].channels.clone() {
                self.unsubscribe_member(channel);
                match self.channels.get(channel as usize).map(|channel| channel.state) {
                    Some(State::Held) => self.end(channel),
                    Some(State::Joined) => self.deliver(channel, Item::Closed),
                    // A pending join is decided first; a terminate that runs is the last thing anyway.
                    Some(State::Joining | State::Closing | State::Crashing) | None => {}
                }
            }
        }
        self.forget_socket(socket);
    }

    /// Forgets a socket whose transport has gone and whose channels have ended.
    fn forget_socket(&mut self, socket: u32) {
        let owner = &self.sockets[socket as usize];
        if owner.life == Life::Gone
            && owner.channels.is_empty()
            && owner.terminating == 0
            && !self.ended.contains(&socket)
        {
            self.ended.push(socket);
        }
    }
}
