//! The parallel construct: all iterations in order, then what each sink makes of their values, in the order of the sinks.

use crate::eval::{Run, apply, fault};
use crate::order::{Combiner, Scan};
use crate::value::{Array, Column, Datum};
use dsl_runtime::backend::Failure;
use dsl_runtime::ir::{Combine, Const, Fault, Lambda, Par, Place, ScalarType, Sink, SinkKind};
use dsl_runtime::pass::effect::only_collects;

/// The values that a sink has been given, one column for each operand (none for a filter's predicate), and their shapes.
struct Feed {
    columns: Vec<Column>,
    shapes: Vec<Vec<usize>>,
    /// Iterations that count: all, or those that a filter keeps.
    count: usize,
}

impl Run<'_> {
    /// The results of the sinks, in order.
    pub fn par(&mut self, par: &Par, place: Place) -> Result<Vec<Datum>, Failure> {
        let extent = self.scalar(par.extent).bits;
        let mut feeds = vec![];
        for sink in &par.sinks {
            feeds.push(self.feed(sink, extent as usize)?);
        }
        // Rows without elements need not be walked, however many there are.
        let empty = |feed: &Feed| feed.shapes.iter().all(|shape| shape.contains(&0));
        let walked = match only_collects(self.func, par) && feeds.iter().all(empty) {
            true => 0,
            false => extent,
        };
        feeds
            .iter_mut()
            .for_each(|feed| feed.count = (extent - walked) as usize);
        for i in 0..walked {
            self.bind(par.index, Datum::Scalar(Const::u64(i)));
            self.stmts(&par.body)?;
            for (sink, feed) in par.sinks.iter().zip(&mut feeds) {
                self.take(sink, feed)?;
            }
        }
        let mut results = vec![];
        for (sink, feed) in par.sinks.iter().zip(feeds) {
            let place = if sink.place == Place::default() {
                place
            } else {
                sink.place
            };
            self.sink(par, sink, feed, place, &mut results)?;
        }
        Ok(results)
    }

    /// Claims memory for the values.
    fn feed(&self, sink: &Sink, extent: usize) -> Result<Feed, Failure> {
        let skip = usize::from(sink.kind == SinkKind::Filter);
        let mut feed = Feed {
            columns: vec![],
            shapes: vec![],
            count: 0,
        };
        for &value in &sink.values[skip..] {
            let ty = self.ty(value);
            // Neither the shape of what is collected varies, nor that of what is scattered.
            let shape = self.shape(&ty);
            let mut whole = shape.clone();
            let known = !matches!(sink.kind, SinkKind::Filter | SinkKind::Reduce);
            whole.insert(0, if known { extent } else { 0 });
            feed.columns
                .push(Column::room(ty.elem, &whole, sink.place)?);
            feed.shapes.push(shape);
        }
        Ok(feed)
    }

    /// Gives the values of one iteration to a sink.
    fn take(&mut self, sink: &Sink, feed: &mut Feed) -> Result<(), Failure> {
        let values = match sink.kind {
            SinkKind::Filter if self.scalar(sink.values[0]).bits == 0 => return Ok(()),
            SinkKind::Filter => &sink.values[1..],
            _ => &sink.values[..],
        };
        feed.count += 1;
        for (&value, column) in values.iter().zip(&mut feed.columns) {
            column.push(&self.value(value))?;
        }
        Ok(())
    }

    fn sink(
        &mut self,
        par: &Par,
        sink: &Sink,
        feed: Feed,
        place: Place,
        results: &mut Vec<Datum>,
    ) -> Result<(), Failure> {
        let Feed {
            columns,
            shapes,
            count,
        } = feed;
        let arrays = columns.into_iter().zip(shapes).map(|(column, mut shape)| {
            shape.insert(0, count);
            column.finish(shape)
        });
        let arrays: Vec<Array> = arrays.collect();
        match sink.kind {
            SinkKind::Collect => results.extend(arrays.into_iter().map(Datum::Array)),
            SinkKind::Filter => {
                results.push(Datum::Scalar(Const::u64(count as u64)));
                results.extend(arrays.into_iter().map(Datum::Array));
            }
            SinkKind::Scatter | SinkKind::ScatterWith => {
                self.scatter(sink, &arrays, place, results)?;
            }
            SinkKind::Reduce
            | SinkKind::Scan
            | SinkKind::ExScan
            | SinkKind::RScan
            | SinkKind::RExScan => self.combined(par, sink, &arrays, place, results)?,
        }
        Ok(())
    }

    fn scatter(
        &mut self,
        sink: &Sink,
        arrays: &[Array],
        place: Place,
        results: &mut Vec<Datum>,
    ) -> Result<(), Failure> {
        let (indices, values) = arrays.split_first().expect("an index");
        let mut dests = vec![];
        for &dest in &sink.outer {
            let Datum::Array(array) = self.value(dest) else {
                unreachable!("the verifier has seen an array");
            };
            dests.push(array);
        }
        let length = dests[0].shape[0];
        let mut seen = Column::room(ScalarType::Bool, &[length], place)?;
        for _ in 0..length {
            seen.push_scalar(Const::bool(false))?;
        }
        let mut seen = seen.finish(vec![length]);
        for (k, index) in indices.iter().enumerate() {
            if index.bits >= length as u64 {
                let operands = [index, Const::u64(length as u64)];
                return Err(fault(Fault::IndexOutOfBounds, operands, place));
            }
            let at = index.bits as usize;
            if sink.kind == SinkKind::Scatter {
                if seen.get(at).bits != 0 {
                    return Err(fault(Fault::DuplicateIndex, [index], place));
                }
                seen.set(at, &Datum::Scalar(Const::bool(true)), place)?;
            }
            let news: Vec<Datum> = match &sink.combine {
                Some(combine) => {
                    let olds: Vec<Const> = dests.iter().map(|dest| dest.get(at)).collect();
                    let values: Vec<Const> = values.iter().map(|value| value.get(k)).collect();
                    let news = self.combine(combine, &olds, &values, place)?;
                    news.into_iter().map(Datum::Scalar).collect()
                }
                None => {
                    let part = |value: &Array| {
                        let inner = &value.shape[1..];
                        value.part(k * inner.iter().product::<usize>(), inner.len())
                    };
                    values.iter().map(part).collect()
                }
            };
            for (dest, new) in dests.iter_mut().zip(&news) {
                let inner: usize = dest.shape[1..].iter().product();
                dest.set(at * inner, new, place)?;
            }
        }
        results.extend(dests.into_iter().map(Datum::Array));
        Ok(())
    }

    fn combine(
        &mut self,
        combine: &Combine,
        left: &[Const],
        right: &[Const],
        place: Place,
    ) -> Result<Vec<Const>, Failure> {
        match combine {
            Combine::Op(op) => Ok(vec![apply(*op, &[left[0], right[0]], place)?]),
            Combine::Lambda(lambda) => self.lambda(lambda, left, right),
        }
    }

    fn lambda(
        &mut self,
        lambda: &Lambda,
        left: &[Const],
        right: &[Const],
    ) -> Result<Vec<Const>, Failure> {
        for (&param, &value) in lambda.params.iter().zip(left.iter().chain(right)) {
            self.bind(param, Datum::Scalar(value));
        }
        self.stmts(&lambda.body)?;
        let results = lambda.body.results.iter().map(|&atom| self.scalar(atom));
        Ok(results.collect())
    }

    /// Reductions and scans. With an operation the values are single, with a lambda they are lists.
    fn combined(
        &mut self,
        par: &Par,
        sink: &Sink,
        arrays: &[Array],
        place: Place,
        results: &mut Vec<Datum>,
    ) -> Result<(), Failure> {
        let starts: Vec<Const> = sink.outer.iter().map(|&start| self.scalar(start)).collect();
        let count = arrays[0].len();
        let columns: Vec<Vec<Const>> =
            match sink.combine.as_ref().expect("the verifier has seen it") {
                Combine::Op(op) => {
                    let mut values = claim(count, place)?;
                    values.extend(arrays[0].iter());
                    let combiner = Combiner {
                        op: &mut |left, right| apply(*op, &[*left, *right], place),
                        identity: op.identity(starts[0].ty),
                    };
                    vec![ordered(combiner, sink.kind, par.inner, &starts[0], values)?]
                }
                Combine::Lambda(lambda) => {
                    let mut rows: Vec<Vec<Const>> = claim(count, place)?;
                    rows.extend(
                        (0..count).map(|k| arrays.iter().map(|array| array.get(k)).collect()),
                    );
                    let combiner = Combiner {
                        op: &mut |left: &Vec<Const>, right: &Vec<Const>| {
                            self.lambda(lambda, left, right)
                        },
                        identity: None,
                    };
                    let rows = ordered(combiner, sink.kind, par.inner, &starts, rows)?;
                    let column = |j: usize| rows.iter().map(|row| row[j]).collect();
                    (0..starts.len()).map(column).collect()
                }
            };
        for (values, start) in columns.into_iter().zip(starts) {
            if sink.kind == SinkKind::Reduce {
                results.push(Datum::Scalar(values[0]));
                continue;
            }
            let mut column = Column::room(start.ty, &[count], place)?;
            for &value in &values {
                column.push_scalar(value)?;
            }
            results.push(Datum::Array(column.finish(vec![count])));
        }
        Ok(())
    }
}

/// Room for `count` values.
fn claim<T>(count: usize, place: Place) -> Result<Vec<T>, Failure> {
    let mut values = vec![];
    values
        .try_reserve_exact(count)
        .map_err(|_| Failure::OutOfMemory {
            bytes: count as u128 * size_of::<T>() as u128,
            place,
        })?;
    Ok(values)
}

/// The one result of a reduction, or those of a scan.
fn ordered<T: Clone>(
    combiner: Combiner<'_, T, Failure>,
    kind: SinkKind,
    inner: bool,
    start: &T,
    mut values: Vec<T>,
) -> Result<Vec<T>, Failure> {
    let Combiner { op, identity } = combiner;
    let reversed = matches!(kind, SinkKind::RScan | SinkKind::RExScan);
    let mut combiner = Combiner {
        op: &mut |left: &T, right: &T| {
            if reversed {
                op(right, left)
            } else {
                op(left, right)
            }
        },
        identity,
    };
    let scan = match kind {
        SinkKind::Reduce if inner => return Ok(vec![combiner.reduce_inner(start, &values)?]),
        SinkKind::Reduce => return Ok(vec![combiner.reduce(start, &values)?]),
        SinkKind::Scan | SinkKind::RScan => Scan::Inclusive,
        _ => Scan::Exclusive,
    };
    if reversed {
        values.reverse();
    }
    match inner {
        true => combiner.scan_inner(scan, start, &mut values)?,
        false => combiner.scan(scan, start, &mut values)?,
    }
    if reversed {
        values.reverse();
    }
    Ok(values)
}
