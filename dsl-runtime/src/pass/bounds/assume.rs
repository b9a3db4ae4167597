//! Assumptions about the elements of arrays: which would prove reads inside that nothing else proves.
//!
//! `x[cols[k]]` is inside where every element of `cols` is less than the length of `x`, and `vals[k]` for `k` in
//! `rows[r]..rows[r + 1]` where every element of `rows` is at most that of `vals`. Whether it is so is for a call to find out: its
//! arrays never change. What is marked here is only what the walk over the function does not prove without assuming anything:
//! all else is left to `bounds` in its turn, when its tests may be moved.

use super::*;
use std::collections::HashSet;

/// How many assumptions a function may rest on: all must hold, and each is looked at in every call.
const MOST: usize = 8;

/// Every element of a parameter, of an integer type, is not negative and less than a length, or at most that.
#[derive(Clone, Debug, PartialEq)]
pub struct Assumption {
    /// Which parameter.
    pub param: usize,
    /// The length: a size of the function or a constant.
    pub length: Atom,
    /// Whether elements may be as large as the length.
    pub inclusive: bool,
    /// The arrays whose indices are inside because of it.
    pub arrays: Vec<Var>,
}

impl Assumption {
    /// What is added to an element before it is compared with the length.
    fn slack(&self) -> i128 {
        i128::from(!self.inclusive)
    }
}

/// The function with those reads unchecked that cannot fail where the assumptions hold; none if there is no such read.
///
/// ```
/// use dsl_runtime::{ir::parse::parse, pass::assume};
/// let module = parse("func @pick[%n, %m](%x: [%n]f32, %at: [%m]u32) -> [%m]f32 {
///   %y: [%m]f32 = par (%i in 0..%m) {
///     %k: u32 = index.in %at[%i]
///     %j: u64 = cast u64 %k
///     %v: f32 = index %x[%j]
///     collect %v
///   }
///   return %y
/// }").unwrap();
/// let (func, assumptions) = assume(&module.funcs[0]).unwrap();
/// assert!(func.to_string().contains("index.in %x[%j]"));
/// assert_eq!((assumptions[0].param, assumptions[0].inclusive), (1, false));
/// ```
pub fn assume(func: &Func) -> Option<(Func, Vec<Assumption>)> {
    if !func.params.iter().any(|&param| is_source(func.ty(param))) {
        return None;
    }
    let (_, anyway) = explore(func, Round::Prove, vec![], HashSet::new());
    let (_, found) = explore(func, Round::Search, vec![], anyway.proven.clone());
    let mut found = found.assumed;
    // One of both kinds about the same length says less than the other.
    let strict: Vec<(usize, Atom)> = (found.iter().filter(|one| !one.inclusive))
        .map(|one| (one.param, one.length))
        .collect();
    found.retain(|one| !one.inclusive || !strict.contains(&(one.param, one.length)));
    if found.is_empty() || found.len() > MOST {
        return None;
    }
    let (marked, all) = explore(func, Round::Mark, found, anyway.proven);
    Some((marked, all.assumed))
}

/// Whether the elements of a parameter of this type can be assumed to be small.
fn is_source(ty: &Type) -> bool {
    ty.elem.is_integer() && !ty.is_scalar()
}

fn explore(
    func: &Func,
    round: Round,
    assumed: Vec<Assumption>,
    proven: HashSet<usize>,
) -> (Func, Suppose) {
    let mut func = func.clone();
    let params = func.params.iter().enumerate();
    let suppose = Suppose {
        round,
        sources: params
            .filter(|&(_, &var)| is_source(func.ty(var)))
            .map(|(param, &var)| (var, param))
            .collect(),
        elements: vec![],
        assumed,
        tried: None,
        proven,
        next: 0,
    };
    let suppose = super::treat(&mut func, Some(suppose));
    (func, suppose.expect("it was given"))
}

/// What a walk is for; there is one of each.
#[derive(Clone, Copy)]
enum Round {
    /// Notes what holds without an assumption.
    Prove,
    /// Finds assumptions for what does not.
    Search,
    /// Marks what holds with the assumptions only.
    Mark,
}

/// A condition for a test to disappear, and the length that it is about.
struct Goal {
    holds: Question,
    length: Atom,
}

enum Question {
    /// Whether this index is less than the length.
    Inside(Atom),
    /// Whether this condition is true.
    Follows(Atom),
}

/// What the walk knows and finds.
pub(super) struct Suppose {
    round: Round,
    /// Parameters, and views of them.
    sources: HashMap<Var, usize>,
    /// Names that are an element of a parameter, in the order of the program.
    elements: Vec<(Var, usize)>,
    assumed: Vec<Assumption>,
    /// The parameter that something is assumed of for a try.
    tried: Option<usize>,
    /// What needs no assumption, by its number in the order of the walk.
    proven: HashSet<usize>,
    next: usize,
}

impl Suppose {
    fn element(&self, var: Var) -> Option<usize> {
        let mut of = self.elements.iter().filter(|&&(name, _)| name == var);
        of.next().map(|&(_, param)| param)
    }

    /// Whether a name is known not to be negative because something is assumed of its parameter.
    pub fn is_natural(&self, var: Var) -> bool {
        self.element(var).is_some_and(|param| {
            self.tried == Some(param) || self.assumed.iter().any(|one| one.param == param)
        })
    }
}

impl Bounds<'_> {
    fn suppose(&mut self) -> &mut Suppose {
        self.suppose.as_mut().expect("an assuming walk")
    }

    /// Notes which names are elements of parameters and which are views, and what is assumed of them.
    pub(super) fn trace(&mut self, stmt: &Stmt) {
        let Some(suppose) = &self.suppose else {
            return;
        };
        let param = match &stmt.expr {
            Expr::Index(Index { array, .. }) | Expr::Reshape(array, _) => {
                suppose.sources.get(array).copied()
            }
            Expr::Cast(to, Atom::Var(from)) => {
                let keeps = keeps_naturals(self.func.ty(*from).elem, *to);
                suppose.element(*from).filter(|_| keeps)
            }
            _ => None,
        };
        let Some(param) = param else {
            return;
        };
        let def = stmt.defs[0];
        if !self.func.ty(def).is_scalar() {
            self.suppose().sources.insert(def, param);
            return;
        }
        self.suppose().elements.push((def, param));
        for one in self.suppose().assumed.clone() {
            if one.param == param {
                self.facts
                    .learn(Term::from(def).plus(one.slack()), one.length);
            }
        }
    }

    /// An access in an assuming walk: unchecked if it is inside because of assumptions.
    pub(super) fn access_supposing(&mut self, index: &mut Index) {
        if !index.checked {
            return;
        }
        let lengths = self.func.ty(index.array).shape.clone();
        let inside = index.indices.iter().zip(lengths).map(|(&i, length)| Goal {
            holds: Question::Inside(i),
            length,
        });
        if self.assumptions_decide(index.array, &inside.collect::<Vec<_>>()) {
            index.checked = false;
        }
    }

    /// Whether a test of an index disappears because of an assumption.
    pub(super) fn check_supposing(&mut self, check: &Check) -> bool {
        // The operands are the index and the length.
        let (Fault::IndexOutOfBounds, &[_, length]) = (&check.fault, &check.operands[..]) else {
            return false;
        };
        let mut params = self.func.params.iter().copied();
        let measured = params.find(|&param| self.func.ty(param).shape.contains(&length));
        let follows = Goal {
            holds: Question::Follows(check.cond),
            length,
        };
        measured.is_some_and(|array| self.assumptions_decide(array, &[follows]))
    }

    /// Whether an access to an array cannot fail because of assumptions, and could without.
    fn assumptions_decide(&mut self, array: Var, goals: &[Goal]) -> bool {
        let number = self.suppose().next;
        self.suppose().next += 1;
        let round = self.suppose().round;
        match round {
            Round::Prove => {
                if goals.iter().all(|goal| self.holds(goal)) {
                    self.suppose().proven.insert(number);
                }
                false
            }
            _ if self.suppose().proven.contains(&number) => false,
            Round::Search => {
                let known = self.suppose().assumed.len();
                let found = goals
                    .iter()
                    .all(|goal| self.holds(goal) || self.search(goal));
                if !found {
                    self.suppose().assumed.truncate(known);
                }
                found
            }
            Round::Mark => {
                let decided = goals.iter().all(|goal| self.holds(goal));
                if decided {
                    self.credit(array, goals);
                }
                decided
            }
        }
    }

    fn holds(&mut self, goal: &Goal) -> bool {
        match goal.holds {
            Question::Inside(i) => self.inside(i, goal.length, SPLITS),
            Question::Follows(cond) => self.follows(cond, true, SPLITS),
        }
    }

    /// Notes whose indices the assumptions about these lengths are good for.
    fn credit(&mut self, array: Var, goals: &[Goal]) {
        for one in &mut self.suppose().assumed {
            let about = goals.iter().any(|goal| goal.length == one.length);
            if about && !one.arrays.contains(&array) {
                one.arrays.push(array);
            }
        }
    }

    /// Finds an assumption about the length with which it holds. The weaker one is tried first.
    fn search(&mut self, goal: &Goal) -> bool {
        let length = goal.length;
        if length
            .as_var()
            .is_some_and(|var| !self.func.sizes.contains(&var))
        {
            return false;
        }
        let mut params: Vec<usize> = self.suppose().elements.iter().map(|one| one.1).collect();
        params.sort_unstable();
        params.dedup();
        let candidates = params.into_iter().flat_map(|param| {
            [true, false].map(|inclusive| Assumption {
                param,
                length,
                inclusive,
                arrays: vec![],
            })
        });
        for one in candidates {
            if !self.is_open(&one) {
                continue;
            }
            let mark = self.facts.mark();
            self.suppose().tried = Some(one.param);
            self.learn_assumption(&one);
            let found = self.holds(goal);
            self.suppose().tried = None;
            self.facts.reset(mark);
            if found {
                self.learn_assumption(&one);
                if !self.suppose().assumed.contains(&one) {
                    self.suppose().assumed.push(one);
                }
                return true;
            }
        }
        false
    }

    fn elements_of(&self, param: usize) -> Vec<Var> {
        let suppose = self.suppose.iter();
        let elements = suppose.flat_map(|suppose| &suppose.elements);
        let of = elements.filter(|one| one.1 == param);
        of.map(|&(var, _)| var).collect()
    }

    /// Whether the opposite is not known here: behind a condition that excludes it, everything would follow.
    fn is_open(&self, one: &Assumption) -> bool {
        let elements = self.elements_of(one.param);
        elements.iter().all(|&element| {
            let more = Term::from(one.length).plus(1 - one.slack());
            !self.facts.holds(more, element)
        })
    }

    fn learn_assumption(&mut self, one: &Assumption) {
        for element in self.elements_of(one.param) {
            let element = Term::from(element).plus(one.slack());
            self.facts.learn(element, one.length);
        }
    }
}

/// Whether every natural number of one integer type stays the same number as another.
fn keeps_naturals(from: ScalarType, to: ScalarType) -> bool {
    let digits = |ty: ScalarType| ty.bits() - u32::from(ty.class() == types::Class::Signed);
    from.is_integer() && to.is_integer() && digits(to) >= digits(from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::parse::parse;
    use crate::ir::verify::{Stage, annotate, verify};

    /// The assumptions as text, and the function after them.
    fn assumed(text: &str) -> (Vec<String>, String) {
        let func = &parse(text).expect("it is a module").funcs[0];
        let Some((after, found)) = assume(func) else {
            return (vec![], func.to_string());
        };
        verify(&after, Stage::Typed).unwrap_or_else(|v| panic!("{}", annotate(&after, &v)));
        let name = |var: Var| func.vars[var.0 as usize].name.clone();
        let found = found.iter().map(|one| {
            let arrays: Vec<String> = one.arrays.iter().map(|&array| name(array)).collect();
            format!(
                "{} {} {}: {}",
                name(func.params[one.param]),
                if one.inclusive { "<=" } else { "<" },
                one.length.as_var().map_or_else(
                    || one.length.as_const().expect("a number").bits.to_string(),
                    name
                ),
                arrays.join(" ")
            )
        });
        (found.collect(), after.to_string())
    }

    /// `x[at[i]]`, with these statements between element `%e` and index `%k`.
    fn pick(elem: &str, between: &str) -> (Vec<String>, String) {
        assumed(&format!(
            "func @pick[%n, %m](%x: [%n]f32, %at: [%m]{elem}) -> [%m]f32 {{
  %y: [%m]f32 = par (%i in 0..%m) {{
    %e: {elem} = index %at[%i]
{between}
    %v: f32 = index %x[%k]
    collect %v
  }}
  return %y
}}"
        ))
    }

    #[test]
    fn an_element_through_casts_that_keep_it() {
        for (elem, between) in [
            ("u32", "%k: u64 = cast u64 %e"),
            ("i64", "%k: u64 = cast u64 %e"),
            ("i32", "%a: u32 = cast u32 %e\n    %k: u64 = cast u64 %a"),
            ("u8", "%a: i16 = cast i16 %e\n    %k: u64 = cast u64 %a"),
        ] {
            let (found, after) = pick(elem, between);
            assert_eq!(found, ["at < n: x"], "{after}");
            assert!(after.contains("index.in %x"), "{after}");
            // What needs no assumption is left as it was.
            assert!(after.contains("index %at"), "{after}");
        }
    }

    #[test]
    fn what_changes_it_is_no_element() {
        for (elem, between) in [
            ("u32", "%a: u8 = cast u8 %e\n    %k: u64 = cast u64 %a"),
            ("u32", "%a: i8 = cast i8 %e\n    %k: u64 = cast u64 %a"),
            ("u64", "%k: u64 = add %e, 1"),
            ("f32", "%k: u64 = cast u64 %e"),
        ] {
            let (found, after) = pick(elem, between);
            assert!(found.is_empty() && !after.contains("index.in"), "{after}");
        }
    }

    #[test]
    fn smaller_than_an_element_and_tested_anyway() {
        let (found, _) = pick("u64", "%k: u64 = shr %e, 1");
        assert_eq!(found, ["at < n: x"]);
        let (found, _) = pick("u64", "%k: u64 = min %e, 7");
        assert_eq!(found, ["at < n: x"]);
        let (found, after) = pick("u64", "%k: u64 = rem %e, %n");
        assert!(found.is_empty() && after.contains("index %x"), "{after}");
    }

    #[test]
    fn the_rows_of_a_sparse_matrix() {
        for index in ["u64", "u32", "i32"] {
            let (found, after) = assumed(&format!(
                "func @spmv[%r, %c, %v, %n](%rows: [%r]{index}, %cols: [%c]u32, %vals: [%v]f64, %x: [%n]f64) -> [?]f64 {{
  %m: u64 = sub %r, 1
  %y: [%m]f64 = par (%i in 0..%m) {{
    %a: {index} = index %rows[%i]
    %lo: u64 = cast u64 %a
    %next: u64 = add %i, 1
    %b: {index} = index %rows[%next]
    %hi: u64 = cast u64 %b
    %length: u64 = sub %hi, %lo
    %some: bool = lt %lo, %hi
    %count: u64 = select %some, %length, 0
    %s: f64 = par.inner (%j in 0..%count) {{
      %k: u64 = add %lo, %j
      %w: f64 = index %vals[%k]
      %e: u32 = index %cols[%k]
      %col: u64 = cast u64 %e
      %z: f64 = index %x[%col]
      %p: f64 = mul %w, %z
      reduce add 0.0, %p
    }}
    collect %s
  }}
  return %y
}}"
            ));
            assert_eq!(
                found,
                ["rows <= v: vals", "rows <= c: cols", "cols < n: x"],
                "{after}"
            );
            for read in [
                "index.in %vals",
                "index.in %cols",
                "index.in %x",
                "index %rows",
            ] {
                assert!(after.contains(read), "{read}: {after}");
            }
        }
    }

    #[test]
    fn two_dimensions_views_and_constant_lengths() {
        let (found, after) = assumed(
            "func @f[%n, %m, %a, %b](%u: [%n, %m]f32, %at: [%a, 2]i16, %t: [%b]u16, %c: [256]f32) -> [%a]f32 {
  %y: [%a]f32 = par (%i in 0..%a) {
    %pair: [2]i16 = index.in %at[%i]
    %p: i16 = index.in %pair[0]
    %q: i16 = index.in %pair[1]
    %k: u64 = cast u64 %p
    %l: u64 = cast u64 %q
    %v: f32 = index %u[%k, %l]
    %e: u16 = index %t[%i]
    %j: u64 = cast u64 %e
    %w: f32 = index %c[%j]
    %s: f32 = add %v, %w
    collect %s
  }
  return %y
}",
        );
        assert_eq!(found, ["at < n: u", "at < m: u", "t < 256: c"], "{after}");
    }

    #[test]
    fn a_test_of_a_signed_index_goes() {
        let (found, after) = pick(
            "i64",
            "    %k: u64 = cast u64 %e
    %below: bool = lt %k, %n
    %natural: bool = ge %e, 0
    %inside: bool = and %natural, %below
    check index %inside, %e, %n",
        );
        assert_eq!(found, ["at < n: x"], "{after}");
        assert!(!after.contains("check"), "{after}");
    }

    #[test]
    fn nothing_is_assumed_of_what_a_condition_guards_or_of_arrays_made_here() {
        let (found, _) = assumed(
            "func @f[%n, %m](%x: [%n]f32, %at: [%m]u64) -> [%m]f32, [%m]f32 {
  %y: [%m]f32 = par (%i in 0..%m) {
    %e: u64 = index.in %at[%i]
    %inside: bool = lt %e, %n
    %v: f32 = if %inside {
      %u: f32 = index %x[%e]
      yield %u
    } else {
      %u.1: f32 = index %x[%i]
      yield %u.1
    }
    collect %v
  }
  %made: [%m]u64 = par (%i.1 in 0..%m) {
    %e.1: u64 = index.in %at[%i.1]
    %f: u64 = add %e.1, 1
    collect %f
  }
  %z: [%m]f32 = par (%i.2 in 0..%m) {
    %e.2: u64 = index.in %made[%i.2]
    %v.2: f32 = index %x[%e.2]
    collect %v.2
  }
  return %y, %z
}",
        );
        assert!(found.is_empty(), "{found:?}");
    }
}
