//! Longer texts: for those who know Phoenix, and for those who run a server.

pub mod coming_from_phoenix {
    #![doc = include_str!("docs/coming_from_phoenix.md")]
    #![cfg_attr(feature = "test", doc = include_str!("docs/coming_from_phoenix_tests.md"))]

    #[cfg(doc)]
    use crate::*;
}

pub mod metrics {
    #![doc = include_str!("docs/metrics.md")]
}

pub mod deployment {
    #![doc = include_str!("docs/deployment.md")]

    #[cfg(doc)]
    use crate::*;
}
