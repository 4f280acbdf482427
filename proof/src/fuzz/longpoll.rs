//! Long-polling: what a client posts, what it gets, and a session in between.

mod body;
mod session;

use super::recipe::Recipe;

/// Reads a body, or plays with a session: as the first byte says.
pub fn longpoll(input: &[u8]) {
    let mut recipe = Recipe::new(input);
    match recipe.byte() % 2 {
        0 => body::check(recipe),
        _ => session::check(recipe),
    }
}
