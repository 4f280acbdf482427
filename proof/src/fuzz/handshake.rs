//! All that is decided before a stream becomes a WebSocket.
//!
//! The first byte of an input says which part of it the rest is for.

mod head;
mod origin;
mod path;
mod query;
mod request;
mod response;
mod subprotocol;

use super::recipe::Recipe;

/// Whatever a request or a response says, it is judged without a panic; what is let through is what it has to
/// be, and tungstenite and `http::Uri` say so too, or the difference has a name.
pub fn handshake(input: &[u8]) {
    let mut recipe = Recipe::new(input);
    match recipe.byte() % 8 {
        1 => response::check(recipe),
        2 => query::check(recipe.rest()),
        3 => origin::check(recipe.rest()),
        4 => path::check(recipe.rest()),
        5 => subprotocol::check(recipe.rest()),
        _ => request::check(recipe),
    }
}
