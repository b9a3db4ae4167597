//! Kernels: their parameters, and what those of a function share. `par.rs` makes those of a wide par, `region.rs` the one of a run
//! of statements that one work-item does. Each kernel says what its parameters are; the executor finds the values.

mod par;
mod region;

pub use par::{ALIGNED, Layout, ParUnit};
pub use region::{Left, RegionUnit};

use crate::prologue::prologue;
use crate::render::array::Held;
use crate::render::body::{Body, own_name};
use crate::render::types;
use crate::scalars::Tails;
use crate::style::Style;
use dsl_runtime::ir::{Func, Place, ScalarType, Sink, Type, Var, VarSet, walk};
use dsl_runtime::plan::Slot;
use std::collections::HashMap;

/// What a parameter of a kernel is.
#[derive(Clone, Debug, PartialEq)]
pub enum Param {
    /// A scalar that the host knows.
    Scalar(Var),
    /// An array: a buffer, and the number of its first element.
    Array(Var),
    /// A scalar of the plan that the host knows.
    Slot(u32, ScalarType),
    /// The run's words: the state, then a word a scalar.
    Words,
    /// The stacks of the work-items: a buffer, and the bytes of each.
    Stack,
    /// The number of iterations.
    Extent,
    /// The iterations of a work-item.
    Tile,
    /// The number of blocks.
    Blocks,
    /// Result `k` of sink `s`, a buffer of such elements.
    Result(usize, usize, ScalarType),
    /// Value `k` of each iteration for sink `s`.
    Values(usize, usize, ScalarType),
    /// Totals of the blocks for value `k` of sink `s`.
    Totals(usize, usize, ScalarType),
    /// Counts of the blocks for sink `s`.
    Counts(usize),
    /// Marks for sink `s`.
    Marks(usize),
    /// Result `k` of a region.
    Out(usize, ScalarType),
    /// For the shares of a `scatter_with`: how many of each share a tile has, then where they go.
    Shares,
    /// The iterations in the order of their shares.
    Sorted,
    /// The number of shares, and how many destinations one has.
    Span,
    /// The number of tiles.
    Tiles,
}

/// A kernel.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Its name in the program.
    pub name: String,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Whether its work-items need a stack.
    pub stack: bool,
}

/// Words of the state before those of the scalars: whether something has failed, and how much stack was missing.
pub const STATE: usize = 1;

/// What the units of a function share.
pub struct Maker<'f> {
    /// The function.
    pub func: &'f Func,
    /// Where names live.
    pub slots: &'f HashMap<Var, Slot>,
    /// Scalars that live in words.
    pub remote: &'f dyn Fn(u32) -> bool,
    /// How work is laid out.
    pub style: Style,
    /// What the kernels that join totals do besides.
    pub tails: &'f Tails,
    /// The source so far, and per line where it comes from.
    pub source: String,
    /// Per line of the source.
    pub places: Vec<Place>,
    /// The number of words.
    pub words: usize,
    /// Whether anything can fail: kernels then look whether something has.
    tested: bool,
    /// Whether a work-item needs a stack, which it may lack.
    pub stacks: bool,
    /// How many kernels there are.
    units: usize,
}

impl<'f> Maker<'f> {
    /// For a function whose scalars have so many slots.
    pub fn new(
        func: &'f Func,
        slots: &'f HashMap<Var, Slot>,
        scalars: usize,
        remote: &'f dyn Fn(u32) -> bool,
        style: Style,
        tails: &'f Tails,
        tested: bool,
    ) -> Maker<'f> {
        Maker {
            func,
            slots,
            remote,
            style,
            tails,
            source: String::new(),
            places: vec![],
            words: STATE + scalars,
            tested,
            stacks: false,
            units: 0,
        }
    }

    /// The whole source, and per line where it comes from.
    pub fn finish(self) -> (String, Vec<Place>) {
        let mut source = prologue(self.func, &self.source);
        let mut places: Vec<Place> = source.lines().map(|_| Place::default()).collect();
        source.push_str(&self.source);
        places.extend(self.places);
        (source, places)
    }

    fn slot(&self, var: Var) -> Option<u32> {
        match self.slots.get(&var) {
            Some(&Slot::Scalar(slot)) => Some(slot),
            _ => None,
        }
    }

    fn word(&self, var: Var) -> String {
        let slot = self.slot(var).expect("a scalar of the plan");
        format!("words[{}]", STATE + slot as usize)
    }

    /// A kernel around what `fill` writes.
    pub(crate) fn kernel(
        &mut self,
        name: &str,
        mut body: Body<'f>,
        env: &VarSet,
        own: &[Param],
        fill: impl FnOnce(&mut Body<'f>),
    ) -> Kernel {
        let func = self.func;
        body.ahead = self.style == Style::Lanes;
        let (mut params, mut begin) = (vec![], vec![]);
        for &var in env {
            let ty = func.ty(var);
            let name = own_name(func, var);
            if !ty.is_scalar() {
                params.push(Param::Array(var));
                let own = types::stored(ty.elem);
                begin.push(format!(
                    "__global const {own}* const {name} = {name}_all + {name}_at;"
                ));
                body.arrays.insert(var, Held::Global(name));
            } else if self.slot(var).is_some_and(|slot| (self.remote)(slot)) {
                let value = types::from_word(ty.elem, &self.word(var));
                begin.push(format!("const {} {name} = {value};", types::name(ty.elem)));
            } else {
                params.push(Param::Scalar(var));
                if ty.elem == ScalarType::Bool {
                    begin.push(format!("const bool {name} = {name}_byte != 0;"));
                }
            }
        }
        params.extend_from_slice(own);
        fill(&mut body);
        for var in std::mem::take(&mut body.data) {
            params.push(Param::Array(var));
            let (own, name) = (types::stored(func.ty(var).elem), own_name(func, var));
            begin.push(format!(
                "__global const {own}* const {name} = {name}_all + {name}_at;"
            ));
        }
        let stack = body.stack;
        if stack {
            params.push(Param::Stack);
            begin.push("__global uchar* const stack = stacks + get_global_id(0) * room;".into());
            begin.push("ulong top = 0;".into());
        }
        self.stacks |= stack;
        let state = self.tested || stack;
        if state || begin.iter().any(|line| line.contains("words[")) || body.text.has("words[") {
            params.insert(0, Param::Words);
        }
        if state {
            // What an earlier kernel should have made may not be there.
            begin.splice(
                0..0,
                [
                    "__global volatile uint* const state = (__global volatile uint*)words;".into(),
                    "if (STOPPED) return;".into(),
                ],
            );
        }
        let list: Vec<String> = params.iter().map(|param| self.declaration(param)).collect();
        let mut text = crate::render::text::Text::default();
        text.line(format!("\n__kernel void {name}({}) {{", list.join(", ")));
        begin.iter().for_each(|line| text.line(line));
        text.include(body.text);
        text.line("}");
        let (lines, places) = text.finish();
        self.source.push_str(&lines);
        self.places.extend(places);
        Kernel {
            name: name.to_owned(),
            params,
            stack,
        }
    }

    fn declaration(&self, param: &Param) -> String {
        let func = self.func;
        match param {
            Param::Scalar(var) => {
                let (ty, name) = (func.ty(*var).elem, own_name(func, *var));
                match ty {
                    ScalarType::Bool => format!("const uchar {name}_byte"),
                    ty => format!("const {} {name}", types::name(ty)),
                }
            }
            Param::Array(var) => {
                let (own, name) = (types::stored(func.ty(*var).elem), own_name(func, *var));
                format!("__global const {own}* {name}_all, const ulong {name}_at")
            }
            Param::Slot(slot, ty) => format!("const {} a{slot}", types::stored(*ty)),
            Param::Words => "__global ulong* words".into(),
            Param::Stack => "__global uchar* stacks, const ulong room".into(),
            Param::Extent => "const ulong n".into(),
            Param::Tile => "const ulong tile".into(),
            Param::Blocks => "const ulong blocks".into(),
            Param::Result(s, k, elem) => format!("__global {}* y{s}_{k}", types::stored(*elem)),
            Param::Values(s, k, elem) => format!("__global {}* v{s}_{k}", types::stored(*elem)),
            Param::Totals(s, k, elem) => format!("__global {}* t{s}_{k}", types::stored(*elem)),
            Param::Out(k, elem) => format!("__global {}* out{k}", types::stored(*elem)),
            Param::Shares => "__global ulong* places".into(),
            Param::Sorted => "__global ulong* sorted".into(),
            Param::Span => "const ulong shares, const ulong span".into(),
            Param::Tiles => "const ulong tiles".into(),
            Param::Counts(s) => format!("__global ulong* counts{s}"),
            Param::Marks(s) => format!("__global volatile uint* marks{s}"),
        }
    }
}

impl<'f> Maker<'f> {
    /// The names that a statement needs from outside, with the lengths of arrays.
    fn env(&self, mut free: VarSet) -> VarSet {
        for var in free.clone() {
            free.extend(walk::sizes(self.func.ty(var)));
        }
        free
    }

    /// What the start values and combining functions need.
    pub(crate) fn combining(&self, sinks: &[&Sink]) -> VarSet {
        let mut free = VarSet::new();
        for sink in sinks {
            free.extend(sink.outer.iter().filter_map(|atom| atom.as_var()));
            if let Some(dsl_runtime::ir::Combine::Lambda(lambda)) = &sink.combine {
                let mut inner = walk::free(&self.func.vars, &lambda.body);
                lambda.params.iter().for_each(|param| {
                    inner.remove(param);
                });
                free.extend(inner);
            }
        }
        self.env(free)
    }
}

/// One for each type.
pub(crate) fn each<T>(types: &[Type], make: impl Fn(usize, &Type) -> T) -> Vec<T> {
    types
        .iter()
        .enumerate()
        .map(|(k, ty)| make(k, ty))
        .collect()
}
