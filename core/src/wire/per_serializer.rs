//! Tables by serializer.

use super::Serializer;
use std::ops::{Index, IndexMut};

/// One value for each serializer: those of V1 and V2 in place, and those of [`Formats`](super::Formats), which most servers
/// have none of, behind them.
#[derive(Clone, Debug, Default)]
pub struct PerSerializer<T> {
    built_in: [T; BUILT_IN],
    own: Vec<T>,
}

const BUILT_IN: usize = Serializer::ALL.len();

const NO_PLACE: &str = "the table was made for the formats of this serializer";

impl<T> PerSerializer<T> {
    pub(super) fn new(own: usize, mut make: impl FnMut(Serializer) -> T) -> Self {
        Self {
            built_in: Serializer::ALL.map(&mut make),
            own: super::own_serializers(own).map(make).collect(),
        }
    }

    /// The value of a serializer; `None` if it has no place here.
    #[must_use]
    #[inline]
    pub fn get(&self, serializer: Serializer) -> Option<&T> {
        let at = serializer.index();
        self.built_in.get(at).or_else(|| self.own.get(at - BUILT_IN))
    }

    #[inline]
    fn get_mut(&mut self, serializer: Serializer) -> Option<&mut T> {
        let at = serializer.index();
        self.built_in.get_mut(at).or_else(|| self.own.get_mut(at - BUILT_IN))
    }

    /// A value for each of these.
    pub(crate) fn map<U>(&self, mut make: impl FnMut(&T) -> U) -> PerSerializer<U> {
        PerSerializer {
            built_in: self.built_in.each_ref().map(&mut make),
            own: self.own.iter().map(make).collect(),
        }
    }

    /// The place of a serializer, which is made if there is none.
    #[inline]
    pub fn place(&mut self, serializer: Serializer) -> &mut T
    where
        T: Default,
    {
        let places = (serializer.index() + 1).saturating_sub(BUILT_IN);
        if self.own.len() < places {
            self.own.resize_with(places, T::default);
        }
        &mut self[serializer]
    }

    /// The serializers that have a place.
    pub fn serializers(&self) -> impl Iterator<Item = Serializer> + use<T> {
        super::serializers(self.own.len())
    }

    /// All values, in the order of their serializers.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.built_in.iter().chain(&self.own)
    }

    /// The same, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.built_in.iter_mut().chain(&mut self.own)
    }
}

impl<T> Index<Serializer> for PerSerializer<T> {
    type Output = T;

    /// # Panics
    /// If the serializer has no place here.
    #[inline]
    fn index(&self, serializer: Serializer) -> &T {
        self.get(serializer).expect(NO_PLACE)
    }
}

impl<T> IndexMut<Serializer> for PerSerializer<T> {
    /// # Panics
    /// If the serializer has no place here.
    #[inline]
    fn index_mut(&mut self, serializer: Serializer) -> &mut T {
        self.get_mut(serializer).expect(NO_PLACE)
    }
}
