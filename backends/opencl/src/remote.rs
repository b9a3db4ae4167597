//! Which scalars stay on the device: what kernels compute and only kernels need, so that a loop of kernels runs without the
//! host waiting for any of them. A length, the number of rounds or a condition is the host's business.

use dsl_runtime::ir::SinkKind;
use dsl_runtime::plan::{Action, Moves, Plan, Scalar, Slot, Source, Step};

/// What is known of the slots of scalars.
#[derive(Debug)]
pub struct Places {
    /// Whether the value is in the run's words.
    remote: Vec<bool>,
    /// Whether the host needs it.
    wanted: Vec<bool>,
}

impl Places {
    /// Of a plan's slots.
    pub fn of(plan: &Plan) -> Places {
        let mut places = Places {
            remote: vec![false; plan.scalars],
            wanted: vec![false; plan.scalars],
        };
        for info in &plan.arrays {
            places.want_all(&info.shape);
        }
        loop {
            let before = (places.remote.clone(), places.wanted.clone());
            places.steps(plan, &plan.steps);
            if before == (places.remote.clone(), places.wanted.clone()) {
                return places;
            }
        }
    }

    /// Whether the scalar is in the run's words.
    pub fn is_remote(&self, slot: u32) -> bool {
        self.remote[slot as usize]
    }

    /// Whether the host computes an operation of these operands that goes to this slot.
    pub fn on_host(&self, into: u32) -> bool {
        !self.is_remote(into)
    }

    fn want(&mut self, scalar: Scalar) {
        if let Scalar::Slot(slot) = scalar {
            self.wanted[slot as usize] = true;
        }
    }

    fn want_all(&mut self, scalars: &[Scalar]) {
        scalars.iter().for_each(|&scalar| self.want(scalar));
    }

    fn far(&self, scalar: Scalar) -> bool {
        matches!(scalar, Scalar::Slot(slot) if self.remote[slot as usize])
    }

    /// A scalar that is made of others: on the device if one of them is there and nobody here wants it.
    fn made(&mut self, into: u32, of: &[Scalar]) {
        if self.wanted[into as usize] {
            self.want_all(of);
            self.remote[into as usize] = false;
        } else if of.iter().any(|&scalar| self.far(scalar)) {
            self.remote[into as usize] = true;
        }
    }

    fn moves(&mut self, moves: &Moves) {
        for one in &moves.0 {
            if let (Source::Scalar(from, _), Slot::Scalar(into)) = (one.from, one.into) {
                self.made(into, &[from]);
            }
        }
    }

    fn steps(&mut self, plan: &Plan, steps: &[Step]) {
        for step in steps {
            match &step.action {
                Action::Op { op, operands, into } => {
                    let of: Vec<Scalar> = operands.iter().map(|&(scalar, _)| scalar).collect();
                    // What can fail is tested here.
                    if op.can_fail(operands[0].1) {
                        self.want_all(&of);
                    } else {
                        self.made(*into, &of);
                    }
                }
                Action::Cast { from, into, .. } => self.made(*into, &[from.0]),
                Action::Copy { from, into } => self.made(*into, &[*from]),
                Action::Check(cond) => self.want(*cond),
                Action::Element { indices, into, .. } => {
                    self.want_all(indices);
                    self.remote[*into as usize] = true;
                }
                Action::View { indices, .. } => self.want_all(indices),
                Action::Data { .. } => {}
                Action::Par { extent, sinks, .. } => {
                    self.want(*extent);
                    for sink in sinks {
                        for &slot in &sink.scalars {
                            self.remote[slot as usize] = true;
                            if sink.kind == SinkKind::Filter {
                                self.wanted[slot as usize] = true;
                            }
                        }
                    }
                }
                Action::Region { unit } => {
                    for var in &plan.regions[*unit].results {
                        if let Some(&Slot::Scalar(slot)) = plan.slots.get(var) {
                            self.remote[slot as usize] = true;
                        }
                    }
                }
                Action::Loop {
                    counter,
                    cond,
                    enter,
                    body,
                    next,
                    leave,
                } => {
                    if let Some((_, extent)) = counter {
                        self.want(*extent);
                    }
                    if let Some((steps, holds)) = cond {
                        self.steps(plan, steps);
                        self.want(*holds);
                    }
                    self.moves(enter);
                    self.steps(plan, body);
                    self.moves(next);
                    self.moves(leave);
                }
                Action::If { cond, then, other } => {
                    self.want(*cond);
                    for (steps, moves) in [then, other] {
                        self.steps(plan, steps);
                        self.moves(moves);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsl_runtime::ir::parse::parse;

    /// Per scalar that is named here, whether it is on the device.
    fn places(text: &str, names: &[&str]) -> Vec<bool> {
        let func = parse(text).unwrap().funcs.remove(0);
        let plan = Plan::of(&func).unwrap();
        let places = Places::of(&plan);
        let place = |name: &&str| {
            let at = func
                .vars
                .iter()
                .position(|info| info.name == **name)
                .unwrap();
            match plan.slots[&dsl_runtime::ir::Var(at as u32)] {
                Slot::Scalar(slot) => places.is_remote(slot),
                Slot::Array(_) => unreachable!(),
            }
        };
        names.iter().map(place).collect()
    }

    const SUM: &str =
        "%s: f32 = par (%i in 0..%n) {\n%v: f32 = index.in %x[%i]\nreduce add 0.0, %v\n}\n";

    #[test]
    fn what_only_kernels_need_stays() {
        let text = format!(
            "func @f[%n](%x: [%n]f32, %a: f32) -> [%n]f32 {{\n{SUM}%b: f32 = div %s, %a\n%c: f32 = add %a, 1.0\n\
             %y: [%n]f32 = par (%j in 0..%n) {{\n%w: f32 = index.in %x[%j]\n%z: f32 = mul %w, %b\ncollect %z\n}}\nreturn %y\n}}"
        );
        assert_eq!(places(&text, &["s", "b", "c"]), [true, true, false]);
    }

    #[test]
    fn what_the_host_decides_by_comes_here() {
        let text = format!(
            "func @f[%n](%x: [%n]f32) -> f32 {{\n{SUM}%t: bool = lt %s, 1.0\n%r: f32 = if %t {{\n{}yield %q\n}} else {{\nyield %s\n}}\nreturn %r\n}}",
            SUM.replace("%s", "%q")
                .replace("%i", "%k")
                .replace("%v", "%u")
        );
        assert_eq!(places(&text, &["s", "t", "r"]), [true, false, true]);
    }
}
