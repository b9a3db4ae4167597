//! Random valid programs: from a seed to a function and arguments, for tests that compare whatever handles programs with the
//! interpreter, or with itself. No program looks at the bits of a NaN, which are no part of a result.

use super::value::mix;
use crate::ir::build::Builder;
use crate::ir::op::{Meaning, Signature, TABLE};
use crate::ir::{
    Atom, Combine, Const, Expr, Func, ScalarOp, ScalarType, Sink, SinkKind, Type, Var, walk,
};

/// A random function: `size` bounds the number of its statements. The same seed and size give the same function.
///
/// ```
/// use dsl_runtime::conformance::random;
/// use dsl_runtime::ir::{parse::parse, print::{canonical, print}, verify::{Stage, verify}};
/// let func = random::func(7, 40);
/// assert_eq!(verify(&func, Stage::Typed), Ok(()));
/// assert_eq!(parse(&print(&func)).unwrap().funcs, [canonical(&func)]);
/// ```
pub fn func(seed: u64, size: usize) -> Func {
    let mut func = Func::empty(format!("random{seed}"));
    let mut scope = vec![];
    for name in ["n", "m"] {
        let size = func.var(name, Type::index());
        func.sizes.push(size);
        scope.push(size);
    }
    let (n, m): (Atom, Atom) = (func.sizes[0].into(), func.sizes[1].into());
    let scalar = |ty| Type::scalar(ty);
    let params = [
        ("x", Type::array(ScalarType::F32, [n])),
        ("y", Type::array(ScalarType::I32, [n])),
        ("z", Type::array(ScalarType::F64, [m, n])),
        ("u", Type::array(ScalarType::U64, [m])),
        ("a", scalar(ScalarType::F32)),
        ("b", scalar(ScalarType::I32)),
        ("k", scalar(ScalarType::U64)),
        ("c", scalar(ScalarType::Bool)),
    ];
    for (name, ty) in params {
        let param = func.var(name, ty);
        func.params.push(param);
        scope.push(param);
    }
    let mut maker = Maker {
        rng: Rng { seed, drawn: 0 },
        b: Builder::new(&mut func),
        scope,
        left: size,
    };
    let first = maker.scope.len();
    maker.stmts(3, size);
    let mut results: Vec<Atom> = maker.scope[first..].iter().map(|&var| var.into()).collect();
    let keep = 1 + maker.rng.below(6);
    while results.len() > keep {
        let at = maker.rng.below(results.len());
        results.swap_remove(at);
    }
    maker.b.ret(results);
    func
}

/// Arguments for [`func`], as [`super::CallText::new`] takes them: lengths `n` and `m`, and everything else from the seed.
pub fn args(seed: u64, n: usize, m: usize) -> Vec<String> {
    let mut rng = Rng { seed, drawn: 0 };
    let k = rng.below(n.max(m) + 2);
    vec![
        format!("hash({seed}, {n})"),
        format!("below(100, {seed}, {n})"),
        format!("hash({}, {m}, {n})", seed ^ 1),
        format!("below({}, {seed}, {m})", n.max(1)),
        format!("{:?}", rng.below(1000) as f32 / 8.0 - 50.0),
        format!("{}", rng.below(40) as i32 - 20),
        format!("{k}"),
        format!("{}", rng.below(2) == 1),
    ]
}

/// The smallest functions that still `fail`, found by leaving out statements and results one at a time.
pub fn shrink(func: &Func, fails: impl Fn(&Func) -> bool) -> Func {
    let mut best = func.clone();
    loop {
        let count = {
            let mut count = 0;
            walk::stmts(&best.body, &mut |_| count += 1);
            count
        };
        let results = (0..best.body.results.len()).rev().map(|at| {
            let mut smaller = best.clone();
            smaller.body.results.remove(at);
            smaller
        });
        let stmts = (0..count).rev().filter_map(|at| without(&best, at));
        let Some(smaller) = results.chain(stmts).find(|smaller| fails(smaller)) else {
            return best;
        };
        best = smaller;
    }
}

/// The function without statement `at`, if nothing uses what it binds.
fn without(func: &Func, at: usize) -> Option<Func> {
    fn remove(block: &mut crate::ir::Block, at: &mut usize, unused: &dyn Fn(Var) -> bool) -> bool {
        for k in 0..block.stmts.len() {
            if *at == 0 {
                let free = block.stmts[k].defs.iter().all(|&def| unused(def));
                if free {
                    block.stmts.remove(k);
                }
                return free;
            }
            *at -= 1;
            let mut done = None;
            walk::blocks_mut(&mut block.stmts[k].expr, &mut |inner| {
                if done.is_none() {
                    let mut count = 0;
                    walk::stmts(inner, &mut |_| count += 1);
                    if *at < count {
                        done = Some(remove(inner, at, unused));
                    } else {
                        *at -= count;
                    }
                }
            });
            if let Some(done) = done {
                return done;
            }
        }
        false
    }
    let counts = walk::use_counts(func);
    let mut smaller = func.clone();
    let unused = |var| counts.total(var) == 0;
    remove(&mut smaller.body, &mut { at }, &unused).then_some(smaller)
}

struct Rng {
    seed: u64,
    drawn: u64,
}

impl Rng {
    fn next(&mut self) -> u64 {
        self.drawn += 1;
        mix(self.seed, self.drawn)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// A function under way.
struct Maker<'f> {
    rng: Rng,
    b: Builder<'f>,
    /// The visible names.
    scope: Vec<Var>,
    /// Statements that may still be made.
    left: usize,
}

/// Types whose values are made often enough to meet each other.
const TYPES: &[ScalarType] = &[
    ScalarType::F32,
    ScalarType::F64,
    ScalarType::I32,
    ScalarType::I32,
    ScalarType::U64,
    ScalarType::U64,
    ScalarType::Bool,
    ScalarType::U8,
    ScalarType::I64,
    ScalarType::I16,
    ScalarType::U32,
];

impl<'f> Maker<'f> {
    /// The visible names whose type satisfies `f`.
    fn visible(&self, f: impl Fn(&Type) -> bool) -> Vec<Var> {
        let fits = |var: &&Var| f(self.b.func.ty(**var));
        self.scope.iter().filter(fits).copied().collect()
    }

    /// A scalar of this type: mostly a recent name.
    fn scalar(&mut self, ty: ScalarType) -> Atom {
        let names = self.visible(|found| *found == Type::scalar(ty));
        if names.is_empty() || self.rng.below(5) == 0 {
            return self.constant(ty).into();
        }
        let recent = names.len().saturating_sub(6);
        let names = if self.rng.below(2) == 0 {
            &names[recent..]
        } else {
            &names[..]
        };
        self.rng.pick(names).into()
    }

    fn constant(&mut self, ty: ScalarType) -> Const {
        let small = self.rng.below(9) as i64 - 3;
        match ty {
            ScalarType::F32 => Const::f32(self.rng.pick(&[small as f32 * 0.75, 1e30, -0.0])),
            ScalarType::F64 => {
                Const::f64(self.rng.pick(&[small as f64 * 0.3, 1e-300, f64::INFINITY]))
            }
            ScalarType::Bool => Const::bool(small > 0),
            ty => {
                let any = self.rng.next();
                let bits = self.rng.pick(&[small as u64, small.unsigned_abs(), any]);
                Const {
                    ty,
                    bits: bits & (u64::MAX >> (64 - ty.bits())),
                }
            }
        }
    }

    fn keep(&mut self, atom: Atom) {
        self.scope.extend(atom.as_var());
    }

    /// Up to `most` statements.
    fn stmts(&mut self, depth: usize, most: usize) {
        for _ in 0..1 + self.rng.below(most) {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            match self.rng.below(24) {
                0..8 => self.op(),
                8 | 9 => self.cast(),
                10..13 => self.index(),
                13 => self.array(),
                14 => self.update(),
                15 | 16 if depth > 0 => self.branch(depth - 1),
                17 if depth > 0 => self.counted(depth - 1),
                18 if depth > 0 => self.check(),
                19.. if depth > 0 => self.par(depth - 1),
                _ => self.op(),
            }
        }
    }

    fn op(&mut self) {
        let row = &TABLE[self.rng.below(TABLE.len())];
        let ty = self.rng.pick(TYPES);
        // The sign of a NaN can be seen through `copysign`.
        if !matches!(row.meaning, Meaning::Native(_))
            || !row.signature.admits(ty)
            || row.op == ScalarOp::Copysign
        {
            return;
        }
        let mut operands = match row.signature {
            Signature::Select => vec![self.scalar(ScalarType::Bool)],
            _ => vec![],
        };
        while operands.len() < row.op.arity() {
            operands.push(self.scalar(ty));
        }
        if row.op.can_fail(ty) && self.rng.below(8) > 0 {
            let one = Const { ty, bits: 1 };
            operands[1] = self.b.op(ScalarOp::Or, [operands[1], one.into()]);
        }
        let result = self.b.op(row.op, operands);
        self.keep(result);
    }

    fn cast(&mut self) {
        let (from, to) = (self.rng.pick(TYPES), self.rng.pick(TYPES));
        let value = self.scalar(from);
        let result = self.b.cast(to, value);
        self.keep(result);
    }

    /// An index into an array: mostly one that lies inside.
    fn inside(&mut self, length: Atom) -> Atom {
        let index = self.scalar(ScalarType::U64);
        match self.rng.below(16) {
            0 => index,
            _ => {
                let some = self.b.op(ScalarOp::Max, [length, Atom::size(1)]);
                self.b.op(ScalarOp::Rem, [index, some])
            }
        }
    }

    fn index(&mut self) {
        let arrays = self.visible(|ty| !ty.is_scalar());
        let array = self.rng.pick(&arrays);
        let shape = self.b.func.ty(array).shape.clone();
        let count = 1 + self.rng.below(shape.len());
        let indices: Vec<Atom> = shape[..count].iter().map(|&len| self.inside(len)).collect();
        let value = self.b.index(array, indices);
        self.keep(value);
    }

    fn array(&mut self) {
        let ty = self.rng.pick(TYPES);
        let count = 1 + self.rng.below(4);
        let elements: Vec<Atom> = (0..count).map(|_| self.scalar(ty)).collect();
        let array = self.b.array(elements);
        self.scope.push(array);
    }

    fn update(&mut self) {
        let arrays = self.visible(|ty| ty.rank() == 1);
        let array = self.rng.pick(&arrays);
        let ty = self.b.func.ty(array).clone();
        let (at, value) = (self.inside(ty.shape[0]), self.scalar(ty.elem));
        let array = self.b.update(array, [at], value);
        self.scope.push(array);
    }

    fn check(&mut self) {
        let cond = match self.rng.below(6) {
            0 => self.scalar(ScalarType::Bool),
            _ => Const::bool(true).into(),
        };
        let value = self.scalar(ScalarType::I32);
        let message = "a random value is {}".to_string();
        self.b
            .check(crate::ir::Fault::Assert(message), cond, [value]);
    }

    /// Statements in a block of their own, and what `f` makes of what is visible there.
    fn within<T>(&mut self, depth: usize, most: usize, f: impl FnOnce(&mut Self) -> T) -> T {
        let outside = self.scope.len();
        self.stmts(depth, most);
        let result = f(self);
        self.scope.truncate(outside);
        result
    }

    fn branch(&mut self, depth: usize) {
        let cond = self.scalar(ScalarType::Bool);
        let types: Vec<ScalarType> = (0..1 + self.rng.below(2))
            .map(|_| self.rng.pick(TYPES))
            .collect();
        let [then, other] = [(); 2].map(|()| {
            self.b.begin();
            let results: Vec<Atom> = self.within(depth, 4, |maker| {
                types.iter().map(|&ty| maker.scalar(ty)).collect()
            });
            self.b.end(results)
        });
        let defs: Vec<Var> = types
            .iter()
            .map(|&ty| self.b.var("t", Type::scalar(ty)))
            .collect();
        self.b.push(defs.clone(), Expr::If(cond, then, other));
        self.scope.extend(defs);
    }

    fn counted(&mut self, depth: usize) {
        let ty = self.rng.pick(TYPES);
        let rounds = Atom::size(self.rng.below(4) as u64);
        let mut inits = vec![("s", self.scalar(ty))];
        let arrays = self.visible(|ty| ty.rank() == 1);
        if self.rng.below(2) == 0 {
            inits.push(("v", self.rng.pick(&arrays).into()));
        }
        // The builder's closure wants the maker too: the blocks are opened by hand.
        let names: Vec<Var> = inits
            .iter()
            .map(|&(name, init)| {
                let ty = self.b.ty(init);
                self.b.var(name, ty)
            })
            .collect();
        let index = self.b.var("i", Type::index());
        let outside = self.scope.len();
        self.scope.push(index);
        self.scope.extend(&names);
        self.b.begin();
        self.stmts(depth, 5);
        let mut next = vec![self.scalar(ty)];
        if let Some(&(_, array)) = inits.get(1) {
            let wanted = self.b.ty(array);
            let fitting = self.visible(|ty| *ty == wanted);
            next.push(self.rng.pick(&fitting).into());
        }
        let body = self.b.end(next);
        self.scope.truncate(outside);
        let defs: Vec<Var> = inits
            .iter()
            .map(|&(_, init)| {
                let ty = self.b.ty(init);
                self.b.var("t", ty)
            })
            .collect();
        let carried = names
            .into_iter()
            .zip(inits.iter().map(|&(_, init)| init))
            .collect();
        let kind = crate::ir::LoopKind::For {
            index,
            extent: rounds,
        };
        self.b.push(
            defs.clone(),
            Expr::Loop(crate::ir::Loop {
                kind,
                carried,
                body,
            }),
        );
        self.scope.extend(defs);
    }

    fn par(&mut self, depth: usize) {
        let inner = depth < 2;
        let sizes: Vec<Atom> = self.b.func.sizes.iter().map(|&size| size.into()).collect();
        let extent = match self.rng.below(4) {
            0 if depth < 2 => Atom::size(self.rng.below(40) as u64),
            _ => self.rng.pick(&sizes),
        };
        let index = self.b.var("i", Type::index());
        let outside = self.scope.len();
        self.scope.push(index);
        self.b.begin();
        self.stmts(depth, 8);
        let count = 1 + self.rng.below(3);
        let mut sinks: Vec<Sink> = vec![];
        for _ in 0..count {
            sinks.extend(self.sink(outside));
        }
        let body = self.b.end([]);
        self.scope.truncate(outside);
        let par = crate::ir::Par {
            index,
            extent,
            body,
            sinks,
            inner,
            levels: vec![],
        };
        let defs = self.b.push_par(par);
        self.scope.extend(defs);
    }

    /// A scalar from outside the par, whose names are the first `outside` of the scope.
    fn outer(&mut self, ty: ScalarType, outside: usize) -> Atom {
        let inside = self.scope.split_off(outside);
        let atom = self.scalar(ty);
        self.scope.extend(inside);
        atom
    }

    fn sink(&mut self, outside: usize) -> Option<Sink> {
        let kind = self.rng.pick(SinkKind::ALL);
        let ty = self.rng.pick(TYPES);
        match kind {
            SinkKind::Collect => {
                let value = self.scalar(ty);
                Some(self.b.collect(value))
            }
            SinkKind::Filter => {
                let values = [self.scalar(ScalarType::Bool), self.scalar(ty)];
                Some(self.b.sink(kind, None, [], values))
            }
            SinkKind::Scatter | SinkKind::ScatterWith => {
                let arrays: Vec<Var> = self.scope[..outside].to_vec();
                let fits = |var: &&Var| self.b.func.ty(**var).rank() == 1;
                let arrays: Vec<Var> = arrays.iter().filter(fits).copied().collect();
                let dest = self.rng.pick(&arrays);
                let found = self.b.func.ty(dest).clone();
                let at = self.inside(found.shape[0]);
                let value = self.scalar(found.elem);
                let combine = match kind {
                    SinkKind::Scatter => None,
                    _ => Some(self.combine(found.elem)?),
                };
                Some(self.b.sink(kind, combine, [dest.into()], [at, value]))
            }
            _ => {
                let combine = self.combine(ty)?;
                let (start, value) = (self.outer(ty, outside), self.scalar(ty));
                Some(self.b.sink(kind, Some(combine), [start], [value]))
            }
        }
    }

    /// A combining function of one value: an operation, or a lambda that does not commute.
    fn combine(&mut self, ty: ScalarType) -> Option<Combine> {
        let row = &TABLE[self.rng.below(TABLE.len())];
        if row.laws.reduces && row.op.result(&[ty, ty]) == Some(ty) && self.rng.below(4) > 0 {
            return Some(Combine::Op(row.op));
        }
        let op = match row.op.result(&[ty, ty]) {
            Some(result) if result == ty && !row.op.can_fail(ty) => row.op,
            _ if ty == ScalarType::Bool => ScalarOp::Xor,
            _ => ScalarOp::Sub,
        };
        if !matches!(op.row().meaning, Meaning::Native(_)) || op == ScalarOp::Copysign {
            return None;
        }
        let constant = self.constant(ty);
        let lambda = self.b.lambda(&[ty], |b, left, right| {
            let first = b.op(op, [left[0], right[0]]);
            match ty {
                ScalarType::Bool => vec![first],
                _ => vec![b.op(ScalarOp::Max, [first, constant.into()])],
            }
        });
        Some(Combine::Lambda(lambda))
    }
}
