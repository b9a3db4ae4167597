//! Statements of the IR as instructions, one iteration at a time or several side by side (SPMD).
//!
//! There is one emitter. It keeps for each name what it knows of it: a scalar register where all lanes agree, a base and a
//! step where lane `l` is `base + l * step`, registers full of lanes, or a mask. Outside of vector loops everything is a
//! scalar, and the same code then emits scalar instructions. Varying control flow runs under masks; a comparison of an affine
//! value with one that stays the same is taken to agree on all lanes, and a group of lanes where it does not (at most one or
//! two in a loop: the edges) goes through the scalar form of the loop instead.

mod analysis;
mod flow;
mod lane;
mod memory;
mod nest;
mod origin;
mod par;
mod ragged;
mod reduce;
mod scalar;
mod scan;
mod sink;
mod small;
mod stream;
mod turn;

pub use analysis::{Plan, free_names};
pub use par::{Chunk, fuses_scans};

use crate::abi::{EnvSlot, Site};
use crate::isa::{Label, Reg, Simd};
use crate::unit::Mode;
use dsl_runtime::ir::{
    Atom, Block, Const, Fault, Func, Place, ScalarOp, ScalarType, Stmt, Var, VarSet,
};
use std::collections::HashMap;

/// What is known of a name.
#[derive(Clone, Debug)]
pub enum Value {
    /// The same for all lanes.
    Scalar(Reg),
    /// Lane `l` is `base + l * step`, an integer that wraps.
    Affine {
        /// Lane 0.
        base: Reg,
        /// The difference of neighbours.
        step: i64,
    },
    /// Lanes in registers.
    Pack(Vec<Reg>),
    /// Truth in lanes of `size` bytes.
    Mask {
        /// Bytes of a lane.
        size: usize,
        /// The masks.
        regs: Vec<Reg>,
    },
    /// An array in memory.
    Array(Array),
    /// A short list of scalars that is only read at constant places.
    Literal(Vec<Value>),
}

/// An array in memory, or a part of one.
#[derive(Clone, Debug)]
pub struct Array {
    /// The type of an element.
    pub elem: ScalarType,
    /// The lengths.
    pub shape: Vec<Atom>,
    /// Element 0.
    pub data: Reg,
    /// What keeps it alive; `None` if that outlives the unit. May be null.
    pub block: Option<Reg>,
    /// Distances of neighbours in bytes; `None` if contiguous.
    pub strides: Option<Vec<Reg>>,
    /// A distance in bytes from `data` that differs by lane.
    pub offset: Option<Box<Value>>,
}

/// The group of lanes that is being emitted.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    /// How many.
    pub count: usize,
    /// Bytes of the lanes of masks where no other size is at hand.
    pub size: usize,
    /// Which lanes are active; `None`: all.
    pub mask: Option<(usize, Vec<Reg>)>,
    /// Where to go to run this group in scalar form.
    pub bail: (Label, Vec<Reg>),
    /// Comparisons that come out the same in this stretch of iterations.
    pub settled: Vec<(ScalarOp, [Atom; 2], Reg)>,
}

/// Arrays that the current block must let go.
#[derive(Debug, Default)]
struct Scope {
    owned: VarSet,
    dying: VarSet,
}

/// Emits one machine function.
pub struct Emit<'f, I> {
    /// The machine.
    pub isa: I,
    /// The function that is compiled.
    pub func: &'f Func,
    pub(crate) mode: Mode,
    pub(crate) plan: &'f Plan,
    pub(crate) sites: &'f mut Vec<Site>,
    pub(crate) data: &'f mut Vec<std::sync::Arc<[u64]>>,
    values: Vec<Option<Value>>,
    frame: Reg,
    runtime: Reg,
    fault_exit: Option<Label>,
    memory_exit: Option<Label>,
    pub(crate) lanes: Option<Lanes>,
    scopes: Vec<Scope>,
    destinations: HashMap<Var, Reg>,
    /// Whether arrays that leave blocks must have something that keeps them alive.
    region: bool,
    /// Pars (by their index) whose iterations have been run: where the values are kept.
    replay: HashMap<Var, Vec<sink::Column>>,
}

impl<'f, I: Simd> Emit<'f, I> {
    /// Begins a function whose first parameter is the frame.
    pub fn new(
        mut isa: I,
        func: &'f Func,
        mode: Mode,
        plan: &'f Plan,
        sites: &'f mut Vec<Site>,
        data: &'f mut Vec<std::sync::Arc<[u64]>>,
        frame: Reg,
    ) -> Self {
        let runtime = isa.load(ScalarType::U64, frame, 16);
        Emit {
            isa,
            func,
            mode,
            plan,
            sites,
            data,
            values: vec![None; func.vars.len()],
            frame,
            runtime,
            fault_exit: None,
            memory_exit: None,
            lanes: None,
            scopes: vec![Scope::default()],
            destinations: HashMap::new(),
            replay: HashMap::new(),
            region: false,
        }
    }

    /// Reads the environment.
    pub fn environment(&mut self, env: &[EnvSlot]) {
        let base = self.isa.load(ScalarType::U64, self.frame, 0);
        for (k, slot) in env.iter().enumerate() {
            let offset = 8 * k as i32;
            match *slot {
                EnvSlot::Scalar(var) => {
                    let ty = self.func.ty(var).elem;
                    let value = self.isa.load(ty, base, offset);
                    self.define(var, Value::Scalar(value));
                }
                EnvSlot::Data(var) => {
                    let data = self.isa.load(ScalarType::U64, base, offset);
                    let ty = self.func.ty(var);
                    self.define(
                        var,
                        Value::Array(Array {
                            elem: ty.elem,
                            shape: ty.shape.clone(),
                            data,
                            block: None,
                            strides: None,
                            offset: None,
                        }),
                    );
                }
                EnvSlot::Block(var) => {
                    let block = self.isa.load(ScalarType::U64, base, offset);
                    if let Some(Value::Array(array)) = &mut self.values[var.0 as usize] {
                        array.block = Some(block);
                    }
                }
                EnvSlot::Stride(var, _) => {
                    let stride = self.isa.load(ScalarType::U64, base, offset);
                    if let Some(Value::Array(array)) = &mut self.values[var.0 as usize] {
                        array.strides.get_or_insert_default().push(stride);
                    }
                }
            }
        }
    }

    /// The address in a slot of the frame.
    pub(crate) fn frame_slot(&mut self, slot: usize) -> Reg {
        let slots = self.isa.load(ScalarType::U64, self.frame, 8);
        self.isa.load(ScalarType::U64, slots, 8 * slot as i32)
    }

    /// Begins a region: takes over the driver's references.
    pub fn adopt(&mut self, dying: &VarSet) {
        let scope = self.scopes.last_mut().expect("a scope is open");
        scope.owned.extend(dying.iter().copied());
        self.region = true;
    }

    /// Ends the function with success, and emits the exits.
    pub fn finish(mut self) -> I {
        let zero = self.word(crate::abi::OK);
        self.isa.ret(zero);
        for (exit, status) in [
            (self.fault_exit, crate::abi::FAULT),
            (self.memory_exit, crate::abi::MEMORY),
        ] {
            if let Some(exit) = exit {
                self.isa.enter(exit);
                let status = self.word(status);
                self.isa.ret(status);
            }
        }
        self.isa
    }

    /// The value of a name.
    pub(crate) fn define(&mut self, var: Var, value: Value) {
        self.values[var.0 as usize] = Some(value);
    }

    pub(crate) fn value(&mut self, atom: Atom) -> Value {
        match atom {
            Atom::Var(var) => match &self.values[var.0 as usize] {
                Some(value) => value.clone(),
                None => unreachable!(
                    "%{} of @{} is used before it is emitted",
                    var.0, self.func.name
                ),
            },
            Atom::Const(value) => Value::Scalar(self.isa.constant(value)),
        }
    }

    pub(crate) fn type_of(&self, atom: Atom) -> ScalarType {
        match atom {
            Atom::Var(var) => self.func.ty(var).elem,
            Atom::Const(value) => value.ty,
        }
    }

    /// A value that is the same for all lanes.
    pub(crate) fn scalar(&mut self, atom: Atom) -> Reg {
        match self.value(atom) {
            Value::Scalar(reg) => reg,
            other => unreachable!("{atom:?} differs by lane: {other:?}"),
        }
    }

    pub(crate) fn array(&mut self, var: Var) -> Array {
        match self.value(Atom::Var(var)) {
            Value::Array(array) => array,
            other => unreachable!("%{} is no array in memory: {other:?}", var.0),
        }
    }

    /// A word.
    pub(crate) fn word(&mut self, bits: u64) -> Reg {
        self.isa.constant(Const::u64(bits))
    }

    /// A row of the table on words.
    pub(crate) fn word_op(&mut self, op: ScalarOp, a: Reg, b: Reg) -> Reg {
        self.isa.op(op, ScalarType::U64, &[a, b])
    }

    pub(crate) fn add(&mut self, a: Reg, b: u64) -> Reg {
        if b == 0 {
            return a;
        }
        let b = self.word(b);
        self.word_op(ScalarOp::Add, a, b)
    }

    pub(crate) fn scale(&mut self, a: Reg, by: u64) -> Reg {
        if by == 1 {
            return a;
        }
        if by.is_power_of_two() {
            let amount = self.word(u64::from(by.trailing_zeros()));
            return self.word_op(ScalarOp::Shl, a, amount);
        }
        let by = self.word(by);
        self.word_op(ScalarOp::Mul, a, by)
    }

    /// The address of element `index` of elements of `bytes` bytes.
    pub(crate) fn address(&mut self, data: Reg, index: Reg, bytes: u64) -> Reg {
        let offset = self.scale(index, bytes);
        self.word_op(ScalarOp::Add, data, offset)
    }

    /// Notes a place that can fail.
    pub(crate) fn site(
        &mut self,
        fault: Option<Fault>,
        operands: Vec<ScalarType>,
        place: Place,
    ) -> u64 {
        self.sites.push(Site {
            fault,
            operands,
            place,
        });
        self.sites.len() as u64 - 1
    }

    /// Leaves the function where the scalar condition is true.
    pub(crate) fn fail_if(
        &mut self,
        bad: Reg,
        fault: &Fault,
        operands: &[(ScalarType, Reg)],
        place: Place,
    ) {
        let next = self.isa.label(&[]);
        match self.mode {
            Mode::Fast => {
                let exit = self.fault_exit();
                self.isa.branch_seldom(bad, exit, next);
            }
            Mode::Exact => {
                let failed = self.isa.label(&[]);
                self.isa.cold(failed);
                self.isa.branch(bad, (failed, &[]), (next, &[]));
                self.isa.enter(failed);
                let types = operands.iter().map(|(ty, _)| *ty).collect();
                let site = self.site(Some(fault.clone()), types, place);
                let record = self.isa.load(ScalarType::U64, self.frame, 24);
                let site = self.word(site);
                self.isa.store(ScalarType::U64, site, record, 0);
                for (k, &(ty, operand)) in operands.iter().take(8).enumerate() {
                    let word = self.to_word(ty, operand);
                    self.isa
                        .store(ScalarType::U64, word, record, 8 + 8 * k as i32);
                }
                let exit = self.fault_exit();
                self.isa.jump(exit, &[]);
            }
        }
        self.isa.enter(next);
    }

    fn fault_exit(&mut self) -> Label {
        if let Some(exit) = self.fault_exit {
            return exit;
        }
        let exit = self.isa.label(&[]);
        self.isa.cold(exit);
        *self.fault_exit.insert(exit)
    }

    fn memory_exit(&mut self) -> Label {
        if let Some(exit) = self.memory_exit {
            return exit;
        }
        let exit = self.isa.label(&[]);
        self.isa.cold(exit);
        *self.memory_exit.insert(exit)
    }

    /// The bits of a scalar, zero-extended.
    pub(crate) fn to_word(&mut self, ty: ScalarType, value: Reg) -> Reg {
        let unsigned = unsigned(ty);
        let bits = self.isa.bits(ty, unsigned, value);
        self.isa.cast(unsigned, ScalarType::U64, bits)
    }

    /// A block: its values, with a reference each where they are arrays.
    pub(crate) fn block(&mut self, block: &Block, moved: VarSet) -> Vec<Value> {
        self.scopes.push(Scope {
            owned: moved,
            dying: VarSet::new(),
        });
        self.statements(&block.stmts, &block.results);
        let values = block.results.iter().enumerate().map(|(k, &atom)| {
            let again = block.results[k + 1..].contains(&atom);
            self.take(atom, again)
        });
        let values = values.collect();
        self.close_scope();
        values
    }

    /// Statements, of which `after` is used afterwards.
    pub(crate) fn statements(&mut self, stmts: &[Stmt], after: &[Atom]) {
        let last = self.plan.last_uses(stmts, after);
        let count = stmts.len();
        self.let_go(|var| !last.contains_key(&var));
        for (k, stmt) in stmts.iter().enumerate() {
            let scope = self.scopes.last_mut().expect("a scope is open");
            scope.dying = scope
                .owned
                .iter()
                .copied()
                .filter(|v| last.get(v) == Some(&k))
                .collect();
            self.statement(stmt);
            self.let_go(|var| last.get(&var).is_none_or(|&at| at <= k && at < count));
        }
    }
}

/// The unsigned integer of the same width.
pub(crate) fn unsigned(ty: ScalarType) -> ScalarType {
    match ty.bytes() {
        1 => ScalarType::U8,
        2 => ScalarType::U16,
        4 => ScalarType::U32,
        _ => ScalarType::U64,
    }
}
