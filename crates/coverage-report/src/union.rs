//! Sets that grow by union, in little memory.

/// What a [`Union`] is made of.
pub(crate) trait Element: Copy {
    /// Elements with equal keys are one.
    type Key: Ord;

    fn key(&self) -> Self::Key;

    /// Takes in another element with the same key. The order in which elements are taken in must not matter.
    fn join(&mut self, other: Self);
}

/// Elements that are not yet sorted in, before they are.
const PENDING: usize = 64;

/// A set of elements, one for each key, kept as a sorted vector.
#[derive(Debug, Clone)]
pub(crate) struct Union<E> {
    sorted: Vec<E>,
    pending: Vec<E>,
}

impl<E> Default for Union<E> {
    fn default() -> Self {
        Union { sorted: Vec::new(), pending: Vec::new() }
    }
}

impl<E: Element> Union<E> {
    pub(crate) fn push(&mut self, element: E) {
        self.pending.push(element);
        // Waiting for as many as there are keeps the work for n elements at n log n, whatever their order.
        if self.pending.len() >= self.sorted.len().max(PENDING) {
            self.compact();
        }
    }

    /// Sorts in what is pending.
    pub(crate) fn compact(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        self.pending.sort_unstable_by_key(E::key);
        join_equal(&mut self.pending);
        match (self.sorted.last(), self.pending.first()) {
            (Some(last), Some(first)) if last.key() < first.key() => self.sorted.append(&mut self.pending),
            (None, _) => std::mem::swap(&mut self.sorted, &mut self.pending),
            _ => {
                self.sorted.append(&mut self.pending);
                // A stable sort merges two sorted runs in one pass.
                self.sorted.sort_by_key(E::key);
                join_equal(&mut self.sorted);
            }
        }
        self.pending = Vec::new();
    }

    /// The elements in the order of their keys. Nothing may be pending.
    pub(crate) fn elements(&self) -> &[E] {
        debug_assert!(self.pending.is_empty(), "the set was not compacted");
        &self.sorted
    }

    /// Elements held, pending repetitions included.
    pub(crate) fn held(&self) -> usize {
        self.sorted.len() + self.pending.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sorted.is_empty() && self.pending.is_empty()
    }

    pub(crate) fn absorb(&mut self, other: &Union<E>) {
        for element in other.sorted.iter().chain(&other.pending) {
            self.push(*element);
        }
    }
}

fn join_equal<E: Element>(elements: &mut Vec<E>) {
    elements.dedup_by(|later, kept| {
        let equal = later.key() == kept.key();
        if equal {
            kept.join(*later);
        }
        equal
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    struct Largest(u8, u8);

    impl Element for Largest {
        type Key = u8;

        fn key(&self) -> u8 {
            self.0
        }

        fn join(&mut self, other: Self) {
            self.1 = self.1.max(other.1);
        }
    }

    proptest::proptest! {
        #[test]
        fn it_holds_what_a_map_holds(given in proptest::collection::vec((0u8..40, 0u8..9), 0..600)) {
            let mut map = std::collections::BTreeMap::new();
            let mut union = Union::default();
            for (key, value) in given {
                let kept: &mut u8 = map.entry(key).or_default();
                *kept = value.max(*kept);
                union.push(Largest(key, value));
            }
            union.compact();
            let expected: Vec<_> = map.into_iter().map(|(key, value)| Largest(key, value)).collect();
            proptest::prop_assert_eq!(union.elements(), &expected[..]);
        }
    }
}
