//! Loops: what a loop assigns to is carried from round to round. The lengths of carried arrays are first taken to stay as
//! they are; where a round turns out to change one, the loop is lowered again with that length carried too.

use super::env::{Effects, FALSE, TRUE, TargetKind, root};
use super::merge::{spread, spread_ty, spreads, unspread};
use super::pattern::BOOL;
use super::value::{Iter, Value, dim_nodes};
use super::{Lower, R};
use crate::elaborate::ty::Ty;
use crate::ir::{Atom, Block, Const, Expr, Loop, LoopKind, ScalarOp, Type, Var};
use crate::syntax::{self, Pattern};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// A variable that a loop carries.
struct Carried {
    slot: usize,
    /// Its type, with fixed arrays as tuples where they are carried member by member.
    ty: Ty,
    /// Its value before the loop.
    first: Vec<Atom>,
}

/// One atom that a loop carries: its name and type, and where its value is found.
struct Leaf {
    var: Var,
    first: Atom,
}

/// What a round does and when there is another one.
pub(super) enum Rounds<'a> {
    /// A number of rounds.
    Count(Atom),
    /// As long as this holds.
    While(&'a dyn Fn(&mut Lower) -> R<Atom>),
}

/// The largest number of expressions that a loop with a constant number of rounds is written out to.
const UNROLLED: u64 = 1024;

/// How carried values are laid out: the index of a size among the carried atoms, by variable and dimension.
type Varying = BTreeSet<(usize, usize)>;

impl Lower {
    /// A loop with these variables carried.
    pub(super) fn repeat(
        &mut self,
        slots: &BTreeSet<usize>,
        indexed: &BTreeSet<&'static str>,
        rounds: Rounds<'_>,
        body: &dyn Fn(&mut Lower, Option<Atom>) -> R<()>,
    ) -> R<()> {
        let place = self.place;
        let mut carried = vec![];
        for &slot in slots {
            let (value, ty, name) = {
                let slot = &self.env.slots[slot];
                (slot.value.clone(), slot.ty.clone(), slot.name)
            };
            let apart = spreads(&value, &ty) && !indexed.contains(name);
            let (value, ty) = if apart {
                (spread(&value, &ty), spread_ty(&ty))
            } else {
                (value, ty)
            };
            let first = self.flatten(&value, &ty)?;
            carried.push(Carried { slot, ty, first });
        }
        let mut varying = Varying::new();
        loop {
            let found = self.attempt(&carried, &varying, &rounds, body, place)?;
            if found.is_subset(&varying) {
                return Ok(());
            }
            varying.extend(found);
        }
    }

    /// Lowers the loop with these lengths carried; returns those that a round changes. If there are others than those
    /// given, nothing remains of the attempt.
    fn attempt(
        &mut self,
        carried: &[Carried],
        varying: &Varying,
        rounds: &Rounds<'_>,
        body: &dyn Fn(&mut Lower, Option<Atom>) -> R<()>,
        place: crate::ir::Place,
    ) -> R<Varying> {
        let state = self.save();
        // The carried names are visible in the condition and in the body: a block around both is their home.
        self.open();
        let (leaves, sizes, values) = self.carry(carried, varying);
        for (carried, value) in carried.iter().zip(&values) {
            let ty = self.env.slots[carried.slot].ty.clone();
            self.set(carried.slot, unspread(value.clone(), &ty));
        }
        let before = self.env.clone();
        let kind = match rounds {
            Rounds::Count(extent) => LoopKind::For {
                index: self.var("i", Type::index()),
                extent: *extent,
            },
            Rounds::While(cond) => {
                self.open();
                let holds = cond(self)?;
                LoopKind::While(self.close(vec![holds]))
            }
        };
        self.env = before.clone();
        self.open();
        let index = match kind {
            LoopKind::For { index, .. } => Some(index.into()),
            LoopKind::While(_) => None,
        };
        body(self, index)?;
        let mut found = Varying::new();
        let (mut next_sizes, mut next) = (HashMap::new(), vec![]);
        for (k, carried) in carried.iter().enumerate() {
            let slot = &self.env.slots[carried.slot];
            let value = self.shape_like(slot.value.clone(), slot.ty.clone(), &carried.ty)?;
            let atoms = self.flatten(&value, &carried.ty)?;
            let nodes = dim_nodes(&carried.ty);
            for ((&atom, &first), nodes) in atoms.iter().zip(&carried.first).zip(&nodes) {
                let shape = self.func.atom_type(atom).shape;
                let old = self.func.atom_type(first).shape;
                for ((&now, &was), &node) in shape.iter().zip(&old).zip(nodes) {
                    if varying.contains(&(k, node)) {
                        next_sizes.entry((k, node)).or_insert(now);
                    } else if now != was {
                        found.insert((k, node));
                    }
                }
            }
            next.extend(atoms);
        }
        if !found.is_empty() {
            self.restore(state);
            return Ok(found);
        }
        let mut results: Vec<Atom> = sizes.iter().map(|key| next_sizes[&key.0]).collect();
        results.extend(next);
        let round = self.close(results);
        let outer = self.suspend();
        debug_assert!(outer.into_stmts().is_empty());
        self.env = before;
        self.place = place;
        self.finish(carried, varying, leaves, kind, round);
        Ok(found)
    }

    /// Names for what the loop carries: sizes first.
    #[allow(clippy::type_complexity)]
    fn carry(
        &mut self,
        carried: &[Carried],
        varying: &Varying,
    ) -> (Vec<Leaf>, Vec<((usize, usize), Var)>, Vec<Value>) {
        let mut sizes: Vec<((usize, usize), Var)> = vec![];
        let (mut heads, mut tails, mut values) = (vec![], vec![], vec![]);
        for (k, carried) in carried.iter().enumerate() {
            let mut names = vec![];
            let name = match self.env.slots[carried.slot].name {
                "" => "flag",
                name => name,
            };
            for (&first, nodes) in carried.first.iter().zip(dim_nodes(&carried.ty)) {
                let mut ty = self.func.atom_type(first);
                for (size, node) in ty.shape.iter_mut().zip(nodes) {
                    let key = (k, node);
                    if !varying.contains(&key) {
                        continue;
                    }
                    let known = sizes.iter().find(|(other, _)| *other == key);
                    *size = match known {
                        Some(&(_, var)) => var.into(),
                        None => {
                            let var = self.var(&format!("len_{name}"), Type::index());
                            sizes.push((key, var));
                            heads.push(Leaf { var, first: *size });
                            var.into()
                        }
                    };
                }
                let var = self.var(name, ty);
                tails.push(Leaf { var, first });
                names.push(Atom::Var(var));
            }
            values.push(self.rebuild(&carried.ty, &mut names.into_iter()));
        }
        heads.extend(tails);
        (heads, sizes, values)
    }

    /// The statement, and the variables behind it.
    fn finish(
        &mut self,
        carried: &[Carried],
        varying: &Varying,
        leaves: Vec<Leaf>,
        kind: LoopKind,
        round: Block,
    ) {
        let (results, _, values) = self.carry(carried, varying);
        let defs = results.iter().map(|leaf| leaf.var).collect();
        let carried_atoms = leaves.iter().map(|leaf| (leaf.var, leaf.first)).collect();
        self.push(
            defs,
            Expr::Loop(Loop {
                kind,
                carried: carried_atoms,
                body: round,
            }),
        );
        for (carried, value) in carried.iter().zip(values) {
            let ty = self.env.slots[carried.slot].ty.clone();
            self.set(carried.slot, unspread(value, &ty));
        }
    }

    /// A value in the form in which it is carried.
    fn shape_like(&mut self, value: Value, ty: Ty, carried: &Ty) -> R<Value> {
        match (&value, &ty, carried) {
            (Value::Undef, ..) => Ok(value),
            (Value::Array(_), Ty::Array(inner, n), Ty::Tuple(types)) => {
                let mut members = vec![];
                for (k, ty) in (0..*n).zip(types) {
                    let member = self.member(&value, k)?;
                    members.push(self.shape_like(member, (**inner).clone(), ty)?);
                }
                Ok(Value::tuple(members))
            }
            (Value::Fixed(members) | Value::Tuple(members), _, Ty::Tuple(types)) => {
                let mut all = vec![];
                for (k, (member, carried)) in members.iter().zip(types).enumerate() {
                    let ty = match &ty {
                        Ty::Array(inner, _) => (**inner).clone(),
                        Ty::Tuple(types) => types[k].clone(),
                        _ => carried.clone(),
                    };
                    all.push(self.shape_like(member.clone(), ty, carried)?);
                }
                Ok(Value::tuple(all))
            }
            _ => Ok(value),
        }
    }

    /// The slots that a loop over `effects` carries: what it assigns to, and the flags of what it leaves.
    fn carried_slots(&self, effects: &Effects, own: usize) -> BTreeSet<usize> {
        let mut slots: BTreeSet<usize> = effects
            .assigned
            .iter()
            .filter_map(|name| self.find(name))
            .filter(|&slot| slot >= self.env.floor)
            .collect();
        let mut leave = |index: usize, next: bool| {
            let target = &self.targets[index];
            if next {
                slots.insert(target.next);
            } else {
                slots.extend([target.leave, target.value]);
            }
        };
        let labelled = |label: &Option<&str>| match label {
            None => Some(own),
            Some(_) => self.targets.iter().rposition(|t| t.label == *label),
        };
        for label in &effects.breaks {
            labelled(label)
                .iter()
                .for_each(|&index| leave(index, false));
        }
        for label in &effects.continues {
            let index = labelled(label).filter(|&index| index != own);
            index.iter().for_each(|&index| leave(index, true));
        }
        if effects.returns
            && let Some(function) = self
                .targets
                .iter()
                .rposition(|target| target.kind == TargetKind::Function)
        {
            leave(function, false);
        }
        slots
    }

    /// `'label: for pattern in iter { body }`.
    pub(super) fn for_loop(
        &mut self,
        label: Option<&'static str>,
        pattern: &'static Pattern,
        iter: &'static syntax::Expr,
        body: &'static syntax::Block,
    ) -> R<Value> {
        let place = self.place;
        // `iter_mut` stands for the indices; elements are read at the head of a round and written back at its end.
        let mutable = mutable_source(iter);
        let iter = match mutable {
            Some((array, _)) => {
                let (value, ty) = (self.expr(array)?, self.ty(array));
                let array = self.array(&value, &ty)?;
                if array.dims.len() != 1 {
                    return Err(self.missing("`iter_mut` goes over a sequence here"));
                }
                Rc::new(Iter {
                    len: array.dims[0],
                    elem: super::pattern::USIZE,
                    filtered: false,
                    item: Rc::new(|_, at| super::iterator::always(Value::Scalar(at))),
                })
            }
            None => {
                let source = self.expr(iter)?;
                let ty = self.ty(iter);
                self.iterate(&source, &ty)?
            }
        };
        let mut effects = Effects::of_block(body);
        effects
            .assigned
            .extend(mutable.and_then(|(place, _)| root(place)));
        let unit = Ty::Tuple(vec![]);
        let mark = self.env.slots.len();
        self.enter(TargetKind::Loop, label, unit.clone());
        let own = self.targets.len() - 1;
        let leaves = effects.returns
            || !effects.breaks.is_empty()
            || effects
                .continues
                .iter()
                .any(|label| label.is_some() && *label != self.targets[own].label);
        let flags = self.outer_flags();
        let mut slots = self.carried_slots(&effects, own);
        let round = |lower: &mut Lower, index: Atom| -> R<()> {
            let mark = lower.env.slots.len();
            lower.begin_round(own, &flags);
            let item = iter.round(lower, index)?;
            let keep = item.keep.unwrap_or(TRUE);
            let unit = Ty::Tuple(vec![]);
            lower.branch(
                keep,
                &unit,
                |lower| {
                    let Some((place, counted)) = mutable else {
                        lower.bind_pattern(pattern, &item.value)?;
                        lower.block(body, &unit, super::control::Tail::Round)?;
                        lower.env.slots.truncate(mark);
                        return Ok(Value::unit());
                    };
                    let element = lower.load_element(place, index)?;
                    let value = if counted {
                        Value::tuple(vec![Value::Scalar(index), element])
                    } else {
                        element
                    };
                    lower.bind_pattern(pattern, &value)?;
                    let slot = lower.env.slots.len() - 1;
                    if lower.env.slots.len() == mark || !binds_last(pattern, counted) {
                        return Err(lower.missing("an element of `iter_mut` is bound to one name"));
                    }
                    lower.block(body, &unit, super::control::Tail::Round)?;
                    let element = lower.env.slots[slot].value.clone();
                    lower.env.slots.truncate(mark);
                    lower.store_element(place, index, element)?;
                    Ok(Value::unit())
                },
                |_| Ok(Value::unit()),
            )?;
            lower.env.slots.truncate(mark);
            Ok(())
        };
        self.place = place;
        let count = iter.len.as_const().map_or(u64::MAX, |n| n.bits);
        if !leaves && !effects.closures && count.saturating_mul(effects.size as u64) <= UNROLLED {
            for k in 0..count {
                round(self, Atom::size(k))?;
                self.env.live = TRUE;
                self.end_round(own);
            }
        } else if !leaves {
            self.repeat(
                &slots,
                &effects.indexed,
                Rounds::Count(iter.len),
                &|lower, index| {
                    round(lower, index.expect("a counted loop"))?;
                    lower.env.live = TRUE;
                    lower.end_round(own);
                    Ok(())
                },
            )?;
        } else {
            let counter = self.define(
                "",
                Ty::Scalar(syntax::Scalar::Usize),
                Value::Scalar(Atom::size(0)),
            );
            slots.insert(counter);
            let len = iter.len;
            let cond = |lower: &mut Lower| {
                let at = lower.flag(counter);
                let more = lower.op(ScalarOp::Lt, &[at, len]);
                let leaving = lower.leaving(own, &flags);
                let staying = lower.not(leaving);
                Ok(lower.and(staying, more))
            };
            self.repeat(
                &slots,
                &effects.indexed,
                Rounds::While(&cond),
                &|lower, _| {
                    let at = lower.flag(counter);
                    round(lower, at)?;
                    lower.env.live = TRUE;
                    lower.end_round(own);
                    let one: Atom = Const::u64(1).into();
                    let next = lower.op(ScalarOp::Add, &[at, one]);
                    lower.set(counter, Value::Scalar(next));
                    Ok(())
                },
            )?;
        }
        self.left(Value::unit(), &unit)?;
        self.rejoin(&flags);
        self.env.slots.truncate(mark);
        Ok(Value::unit())
    }

    /// `while cond { body }` (`Some`) and `loop { body }`.
    pub(super) fn while_loop(
        &mut self,
        label: Option<&'static str>,
        cond: Option<&'static syntax::Expr>,
        body: &'static syntax::Block,
        ty: &Ty,
    ) -> R<Value> {
        let mut effects = Effects::of_block(body);
        let own_effects = cond.map(Effects::of);
        // A condition that only reads is the loop's; another one stands at the head of the round.
        let pure = own_effects.as_ref().is_some_and(|effects| {
            effects.assigned.is_empty() && !effects.returns && effects.breaks.is_empty()
        });
        let binds = cond.is_some_and(binds);
        cond.iter().for_each(|cond| effects.add(cond));
        let mark = self.env.slots.len();
        let place = self.place;
        self.enter(TargetKind::Loop, label, ty.clone());
        let own = self.targets.len() - 1;
        let flags = self.outer_flags();
        let mut slots = self.carried_slots(&effects, own);
        let at_head = cond.filter(|_| !pure || binds);
        if at_head.is_some() {
            slots.insert(self.targets[own].leave);
        }
        let test = |lower: &mut Lower| -> R<Atom> {
            let mark = lower.env.slots.len();
            let leaving = lower.leaving(own, &flags);
            let staying = lower.not(leaving);
            let holds = match cond.filter(|_| at_head.is_none()) {
                None => staying,
                Some(cond) => lower.and_then(staying, |lower| lower.condition(cond))?,
            };
            lower.env.slots.truncate(mark);
            Ok(holds)
        };
        let leave = self.targets[own].leave;
        let round = |lower: &mut Lower, _: Option<Atom>| -> R<()> {
            let mark = lower.env.slots.len();
            lower.begin_round(own, &flags);
            let unit = Ty::Tuple(vec![]);
            match at_head {
                None => {
                    lower.block(body, &unit, super::control::Tail::Round)?;
                }
                Some(cond) => {
                    let holds = lower.condition(cond)?;
                    lower.branch(
                        holds,
                        &unit,
                        |lower| {
                            lower.block(body, &unit, super::control::Tail::Round)?;
                            lower.env.slots.truncate(mark);
                            Ok(Value::unit())
                        },
                        |lower| {
                            lower.env.slots.truncate(mark);
                            lower.set(leave, Value::Scalar(TRUE));
                            Ok(Value::unit())
                        },
                    )?;
                }
            }
            lower.env.slots.truncate(mark);
            lower.env.live = TRUE;
            lower.end_round(own);
            Ok(())
        };
        self.place = place;
        self.repeat(&slots, &effects.indexed, Rounds::While(&test), &round)?;
        let value = match cond {
            Some(_) => {
                self.left(Value::unit(), &Ty::Tuple(vec![]))?;
                Value::unit()
            }
            None => self.left_loop(ty)?,
        };
        self.rejoin(&flags);
        if *ty == Ty::Never {
            self.env.live = FALSE;
        }
        self.env.slots.truncate(mark);
        Ok(value)
    }

    /// The value that `loop` was left with by `break`.
    fn left_loop(&mut self, ty: &Ty) -> R<Value> {
        let target = self.targets.pop().expect("an open loop");
        if super::value::width(ty) == 0 {
            return Ok(Value::unit());
        }
        Ok(self.env.slots[target.value].value.clone())
    }

    /// Whether the loop is being left: by its own `break`, or because something further out is.
    fn leaving(&mut self, own: usize, flags: &[(usize, u64)]) -> Atom {
        let mut leaving = self.flag(self.targets[own].leave);
        for &(slot, version) in flags {
            if self.env.slots[slot].version != version {
                let flag = self.flag(slot);
                leaving = self.or(leaving, flag);
            }
        }
        leaving
    }

    /// At the head of a round nothing is being left.
    fn begin_round(&mut self, own: usize, flags: &[(usize, u64)]) {
        let leave = self.targets[own].leave;
        for slot in flags.iter().map(|&(slot, _)| slot).chain([leave]) {
            if self.flag(slot) != FALSE {
                self.set(slot, Value::Scalar(FALSE));
            }
        }
    }

    /// Behind a round that an inner loop ended by `continue 'outer`: the flag falls again.
    fn end_round(&mut self, own: usize) {
        let next = self.targets[own].next;
        if self.flag(next) != FALSE {
            self.set(next, Value::Scalar(FALSE));
        }
    }

    /// `left && right()`, where the right side is only run if the left one holds.
    pub(super) fn and_then(
        &mut self,
        left: Atom,
        right: impl FnOnce(&mut Lower) -> R<Atom>,
    ) -> R<Atom> {
        if left == FALSE {
            return Ok(FALSE);
        }
        if left == TRUE {
            return right(self);
        }
        let value = self.branch(
            left,
            &BOOL,
            |lower| Ok(Value::Scalar(right(lower)?)),
            |_| Ok(Value::Scalar(FALSE)),
        )?;
        self.atom(&value, &BOOL)
    }

    /// `left || right()`, where the right side is only run if the left one does not hold.
    pub(super) fn or_else(
        &mut self,
        left: Atom,
        right: impl FnOnce(&mut Lower) -> R<Atom>,
    ) -> R<Atom> {
        if left == TRUE {
            return Ok(TRUE);
        }
        if left == FALSE {
            return right(self);
        }
        let value = self.branch(
            left,
            &BOOL,
            |_| Ok(Value::Scalar(TRUE)),
            |lower| Ok(Value::Scalar(right(lower)?)),
        )?;
        self.atom(&value, &BOOL)
    }

    /// Runs `body` over the items of an iterator, one after the other, with these slots carried, until `stop` says so.
    pub(super) fn each_item(
        &mut self,
        iter: &Iter,
        slots: &BTreeSet<usize>,
        stop: Option<usize>,
        body: &dyn Fn(&mut Lower, Value, Atom) -> R<()>,
    ) -> R<()> {
        let unit = Ty::Tuple(vec![]);
        let none = BTreeSet::new();
        let round = |lower: &mut Lower, at: Atom| -> R<()> {
            let item = iter.round(lower, at)?;
            lower.branch(
                item.keep.unwrap_or(TRUE),
                &unit,
                |lower| {
                    body(lower, item.value, at)?;
                    Ok(Value::unit())
                },
                |_| Ok(Value::unit()),
            )?;
            Ok(())
        };
        let Some(stop) = stop else {
            return self.repeat(slots, &none, Rounds::Count(iter.len), &|lower, at| {
                round(lower, at.expect("a counted loop"))
            });
        };
        let mark = self.env.slots.len();
        let counter = self.define(
            "",
            Ty::Scalar(syntax::Scalar::Usize),
            Value::Scalar(Atom::size(0)),
        );
        let mut slots = slots.clone();
        slots.extend([counter, stop]);
        let cond = |lower: &mut Lower| {
            let (at, stopped) = (lower.flag(counter), lower.flag(stop));
            let more = lower.op(ScalarOp::Lt, &[at, iter.len]);
            let going = lower.not(stopped);
            Ok(lower.and(going, more))
        };
        self.repeat(&slots, &none, Rounds::While(&cond), &|lower, _| {
            let at = lower.flag(counter);
            round(lower, at)?;
            let next = lower.op(ScalarOp::Add, &[at, Const::u64(1).into()]);
            lower.set(counter, Value::Scalar(next));
            Ok(())
        })?;
        self.env.slots.truncate(mark);
        Ok(())
    }
}

/// Of `x.iter_mut()`, `&mut x` and those with `.enumerate()`: the array, and whether its elements are counted.
fn mutable_source(iter: &'static syntax::Expr) -> Option<(&'static syntax::Expr, bool)> {
    use syntax::ExprKind as K;
    match &iter.kind {
        K::Unary(syntax::Unary::RefMut, place) => Some((place, false)),
        K::Method {
            receiver,
            name: "iter_mut",
            ..
        } => Some((receiver, false)),
        K::Method {
            receiver,
            name: "enumerate",
            ..
        } => match &receiver.kind {
            K::Method {
                receiver,
                name: "iter_mut",
                ..
            } => Some((receiver, true)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the element is bound to a name, behind the index if elements are counted.
fn binds_last(pattern: &Pattern, counted: bool) -> bool {
    use syntax::PatternKind as P;
    let name = |pattern: &Pattern| matches!(pattern.kind, P::Bind { inner: None, .. });
    match (&pattern.kind, counted) {
        (P::Tuple([_, element]), true) => name(element),
        (_, false) => name(pattern),
        _ => false,
    }
}

fn binds(cond: &syntax::Expr) -> bool {
    match &cond.kind {
        syntax::ExprKind::Let(..) => true,
        syntax::ExprKind::And(left, right) => binds(left) || binds(right),
        _ => false,
    }
}
