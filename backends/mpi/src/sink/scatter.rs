//! scatter and scatter_with: values go to the ranks that have their places, in the order of the iterations; there the place inside
//! does the rest.

use crate::Distribution;
use crate::comm::collective::all_to_all;
use crate::cut::{Cut, Here, Seen, Wants, dense};
use crate::derive::Param;
use crate::held::Held;
use crate::share::{Begins, Made, whole, zeros};
use crate::unit::Unit;
use crate::walk::{Stop, Walk};
use crate::window::Window;
use dsl_runtime::array::{Arg, Dense, Stored, Value};
use dsl_runtime::backend::Failure;
use dsl_runtime::ir::{Const, Fault, ScalarType};
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
            .ok_or_else(|| crate::cut::no_memory(ScalarType::U64, &[count]))?
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
                        copy.ok_or_else(|| crate::cut::no_memory(view.elem(), view.shape()))?
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
}
