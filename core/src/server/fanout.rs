//! Broadcasts, and who gets them.

use super::broadcast::{Broadcast, Fanout, Whose};
use super::channel::State;
use super::id::ChannelId;
use super::mailbox::Item;
use super::output::{CloseReason, Ended, Output};
use super::topics::{Entry, Listener, Member, Share, TopicKey};
use super::{Lossy, Server};
use crate::outbox::SlowConsumer;
use crate::wire::{PerSerializer, Serializer};
use crate::{Frame, Instant, event};
use smallvec::SmallVec;

impl<H: Clone, I> Server<H, I> {
    /// Sends a broadcast to this machine's members of its topic, all but the channel it is `from`.
    ///
    /// Members that do not intercept the event get one shared frame, by one [`Output::Fanout`]; the
    /// others a call of `handle_out` each.
    pub fn broadcast(&mut self, broadcast: &Broadcast, from: Option<ChannelId>, now: Instant) {
        self.begin(now);
        self.send_out(broadcast, from);
    }

    /// The same for a channel that broadcasts to itself as well: it gets its own copy apart from the
    /// others', by an [`Output::Send`]. So what only it receives, its replies, comes between its own copies
    /// and not between those of everybody else.
    pub fn broadcast_by(&mut self, by: ChannelId, broadcast: &Broadcast, now: Instant) {
        self.begin(now);
        self.send_out(broadcast, Some(by));
        self.copy_out(broadcast, by);
    }

    /// A channel's own copy of a [`broadcast_by`](Self::broadcast_by) it, without the others': for a driver that knows
    /// another way to them.
    pub fn send_copy(&mut self, by: ChannelId, broadcast: &Broadcast, now: Instant) {
        self.begin(now);
        self.copy_out(broadcast, by);
    }

    fn copy_out(&mut self, broadcast: &Broadcast, by: ChannelId) {
        let Some(channel) = self.channel(by) else { return };
        let state = &self.channels[channel as usize];
        let (socket, Some(key), Some(_)) = (state.socket, state.topic, state.member) else {
            return;
        };
        if self.topics.get(key).name != *broadcast.topic() {
            return;
        }
        if self.intercepts(channel, broadcast.event()) {
            let (event, payload) = (broadcast.event().clone(), broadcast.payload().clone());
            return self.deliver(channel, Item::Out { event, payload });
        }
        let serializer = self.sockets[socket as usize].serializer;
        if let Some(mut frame) = self.frames(broadcast)[serializer].take() {
            if self.lossy == Lossy::Perhaps {
                let policy = self.mount(socket).slow_consumer(broadcast.topic(), broadcast.event());
                frame = frame.losable(policy, broadcast.topic(), broadcast.event());
            }
            let _ = self.send(socket, frame);
        }
    }

    fn send_out(&mut self, broadcast: &Broadcast, from: Option<ChannelId>) {
        let Some(key) = self.topics.find(broadcast.topic()) else { return };
        let event = broadcast.event();
        let entry = self.topics.get(key);
        let mut fanout = !entry.members.is_empty();
        let mut intercepting = Vec::new();
        if entry.intercepting > 0 {
            let takes = |channel: u32| self.intercepts(channel, event);
            intercepting.extend(
                entry
                    .members
                    .iter()
                    .filter(|member| member.intercepts() && takes(member.channel))
                    .map(|member| self.channel_id(member.channel))
                    .filter(|&id| Some(id) != from),
            );
            fanout = intercepting.len() < entry.members.len();
        }
        let is_uniform = entry.intercepting == 0 && entry.listeners.is_empty();
        let members = entry.members.len();
        let (topic, listeners) = (entry.name.clone(), entry.listeners.clone());
        if fanout {
            let frames = self.frames(broadcast);
            let event = event.clone();
            // Not one that is joining, or has closed: its client may be a recipient by another channel.
            let from = from.filter(|&from| self.is_member(from, key));
            let whose = Whose::All;
            let fanout = Fanout { key, topic, event, from, is_uniform, members, frames, whose };
            match self.lossy {
                Lossy::Never => self.outputs.push_back(Output::Fanout(fanout)),
                Lossy::Perhaps => self.send_losable(&fanout),
            }
        }
        for id in intercepting {
            if let Some(channel) = self.channel(id) {
                let payload = broadcast.payload().clone();
                self.deliver(channel, Item::Out { event: event.clone(), payload });
            }
        }
        for listener in listeners {
            match listener {
                Listener::Channel(id) => self.notify_of(id, from, broadcast),
                Listener::Socket(socket) if &**event == event::DISCONNECT => {
                    self.stop_socket(socket, CloseReason::Disconnected);
                }
                Listener::Socket(_) => {}
            }
        }
    }

    /// Sends a broadcast that some may lose: a fan-out for each policy that members of the topic have.
    fn send_losable(&mut self, fanout: &Fanout) {
        let Fanout { topic, event, .. } = fanout;
        let policies: SmallVec<[SlowConsumer; 4]> =
            self.config.mounts.iter().map(|mount| mount.slow_consumer(topic, event)).collect();
        let is_one = policies.iter().all(|policy| *policy == policies[0]);
        let members = &self.topics.get(fanout.key).members;
        for policy in SlowConsumer::ALL {
            let has = |member: &Member<H>| policies[usize::from(member.mount)] == policy;
            if !policies.contains(&policy) || !members.iter().any(has) {
                continue;
            }
            let these = || Whose::These(policies.iter().map(|other| *other == policy).collect());
            let whose = if is_one { Whose::All } else { these() };
            let losable = |frame: &Frame| frame.losable(policy, topic, event);
            self.outputs.push_back(Output::Fanout(Fanout {
                key: fanout.key,
                topic: topic.clone(),
                event: event.clone(),
                from: fanout.from,
                is_uniform: fanout.is_uniform && is_one && policy == SlowConsumer::Disconnect,
                members: fanout.members,
                frames: fanout.frames.map(|frame| frame.as_ref().map(losable)),
                whose,
            }));
        }
    }

    /// A broadcast for a channel that subscribed to the topic beside its own: to `handle_out` if it is
    /// its own topic after all, else to `handle_info`.
    fn notify_of(&mut self, id: ChannelId, from: Option<ChannelId>, broadcast: &Broadcast) {
        let Some(channel) = self.channel(id).filter(|_| Some(id) != from) else { return };
        let own = self.channels[channel as usize].topic.map(|key| &self.topics.get(key).name);
        let (event, payload) = (broadcast.event().clone(), broadcast.payload().clone());
        let item = if own == Some(broadcast.topic()) {
            Item::Out { event, payload }
        } else {
            Item::Broadcast { topic: broadcast.topic().clone(), event, payload }
        };
        self.deliver(channel, item);
    }

    fn is_member(&self, id: ChannelId, topic: TopicKey) -> bool {
        let channel = self.channel(id).map(|channel| &self.channels[channel as usize]);
        channel.is_some_and(|channel| channel.topic == Some(topic) && channel.member.is_some())
    }

    /// The frames for the serializers in use here. One that its publisher did not know of, because a
    /// socket connected this instant, is encoded now.
    fn frames(&self, broadcast: &Broadcast) -> PerSerializer<Option<Frame>> {
        self.formats.each(|serializer| {
            if !self.uses(serializer) {
                return None;
            }
            broadcast.frame(serializer).cloned().or_else(|| {
                let mut late = broadcast.clone();
                late.encode_with(&self.formats, serializer);
                late.frame(serializer).cloned()
            })
        })
    }

    fn intercepts(&self, channel: u32, event: &str) -> bool {
        let channel = &self.channels[channel as usize];
        self.mount(channel.socket).router.intercepts(channel.route).contains(&event)
    }

    /// Whom a [`Fanout`] goes to: the driver's handles, with the serializer of each. To be read before
    /// the next input.
    pub fn recipients<'a>(&'a self, fanout: &'a Fanout) -> impl Iterator<Item = (&'a H, Serializer)> + 'a {
        let entry: Option<&Entry<H>> = self.topics.at(fanout.key, &fanout.topic);
        let from = fanout.from.and_then(|from| self.channel(from));
        entry
            .into_iter()
            .flat_map(|entry| &entry.members)
            .filter(move |member| Some(member.channel) != from)
            .filter(move |member| member.share == Share::All || self.takes(member, fanout))
            .map(|member| (&member.handle, member.serializer))
    }

    fn takes(&self, member: &Member<H>, fanout: &Fanout) -> bool {
        let is_intercepted = || member.intercepts() && self.intercepts(member.channel, &fanout.event);
        fanout.whose.includes(member.mount) && !is_intercepted()
    }

    /// Subscribes a channel to a further topic, whose broadcasts its `handle_info` gets. Twice
    /// subscribed is twice delivered.
    ///
    /// # Errors
    /// [`Ended`] if the channel is no more.
    pub fn subscribe(&mut self, channel: ChannelId, topic: &str, now: Instant) -> Result<(), Ended> {
        self.begin(now);
        let index = self.channel(channel).ok_or(Ended)?;
        if matches!(self.channels[index as usize].state, State::Closing | State::Crashing) {
            return Err(Ended);
        }
        let (key, change) = self.topics.add_listener(topic, Listener::Channel(channel));
        let subscriptions = &mut self.channels[index as usize].extra().subscriptions;
        if !subscriptions.contains(&key) {
            subscriptions.push(key);
        }
        self.interest(key, change, true);
        Ok(())
    }

    /// Ends all of a channel's further subscriptions to a topic.
    ///
    /// # Errors
    /// [`Ended`] if the channel is no more.
    pub fn unsubscribe(&mut self, channel: ChannelId, topic: &str, now: Instant) -> Result<(), Ended> {
        self.begin(now);
        let index = self.channel(channel).ok_or(Ended)?;
        let Some(key) = self.topics.find(topic) else { return Ok(()) };
        if let Some(extra) = self.channels[index as usize].extra.as_mut() {
            extra.subscriptions.retain(|&other| other != key);
        }
        self.remove_listener(key, Listener::Channel(channel));
        Ok(())
    }

    pub(super) fn remove_listener(&mut self, key: TopicKey, listener: Listener) {
        let Some((topic, change)) = self.topics.remove_listener(key, listener) else { return };
        if change == super::Change::Interest {
            self.outputs.push_back(Output::Interest { topic, wanted: false });
        }
    }
}
