//! One connection against a scripted peer.

mod chopping;
mod closing;
mod footprint;
mod framing;
mod handshake;
mod limits;
mod masking;
mod oracle;
mod peer;
mod text;
mod timers;
