//! Where an `update` may work in place: from a function to the updates whose array nobody looks at afterwards.
//!
//! An array may be written in place if it was bound in this round of the innermost loop or par (so that no other round sees
//! it) and no statement after the update uses it. Sharing is still counted when the program runs, so this only says
//! where the name itself does not count.

use dsl_runtime::ir::{Block, Combine, Expr, Func, LoopKind, Var, VarSet, walk};

/// By name of the result of an update: whether the array may be taken from its name.
pub fn in_place(func: &Func) -> Vec<bool> {
    let mut marks = Marks {
        round: vec![0; func.vars.len()],
        rounds: 0,
        in_place: vec![false; func.vars.len()],
    };
    marks.bind(&func.params, 0);
    marks.block(&func.body, VarSet::new(), 0);
    marks.in_place
}

struct Marks {
    /// The loop or par in whose body a name is bound, numbered; 0 for the function.
    round: Vec<usize>,
    rounds: usize,
    in_place: Vec<bool>,
}

impl Marks {
    fn bind(&mut self, vars: &[Var], round: usize) {
        for var in vars {
            self.round[var.0 as usize] = round;
        }
    }

    /// A block in a round of its own.
    fn round(&mut self, block: &Block, names: &[Var], live: VarSet) {
        self.rounds += 1;
        let round = self.rounds;
        self.bind(names, round);
        self.block(block, live, round);
    }

    /// `live`: what is used after the block.
    fn block(&mut self, block: &Block, mut live: VarSet, round: usize) {
        for stmt in &block.stmts {
            self.bind(&stmt.defs, round);
        }
        live.extend(block.results.iter().filter_map(|atom| atom.as_var()));
        for stmt in block.stmts.iter().rev() {
            match &stmt.expr {
                Expr::Update(index, value) => {
                    let array = index.array;
                    self.in_place[stmt.defs[0].0 as usize] = !live.contains(&array)
                        && value.as_var() != Some(array)
                        && self.round[array.0 as usize] == round;
                }
                Expr::If(_, then, other) => {
                    self.block(then, live.clone(), round);
                    self.block(other, live.clone(), round);
                }
                Expr::Loop(inner) => {
                    let names: Vec<Var> = inner.carried.iter().map(|&(var, _)| var).collect();
                    if let LoopKind::While(cond) = &inner.kind {
                        // The body looks at the carried names after the condition has.
                        self.round(cond, &[], names.iter().copied().collect());
                    }
                    self.round(&inner.body, &names, VarSet::new());
                }
                Expr::Par(par) => {
                    let mut values = VarSet::new();
                    walk::values(&stmt.expr, &mut |atom| values.extend(atom.as_var()));
                    self.round(&par.body, &[], values);
                    for sink in &par.sinks {
                        if let Some(Combine::Lambda(lambda)) = &sink.combine {
                            self.round(&lambda.body, &lambda.params, VarSet::new());
                        }
                    }
                }
                _ => {}
            }
            walk::operands(&stmt.expr, &mut |atom| live.extend(atom.as_var()));
            walk::values(&stmt.expr, &mut |atom| live.extend(atom.as_var()));
            walk::blocks(&stmt.expr, &mut |inner| {
                walk::atoms(inner, &mut |atom| live.extend(atom.as_var()));
            });
        }
    }
}
