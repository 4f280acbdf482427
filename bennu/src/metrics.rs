//! What a node counts, for the recorder of the `metrics` crate that the application has installed.
//!
//! What happens often is counted in the plain integers of a [`Tally`], and told at the end of a turn or a fan-out; what is
//! rare is told at once. Without the feature `metrics` all of this is empty, in memory and in time.

mod label;
#[cfg(feature = "metrics")]
mod recorded;
#[cfg(not(feature = "metrics"))]
mod silent;

pub(crate) use label::{Connect, Dropped, Limit, Polls};
#[cfg(feature = "metrics")]
pub(crate) use recorded::{Begun, Depths, Metrics, Reached, Sizes, Tally};
#[cfg(not(feature = "metrics"))]
pub(crate) use silent::{Begun, Metrics, Reached, Sizes, Tally};
