//! Difference constraints: facts `a - b <= c` over names and zero, and the question whether another one follows.
//!
//! The classic reduction to shortest paths (Bellman 1958; for bounds checks: Bodík, Gupta and Sarkar, "ABCD", PLDI 2000): a fact
//! is an edge from `a` to `b` of weight `c`, and `a - b <= w` follows where some path from `a` to `b` weighs at most `w`.
//! All values are read as mathematical integers; that a sum does not wrap is for the caller to prove first.

use crate::ir::{Atom, Var};
use std::collections::HashMap;

/// A name, or the number 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Node {
    Zero,
    Name(Var),
}

/// A node and a constant: `node + offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub node: Node,
    pub offset: i128,
}

impl From<Atom> for Term {
    fn from(atom: Atom) -> Term {
        match atom {
            Atom::Var(var) => Term {
                node: Node::Name(var),
                offset: 0,
            },
            Atom::Const(value) => Term {
                node: Node::Zero,
                offset: value.bits as i128,
            },
        }
    }
}

impl From<Var> for Term {
    fn from(var: Var) -> Term {
        Atom::Var(var).into()
    }
}

impl Term {
    /// This plus a constant.
    pub fn plus(self, offset: i128) -> Term {
        Term {
            offset: self.offset + offset,
            ..self
        }
    }
}

/// A set of facts with scopes.
#[derive(Default)]
pub(super) struct Facts {
    edges: HashMap<Node, Vec<(Node, i128)>>,
    log: Vec<Node>,
    /// Names that stand on the left of some fact: paths from zero lead through them.
    names: Vec<Node>,
}

/// Where a scope began.
pub(super) struct Mark(usize);

/// Edges looked at before a question is given up: a bound on compile time, never a matter of correctness.
const EFFORT: usize = 4096;

impl Facts {
    /// Opens a scope.
    pub fn mark(&self) -> Mark {
        Mark(self.log.len())
    }

    /// Forgets all facts since the mark.
    pub fn reset(&mut self, mark: Mark) {
        for node in self.log.drain(mark.0..).rev() {
            if let Some(edges) = self.edges.get_mut(&node) {
                edges.pop();
            }
        }
    }

    /// Learns `a <= b`.
    pub fn learn(&mut self, a: impl Into<Term>, b: impl Into<Term>) {
        let (a, b) = (a.into(), b.into());
        if a.node == b.node {
            return;
        }
        let edges = self.edges.entry(a.node).or_insert_with(|| {
            self.names.push(a.node);
            Vec::new()
        });
        edges.push((b.node, b.offset - a.offset));
        self.log.push(a.node);
    }

    /// Learns `a = b`.
    pub fn equal(&mut self, a: impl Into<Term>, b: impl Into<Term>) {
        let (a, b) = (a.into(), b.into());
        self.learn(a, b);
        self.learn(b, a);
    }

    /// Learns `a != b`: sharpens a bound that touches.
    pub fn differ(&mut self, a: impl Into<Term>, b: impl Into<Term>) {
        let (a, b) = (a.into(), b.into());
        if self.holds(a, b) {
            self.learn(a.plus(1), b);
        } else if self.holds(b, a) {
            self.learn(b.plus(1), a);
        }
    }

    /// Whether `a <= b` follows. Every name is at least 0.
    pub fn holds(&self, a: impl Into<Term>, b: impl Into<Term>) -> bool {
        let (a, b) = (a.into(), b.into());
        let limit = b.offset - a.offset;
        if a.node == b.node && limit >= 0 {
            return true;
        }
        // Label-correcting search: `best` holds the lightest known path from `a`. A lighter way back to `a` itself would
        // be a negative cycle: contradictory facts, that is unreachable code, where anything follows.
        let mut best = HashMap::from([(a.node, 0i128)]);
        let mut queue = std::collections::VecDeque::from([a.node]);
        let mut effort = 0;
        while let Some(node) = queue.pop_front() {
            let so_far = best[&node];
            let known = self.edges.get(&node).map_or(&[][..], |edges| edges);
            let not_negative = if node == Node::Zero {
                &self.names[..]
            } else {
                &[]
            };
            let not_negative = not_negative
                .iter()
                .map(|&name| (name, 0))
                .chain((node == Node::Zero).then_some((b.node, 0)));
            for (next, weight) in known.iter().copied().chain(not_negative) {
                effort += 1;
                if effort > EFFORT {
                    return false;
                }
                let path = so_far + weight;
                if next == b.node && path <= limit {
                    return true;
                }
                if best.get(&next).is_none_or(|&old| path < old) {
                    best.insert(next, path);
                    queue.push_back(next);
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> [Term; 3] {
        [Var(0).into(), Var(1).into(), Var(2).into()]
    }

    const ZERO: Term = Term {
        node: Node::Zero,
        offset: 0,
    };

    #[test]
    fn follows_paths_and_no_more() {
        let [i, n, m] = names();
        let mut facts = Facts::default();
        facts.learn(i.plus(1), n);
        facts.learn(n, m);
        assert!(facts.holds(i.plus(1), m));
        assert!(!facts.holds(i.plus(2), m));
        assert!(!facts.holds(m, n));
    }

    #[test]
    fn names_are_not_negative_and_constants_count() {
        let [i, n, _] = names();
        let mut facts = Facts::default();
        assert!(facts.holds(ZERO, i));
        assert!(!facts.holds(ZERO.plus(1), i));
        facts.learn(ZERO.plus(5), n);
        assert!(facts.holds(ZERO.plus(4), n));
        assert!(!facts.holds(ZERO.plus(6), n));
    }

    #[test]
    fn a_difference_sharpens_a_bound() {
        let [i, n, _] = names();
        let mut facts = Facts::default();
        facts.learn(i.plus(1), n);
        facts.differ(i.plus(1), n);
        assert!(facts.holds(i.plus(2), n));
        facts.differ(i, ZERO);
        assert!(facts.holds(ZERO.plus(1), i));
    }

    #[test]
    fn scopes_forget() {
        let [i, n, _] = names();
        let mut facts = Facts::default();
        let mark = facts.mark();
        facts.learn(i, n);
        assert!(facts.holds(i, n));
        facts.reset(mark);
        assert!(!facts.holds(i, n));
    }

    #[test]
    fn contradictions_end() {
        let [i, n, m] = names();
        let mut facts = Facts::default();
        facts.learn(i.plus(1), n);
        facts.learn(n.plus(1), i);
        let _ = facts.holds(i, m);
    }
}
