//! Arrays: where they lie, who keeps them alive, how elements are reached.
//!
//! References are counted where arrays are made inside a unit. A name owns one reference and lets it go after its last
//! use; what a block yields takes its reference along; so an update finds itself alone with its array exactly where nobody
//! can see the old one, and works in place.

use super::{Array, Emit, Value};
use crate::isa::{Callee, Kind, Reg, Simd};
use dsl_runtime::ir::{Atom, Const, Data, Fault, Index, Place, ScalarOp, ScalarType, Var};

/// Where an element is, or elements are.
pub(crate) enum Access {
    /// The same address for all lanes.
    Same(Reg),
    /// Lane 0, and neighbours next to each other.
    Row(Reg),
    /// An address for each lane: a base, and distances in bytes.
    Lanes(Reg, Vec<Reg>),
}

impl<I: Simd> Emit<'_, I> {
    /// The number of elements of a shape; all ones if it overflows.
    pub(crate) fn elements(&mut self, shape: &[Atom]) -> Reg {
        let dims: Vec<Reg> = shape.iter().map(|&n| self.scalar(n)).collect();
        let Some((&first, rest)) = dims.split_first() else {
            return self.word(1);
        };
        if rest.is_empty() {
            return first;
        }
        let zero = self.word(0);
        let mut product = first;
        let mut high = zero;
        let mut empty = self.word_op(ScalarOp::Eq, first, zero);
        for &n in rest {
            let over = self.word_op(ScalarOp::MulHigh, product, n);
            high = self.word_op(ScalarOp::Or, high, over);
            product = self.word_op(ScalarOp::Mul, product, n);
            let none = self.word_op(ScalarOp::Eq, n, zero);
            empty = self.isa.op(ScalarOp::Or, ScalarType::Bool, &[empty, none]);
        }
        let over = self.word_op(ScalarOp::Ne, high, zero);
        let most = self.word(u64::MAX);
        let some = self
            .isa
            .op(ScalarOp::Select, ScalarType::U64, &[over, most, product]);
        self.isa
            .op(ScalarOp::Select, ScalarType::U64, &[empty, zero, some])
    }

    /// Fresh memory for an array.
    pub(crate) fn alloc(&mut self, elem: ScalarType, shape: Vec<Atom>, place: Place) -> Array {
        let elements = self.elements(&shape);
        let (data, block) = self.alloc_elements(elem, elements, place);
        Array {
            elem,
            shape,
            data,
            block: Some(block),
            strides: None,
            offset: None,
        }
    }

    pub(crate) fn alloc_elements(
        &mut self,
        elem: ScalarType,
        elements: Reg,
        place: Place,
    ) -> (Reg, Reg) {
        let site = self.site(None, vec![], place);
        let (bytes, site) = (self.word(elem.bytes() as u64), self.word(site));
        let args = [self.frame, elements, bytes, site];
        let block = self
            .isa
            .call(Callee::Alloc, self.runtime, &args)
            .expect("alloc yields a block");
        let zero = self.word(0);
        let none = self.word_op(ScalarOp::Eq, block, zero);
        let exit = self.memory_exit();
        let next = self.isa.label(&[]);
        self.isa.branch(none, (exit, &[]), (next, &[]));
        self.isa.enter(next);
        let data = self.isa.load(ScalarType::U64, block, 8);
        (data, block)
    }

    /// One more reference.
    pub(crate) fn retain(&mut self, block: Reg) {
        self.if_block(block, |this| {
            let refs = this.isa.load(ScalarType::U64, block, 0);
            let more = this.add(refs, 1);
            this.isa.store(ScalarType::U64, more, block, 0);
        });
    }

    /// One reference less; the last one frees the memory.
    pub(crate) fn release(&mut self, block: Reg) {
        self.if_block(block, |this| {
            let refs = this.isa.load(ScalarType::U64, block, 0);
            let less = this.add(refs, u64::MAX);
            this.isa.store(ScalarType::U64, less, block, 0);
            let zero = this.word(0);
            let gone = this.word_op(ScalarOp::Eq, less, zero);
            let (free, next) = (this.isa.label(&[]), this.isa.label(&[]));
            this.isa.branch(gone, (free, &[]), (next, &[]));
            this.isa.enter(free);
            this.isa
                .call(Callee::Free, this.runtime, &[this.frame, block]);
            this.isa.jump(next, &[]);
            this.isa.enter(next);
        });
    }

    fn if_block(&mut self, block: Reg, then: impl FnOnce(&mut Self)) {
        let zero = self.word(0);
        let none = self.word_op(ScalarOp::Eq, block, zero);
        let (some, next) = (self.isa.label(&[]), self.isa.label(&[]));
        self.isa.branch(none, (next, &[]), (some, &[]));
        self.isa.enter(some);
        then(self);
        self.isa.jump(next, &[]);
        self.isa.enter(next);
    }

    /// Makes the current block responsible for an array.
    pub(crate) fn own(&mut self, var: Var) {
        self.scopes
            .last_mut()
            .expect("a scope is open")
            .owned
            .insert(var);
    }

    /// Whether the current block may use up the array now: this is its last use.
    pub(crate) fn consume(&mut self, var: Var) -> bool {
        let scope = self.scopes.last_mut().expect("a scope is open");
        scope.dying.contains(&var) && scope.owned.remove(&var)
    }

    /// Lets go what the predicate says.
    pub(super) fn let_go(&mut self, gone: impl Fn(Var) -> bool) {
        let scope = self.scopes.last_mut().expect("a scope is open");
        let vars: Vec<Var> = scope.owned.iter().copied().filter(|&v| gone(v)).collect();
        for var in vars {
            self.scopes
                .last_mut()
                .expect("a scope is open")
                .owned
                .remove(&var);
            if let Some(block) = self.array(var).block {
                self.release(block);
            }
        }
    }

    pub(super) fn close_scope(&mut self) {
        self.let_go(|_| true);
        self.scopes.pop();
    }

    /// A value that leaves its block: an array comes contiguous and with a reference.
    pub(crate) fn take(&mut self, atom: Atom, used_again: bool) -> Value {
        let value = self.value(atom);
        let array = match value {
            Value::Array(array) => array,
            Value::Literal(items) => return self.literal_in_memory(atom, &items),
            value => return value,
        };
        // Of a region everything that leaves a block can be handed to the driver, so constants are copied there.
        let unkept = self.region && array.block.is_none();
        if array.strides.is_some() || array.offset.is_some() || unkept {
            return Value::Array(self.copied(&array, Place::default()));
        }
        let owned = atom.as_var().is_some_and(|var| {
            let scope = self.scopes.last_mut().expect("a scope is open");
            !used_again && scope.owned.remove(&var)
        });
        if !owned && let Some(block) = array.block {
            self.retain(block);
        }
        Value::Array(array)
    }

    /// Distances of neighbours in bytes.
    fn strides(&mut self, array: &Array) -> Vec<Reg> {
        if let Some(strides) = &array.strides {
            return strides.clone();
        }
        let mut step = self.word(array.elem.bytes() as u64);
        let mut strides = vec![step];
        for &n in array.shape.iter().skip(1).rev() {
            let n = self.scalar(n);
            step = self.word_op(ScalarOp::Mul, step, n);
            strides.push(step);
        }
        strides.reverse();
        strides.truncate(array.shape.len());
        strides
    }

    /// A contiguous copy with a reference.
    pub(crate) fn copied(&mut self, array: &Array, place: Place) -> Array {
        let copy = self.alloc(array.elem, array.shape.clone(), place);
        self.copy_to(copy.data, array);
        copy
    }

    /// Writes the elements, contiguous, to an address.
    pub(crate) fn copy_to(&mut self, to: Reg, array: &Array) {
        assert!(
            array.offset.is_none(),
            "a part that differs by lane is not copied"
        );
        let Some(strides) = array.strides.clone() else {
            let elements = self.elements(&array.shape);
            let bytes = self.scale(elements, array.elem.bytes() as u64);
            self.isa
                .call(Callee::Copy, self.runtime, &[to, array.data, bytes]);
            return;
        };
        let shape = array.shape.clone();
        self.copy_dimension(to, array.data, array.elem, &shape, &strides);
    }

    fn copy_dimension(
        &mut self,
        to: Reg,
        from: Reg,
        elem: ScalarType,
        shape: &[Atom],
        strides: &[Reg],
    ) {
        let Some((&n, inner)) = shape.split_first() else {
            let value = self.isa.load(elem, from, 0);
            self.isa.store(elem, value, to, 0);
            return;
        };
        let n = self.scalar(n);
        let inner_elements = self.elements(inner);
        let step = self.scale(inner_elements, elem.bytes() as u64);
        let stride = strides[0];
        self.counted(n, |this, i| {
            let at = this.word_op(ScalarOp::Mul, i, step);
            let at = this.word_op(ScalarOp::Add, to, at);
            let source = this.word_op(ScalarOp::Mul, i, stride);
            let source = this.word_op(ScalarOp::Add, from, source);
            this.copy_dimension(at, source, elem, inner, &strides[1..]);
        });
    }

    /// A loop from 0 to `n`.
    pub(crate) fn counted(&mut self, n: Reg, body: impl FnOnce(&mut Self, Reg)) {
        let word = Kind::Scalar(ScalarType::U64);
        let (head, inside, exit) = (
            self.isa.label(&[word]),
            self.isa.label(&[]),
            self.isa.label(&[]),
        );
        let zero = self.word(0);
        self.isa.jump(head, &[zero]);
        self.isa.enter(head);
        let i = self.isa.params(head)[0];
        let more = self.word_op(ScalarOp::Lt, i, n);
        self.isa.repeat(more, (inside, &[]), (exit, &[]));
        self.isa.enter(inside);
        body(self, i);
        let next = self.add(i, 1);
        self.isa.jump(head, &[next]);
        self.isa.enter(exit);
    }

    /// Tests indices and finds the place of an element (or of a sub-array: its first element).
    fn offset(&mut self, array: &Array, index: &Index, place: Place) -> (Reg, Option<Value>) {
        let strides = self.strides(array);
        let mut data = array.data;
        let mut varying: Option<Value> = array.offset.as_deref().cloned();
        for (d, &atom) in index.indices.iter().enumerate() {
            let at = self.value(atom);
            let len = self.scalar(array.shape[d]);
            self.test(&at, len, index.checked, place);
            let known = match (&array.strides, d + 1 == array.shape.len()) {
                (None, true) => Some(array.elem.bytes() as u64),
                _ => None,
            };
            match at {
                Value::Scalar(at) => {
                    let distance = match known {
                        Some(bytes) => self.scale(at, bytes),
                        None => self.word_op(ScalarOp::Mul, at, strides[d]),
                    };
                    data = self.word_op(ScalarOp::Add, data, distance);
                }
                at => {
                    let distance = match (known, at) {
                        (Some(bytes), Value::Affine { base, step }) => Value::Affine {
                            base: self.scale(base, bytes),
                            step: step * bytes as i64,
                        },
                        (Some(bytes), at) => {
                            let by = Const::u64(bytes);
                            let by = Value::Scalar(self.isa.constant(by));
                            self.apply(ScalarOp::Mul, ScalarType::U64, &[at, by])
                        }
                        (None, at) => self.apply(
                            ScalarOp::Mul,
                            ScalarType::U64,
                            &[at, Value::Scalar(strides[d])],
                        ),
                    };
                    varying = Some(match varying {
                        None => distance,
                        Some(sum) => self.apply(ScalarOp::Add, ScalarType::U64, &[sum, distance]),
                    });
                }
            }
        }
        (data, varying)
    }

    /// Tests an index against the length.
    fn test(&mut self, at: &Value, len: Reg, checked: bool, place: Place) {
        let masked = self.lanes.as_ref().is_some_and(|l| l.mask.is_some());
        match at {
            Value::Scalar(at) => {
                if checked {
                    let bad = self.word_op(ScalarOp::Ge, *at, len);
                    let operands = [(ScalarType::U64, *at), (ScalarType::U64, len)];
                    self.fail_if(bad, &Fault::IndexOutOfBounds, &operands, place);
                }
            }
            // Lanes next to each other: the first and the last tell. Under a mask they may lie outside: then the group
            // goes through the scalar form.
            Value::Affine { base, step } => {
                if checked || masked {
                    let count = self.lanes.as_ref().expect("lanes").count as i64;
                    let last = self.add(*base, (step * (count - 1)) as u64);
                    let low = self.word_op(ScalarOp::Ge, *base, len);
                    let high = self.word_op(ScalarOp::Ge, last, len);
                    let bad = self.isa.op(ScalarOp::Or, ScalarType::Bool, &[low, high]);
                    self.bail_if(bad);
                }
            }
            at => {
                if checked {
                    let bad = self.apply(
                        ScalarOp::Ge,
                        ScalarType::U64,
                        &[at.clone(), Value::Scalar(len)],
                    );
                    let any = self.any_active(&bad);
                    self.fail_if(any, &Fault::IndexOutOfBounds, &[], place);
                }
            }
        }
    }

    /// Where the elements are.
    pub(crate) fn access(&mut self, array: &Array, index: &Index, place: Place) -> Access {
        let (data, varying) = self.offset(array, index, place);
        match varying {
            None => Access::Same(data),
            Some(Value::Scalar(distance)) => {
                Access::Same(self.word_op(ScalarOp::Add, data, distance))
            }
            Some(Value::Affine { base, step }) if step == array.elem.bytes() as i64 => {
                Access::Row(self.word_op(ScalarOp::Add, data, base))
            }
            Some(distance) => {
                let lanes = self.pack(&distance, ScalarType::U64);
                Access::Lanes(data, self.only_active(ScalarType::U64, lanes))
            }
        }
    }

    /// `index`: an element or a part.
    pub(crate) fn index(&mut self, index: &Index, place: Place) -> Value {
        let array = match self.value(Atom::Var(index.array)) {
            Value::Literal(items) => {
                let at = index.indices[0]
                    .as_const()
                    .expect("a literal is read at constant places");
                return items[at.bits as usize].clone();
            }
            Value::Array(array) => array,
            other => unreachable!("indexing {other:?}"),
        };
        let depth = index.indices.len();
        if depth < array.shape.len() {
            let (data, offset) = self.offset(&array, index, place);
            return Value::Array(Array {
                shape: array.shape[depth..].to_vec(),
                data,
                strides: array.strides.as_ref().map(|s| s[depth..].to_vec()),
                offset: offset.map(Box::new),
                ..array
            });
        }
        let elem = array.elem;
        match self.access(&array, index, place) {
            Access::Same(address) => Value::Scalar(self.isa.load(elem, address, 0)),
            Access::Row(address) => self.load_row(elem, address),
            Access::Lanes(base, distances) => self.gather(elem, base, &distances),
        }
    }

    /// `update`: in place where nobody else holds the array.
    pub(crate) fn update(&mut self, index: &Index, with: Atom, place: Place) -> Value {
        let old = self.array(index.array);
        // The indices are tested before anything is copied, in the order of the program.
        self.offset(&old, index, place);
        let array = self.writable(index.array, place);
        let unchecked = Index {
            checked: false,
            ..index.clone()
        };
        let (address, _) = self.offset(&array, &unchecked, place);
        match self.value(with) {
            Value::Array(part) => self.copy_to(address, &part),
            value => {
                let value = self.expect_scalar(&value);
                self.isa.store(array.elem, value, address, 0);
            }
        }
        Value::Array(array)
    }

    /// The array itself where this is its last use and nobody else holds it, else a copy; with a reference.
    pub(crate) fn writable(&mut self, var: Var, place: Place) -> Array {
        let array = self.array(var);
        let plain = array.strides.is_none() && array.offset.is_none();
        let (true, Some(block)) = (plain && self.consume(var), array.block) else {
            return self.copied(&array, place);
        };
        let word = Kind::Scalar(ScalarType::U64);
        let join = self.isa.label(&[word, word]);
        let (alone, shared, counted) = (
            self.isa.label(&[]),
            self.isa.label(&[]),
            self.isa.label(&[]),
        );
        // What outlives the unit has no block.
        let zero = self.word(0);
        let none = self.word_op(ScalarOp::Eq, block, zero);
        self.isa.branch(none, (shared, &[]), (counted, &[]));
        self.isa.enter(counted);
        let refs = self.isa.load(ScalarType::U64, block, 0);
        let one = self.word(1);
        let only = self.word_op(ScalarOp::Eq, refs, one);
        self.isa.branch(only, (alone, &[]), (shared, &[]));
        self.isa.enter(alone);
        self.isa.jump(join, &[array.data, block]);
        self.isa.enter(shared);
        let copy = self.copied(&array, place);
        self.release(block);
        self.isa
            .jump(join, &[copy.data, copy.block.expect("a copy has a block")]);
        self.isa.enter(join);
        let params = self.isa.params(join);
        Array {
            data: params[0],
            block: Some(params[1]),
            ..array
        }
    }

    /// `array [..]` in memory.
    pub(crate) fn gather_array(&mut self, var: Var, items: &[Atom], place: Place) -> Value {
        let ty = self.func.ty(var).clone();
        let array = self.alloc(ty.elem, ty.shape.clone(), place);
        let part = self.elements(&ty.shape[1..]);
        let step = self.scale(part, ty.elem.bytes() as u64);
        let mut to = array.data;
        for (k, &item) in items.iter().enumerate() {
            if k > 0 {
                to = self.word_op(ScalarOp::Add, to, step);
            }
            match self.value(item) {
                Value::Array(part) => self.copy_to(to, &part),
                value => {
                    let value = self.expect_scalar(&value);
                    self.isa.store(ty.elem, value, to, 0);
                }
            }
        }
        Value::Array(array)
    }

    fn literal_in_memory(&mut self, atom: Atom, items: &[Value]) -> Value {
        let ty = self.func.atom_type(atom);
        let array = self.alloc(ty.elem, ty.shape, Place::default());
        for (k, item) in items.iter().enumerate() {
            let item = self.expect_scalar(item);
            self.isa
                .store(ty.elem, item, array.data, (k * ty.elem.bytes()) as i32);
        }
        Value::Array(array)
    }

    /// `data [..]`: constant memory that lives as long as the code.
    pub(crate) fn constant_array(&mut self, data: &Data) -> Value {
        let bytes: Vec<u8> = data
            .bits
            .iter()
            .flat_map(|bits| bits.to_le_bytes()[..data.elem.bytes()].to_vec())
            .collect();
        let words: Vec<u64> = bytes
            .chunks(8)
            .map(|chunk| {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                u64::from_le_bytes(word)
            })
            .collect();
        let memory: std::sync::Arc<[u64]> = words.into();
        let address = self.word(memory.as_ptr() as u64);
        self.data.push(memory);
        Value::Array(Array {
            elem: data.elem,
            shape: data.shape.iter().map(|&n| Atom::size(n as u64)).collect(),
            data: address,
            block: None,
            strides: None,
            offset: None,
        })
    }

    /// `reshape`: the same memory under another shape where it is contiguous.
    pub(crate) fn reshape(&mut self, def: Var, var: Var, shape: &[Atom], place: Place) -> Value {
        let array = self.array(var);
        if array.strides.is_some() {
            let copy = self.copied(&array, place);
            self.own(def);
            return Value::Array(Array {
                shape: shape.to_vec(),
                ..copy
            });
        }
        Value::Array(Array {
            shape: shape.to_vec(),
            ..array
        })
    }

    fn expect_scalar(&mut self, value: &Value) -> Reg {
        match value {
            Value::Scalar(reg) => *reg,
            other => unreachable!("memory of an iteration is written in scalar code: {other:?}"),
        }
    }
}
