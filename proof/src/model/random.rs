//! Numbers by chance, the same for the same seed.

/// A small generator; its numbers are spread well enough to choose by, and good for nothing else.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Those of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Weyl's sequence, with its bits mixed by two rounds of multiplying and folding.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let fold = |bits: u64| (bits ^ (bits >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let mixed = fold(fold(self.0));
        mixed ^ (mixed >> 32)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("a usize has at most 64 bits").max(1);
        usize::try_from(self.next() % bound).expect("it is below a usize")
    }

    /// So many bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.next().to_le_bytes()).flatten().take(len).collect()
    }
}
