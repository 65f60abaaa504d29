//! A map that takes little memory, and none beside it while it is read.
//!
//! Tasks and issues are numbered as they come, so new ones stand at the end: a
//! sorted list is enough. A tree that grows at its end is half empty.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// Values by their keys, sorted. One that is put before others moves those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dense<K, V>(Vec<(K, V)>);

struct Entries<K, V>(PhantomData<(K, V)>);

impl<K, V> Default for Dense<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> Dense<K, V> {
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.find(key).ok().map(|at| &self.0[at].1)
    }

    pub(super) fn contains_key(&self, key: &K) -> bool {
        self.find(key).is_ok()
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        match self.find(&key) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.put(at, (key, value)),
        }
    }

    /// Takes a value away.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.find(key).ok().map(|at| self.0.remove(at).1)
    }

    /// The value of a key, which is put there if there is none.
    pub(super) fn get_or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        let at = self.find(&key).unwrap_or_else(|at| {
            self.put(at, (key, V::default()));
            at
        });
        &mut self.0[at].1
    }

    /// A list that doubles when it is full is half empty; this one grows by an eighth.
    fn put(&mut self, at: usize, entry: (K, V)) {
        if self.0.len() == self.0.capacity() {
            self.0.reserve_exact(self.0.len() / 8 + 8);
        }
        self.0.insert(at, entry);
    }

    pub(super) fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn last_key(&self) -> Option<&K> {
        self.0.last().map(|(key, _)| key)
    }

    /// Where a key is, or where it belongs.
    fn find(&self, key: &K) -> Result<usize, usize> {
        match self.0.last() {
            Some((last, _)) if key <= last => self.0.binary_search_by(|(it, _)| it.cmp(key)),
            _ => Err(self.0.len()),
        }
    }
}

impl<K: Serialize, V: Serialize> Serialize for Dense<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Deserialize<'de> for Dense<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Visitor<'de> for Entries<K, V> {
    type Value = Dense<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("values by their keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut dense = Dense::default();
        while let Some((key, value)) = map.next_entry()? {
            dense.insert(key, value);
        }
        Ok(dense)
    }
}

#[cfg(test)]
mod tests;
