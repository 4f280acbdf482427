//! Who is subscribed to what.

use super::id::ChannelId;
use crate::Topic;
use crate::wire::Serializer;
use hashbrown::HashTable;
use siphasher::sip::SipHasher13;
use slab::Slab;
use smallvec::SmallVec;

/// A topic's place in the table.
pub(super) type TopicKey = u32;

/// Every topic that somebody on this machine has joined, is joining, or is subscribed to.
///
/// A name is stored once; the hash is seeded, so that clients who choose the names cannot make them
/// collide. Joining and leaving are O(1), whatever the number of members.
#[derive(Debug)]
pub(super) struct Topics<H> {
    names: HashTable<TopicKey>,
    topics: Slab<Entry<H>>,
    hash_key: (u64, u64),
    /// Counts the changes of who is subscribed to what.
    revision: u64,
}

#[derive(Debug)]
pub(super) struct Entry<H> {
    pub(super) name: Topic,
    /// Channels of this topic in any state: they keep the entry, subscribed or not.
    channels: u32,
    pub(super) members: SmallVec<[Member<H>; 1]>,
    /// How many of the members intercept any event at all.
    pub(super) intercepting: u32,
    /// Those who get broadcasts some other way. Rare.
    pub(super) listeners: Vec<Listener>,
}

/// A joined channel, with all that a fan-out needs to know of it.
#[derive(Debug)]
pub(super) struct Member<H> {
    pub(super) channel: u32,
    pub(super) serializer: Serializer,
    pub(super) share: Share,
    /// Its socket's mount.
    pub(super) mount: u16,
    pub(super) handle: H,
}

/// Which fan-outs of its topic go to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// All of them.
    All,
    /// Those for its mount.
    OfItsMount,
    /// Of these, what it does not intercept.
    NotIntercepted,
}

impl<H> Member<H> {
    pub(super) fn intercepts(&self) -> bool {
        self.share == Share::NotIntercepted
    }
}

/// A subscription that is not a joined channel's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listener {
    /// A channel that subscribed to a further topic.
    Channel(ChannelId),
    /// A socket whose id this topic is.
    Socket(u32),
}

/// Whether a subscription was the first of its topic, or the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Others remain.
    None,
    /// The topic had no subscriber, and has one now; or had one, and has none.
    Interest,
}

impl<H> Topics<H> {
    pub(super) fn new(hash_key: (u64, u64)) -> Self {
        Self { names: HashTable::new(), topics: Slab::new(), hash_key, revision: 0 }
    }

    fn hash(&self, name: &str) -> u64 {
        SipHasher13::new_with_keys(self.hash_key.0, self.hash_key.1).hash(name.as_bytes())
    }

    pub(super) fn find(&self, name: &str) -> Option<TopicKey> {
        self.find_hashed(self.hash(name), name)
    }

    fn find_hashed(&self, hash: u64, name: &str) -> Option<TopicKey> {
        self.names.find(hash, |&key| &*self.topics[key as usize].name == name).copied()
    }

    pub(super) fn get(&self, key: TopicKey) -> &Entry<H> {
        &self.topics[key as usize]
    }

    /// The entry at a place, if it is this topic's still.
    pub(super) fn at(&self, key: TopicKey, name: &str) -> Option<&Entry<H>> {
        self.topics.get(key as usize).filter(|entry| *entry.name == *name)
    }

    /// The entry of `name`, made if need be. Until something is added to it, `release` is due.
    fn entry(&mut self, name: &str) -> TopicKey {
        let hash = self.hash(name);
        if let Some(key) = self.find_hashed(hash, name) {
            return key;
        }
        let key = u32::try_from(self.topics.insert(Entry {
            name: Topic::from(name),
            channels: 0,
            members: SmallVec::new(),
            intercepting: 0,
            listeners: Vec::new(),
        }))
        .expect("fewer than 2^32 topics");
        let (topics, hash_key) = (&self.topics, self.hash_key);
        self.names.insert_unique(hash, key, |&key| {
            SipHasher13::new_with_keys(hash_key.0, hash_key.1).hash(topics[key as usize].name.as_bytes())
        });
        key
    }

    /// Notes that a channel of `name` exists.
    pub(super) fn add_channel(&mut self, name: &str) -> TopicKey {
        let key = self.entry(name);
        self.topics[key as usize].channels += 1;
        key
    }

    /// Notes that a channel of the topic is gone.
    pub(super) fn remove_channel(&mut self, key: TopicKey) {
        self.topics[key as usize].channels -= 1;
        self.release(key);
    }

    /// Subscribes a channel; returns its place among the members.
    pub(super) fn add_member(&mut self, key: TopicKey, member: Member<H>) -> (u32, Change) {
        self.revision += 1;
        let entry = &mut self.topics[key as usize];
        let change = entry.change_at(0);
        entry.intercepting += u32::from(member.intercepts());
        entry.members.push(member);
        (u32::try_from(entry.members.len() - 1).expect("fewer than 2^32 members"), change)
    }

    /// Ends a channel's subscription; returns the channel that took its place, if one did.
    pub(super) fn remove_member(&mut self, key: TopicKey, at: u32) -> (Option<u32>, Change) {
        self.revision += 1;
        let entry = &mut self.topics[key as usize];
        let member = entry.members.swap_remove(at as usize);
        entry.intercepting -= u32::from(member.intercepts());
        if entry.members.is_empty() {
            entry.members = SmallVec::new();
        }
        let moved = entry.members.get(at as usize).map(|moved| moved.channel);
        (moved, entry.change_at(0))
    }

    pub(super) fn add_listener(&mut self, name: &str, listener: Listener) -> (TopicKey, Change) {
        self.revision += 1;
        let key = self.entry(name);
        let entry = &mut self.topics[key as usize];
        let change = entry.change_at(0);
        entry.listeners.push(listener);
        (key, change)
    }

    /// Ends all subscriptions of this listener to the topic; `None` if there were none.
    pub(super) fn remove_listener(&mut self, key: TopicKey, listener: Listener) -> Option<(Topic, Change)> {
        let entry = &mut self.topics[key as usize];
        let before = entry.listeners.len();
        entry.listeners.retain(|other| *other != listener);
        if entry.listeners.len() == before {
            return None;
        }
        self.revision += 1;
        if entry.listeners.is_empty() {
            entry.listeners = Vec::new();
        }
        let gone = (entry.name.clone(), entry.change_at(0));
        self.release(key);
        Some(gone)
    }

    /// Forgets a topic that nobody holds any more.
    fn release(&mut self, key: TopicKey) {
        let entry = &self.topics[key as usize];
        if entry.channels > 0 || entry.subscribers() > 0 {
            return;
        }
        let hash = self.hash(&entry.name);
        if let Ok(found) = self.names.find_entry(hash, |&other| other == key) {
            found.remove();
        }
        self.topics.remove(key as usize);
    }

    pub(super) fn len(&self) -> usize {
        self.topics.len()
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }
}

impl<H> Entry<H> {
    fn subscribers(&self) -> usize {
        self.members.len() + self.listeners.len()
    }

    fn change_at(&self, count: usize) -> Change {
        if self.subscribers() == count { Change::Interest } else { Change::None }
    }
}
