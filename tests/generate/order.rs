//! The canonical order of reductions and scans, written a second time, as recursions over whole sequences.

/// How values combine: the operation, and its identity where lanes are used.
pub struct Order<T> {
    pub op: fn(T, T) -> T,
    pub identity: Option<T>,
    pub inner: bool,
}

impl<T: Copy> Order<T> {
    pub fn reduce(&self, start: T, values: &[T]) -> T {
        let op = self.op;
        match (self.inner, self.identity) {
            _ if values.is_empty() => start,
            (true, Some(identity)) if values.len() > 32 => {
                op(start, self.lanes(identity, 8, values))
            }
            (true, _) => values.iter().fold(start, |acc, &value| op(acc, value)),
            (false, _) => op(start, self.tree(values)),
        }
    }

    /// The blocks of a sequence, joined by a binary tree: what stands left of the largest power of two, then the rest.
    fn tree(&self, values: &[T]) -> T {
        let blocks = values.len().div_ceil(4096);
        if blocks > 1 {
            let left = blocks.next_power_of_two() / 2 * 4096;
            let (left, right) = values.split_at(left);
            return (self.op)(self.tree(left), self.tree(right));
        }
        match self.identity {
            Some(identity) => self.lanes(identity, 16, values),
            None => self.fold(values),
        }
    }

    fn fold(&self, values: &[T]) -> T {
        let rest = values[1..].iter();
        rest.fold(values[0], |acc, &value| (self.op)(acc, value))
    }

    fn lanes(&self, identity: T, lanes: usize, values: &[T]) -> T {
        let lane = |lane| {
            let own = values.iter().skip(lane).step_by(lanes);
            own.fold(identity, |acc, &value| (self.op)(acc, value))
        };
        self.halves((0..lanes).map(lane).collect())
    }

    fn halves(&self, lanes: Vec<T>) -> T {
        if let [one] = lanes[..] {
            return one;
        }
        let (low, high) = lanes.split_at(lanes.len() / 2);
        self.halves(
            low.iter()
                .zip(high)
                .map(|(&a, &b)| (self.op)(a, b))
                .collect(),
        )
    }

    /// Each value with all before it (`exclusive`: all before it).
    pub fn scan(&self, exclusive: bool, start: T, values: &[T]) -> Vec<T> {
        let op = self.op;
        let mut results = vec![];
        let mut first = start;
        let block = if self.inner { usize::MAX } else { 4096 };
        for block in values.chunks(block.min(values.len().max(1))) {
            let (mut carry, mut total) = (first, None);
            let width = if self.inner || self.identity.is_none() {
                1
            } else {
                8
            };
            for group in block.chunks(width) {
                let prefixes: Vec<T> = (0..group.len()).map(|i| self.prefix(group, i, 4)).collect();
                if exclusive {
                    results.push(carry);
                }
                let shown = prefixes.len() - usize::from(exclusive);
                results.extend(prefixes[..shown].iter().map(|&prefix| op(carry, prefix)));
                let last = prefixes[prefixes.len() - 1];
                carry = op(carry, last);
                total = Some(total.map_or(last, |total| op(total, last)));
            }
            first = total.map_or(first, |total| op(first, total));
        }
        results
    }

    /// Prefix `i` of a group after the step over `distance`.
    fn prefix(&self, group: &[T], i: usize, distance: usize) -> T {
        match distance {
            0 => group[i],
            _ if i < distance => self.prefix(group, i, distance / 2),
            _ => {
                let left = self.prefix(group, i - distance, distance / 2);
                (self.op)(left, self.prefix(group, i, distance / 2))
            }
        }
    }
}
