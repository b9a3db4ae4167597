//! Pars over ragged rows, as in a matrix in CSR: iteration `i` walks other arrays from the place that an array of
//! offsets names, `values[offsets[i] + j]`. Where those arrays are too large for the cache they are fetched ahead: every few
//! iterations the runtime is asked for what lies between the place that was fetched last and [`AHEAD`] bytes beyond the
//! row that begins. It is a hint: offsets that do not rise make it useless, never wrong.
//!
//! A par is run so where it is not vectorised itself and its offsets are read without a test, so that reading one early
//! reads nothing that the iteration would not.

use super::par::Chunk;
use super::stream::FAR;
use super::{Emit, Value};
use crate::abi::SlotUse;
use crate::isa::{Callee, Kind, Reg, Simd};
use dsl_runtime::ir::{Atom, Expr, Index, Par, ScalarOp, ScalarType, Stmt, Var};

/// Iterations from one fetch to the next.
const ROWS: u64 = 16;
/// How many bytes ahead of the row that begins.
const AHEAD: u64 = 2 << 10;
/// The most that is fetched at once, in multiples of [`AHEAD`]: beyond a long row no machine keeps so much waiting.
const MOST: u64 = 2;

/// A par over ragged rows.
pub(crate) struct Ragged<'p> {
    /// The statements that find where a row begins, and the place.
    begin: Vec<&'p Stmt>,
    place: Var,
    /// The arrays that are walked from there on.
    arrays: Vec<Var>,
    /// Bytes of the widest element of them.
    bytes: u64,
}

impl<I: Simd> Emit<'_, I> {
    /// Whether the par is one over ragged rows.
    pub(crate) fn ragged<'p>(&self, par: &'p Par, which: Chunk) -> Option<Ragged<'p>> {
        if which != Chunk::Main || self.plan.width(par.index).is_some() {
            return None;
        }
        let inner = par.body.stmts.iter().filter_map(|stmt| match &stmt.expr {
            Expr::Par(inner) => Some(inner),
            _ => None,
        });
        for inner in inner {
            let mut found: Option<Ragged<'p>> = None;
            for index in inner.body.stmts.iter().filter_map(as_index) {
                let Some(place) = walked_from(inner, index) else {
                    continue;
                };
                let outside =
                    self.func.ty(index.array).rank() == 1 && par.body.maker(index.array).is_none();
                let begin = match &found {
                    Some(found) if found.place == place => vec![],
                    Some(_) => continue,
                    None => match self.offset_of(par, place) {
                        Some(begin) => begin,
                        None => continue,
                    },
                };
                if !outside {
                    continue;
                }
                let bytes = self.func.ty(index.array).elem.bytes() as u64;
                let ragged = found.get_or_insert(Ragged {
                    begin,
                    place,
                    arrays: vec![],
                    bytes,
                });
                ragged.bytes = ragged.bytes.max(bytes);
                if !ragged.arrays.contains(&index.array) {
                    ragged.arrays.push(index.array);
                }
            }
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// The statements of the par's body that make an offset of its index: casts of an element that is read without a
    /// test, at the index itself.
    fn offset_of<'p>(&self, par: &'p Par, place: Var) -> Option<Vec<&'p Stmt>> {
        let stmt = par.body.maker(place)?;
        match &stmt.expr {
            Expr::Cast(_, from) | Expr::Bits(_, from) => {
                let mut begin = self.offset_of(par, from.as_var()?)?;
                begin.push(stmt);
                Some(begin)
            }
            Expr::Index(index) => {
                let here = index.indices == [Atom::Var(par.index)];
                let outside = par.body.maker(index.array).is_none();
                (here && outside && !index.checked).then(|| vec![stmt])
            }
            _ => None,
        }
    }

    /// Runs `[lo, hi)` of a par over ragged rows, a few rows at a time.
    pub(crate) fn ragged_rows(
        &mut self,
        par: &Par,
        which: Chunk,
        slots: &[(usize, SlotUse)],
        ragged: &Ragged<'_>,
        (lo, hi): (Reg, Reg),
    ) {
        let arrays = ragged.arrays.len();
        self.note_par(
            par,
            &format!("scalar, arrays of ragged rows fetched ahead: {arrays}"),
        );
        let far = self.any_far(ragged);
        let (few, all) = (self.word(ROWS), self.word(u64::MAX));
        let rows = self
            .isa
            .op(ScalarOp::Select, ScalarType::U64, &[far, few, all]);
        // Carried: the place up to which was fetched.
        self.stretches(
            par,
            which,
            slots,
            (lo, hi),
            rows,
            &[all],
            |this, begin, carried| {
                let next = this.isa.label(&[Kind::Scalar(ScalarType::U64)]);
                let fetch = this.isa.label(&[]);
                this.isa.branch(far, (fetch, &[]), (next, carried));
                this.isa.enter(fetch);
                let reached = this.fetch_rows(par, ragged, begin, carried[0]);
                this.isa.jump(next, &[reached]);
                this.isa.enter(next);
                this.isa.params(next)
            },
        );
    }

    /// Whether one of the arrays is too large for the cache.
    fn any_far(&mut self, ragged: &Ragged<'_>) -> Reg {
        let mut any = None;
        for &array in &ragged.arrays {
            let ty = self.func.ty(array).clone();
            let n = self.scalar(ty.shape[0]);
            let least = self.word(FAR / ty.elem.bytes() as u64);
            let far = self.word_op(ScalarOp::Ge, n, least);
            any = Some(match any {
                None => far,
                Some(any) => self.isa.op(ScalarOp::Or, ScalarType::Bool, &[any, far]),
            });
        }
        any.expect("some array is walked")
    }

    /// Fetches what lies between `fetched` and the places beyond row `i`; yields the end of that.
    fn fetch_rows(&mut self, par: &Par, ragged: &Ragged<'_>, i: Reg, fetched: Reg) -> Reg {
        self.define(par.index, Value::Scalar(i));
        for stmt in &ragged.begin {
            self.statement(stmt);
        }
        let row = self.scalar(Atom::Var(ragged.place));
        let ahead = AHEAD / ragged.bytes;
        let until = self.add(row, ahead);
        let rises = self.word_op(ScalarOp::Lt, fetched, until);
        let apart = self.word_op(ScalarOp::Sub, until, fetched);
        let (none, most) = (self.word(0), self.word(MOST * ahead));
        let apart = self.word_op(ScalarOp::Min, apart, most);
        let count = self
            .isa
            .op(ScalarOp::Select, ScalarType::U64, &[rises, apart, none]);
        for &array in &ragged.arrays {
            let array = self.array(array);
            let size = array.elem.bytes() as u64;
            let from = self.address(array.data, fetched, size);
            let bytes = self.scale(count, size);
            self.isa.call(Callee::Fetch, self.runtime, &[from, bytes]);
        }
        until
    }
}

fn as_index(stmt: &Stmt) -> Option<&Index> {
    match &stmt.expr {
        Expr::Index(index) if index.indices.len() == 1 => Some(index),
        _ => None,
    }
}

/// The place from which a par walks an array: of the index `place + j`.
fn walked_from(par: &Par, index: &Index) -> Option<Var> {
    let var = index.indices[0].as_var()?;
    let stmt = par.body.maker(var)?;
    let Expr::Op(ScalarOp::Add, v) = &stmt.expr else {
        return None;
    };
    let inner = Atom::Var(par.index);
    let other = match (v[0] == inner, v[1] == inner) {
        (true, false) => v[1],
        (false, true) => v[0],
        _ => return None,
    };
    other.as_var()
}
