//! Memory of a server, counted by the allocator: which is why these tests are alone in their binary.

use bennu_proof::model::{Random, held};
use cap::Cap;
use std::alloc::System;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Sequences of 2,000 operations, so that what is kept of each would add up.
#[test]
fn server_holds_what_there_is_and_nothing_of_what_has_been() {
    let mut random = Random::new(7);
    for _ in 0..40 {
        let input = random.bytes(8 * 2001);

        let held = held(&input, || ALLOCATOR.allocated());

        assert!(held.bytes <= held.bound, "{held:?}");
    }
}
