//! Scalar operations between kernels, done by the device itself: neighbouring ones by one kernel of one work-item.

use crate::remote::Places;
use crate::render::body::Body;
use crate::render::{op, types};
use crate::unit::{Kernel, Maker, Param, STATE};
use dsl_runtime::ir::{Const, ScalarType, SinkKind, VarSet};
use dsl_runtime::plan::{Action, Plan, Scalar, Step};
use std::collections::{HashMap, HashSet};

/// The kernels of a plan.
#[derive(Debug, Default)]
pub struct Scalars {
    /// By the slot that the first operation makes.
    pub kernels: HashMap<u32, Kernel>,
    /// Slots that an earlier operation's kernel makes too.
    pub along: HashSet<u32>,
}

/// Operations that follow a par at once: the kernel that joins its totals does them too.
#[derive(Clone, Debug)]
pub struct Tail {
    /// What they need of the host.
    pub params: Vec<Param>,
    /// They, as C.
    pub lines: Vec<String>,
    /// The slots that they make.
    slots: Vec<u32>,
}

/// The slot and operands of a step that the device does.
pub fn remote(places: &Places, step: &Step) -> Option<(u32, Vec<Scalar>)> {
    let (into, of) = match &step.action {
        Action::Op { operands, into, .. } => {
            (*into, operands.iter().map(|&(scalar, _)| scalar).collect())
        }
        Action::Cast { from, into, .. } => (*into, vec![from.0]),
        Action::Copy { from, into } => (*into, vec![*from]),
        _ => return None,
    };
    let far = |scalar: &Scalar| matches!(scalar, Scalar::Slot(slot) if places.is_remote(*slot));
    (places.is_remote(into) && of.iter().any(far)).then_some((into, of))
}

impl Scalars {
    /// For all steps of a plan, but for those that other kernels do.
    pub fn of(maker: &mut Maker<'_>, plan: &Plan, places: &Places, tails: &Tails) -> Scalars {
        let mut scalars = Scalars::default();
        let slots = tails.values().flat_map(|tail| &tail.slots);
        scalars.along.extend(slots);
        scalars.steps(maker, places, &plan.steps);
        scalars
    }

    fn steps(&mut self, maker: &mut Maker<'_>, places: &Places, steps: &[Step]) {
        let mut at = 0;
        while at < steps.len() {
            let run = steps[at..]
                .iter()
                .take_while(|step| remote(places, step).is_some())
                .count();
            if run > 0 {
                let tail = operations(places, &steps[at..at + run]);
                if !self.along.contains(&tail.slots[0]) {
                    self.group(maker, tail);
                }
                at += run;
                continue;
            }
            match &steps[at].action {
                Action::Loop { cond, body, .. } => {
                    if let Some((steps, _)) = cond {
                        self.steps(maker, places, steps);
                    }
                    self.steps(maker, places, body);
                }
                Action::If { then, other, .. } => {
                    self.steps(maker, places, &then.0);
                    self.steps(maker, places, &other.0);
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn group(&mut self, maker: &mut Maker<'_>, tail: Tail) {
        let Tail {
            params,
            lines,
            slots,
        } = tail;
        let body = Body::new(maker.func, &[], &VarSet::new());
        let name = format!("scalars{}", slots[0]);
        let kernel = maker.kernel(&name, body, &VarSet::new(), &params, |body| {
            lines.iter().for_each(|line| body.line(line));
        });
        self.kernels.insert(slots[0], kernel);
        self.along.extend(&slots[1..]);
    }
}

/// By the number of the par.
pub type Tails = HashMap<usize, Tail>;

/// What follows the pars of a plan that combine.
pub fn tails(plan: &Plan, places: &Places) -> Tails {
    let mut tails = Tails::new();
    find(places, &plan.steps, &mut tails);
    tails
}

fn find(places: &Places, steps: &[Step], tails: &mut Tails) {
    for (at, step) in steps.iter().enumerate() {
        match &step.action {
            Action::Par { unit, sinks, .. } => {
                let combines = sinks.iter().any(|sink| sink.kind == SinkKind::Reduce);
                let after = steps[at + 1..].iter();
                let run = after
                    .take_while(|step| remote(places, step).is_some())
                    .count();
                if combines && run > 0 {
                    tails.insert(*unit, operations(places, &steps[at + 1..][..run]));
                }
            }
            Action::Loop { cond, body, .. } => {
                if let Some((steps, _)) = cond {
                    find(places, steps, tails);
                }
                find(places, body, tails);
            }
            Action::If { then, other, .. } => {
                find(places, &then.0, tails);
                find(places, &other.0, tails);
            }
            _ => {}
        }
    }
}

/// Steps of the device as C.
fn operations(places: &Places, steps: &[Step]) -> Tail {
    let mut made: Vec<(u32, ScalarType)> = vec![];
    let mut params: Vec<Param> = vec![];
    let mut lines: Vec<String> = vec![];
    for step in steps {
        let (into, _) = remote(places, step).expect("a step of the device");
        let mut value = |scalar: Scalar, ty: ScalarType| match scalar {
            Scalar::Bits(bits) => types::constant(Const { ty, bits }),
            Scalar::Slot(slot) if made.iter().any(|&(known, _)| known == slot) => {
                format!("s{slot}")
            }
            Scalar::Slot(slot) if places.is_remote(slot) => {
                let word = format!("words[{}]", STATE + slot as usize);
                format!("({})", types::from_word(ty, &word))
            }
            Scalar::Slot(slot) => {
                let param = Param::Slot(slot, ty);
                if !params.contains(&param) {
                    params.push(param);
                }
                match ty {
                    ScalarType::Bool => format!("(a{slot} != 0)"),
                    _ => format!("a{slot}"),
                }
            }
        };
        let (ty, text) = match &step.action {
            Action::Op { op, operands, .. } => {
                let x: Vec<String> = operands.iter().map(|&(s, ty)| value(s, ty)).collect();
                let kinds: Vec<ScalarType> = operands.iter().map(|&(_, ty)| ty).collect();
                let last = *kinds.last().expect("an operand");
                let result = op.result(&kinds).expect("the verifier has seen its types");
                (result, op::expression(*op, last, &x))
            }
            Action::Cast { to, from, .. } => (*to, op::cast(from.1, *to, &value(from.0, from.1))),
            // The same bits, under whatever type they are read.
            Action::Copy { from, .. } => (
                ScalarType::U64,
                match *from {
                    Scalar::Bits(bits) => format!("{bits}UL"),
                    Scalar::Slot(slot) => match made.iter().find(|&&(known, _)| known == slot) {
                        Some(&(_, ty)) => types::to_word(ty, &format!("s{slot}")),
                        None => format!("words[{}]", STATE + slot as usize),
                    },
                },
            ),
            _ => unreachable!("a step of the device"),
        };
        lines.push(format!("const {} s{into} = {text};", types::name(ty)));
        let word = types::to_word(ty, &format!("s{into}"));
        lines.push(format!("words[{}] = {word};", STATE + into as usize));
        // A copy's bits are read from memory.
        if !matches!(step.action, Action::Copy { .. }) {
            made.push((into, ty));
        }
    }
    let slots: Vec<u32> = steps
        .iter()
        .map(|step| remote(places, step).expect("a step of the device").0)
        .collect();
    Tail {
        params,
        lines,
        slots,
    }
}
