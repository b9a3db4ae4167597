//! filter: what a rank keeps stays there; the counts go around.

use crate::Distribution;
use crate::array::cut::{Cut, Here};
use crate::plan::unit::Unit;
use crate::run::held::Held;
use crate::run::share::{Begins, Made, whole, zeros};
use crate::run::walk::{Stop, Walk};
use dsl_runtime::array::Value;
use dsl_runtime::plan::SinkStep;
use std::sync::Arc;

impl Walk<'_, '_> {
    pub(crate) fn filter(
        &mut self,
        unit: &Unit,
        extent: usize,
        steps: &[SinkStep],
    ) -> Result<(), Stop> {
        let cut = self.cut_of(unit, extent);
        let own = cut.range(self.rank());
        let own = whole(&own);
        let mut made = self.share(unit, &cut, &[0], &Begins::new(), &own)?;
        let Some(Made::Kept(count, values)) = made.pop() else {
            unreachable!("a filter")
        };
        let counts = self.share_all(
            "how many each rank keeps",
            None,
            &count.to_le_bytes(),
            |_| 8,
        )?;
        let number =
            |text: Vec<u8>| u64::from_le_bytes(text.try_into().expect("eight bytes")) as usize;
        let rows = Distribution::of_parts(counts.into_iter().map(number));
        self.scalars[steps[0].scalars[0] as usize] = rows.rows() as u64;
        let mut values = values.into_iter();
        for (&slot, &def) in steps[0].arrays.iter().zip(&unit.defs(0)[1..]) {
            let shape = self.shape(slot);
            let elem = unit.func.ty(def).elem;
            let here = match values.next() {
                Some(Value::Array(dense)) => Here::Stored(dense.into()),
                Some(Value::Stored(stored)) => Here::Stored(stored),
                _ => Here::Stored(zeros(elem, 0, &shape)?.into()),
            };
            let margin = Arc::default();
            let array = Cut::new(&self.program.job, elem, shape, rows.clone(), here, margin);
            self.arrays[slot as usize] = Some(Held::Cut(Arc::new(array)));
        }
        Ok(())
    }
}
