//! Lengths: sums and products of them are an error where 64 bits do not hold them, never a length that has wrapped. Whoever
//! makes a sequence or an array longer than those that are there asks here, once, where it is made; what is made of arrays
//! that exist needs no test, and neither do operands that are known to be small.

use super::build::Known;
use super::env::TRUE;
use super::value::Iter;
use super::{Lower, R};
use crate::ir::types::Class;
use crate::ir::{Atom, Const, Expr, Fault, ScalarOp, ScalarType, Type, Var};

/// No array has more elements: a slice has at most so many bytes.
const MOST: u64 = i64::MAX as u64;

impl Lower {
    /// The largest value that an operand of type `u64` can have, as far as that is known.
    pub(super) fn limit(&self, atom: Atom) -> u64 {
        match atom {
            Atom::Const(value) => value.bits,
            Atom::Var(var) => self.limits.get(&var).copied().unwrap_or(u64::MAX),
        }
    }

    /// Remembers that a value is at most `limit`.
    pub(super) fn limited(&mut self, atom: Atom, limit: u64) {
        if let Atom::Var(var) = atom
            && limit < self.limit(atom)
        {
            self.limits.insert(var, limit);
        }
    }

    /// The length of a parameter's array of one dimension: it stands in memory.
    pub(super) fn limit_length(&mut self, length: Var, elem: ScalarType) {
        self.limited(length.into(), MOST / elem.bytes() as u64);
    }

    /// The value of an operation on `u64` that follows from how large its operands can be.
    pub(super) fn bounded(&self, op: ScalarOp, operands: &[Atom]) -> Option<Atom> {
        let &[a, b] = operands else {
            return None;
        };
        if self.elem(a) != ScalarType::U64 {
            return None;
        }
        let limit = self.limit(a);
        match (op, b.as_const()) {
            (ScalarOp::MulHigh, _) => {
                let small = limit.checked_mul(self.limit(b)).is_some();
                small.then_some(Atom::size(0))
            }
            (ScalarOp::Le, Some(b)) if limit <= b.bits => Some(TRUE),
            (ScalarOp::Min, Some(b)) if limit <= b.bits => Some(a),
            _ => None,
        }
    }

    /// Remembers how large the value of an operation can be.
    pub(super) fn note_limit(&mut self, key: &Known, value: Atom) {
        let limit = match key {
            Known::Cast(ScalarType::U64, from) => {
                let ty = self.elem(*from);
                match ty.class() {
                    Class::Unsigned if ty.bits() < 64 => Some((1 << ty.bits()) - 1),
                    Class::Bool => Some(1),
                    _ => None,
                }
            }
            Known::Op(op, operands) if self.elem(value) == ScalarType::U64 => {
                let limits: Vec<u64> = operands
                    .iter()
                    .map(|&operand| self.limit(operand))
                    .collect();
                match (op, &limits[..]) {
                    (ScalarOp::Add, &[a, b]) => a.checked_add(b),
                    (ScalarOp::Mul, &[a, b]) => a.checked_mul(b),
                    (ScalarOp::Min, &[a, b]) => Some(a.min(b)),
                    (ScalarOp::Max, &[a, b]) => Some(a.max(b)),
                    (ScalarOp::Div | ScalarOp::Rem, &[a, _]) => Some(a),
                    (ScalarOp::Select, &[_, a, b]) => Some(a.max(b)),
                    _ => None,
                }
            }
            _ => None,
        };
        if let Some(limit) = limit {
            self.limited(value, limit);
        }
    }

    /// The length of two sequences, one behind the other.
    pub(super) fn length_sum(&mut self, a: Atom, b: Atom) -> Atom {
        if a == Iter::ENDLESS || b == Iter::ENDLESS {
            return Iter::ENDLESS;
        }
        let small = self.limit(a).checked_add(self.limit(b)).is_some();
        let total = self.op(ScalarOp::Add, &[a, b]);
        if !small {
            let fits = self.op(ScalarOp::Ge, &[total, a]);
            let longer = self.op(ScalarOp::Max, &[a, b]);
            self.check(Fault::SizeOverflow, fits, vec![longer]);
        }
        total
    }

    /// The length of `rows` sequences of `len` elements each.
    pub(super) fn length_product(&mut self, rows: Atom, len: Atom) -> Atom {
        for (endless, other) in [(rows, len), (len, rows)] {
            if endless == Iter::ENDLESS {
                let none = self.op(ScalarOp::Eq, &[other, Atom::size(0)]);
                return self.op(ScalarOp::Select, &[none, Atom::size(0), Iter::ENDLESS]);
            }
        }
        let total = self.op(ScalarOp::Mul, &[rows, len]);
        let high = self.op(ScalarOp::MulHigh, &[rows, len]);
        let fits = self.op(ScalarOp::Eq, &[high, Atom::size(0)]);
        if fits != TRUE {
            let longer = self.op(ScalarOp::Max, &[rows, len]);
            self.check(Fault::SizeOverflow, fits, vec![longer]);
        }
        total
    }

    /// The sum of lengths was `total` in 64 bits, `approximately` in floating point: too many are a failure. Where the sum
    /// has wrapped, the other one is far beyond what an array can hold.
    pub(super) fn length_total(&mut self, total: Atom, approximately: Atom) -> Atom {
        let most = Const::f64(MOST as f64).into();
        let fits = self.op(ScalarOp::Lt, &[approximately, most]);
        let shown = self.cast(ScalarType::U64, approximately);
        self.check(Fault::SizeOverflow, fits, vec![shown]);
        total
    }

    /// Fails where no array of this shape can be; what has the shape of an array that is there needs no test.
    pub(super) fn shape(&mut self, dims: &[Atom]) {
        if dims.len() < 2 {
            return;
        }
        let sound = self.sound(dims);
        self.check(Fault::ShapeOverflow, sound, dims.to_vec());
        self.remember_shape(dims);
    }

    /// From here to the end of the innermost block, a shape is known to be that of an array.
    pub(super) fn remember_shape(&mut self, dims: &[Atom]) {
        let here = self.here();
        self.shapes.push((here, dims.to_vec()));
    }

    /// Whether there can be an array of this shape: as in ndarray, even the lengths beside a zero must have a product that
    /// fits. Then the product of all is exact.
    pub(super) fn sound(&mut self, dims: &[Atom]) -> Atom {
        if dims.len() < 2 || self.is_shape(dims) {
            return TRUE;
        }
        let mut sound = TRUE;
        let mut product = Atom::size(1);
        for &dim in dims {
            let dim = self.op(ScalarOp::Max, &[dim, Atom::size(1)]);
            let high = self.op(ScalarOp::MulHigh, &[product, dim]);
            let none = self.op(ScalarOp::Eq, &[high, Atom::size(0)]);
            sound = self.and(sound, none);
            product = self.op(ScalarOp::Mul, &[product, dim]);
        }
        let fits = self.op(ScalarOp::Le, &[product, Atom::size(MOST)]);
        self.and(sound, fits)
    }

    /// Whether an array of these lengths is known to be there, in whatever order.
    fn is_shape(&self, dims: &[Atom]) -> bool {
        let count = |all: &[Atom], dim: Atom| all.iter().filter(|&&one| one == dim).count();
        self.shapes.iter().any(|(home, shape)| {
            self.is_open(*home)
                && shape.len() == dims.len()
                && dims
                    .iter()
                    .all(|&dim| count(dims, dim) == count(shape, dim))
        })
    }

    /// The elements of an array under another shape: the truth that there are exactly as many. It is a truth of its own, never
    /// that of a comparison which the kernel itself makes, so that whoever unwraps knows what it means.
    pub(super) fn shape_fits(&mut self, shape: &[Atom], len: Atom) -> R<Atom> {
        let sound = self.sound(shape);
        let total = self.product(shape);
        if total == len && sound == TRUE {
            return Ok(TRUE);
        }
        let equal = Expr::Op(ScalarOp::Eq, vec![total, len]);
        let truth = || Type::scalar(ScalarType::Bool);
        let mut fits = self.bind("fits", truth(), equal);
        if sound != TRUE {
            let both = Expr::Op(ScalarOp::And, vec![sound, fits.into()]);
            fits = self.bind("fits", truth(), both);
        }
        let mut operands = vec![len];
        operands.extend(shape);
        self.fits.push((fits, operands));
        Ok(fits.into())
    }
}
