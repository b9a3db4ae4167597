//! scatter and scatter_with: values go to the ranks that have their places, in the order of the iterations; there the place inside
//! does the rest. Into few places, and where no order shows, each rank scatters for itself, and what they have is combined.

use crate::Distribution;
use crate::array::Window;
use crate::array::cut::{Cut, Here, Seen, Wants, dense};
use crate::comm::collective::all_to_all;
use crate::plan::derive::Param;
use crate::plan::unit::Unit;
use crate::run::held::Held;
use crate::run::share::{Begin, Begins, Made, whole, zeros};
use crate::run::walk::{Stop, Walk};
use dsl_runtime::array::{Arg, Dense, Stored, Value};
use dsl_runtime::backend::Failure;
use dsl_runtime::ir::{Combine, Const, Fault, ScalarOp, ScalarType, SinkKind};
use dsl_runtime::pass::effect;
use dsl_runtime::plan::SinkStep;
use std::sync::Arc;

impl Walk<'_, '_> {
    pub(crate) fn scatter(
        &mut self,
        unit: &Unit,
        values: &Unit,
        extent: usize,
        steps: &[SinkStep],
    ) -> Result<(), Stop> {
        let step = &steps[0];
        if let Some(op) = self.bins(unit, extent, step) {
            return self.scatter_apart(unit, extent, step, op);
        }
        let cut = self.cut_of(values, extent);
        let own = cut.range(self.rank());
        let numbers: Vec<usize> = (0..values.par().sinks.len()).collect();
        let own = whole(&own);
        let made = self.share(values, &cut, &numbers, &Begins::new(), &own)?;
        let columns: Vec<Arc<Cut>> = made
            .into_iter()
            .map(|made| match made {
                Made::Array(array) => array,
                _ => unreachable!("values are collected"),
            })
            .collect();
        let length = self.held(step.dest[0].0).shape()[0];
        let rows = step
            .dest
            .iter()
            .find_map(|&(slot, _)| self.held(slot).cut().map(|cut| cut.rows().clone()));
        let rows = rows.unwrap_or_else(|| {
            let wide = step
                .dest
                .iter()
                .any(|&(slot, _)| self.held(slot).shape().len() > 1);
            match self.program.job.policy.blocks && !wide {
                true => Distribution::blocks(length, self.ranks()),
                false => Distribution::even(length, self.ranks()),
            }
        });
        // To each rank: how many, their places, their values, one column after the other.
        let mut chosen: Vec<Vec<usize>> = vec![vec![]; self.ranks()];
        let here = columns[0].here();
        let places: Vec<u64> = here.view()?.iter().map(|place| place.bits).collect();
        for (at, &place) in places.iter().enumerate() {
            match place < length as u64 {
                true => chosen[rows.owner(place as usize)].push(at),
                false => {
                    let operands = vec![Const::u64(place), Const::u64(length as u64)];
                    let fault = Fault::IndexOutOfBounds;
                    let place = unit.sink(0).place;
                    self.failed.get_or_insert(Failure::Fault {
                        fault,
                        operands,
                        place,
                    });
                }
            }
        }
        let mut letters = vec![];
        for chosen in &chosen {
            let mut letter = (chosen.len() as u64).to_le_bytes().to_vec();
            if chosen.is_empty() {
                letters.push(vec![]);
                continue;
            }
            for &at in chosen {
                letter.extend_from_slice(&places[at].to_le_bytes());
            }
            for column in &columns[1..] {
                let (bytes, row) = (column.bytes()?, column.row());
                for &at in chosen {
                    letter.extend_from_slice(&bytes[at * row..][..row]);
                }
            }
            letters.push(letter);
        }
        let arrived = self.say("values for places of other ranks", None, |turn| {
            Ok(all_to_all(turn.comm, &letters)?)
        })?;
        let mine = rows.range(self.rank());
        let mut at: Vec<u64> = vec![];
        let mut bytes: Vec<Vec<u8>> = vec![vec![]; columns.len() - 1];
        for letter in arrived.iter().filter(|letter| !letter.is_empty()) {
            let number = |at: usize| {
                u64::from_le_bytes(letter[8 * at..][..8].try_into().expect("eight bytes"))
            };
            let count = number(0) as usize;
            at.extend((0..count).map(|k| number(1 + k) - mine.start as u64));
            let mut rest = &letter[8 + 8 * count..];
            for (column, into) in columns[1..].iter().zip(&mut bytes) {
                let (part, tail) = rest.split_at(count * column.row());
                into.extend_from_slice(part);
                rest = tail;
            }
        }
        let count = at.len();
        let at = Dense::from_bits(ScalarType::U64, vec![count], at);
        let at: Stored = at
            .ok_or_else(|| crate::array::cut::no_memory(ScalarType::U64, &[count]))?
            .into();
        let mut given: Vec<Stored> = vec![];
        for (column, bytes) in columns[1..].iter().zip(&bytes) {
            let mut shape = column.shape().to_vec();
            shape[0] = count;
            given.push(dense(column.elem(), &shape, bytes)?.into());
        }
        // The destinations' rows.
        let mut dests: Vec<Seen> = vec![];
        for &(slot, _) in &step.dest {
            let held = self.held(slot).clone();
            dests.push(match &held {
                Held::Cut(cut) if *cut.rows() == rows => cut.here(),
                Held::Cut(cut) => {
                    let all: Vec<_> = (0..self.ranks())
                        .map(|rank| vec![rows.range(rank)])
                        .collect();
                    let window = Window::known(self.rank(), cut.rows(), |rank| all[rank].clone());
                    let mine = vec![mine.clone()];
                    let wants = Arc::new(Wants {
                        mine,
                        all: Some(all),
                        window,
                    });
                    let var = self.program.plan.arrays[slot as usize].var;
                    self.look(var, &wants)?
                }
                held => {
                    let view = held.view(self.turn)?.rows(mine.clone());
                    let copy = view.to_dense();
                    Seen::Stored(
                        copy.ok_or_else(|| {
                            crate::array::cut::no_memory(view.elem(), view.shape())
                        })?
                        .into(),
                    )
                }
            });
        }
        if unit.uses.endless {
            self.sound()?;
        }
        let program = self.program;
        let deliver = unit.deliver(&*program.inner)?;
        for param in &deliver.params {
            if let Param::Whole(var) = param {
                self.gather(*var)?;
            }
        }
        let resident = self.resident();
        let arg = |stored| -> Result<Arg<'_>, Failure> {
            let stored: &Stored = stored;
            match resident {
                true => Ok(Arg::Stored(stored)),
                false => Ok(Arg::Array(stored.dense()?.view())),
            }
        };
        let outcome = match self.failed {
            Some(_) => None,
            None => Some(self.call(
                &unit.func,
                deliver,
                &|param| match *param {
                    Param::Begin(0, k) => Some(dests[k].arg(resident)),
                    Param::Begin(1, _) => Some(arg(&at)),
                    Param::Begin(_, k) => Some(arg(&given[k])),
                    _ => None,
                },
                &mut [],
            )),
        };
        let mut results = match outcome {
            Some(Ok(results)) => results.into_iter(),
            Some(Err(failure)) => {
                self.failed = Some(failure);
                vec![].into_iter()
            }
            None => vec![].into_iter(),
        };
        for &slot in &step.arrays {
            let shape = self.shape(slot);
            let elem = self.program.plan.arrays[slot as usize].elem;
            let here = match results.next() {
                Some(Value::Array(dense)) => Here::Stored(dense.into()),
                Some(Value::Stored(stored)) => Here::Stored(stored),
                _ => Here::Stored(zeros(elem, mine.len(), &shape)?.into()),
            };
            let margin = Arc::default();
            let array = Cut::new(&self.program.job, elem, shape, rows.clone(), here, margin);
            self.arrays[slot as usize] = Some(Held::Cut(Arc::new(array)));
        }
        Ok(())
    }

    /// The operation, if every rank can scatter for itself: what is combined in any order gives the same, and an array on each rank
    /// is less than the values.
    fn bins(&self, unit: &Unit, extent: usize, step: &SinkStep) -> Option<ScalarOp> {
        let sink = unit.sink(0);
        let Some(Combine::Op(op)) = sink.combine else {
            return None;
        };
        let held = self.held(step.dest[0].0);
        let few = held.shape().iter().product::<usize>() <= extent / self.ranks();
        let free = !effect::shows_order(&unit.func, sink);
        (sink.kind == SinkKind::ScatterWith && free && few && held.cut().is_none()).then_some(op)
    }

    /// Each rank scatters into an array of its own; then all combine what all have.
    fn scatter_apart(
        &mut self,
        unit: &Unit,
        extent: usize,
        step: &SinkStep,
        op: ScalarOp,
    ) -> Result<(), Stop> {
        let cut = self.cut_of(unit, extent);
        let own = cut.range(self.rank());
        let dest = self.held(step.dest[0].0).clone();
        let view = dest.view(self.turn)?;
        let (elem, shape) = (view.elem(), view.shape().to_vec());
        let nothing = op.identity(elem).expect("an operation that reduces").bits;
        let array = |bits: &mut dyn Iterator<Item = u64>| {
            let dense = Dense::from_bits(elem, shape.clone(), bits);
            dense.ok_or_else(|| crate::array::cut::no_memory(elem, &shape))
        };
        let empty = array(&mut std::iter::repeat(nothing))?;
        let begins = Begins::from([((0, 0), Begin::Array(empty.clone().into()))]);
        let made = self.share(unit, &cut, &[0], &begins, &whole(&own))?;
        let mine = match made.into_iter().next() {
            Some(Made::Scattered(mine)) if !own.is_empty() => mine,
            _ => empty,
        };
        let parts = self.share_all(
            "what each rank has scattered",
            None,
            crate::array::rows::bytes(&mine),
            |_| crate::array::rows::bytes(&mine).len(),
        )?;
        let mut all: Vec<Const> = view.iter().collect();
        for part in &parts {
            let part = dense(elem, &shape, part)?;
            for (value, more) in all.iter_mut().zip(part.view().iter()) {
                if let Some(Ok(sum)) = op.eval(&[*value, more]) {
                    *value = sum;
                }
            }
        }
        let result = array(&mut all.iter().map(|value| value.bits))?;
        self.arrays[step.arrays[0] as usize] = Some(Held::Whole(result.into()));
        Ok(())
    }
}
