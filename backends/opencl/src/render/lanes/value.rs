//! Values of lanes: what a name is, and how it is written where a vector or a mask is needed.

use super::Lanes;
use crate::render::types;
use dsl_runtime::ir::{Atom, ScalarType, Var};

/// What a name is, if it is not the same for all lanes.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Each lane's value is one more than that of the lane before; the first lane's is this expression.
    Near(String),
    /// A vector.
    Vector,
    /// A mask: all ones or all zeros, of lanes of so many bytes.
    Mask(usize),
}

/// The name of a vector type.
pub fn vector(ty: ScalarType, count: usize) -> String {
    format!("{}{count}", types::stored(ty))
}

/// The name of a mask's type.
pub fn mask(bytes: usize, count: usize) -> String {
    let signed = match bytes {
        1 => "char",
        2 => "short",
        4 => "int",
        _ => "long",
    };
    format!("{signed}{count}")
}

/// How lane `lane` is selected.
pub fn lane(lane: usize) -> String {
    format!(".s{lane:x}")
}

impl Lanes<'_, '_> {
    /// What a name is; none if it is the same for all lanes.
    pub fn kind(&self, var: Var) -> Option<&Kind> {
        self.kinds.get(&var)
    }

    /// Says what a name is.
    pub fn set(&mut self, var: Var, kind: Kind) {
        self.kinds.insert(var, kind);
    }

    /// Whether an operand is the same for all lanes.
    pub fn same(&self, atom: Atom) -> bool {
        atom.as_var()
            .is_none_or(|var| !self.kinds.contains_key(&var))
    }

    /// The name of a vector or mask, that of the side which is written at the moment.
    pub fn name(&self, var: Var) -> String {
        let name = self.body.name(var);
        match self.sides {
            1 => name,
            _ => format!("{name}_{}", self.side),
        }
    }

    /// A name that nothing else has, for each side.
    pub fn stem(&mut self, stem: &str) -> String {
        self.body.fresh(stem)
    }

    /// A name of this stem for the side that is written at the moment.
    pub fn of(&self, stem: &str) -> String {
        match self.sides {
            1 => stem.to_owned(),
            _ => format!("{stem}_{}", self.side),
        }
    }

    /// The value of the first lane of the side that is written at the moment.
    pub fn first(&self, first: &str) -> String {
        match self.side * self.count {
            0 => first.to_owned(),
            further => format!("({first} + {further})"),
        }
    }

    /// The numbers 0, 1, … in the lanes.
    pub fn steps(&self, ty: ScalarType) -> String {
        let list: Vec<String> = (0..self.count).map(|lane| lane.to_string()).collect();
        format!("({})({})", vector(ty, self.count), list.join(", "))
    }

    /// The operand as a vector.
    pub fn vector(&self, atom: Atom) -> String {
        let ty = self.body.func.atom_type(atom).elem;
        let own = vector(ty, self.count);
        match atom
            .as_var()
            .and_then(|var| Some((var, self.kinds.get(&var)?)))
        {
            None => format!("({own})({})", self.body.atom(atom)),
            Some((_, Kind::Near(first))) => {
                format!("(({own})({}) + {})", self.first(first), self.steps(ty))
            }
            Some((var, Kind::Vector)) => self.name(var),
            Some((_, Kind::Mask(_))) => unreachable!("a truth value is a mask"),
        }
    }

    /// The truth value as a mask of lanes of so many bytes.
    pub fn mask(&self, atom: Atom, bytes: usize) -> String {
        let own = mask(bytes, self.count);
        match atom
            .as_var()
            .and_then(|var| Some((var, self.kinds.get(&var)?)))
        {
            None => format!("({own})({} ? -1 : 0)", self.body.atom(atom)),
            Some((var, Kind::Mask(size))) => self.resized(&self.name(var), *size, bytes),
            Some(_) => unreachable!("a truth value is a mask"),
        }
    }

    /// A mask in lanes of another size.
    pub fn resized(&self, name: &str, from: usize, to: usize) -> String {
        match from == to {
            true => name.to_owned(),
            false => format!("convert_{}({name})", mask(to, self.count)),
        }
    }

    /// The size of an operand's mask; of one that is the same for all lanes, that of `int`.
    pub fn mask_size(&self, atom: Atom) -> usize {
        match atom.as_var().and_then(|var| self.kinds.get(&var)) {
            Some(Kind::Mask(size)) => *size,
            _ => 4,
        }
    }

    /// Binds a name to a vector or, if it is a truth value, to a mask of this size.
    pub fn bind(&mut self, var: Var, expression: &str, mask_size: usize) {
        let ty = self.body.func.ty(var).elem;
        let name = self.name(var);
        let (own, kind) = match ty {
            ScalarType::Bool => (mask(mask_size, self.count), Kind::Mask(mask_size)),
            ty => (vector(ty, self.count), Kind::Vector),
        };
        self.line(format!("const {own} {name} = {expression};"));
        self.set(var, kind);
    }

    /// Whether the mask, of lanes of so many bytes, holds in any lane.
    pub fn any(&self, mask: &str, bytes: usize) -> String {
        format!("any_{}x{bytes}({mask})", self.count)
    }

    /// Fails where the condition, a mask, holds in a lane that is on its way.
    pub fn fail_where(&mut self, condition: &str, bytes: usize) {
        let condition = match self.on(bytes) {
            None => self.any(condition, bytes),
            Some(on) => self.any(&format!("{condition} & {on}"), bytes),
        };
        self.body.fail_if(&condition);
    }

    /// The mask of the lanes on their way, in lanes of so many bytes.
    pub fn on(&self, bytes: usize) -> Option<String> {
        let masks = self.mask.as_ref()?;
        Some(self.resized(&masks[self.side], 4, bytes))
    }

    /// Whether any of the masks, one a side, holds in any lane.
    pub fn any_of(&self, masks: &[String]) -> String {
        self.any(&masks.join(" | "), 4)
    }

    /// Has only lanes of these masks (of four bytes, one a side) on their way while `inside` writes.
    pub fn under(&mut self, masks: Vec<String>, inside: impl FnOnce(&mut Self)) {
        let before = self.mask.replace(masks);
        inside(self);
        self.mask = before;
    }
}

/// Functions that tell whether a mask holds in any or all lanes, with their names.
pub fn helpers() -> Vec<(String, String)> {
    let mut all = vec![];
    for count in [8, 16] {
        for bytes in [1, 2, 4, 8] {
            let own = mask(bytes, count);
            for (name, not, is) in [("any", "", "!="), ("all", "~", "==")] {
                let name = format!("{name}_{count}x{bytes}");
                let mut text = format!("static bool {name}(const {own} mask) {{\n");
                // Halves on top of each other, at the full width: compilers know this pattern.
                let mut value = format!("{not}mask");
                let mut width = count;
                while width > 1 {
                    width /= 2;
                    let moved: String = (0..count)
                        .map(|l| format!("{:x}", (l + width) % count))
                        .collect();
                    text += &format!("const {own} m{width} = {value};\n");
                    value = format!("(m{width} | m{width}.s{moved})");
                }
                text += &format!("return {value}.s0 {is} 0;\n}}\n");
                all.push((name, text));
            }
        }
    }
    all
}
