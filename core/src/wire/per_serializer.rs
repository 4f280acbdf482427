//! Tables by serializer.

use super::Serializer;
use std::ops::{Index, IndexMut};

/// One value for each serializer: those of V1 and V2 in place, and those of [`Formats`](super::Formats), which most servers
/// have none of, behind them.
#[derive(Clone, Debug, Default)]
pub struct PerSerializer<T> {
    built_in: [T; 2],
    own: Vec<T>,
}

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
        match serializer {
            Serializer::V1 => Some(&self.built_in[0]),
            Serializer::V2 => Some(&self.built_in[1]),
            Serializer::Custom(id) => self.own.get(id.place()),
        }
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
        match serializer {
            Serializer::V1 => &mut self.built_in[0],
            Serializer::V2 => &mut self.built_in[1],
            Serializer::Custom(id) => {
                let place = id.place();
                if self.own.len() <= place {
                    self.own.resize_with(place + 1, T::default);
                }
                &mut self.own[place]
            }
        }
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
        self.get(serializer).expect("the table was made for the formats of this serializer")
    }
}

impl<T> IndexMut<Serializer> for PerSerializer<T> {
    /// # Panics
    /// If the serializer has no place here.
    #[inline]
    fn index_mut(&mut self, serializer: Serializer) -> &mut T {
        match serializer {
            Serializer::V1 => &mut self.built_in[0],
            Serializer::V2 => &mut self.built_in[1],
            Serializer::Custom(id) => &mut self.own[id.place()],
        }
    }
}
