//! What a sink does with the values of one iteration, and with those of a group of lanes.
//!
//! A sink may carry registers from round to round. In scalar rounds those are [`State::carried`]; a stretch of vector rounds
//! begins with [`Emit::enter_lanes`] and ends with [`Emit::leave_lanes`], which change them into those of
//! [`State::lane_carried`] and back.

use super::reduce::LaneMemory;
use super::scan::Groups;
use super::{Emit, Value};
use crate::isa::{Kind, Reg, Simd};
use dsl_runtime::ir::{Atom, Const, Fault, ScalarOp, ScalarType, Sink, Var};

/// Where values go, densely.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    /// The value.
    pub value: Atom,
    /// The type of an element.
    pub elem: ScalarType,
    /// The first byte of position 0.
    pub data: Reg,
    /// Bytes of a position, where it is an array.
    pub row: Option<Reg>,
    /// Whether the value is computed where it belongs.
    pub direct: Option<Var>,
}

/// A sink at work.
#[derive(Clone, Debug)]
pub(crate) enum State<'s> {
    /// Nothing is wanted from it in this pass.
    Idle,
    /// Values at their positions (counted from `origin`).
    Columns {
        columns: Vec<Column>,
        origin: Option<Reg>,
    },
    /// A left fold in registers; `first`: without a start value, and a carried `bool` tells whether there is one yet.
    Fold {
        sink: &'s Sink,
        types: Vec<ScalarType>,
        first: bool,
    },
    /// Interleaved lanes; values are counted from `begin`. Several join the same lane one after the other; the total is of
    /// type `total`.
    Lanes {
        values: Vec<Atom>,
        memory: LaneMemory,
        begin: Reg,
        total: ScalarType,
    },
    /// A scan by groups.
    Groups(Groups),
    /// Kept values, densely, and their number.
    Filter {
        predicate: Atom,
        columns: Vec<Column>,
        room: Option<Reg>,
    },
    /// Values at computed positions, in sequential order; `flags`: a byte a position, set where one was written.
    Scatter {
        sink: &'s Sink,
        columns: Vec<Column>,
        len: Reg,
        flags: Option<Reg>,
    },
}

impl State<'_> {
    /// What scalar rounds carry.
    pub(crate) fn carried(&self) -> Vec<Kind> {
        match self {
            State::Fold { types, first, .. } => {
                let mut kinds: Vec<Kind> = types.iter().map(|&ty| Kind::Scalar(ty)).collect();
                if *first {
                    kinds.push(Kind::Scalar(ScalarType::Bool));
                }
                kinds
            }
            State::Filter { .. } => vec![Kind::Scalar(ScalarType::U64)],
            State::Groups(groups) => groups.carried(),
            _ => vec![],
        }
    }
}

impl<I: Simd> Emit<'_, I> {
    /// What vector rounds carry.
    pub(crate) fn lane_carried(&self, state: &State<'_>) -> Vec<Kind> {
        match state {
            State::Lanes { memory, .. } => self.lane_kinds(memory),
            State::Groups(groups) => vec![Kind::Vector(groups.ty)],
            state => state.carried(),
        }
    }

    /// Vector rounds begin at iteration `at`.
    pub(crate) fn enter_lanes(&mut self, state: &State<'_>, at: Reg, carried: &[Reg]) -> Vec<Reg> {
        match state {
            State::Lanes { memory, .. } => self.load_lanes(memory),
            State::Groups(groups) => {
                let carry = self.flush_groups(groups, at, carried);
                vec![self.isa.splat(groups.ty, carry)]
            }
            _ => carried.to_vec(),
        }
    }

    /// Vector rounds end before iteration `at`.
    pub(crate) fn leave_lanes(&mut self, state: &State<'_>, at: Reg, carried: &[Reg]) -> Vec<Reg> {
        match state {
            State::Lanes { memory, .. } => {
                self.store_lanes(memory, carried);
                vec![]
            }
            State::Groups(groups) => vec![self.isa.extract(groups.ty, carried[0], 0), at],
            _ => carried.to_vec(),
        }
    }

    /// One iteration.
    pub(crate) fn step(&mut self, state: &State<'_>, i: Reg, carried: &[Reg]) -> Vec<Reg> {
        match state {
            State::Idle => vec![],
            State::Columns { columns, origin } => {
                let at = self.position(i, *origin);
                for column in columns {
                    self.put(column, at);
                }
                vec![]
            }
            State::Fold { sink, types, first } => self.step_fold(sink, types, *first, carried),
            State::Lanes {
                values,
                memory,
                begin,
                ..
            } => {
                let k = self.word_op(ScalarOp::Sub, i, *begin);
                for &value in values {
                    let value = self.lane_value(memory, value);
                    self.join_lane(memory, k, value);
                }
                vec![]
            }
            State::Groups(groups) => {
                let value = self.scalar(groups.value);
                let k = self.word_op(ScalarOp::Sub, i, carried[1]);
                let address = self.address(groups.buffer, k, groups.ty.bytes() as u64);
                self.isa.store(groups.ty, value, address, 0);
                carried.to_vec()
            }
            State::Filter {
                predicate,
                columns,
                room,
            } => {
                let mut keep = self.scalar(*predicate);
                if let Some(room) = room {
                    let fits = self.word_op(ScalarOp::Lt, carried[0], *room);
                    keep = self.isa.op(ScalarOp::And, ScalarType::Bool, &[keep, fits]);
                }
                if columns.is_empty() {
                    let one = self.isa.cast(ScalarType::Bool, ScalarType::U64, keep);
                    return vec![self.word_op(ScalarOp::Add, carried[0], one)];
                }
                let (some, next) = (
                    self.isa.label(&[]),
                    self.isa.label(&[Kind::Scalar(ScalarType::U64)]),
                );
                self.isa.branch(keep, (some, &[]), (next, &[carried[0]]));
                self.isa.enter(some);
                for column in columns {
                    self.put(column, carried[0]);
                }
                let more = self.add(carried[0], 1);
                self.isa.jump(next, &[more]);
                self.isa.enter(next);
                self.isa.params(next)
            }
            State::Scatter {
                sink,
                columns,
                len,
                flags,
            } => {
                // A negative index is a large one when it is taken for a word.
                let at = self.scalar(sink.values[0]);
                let bad = self.word_op(ScalarOp::Ge, at, *len);
                let (own, word) = (self.type_of(sink.values[0]), ScalarType::U64);
                self.fail_if(
                    bad,
                    &Fault::IndexOutOfBounds,
                    &[(own, at), (word, *len)],
                    sink.place,
                );
                if let Some(flags) = flags {
                    let flag = self.word_op(ScalarOp::Add, *flags, at);
                    let taken = self.isa.load(ScalarType::Bool, flag, 0);
                    self.fail_if(taken, &Fault::DuplicateIndex, &[(own, at)], sink.place);
                    let yes = self.isa.constant(Const::bool(true));
                    self.isa.store(ScalarType::Bool, yes, flag, 0);
                }
                if sink.combine.is_some() {
                    self.combine_at(sink, columns, at);
                } else {
                    for column in columns {
                        self.put(column, at);
                    }
                }
                vec![]
            }
        }
    }

    fn position(&mut self, i: Reg, origin: Option<Reg>) -> Reg {
        match origin {
            Some(origin) => self.word_op(ScalarOp::Sub, i, origin),
            None => i,
        }
    }

    /// The address of a position.
    pub(crate) fn place_of(&mut self, column: &Column, at: Reg) -> Reg {
        match column.row {
            Some(row) => {
                let offset = self.word_op(ScalarOp::Mul, at, row);
                self.word_op(ScalarOp::Add, column.data, offset)
            }
            None => self.address(column.data, at, column.elem.bytes() as u64),
        }
    }

    fn put(&mut self, column: &Column, at: Reg) {
        if column.direct.is_some() {
            return;
        }
        let address = self.place_of(column, at);
        match self.value(column.value) {
            Value::Array(array) => self.copy_to(address, &array),
            Value::Scalar(value) => self.isa.store(column.elem, value, address, 0),
            Value::Literal(items) => {
                for (k, item) in items.iter().enumerate() {
                    if let Value::Scalar(item) = item {
                        let offset = (k * column.elem.bytes()) as i32;
                        self.isa.store(column.elem, *item, address, offset);
                    }
                }
            }
            other => unreachable!("a scalar round has scalars: {other:?}"),
        }
    }

    fn combine_at(&mut self, sink: &Sink, columns: &[Column], at: Reg) {
        let types: Vec<ScalarType> = columns.iter().map(|c| c.elem).collect();
        let addresses: Vec<Reg> = columns.iter().map(|c| self.place_of(c, at)).collect();
        let loads = types.iter().zip(&addresses);
        let old: Vec<Reg> = loads
            .map(|(&ty, &address)| self.isa.load(ty, address, 0))
            .collect();
        let new: Vec<Reg> = columns.iter().map(|c| self.scalar(c.value)).collect();
        let joined = self.combine(sink, &types, &old, &new);
        for ((&ty, address), value) in types.iter().zip(addresses).zip(joined) {
            self.isa.store(ty, value, address, 0);
        }
    }

    fn step_fold(
        &mut self,
        sink: &Sink,
        types: &[ScalarType],
        first: bool,
        carried: &[Reg],
    ) -> Vec<Reg> {
        let values: Vec<Reg> = sink.values.iter().map(|&v| self.scalar(v)).collect();
        if !first {
            return self.combine(sink, types, carried, &values);
        }
        let kinds: Vec<Kind> = types.iter().map(|&ty| Kind::Scalar(ty)).collect();
        let (join, next) = (self.isa.label(&[]), self.isa.label(&kinds));
        self.isa
            .branch(carried[types.len()], (join, &[]), (next, &values));
        self.isa.enter(join);
        let joined = self.combine(sink, types, &carried[..types.len()], &values);
        self.isa.jump(next, &joined);
        self.isa.enter(next);
        let mut out = self.isa.params(next);
        out.push(self.isa.constant(Const::bool(true)));
        out
    }

    /// A group of lanes: the `part`-th of a round, beginning at iteration `i`.
    pub(crate) fn step_lanes(
        &mut self,
        state: &State<'_>,
        i: Reg,
        part: usize,
        carried: &[Reg],
    ) -> Vec<Reg> {
        match state {
            State::Idle => vec![],
            State::Columns { columns, origin } => {
                let at = self.position(i, *origin);
                for column in columns {
                    let value = self.value(column.value);
                    let address = self.place_of(column, at);
                    self.store_row(column.elem, &value, address);
                }
                vec![]
            }
            State::Lanes { values, memory, .. } => {
                let mut all = carried.to_vec();
                let count = self.registers(memory.ty.bytes());
                // Where the order does not show, all groups of a round join the same lanes.
                let first = part * count % all.len();
                let own = first..first + count;
                for &value in values {
                    self.join_group(memory, value, &mut all[own.clone()]);
                }
                all
            }
            State::Groups(groups) => self.step_groups(groups, i, carried[0]),
            State::Filter {
                predicate,
                columns,
                room,
            } => self.step_filter(*predicate, columns, *room, carried[0]),
            State::Fold { .. } | State::Scatter { .. } => {
                unreachable!("sequential sinks have scalar rounds")
            }
        }
    }

    /// Keeps the lanes where the predicate is true: per register, the mask's bits choose a permutation from a table that
    /// brings them to the front; the whole register is written, and the next one over its tail.
    fn step_filter(
        &mut self,
        predicate: Atom,
        columns: &[Column],
        room: Option<Reg>,
        kept: Reg,
    ) -> Vec<Reg> {
        if let Some(room) = room {
            let end = self.add(kept, self.lane_count() as u64);
            let full = self.word_op(ScalarOp::Gt, end, room);
            self.bail_if(full);
        }
        let keep = self.value(predicate);
        let size = match &keep {
            Value::Mask { size, .. } => *size,
            _ => self.lanes.as_ref().expect("lanes").size,
        };
        let mut total = None;
        for column in columns {
            let value = self.value(column.value);
            let end = match column.elem.bytes() {
                1 => self.compact_bytes(column, &value, &keep, kept),
                _ => self.compact(column, &value, &keep, kept),
            };
            total.get_or_insert(end);
        }
        let total = total.unwrap_or_else(|| {
            let masks = self.mask(&keep, size);
            let mut sum = kept;
            for mask in masks {
                let bits = self.filled_bits(size, mask);
                sum = self.count_bits(sum, bits);
            }
            sum
        });
        vec![total]
    }

    fn filled_bits(&mut self, size: usize, mask: Reg) -> Reg {
        let bits = self.isa.mask_bits(size, mask);
        let filled = (self.lane_count() * size).min(self.isa.bytes()) / size;
        if filled * size == self.isa.bytes() {
            return bits;
        }
        let valid = self.isa.constant(Const::u32((1 << filled) - 1));
        self.isa.op(ScalarOp::And, ScalarType::U32, &[bits, valid])
    }

    fn count_bits(&mut self, sum: Reg, bits: Reg) -> Reg {
        let ones = self.isa.op(ScalarOp::CountOnes, ScalarType::U32, &[bits]);
        let ones = self.isa.cast(ScalarType::U32, ScalarType::U64, ones);
        self.word_op(ScalarOp::Add, sum, ones)
    }

    fn compact(&mut self, column: &Column, value: &Value, keep: &Value, kept: Reg) -> Reg {
        let size = column.elem.bytes();
        let table = self.front_table(size);
        let masks = self.mask(keep, size);
        let regs = self.pack(value, column.elem);
        let (width, total) = (self.isa.bytes(), self.lane_count() * size);
        let mut at = kept;
        for (r, (mask, reg)) in masks.into_iter().zip(regs).enumerate() {
            let bits = self.filled_bits(size, mask);
            let word = self.isa.cast(ScalarType::U32, ScalarType::U64, bits);
            let row = self.address(table, word, width as u64);
            let order = self.isa.vload(ScalarType::U8, width, row, 0);
            let front = self.isa.swizzle(column.elem, reg, order);
            let address = self.address(column.data, at, size as u64);
            self.isa.vstore(
                column.elem,
                (total - r * width).min(width),
                front,
                address,
                0,
            );
            at = self.count_bits(at, bits);
        }
        at
    }

    fn compact_bytes(&mut self, column: &Column, value: &Value, keep: &Value, kept: Reg) -> Reg {
        let masks = self.mask(keep, 1);
        let bits = self.filled_bits(1, masks[0]);
        let regs = match (column.elem, value) {
            (ScalarType::Bool, value) => {
                let masks = self.mask(value, 1);
                let one = self.isa.constant(Const::u8(1));
                let one = self.isa.splat(ScalarType::U8, one);
                vec![self.isa.mask_op(ScalarOp::And, masks[0], one)]
            }
            (elem, value) => self.pack(value, elem),
        };
        let mut at = kept;
        for lane in 0..self.lane_count() {
            let item = self.isa.extract(ScalarType::U8, regs[0], lane);
            let address = self.word_op(ScalarOp::Add, column.data, at);
            self.isa.store(ScalarType::U8, item, address, 0);
            let shift = self.isa.constant(Const::u32(lane as u32));
            let bit = self.isa.op(ScalarOp::Shr, ScalarType::U32, &[bits, shift]);
            let one = self.isa.constant(Const::u32(1));
            let bit = self.isa.op(ScalarOp::And, ScalarType::U32, &[bit, one]);
            let bit = self.isa.cast(ScalarType::U32, ScalarType::U64, bit);
            at = self.word_op(ScalarOp::Add, at, bit);
        }
        at
    }

    /// The table of permutations for lanes of `size` bytes: row `bits` brings the lanes of those bits to the front.
    fn front_table(&mut self, size: usize) -> Reg {
        let (width, lanes) = (self.isa.bytes(), self.isa.bytes() / size);
        let mut bytes = vec![];
        for bits in 0..1usize << lanes {
            let kept = (0..lanes).filter(|lane| bits >> lane & 1 == 1);
            let mut row: Vec<u8> = kept
                .flat_map(|lane| (0..size).map(move |b| (lane * size + b) as u8))
                .collect();
            row.resize(width, 0xff);
            bytes.extend(row);
        }
        let words = bytes
            .chunks(8)
            .map(|c| u64::from_le_bytes(c.try_into().expect("rows of whole words")));
        let table: std::sync::Arc<[u64]> = words.collect();
        let known = self.data.iter().find(|known| **known == table).cloned();
        let table = known.unwrap_or_else(|| {
            self.data.push(table.clone());
            table
        });
        self.word(table.as_ptr() as u64)
    }
}
