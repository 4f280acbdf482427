//! What a completion belongs to, as the 64 bits that the kernel hands back.

/// A stream, and not another one that had the same number before: the kernel may still have something to say of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    /// What the service calls it by.
    pub(crate) key: usize,
    /// How many streams there were before, modulo 2^24.
    pub(crate) generation: u32,
}

/// What was asked of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// That something else ends, or a number is given back: nobody waits for the answer.
    Quiet,
    Accept,
    Signal,
    Receive(Who),
    /// To be told when the stream can be written to.
    Room(Who),
    /// The place of what is sent.
    Send(usize),
}

const GENERATIONS: u32 = 1 << 24;

impl Who {
    /// Of so many streams, counted from the first one on.
    pub(crate) fn new(key: usize, count: u32) -> Self {
        Self { key, generation: count % GENERATIONS }
    }

    fn bits(self) -> u64 {
        (u64::from(self.generation) << 32) | number(self.key)
    }

    fn of(bits: u64) -> Self {
        Self { key: (bits & 0xffff_ffff) as usize, generation: (bits >> 32) as u32 % GENERATIONS }
    }
}

impl Token {
    /// Shape: the kind in the highest byte, the generation in the next three, the number in the lower four.
    pub(crate) fn bits(self) -> u64 {
        let (kind, rest) = match self {
            Self::Quiet => (0, 0),
            Self::Accept => (1, 0),
            Self::Signal => (2, 0),
            Self::Receive(who) => (3, who.bits()),
            Self::Room(who) => (4, who.bits()),
            Self::Send(place) => (5, number(place)),
        };
        (kind << 56) | rest
    }

    pub(crate) fn of(bits: u64) -> Self {
        let who = Who::of(bits);
        match bits >> 56 {
            1 => Self::Accept,
            2 => Self::Signal,
            3 => Self::Receive(who),
            4 => Self::Room(who),
            5 => Self::Send(who.key),
            _ => Self::Quiet,
        }
    }
}

fn number(of: usize) -> u64 {
    u32::try_from(of).expect("a process has no four billion descriptors").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_comes_back_as_it_was_given() {
        let who = Who::new(0xffff_ffff, GENERATIONS - 1);
        let tokens = [
            Token::Quiet,
            Token::Accept,
            Token::Signal,
            Token::Receive(who),
            Token::Room(who),
            Token::Send(7),
        ];

        assert_eq!(tokens.map(|token| Token::of(token.bits())), tokens);
    }

    #[test]
    fn generations_begin_again() {
        assert_eq!(Who::new(1, GENERATIONS), Who::new(1, 0));
        assert_ne!(Who::new(1, 1), Who::new(1, 0));
    }
}
