//! What was said: the last messages of the rooms that were used last.

use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Messages kept per room.
pub(crate) const MESSAGES_PER_ROOM: usize = 50;

/// Rooms whose messages are kept: 80 MB of them at worst, each message as long as may be and written in emoji.
const ROOMS: usize = 200;

/// One message, as it is kept and as it is sent.
///
/// Shape: `{"id":1700000000000,"nick":"ann","body":"hi","at":1700000000000}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Message {
    /// Unique in its room, and growing.
    pub(crate) id: u64,
    pub(crate) nick: String,
    pub(crate) body: String,
    /// When it was said, in milliseconds since 1970.
    pub(crate) at: u64,
}

/// The rooms and what was said in them: in memory, bounded, shared by all connections.
#[derive(Debug)]
pub(crate) struct Rooms {
    limit: usize,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    rooms: HashMap<String, Room>,
    /// Counts uses, to tell which one was the last.
    uses: u64,
}

#[derive(Debug, Default)]
struct Room {
    messages: VecDeque<Message>,
    last_use: u64,
}

impl Rooms {
    /// Keeps at most `limit` rooms.
    fn with_limit(limit: usize) -> Self {
        Self { limit, table: Mutex::default() }
    }

    /// Adds a message, and forgets the oldest one, or the room least recently used, if there are too many.
    pub(crate) fn say(&self, room: &str, nick: &str, body: &str, at: u64) -> Message {
        let mut table = self.table();
        let messages = &mut table.enter(room, self.limit).messages;

        // Taken from the clock, so that a restart does not give an id a second time.
        let id = messages.back().map_or(at, |last| at.max(last.id + 1));
        let message = Message { id, nick: nick.to_owned(), body: body.to_owned(), at };
        if messages.len() == MESSAGES_PER_ROOM {
            messages.pop_front();
        }
        messages.push_back(message.clone());
        message
    }

    /// What was said after the message with this id, oldest first; all that is kept if there is none.
    pub(crate) fn since(&self, room: &str, id: Option<u64>) -> Vec<Message> {
        let mut table = self.table();
        let Some(room) = table.find(room) else { return Vec::new() };
        room.messages.iter().filter(|message| Some(message.id) > id).cloned().collect()
    }

    /// A panic elsewhere leaves the table whole: every change of it is one call.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Rooms {
    fn default() -> Self {
        Self::with_limit(ROOMS)
    }
}

impl Table {
    fn find(&mut self, name: &str) -> Option<&mut Room> {
        self.uses += 1;
        let room = self.rooms.get_mut(name)?;
        room.last_use = self.uses;
        Some(room)
    }

    fn enter(&mut self, name: &str, limit: usize) -> &mut Room {
        if !self.rooms.contains_key(name) && self.rooms.len() >= limit {
            self.forget_one();
        }
        self.uses += 1;
        let room = self.rooms.entry(name.to_owned()).or_default();
        room.last_use = self.uses;
        room
    }

    fn forget_one(&mut self) {
        let oldest = self.rooms.iter().min_by_key(|(_, room)| room.last_use);
        let Some(name) = oldest.map(|(name, _)| name.clone()) else { return };
        self.rooms.remove(&name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_gives_back_what_was_said_in_it_oldest_first() {
        let rooms = Rooms::default();
        rooms.say("lobby", "ann", "one", 1);
        rooms.say("garden", "ann", "elsewhere", 2);
        rooms.say("lobby", "bob", "two", 3);

        assert_eq!(bodies(&rooms, "lobby"), ["one", "two"]);
        assert_eq!(bodies(&rooms, "cellar"), [""; 0]);
    }

    #[test]
    fn the_oldest_message_goes_when_a_room_is_full() {
        let rooms = Rooms::default();
        for n in 0..MESSAGES_PER_ROOM as u64 {
            rooms.say("lobby", "ann", &n.to_string(), n);
        }
        assert_eq!(bodies(&rooms, "lobby")[0], "0");

        rooms.say("lobby", "ann", "one more", 1_000);

        let kept = bodies(&rooms, "lobby");
        assert_eq!(kept.len(), MESSAGES_PER_ROOM);
        assert_eq!((kept[0].as_str(), kept[MESSAGES_PER_ROOM - 1].as_str()), ("1", "one more"));
    }

    #[test]
    fn the_room_least_recently_used_goes_when_there_are_too_many() {
        let rooms = Rooms::with_limit(2);
        rooms.say("lobby", "ann", "one", 1);
        rooms.say("garden", "ann", "two", 2);
        assert_eq!(bodies(&rooms, "lobby"), ["one"]);

        rooms.say("cellar", "ann", "three", 3);

        assert_eq!(bodies(&rooms, "garden"), [""; 0]);
        assert_eq!(bodies(&rooms, "lobby"), ["one"]);
        assert_eq!(bodies(&rooms, "cellar"), ["three"]);
    }

    #[test]
    fn asking_for_a_room_that_nobody_spoke_in_keeps_nothing() {
        let rooms = Rooms::with_limit(1);
        rooms.say("lobby", "ann", "one", 1);

        assert_eq!(bodies(&rooms, "garden"), [""; 0]);

        assert_eq!(bodies(&rooms, "lobby"), ["one"]);
    }

    #[test]
    fn ids_grow_when_the_clock_stands_still_or_goes_back() {
        let rooms = Rooms::default();

        let ids = [5, 5, 3, 9].map(|at| rooms.say("lobby", "ann", "tick", at).id);

        assert_eq!(ids, [5, 6, 7, 9]);
    }

    #[test]
    fn only_what_is_newer_than_an_id_is_given() {
        let rooms = Rooms::default();
        let first = rooms.say("lobby", "ann", "one", 1);
        let second = rooms.say("lobby", "ann", "two", 2);

        assert_eq!(rooms.since("lobby", Some(first.id)), std::slice::from_ref(&second));
        assert_eq!(rooms.since("lobby", Some(second.id)), []);
    }

    fn bodies(rooms: &Rooms, room: &str) -> Vec<String> {
        rooms.since(room, None).into_iter().map(|message| message.body).collect()
    }
}
