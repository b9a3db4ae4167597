//! Reductions of a part of the values, without a start.

use dsl_runtime::ir::build::Builder;
use dsl_runtime::ir::{
    Atom, Block, Combine, Const, Expr, Func, Lambda, ScalarOp, ScalarType, Sink, Type, Var, walk,
};
use std::collections::HashMap;

/// Makes a reduction give the total of its values without a start: of an operation by its identity, of a function by a flag that
/// says whether there was a value. Returns the name of the flag's result.
pub(super) fn partial(out: &mut Func, sink: &mut Sink) -> Option<Var> {
    match &mut sink.combine {
        Some(Combine::Op(op)) => {
            for start in &mut sink.outer {
                let ty = out.atom_type(*start).elem;
                *start = Atom::Const(op.identity(ty).expect("an operation that reduces"));
            }
            None
        }
        Some(Combine::Lambda(lambda)) => {
            let k = sink.outer.len();
            let types: Vec<ScalarType> = sink
                .outer
                .iter()
                .map(|&start| out.atom_type(start).elem)
                .collect();
            for (start, &ty) in sink.outer.iter_mut().zip(&types) {
                *start = Atom::Const(Const { ty, bits: 0 });
            }
            let no = Atom::Const(Const::bool(false));
            let yes = Atom::Const(Const::bool(true));
            sink.outer.insert(0, no);
            sink.values.insert(0, yes);
            let flag = Type::scalar(ScalarType::Bool);
            let (left, right) = (out.var("some", flag.clone()), out.var("some", flag.clone()));
            // What the two sides have, under names of their own; the function's own parameters are bound inside.
            let sides: Vec<Var> = (0..2 * k)
                .map(|at| out.var("v", Type::scalar(types[at % k])))
                .collect();
            let inner = std::mem::replace(
                lambda,
                Lambda {
                    params: vec![],
                    body: Block::default(),
                },
            );
            let mut b = Builder::new(out);
            let both = {
                let mut block = inner.body.clone();
                let map: HashMap<Var, Atom> = inner
                    .params
                    .iter()
                    .copied()
                    .zip(sides.iter().map(|&var| var.into()))
                    .collect();
                walk::substitute(&mut b.func.vars, &mut block, &map);
                block
            };
            let list = |sides: &[Var]| Block {
                stmts: vec![],
                results: sides.iter().map(|&var| var.into()).collect(),
            };
            let (lefts, rights) = sides.split_at(k);
            let names = |b: &mut Builder<'_>| -> Vec<Var> {
                types
                    .iter()
                    .map(|&ty| b.var("t", Type::scalar(ty)))
                    .collect()
            };
            b.begin();
            let joined = names(&mut b);
            b.push(joined.clone(), Expr::If(right.into(), both, list(lefts)));
            let some = b.end(joined.iter().map(|&var| var.into()).collect::<Vec<Atom>>());
            let all = names(&mut b);
            b.push(all.clone(), Expr::If(left.into(), some, list(rights)));
            let any = b.op(ScalarOp::Or, [left.into(), right.into()]);
            let (stmts, out) = b.finish();
            let mut results = vec![any];
            results.extend(all.iter().map(|&var| Atom::Var(var)));
            let mut params = vec![left];
            params.extend(lefts);
            params.push(right);
            params.extend(rights);
            *lambda = Lambda {
                params,
                body: Block { stmts, results },
            };
            Some(out.var("any", flag))
        }
        None => unreachable!("a reduction combines"),
    }
}
