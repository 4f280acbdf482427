//! Masking: what a client's bytes are XORed with.

use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// XORs `bytes` with the key, whose first byte meets the first of them.
pub(super) fn apply(bytes: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (i, byte) in rest.iter_mut().enumerate() {
        *byte ^= key[i % 4];
    }
}

/// The key as it meets the bytes from `offset` on, for a payload that comes in pieces.
pub(super) fn rotate(key: [u8; 4], offset: u64) -> [u8; 4] {
    u32::from_le_bytes(key).rotate_right(8 * (offset % 4) as u32).to_le_bytes()
}

/// A client's masks: the n-th is a keyed hash of n, so earlier ones do not tell the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Masks {
    seed: u64,
    used: u64,
}

impl Masks {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, used: 0 }
    }

    pub(super) fn next(&mut self) -> [u8; 4] {
        let mut hasher = SipHasher13::new_with_keys(self.seed, 0);
        hasher.write_u64(self.used);
        self.used = self.used.wrapping_add(1);
        let [a, b, c, d, ..] = hasher.finish().to_le_bytes();
        [a, b, c, d]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

    #[test]
    fn every_length_is_masked_as_the_definition_says() {
        for len in 0..70 {
            let plain: Vec<u8> = (0..len).map(|i| i as u8 ^ 0x5a).collect();
            let expected: Vec<u8> = plain.iter().enumerate().map(|(i, byte)| byte ^ KEY[i % 4]).collect();

            let mut masked = plain;
            apply(&mut masked, KEY);

            assert_eq!(masked, expected, "length {len}");
        }
    }

    #[test]
    fn pieces_are_masked_like_the_whole() {
        let mut whole = [0; 23];
        apply(&mut whole, KEY);

        for cut in 0..whole.len() {
            let mut pieces = [0; 23];
            let (first, second) = pieces.split_at_mut(cut);
            apply(first, KEY);
            apply(second, rotate(KEY, cut as u64));
            assert_eq!(pieces, whole, "cut at {cut}");
        }
    }

    #[test]
    fn masks_follow_from_the_seed_alone() {
        let take = |seed| {
            let mut masks = Masks::new(seed);
            [masks.next(), masks.next(), masks.next()]
        };

        assert_eq!(take(1), take(1));
        assert_ne!(take(1), take(2));
        assert_ne!(take(1)[0], take(1)[1]);
    }
}
