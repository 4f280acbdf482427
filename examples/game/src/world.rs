//! The world: players on a square field, stepped by a time. It knows nothing of clients.

use serde::Serialize;
use std::collections::BTreeMap;

/// How long a side of the field is. The unit is up to the client.
pub const SIDE: f32 = 100.0;

/// How far a player comes in a second.
pub const SPEED: f32 = 20.0;

/// How many players there is room for.
pub const ROOM: usize = 64;

/// Whose position it is: never given to another player of the same world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct PlayerId(u32);

/// One field and its players.
#[derive(Debug, Default)]
pub struct World {
    tick: u64,
    players: BTreeMap<PlayerId, Player>,
    last: u32,
}

#[derive(Debug)]
struct Player {
    x: f32,
    y: f32,
    /// Where it goes: of length 1 at most.
    dx: f32,
    dy: f32,
}

/// Where everybody is.
///
/// Shape: `{"tick":17,"players":[{"id":1,"x":50.0,"y":12.5}]}`.
#[derive(Debug, PartialEq, Serialize)]
pub struct Snapshot {
    /// How many steps the world has taken.
    pub tick: u64,
    /// In the order in which they came.
    pub players: Vec<Position>,
}

/// Where one player is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Position {
    /// Who.
    pub id: PlayerId,
    /// From the left, up to [`SIDE`].
    pub x: f32,
    /// From below, up to [`SIDE`].
    pub y: f32,
}

impl World {
    /// A player comes, and stands in the middle; `None` if there is no [room](ROOM).
    pub fn enter(&mut self) -> Option<PlayerId> {
        if self.players.len() >= ROOM {
            return None;
        }
        self.last += 1;
        let id = PlayerId(self.last);
        self.players.insert(id, Player { x: SIDE / 2.0, y: SIDE / 2.0, dx: 0.0, dy: 0.0 });
        Some(id)
    }

    /// A player goes.
    pub fn leave(&mut self, id: PlayerId) {
        self.players.remove(&id);
    }

    /// A player turns that way, and walks until it turns again: at full [`SPEED`] if the direction has length 1 or more,
    /// at the same part of it if less.
    pub fn turn(&mut self, id: PlayerId, dx: f32, dy: f32) {
        let Some(player) = self.players.get_mut(&id) else { return };
        let length = dx.hypot(dy).max(1.0);
        let is_direction = dx.is_finite() && dy.is_finite();
        (player.dx, player.dy) = if is_direction { (dx / length, dy / length) } else { (0.0, 0.0) };
    }

    /// Time passes, in seconds: one tick.
    pub fn step(&mut self, time: f32) {
        self.tick += 1;
        for player in self.players.values_mut() {
            player.x = (player.x + player.dx * SPEED * time).clamp(0.0, SIDE);
            player.y = (player.y + player.dy * SPEED * time).clamp(0.0, SIDE);
        }
    }

    /// How many steps it has taken.
    #[must_use]
    pub fn tick(&self) -> u64 {
        self.tick
    }

    /// Whether nobody is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.players.is_empty()
    }

    /// Where everybody is.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let players = self.players.iter().map(|(&id, player)| Position { id, x: player.x, y: player.y });
        Snapshot { tick: self.tick, players: players.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(dx: f32, dy: f32, seconds: u8) -> (f32, f32) {
        let mut world = World::default();
        let id = world.enter().unwrap();
        world.turn(id, dx, dy);
        for _ in 0..seconds {
            world.step(1.0);
        }
        let Position { x, y, .. } = world.snapshot().players[0];
        (x, y)
    }

    #[test]
    fn player_walks_where_it_has_turned_to() {
        assert_eq!(walk(1.0, 0.0, 2), (90.0, 50.0));
        assert_eq!(walk(0.0, -0.5, 2), (50.0, 30.0));
    }

    #[test]
    fn nobody_is_faster_for_asking_for_more() {
        assert_eq!(walk(1000.0, 0.0, 1), (70.0, 50.0));
        assert_eq!(walk(30.0, 40.0, 1), (62.0, 66.0));
        assert_eq!(walk(f32::INFINITY, 0.0, 1), (50.0, 50.0));
        assert_eq!(walk(f32::NAN, 1.0, 1), (50.0, 50.0));
    }

    #[test]
    fn field_ends_at_its_sides() {
        assert_eq!(walk(1.0, -1.0, 60), (100.0, 0.0));
    }

    #[test]
    fn number_of_one_who_left_is_not_given_again() {
        let mut world = World::default();
        let first = world.enter().unwrap();
        world.leave(first);

        assert_ne!(world.enter(), Some(first));
    }

    #[test]
    fn world_takes_as_many_as_there_is_room_for() {
        let mut world = World::default();

        let entered = (0..1000).filter_map(|_| world.enter()).count();

        assert_eq!(entered, ROOM);
    }
}
