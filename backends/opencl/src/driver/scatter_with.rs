//! `scatter_with` of a wide par: each destination takes its values in the order of the iterations. The destinations are cut
//! into shares; the iterations are sorted by share, without changing their order inside one; then one work-item a share
//! combines.

use crate::render::body::Body;
use crate::render::types;
use crate::sink::Feed;
use crate::unit::{Kernel, Maker, Param, each};
use dsl_runtime::ir::{Combine, Type, VarSet};

/// The kernels.
#[derive(Clone, Debug)]
pub struct Shares {
    /// Counts what each tile of iterations has for each share.
    pub count: Kernel,
    /// Makes places of the counts.
    pub link: Kernel,
    /// Writes the iterations to their places.
    pub sort: Kernel,
    /// Combines, a share a work-item.
    pub fold: Kernel,
    /// Combines all iterations: where they are few.
    pub whole: Kernel,
}

impl Maker<'_> {
    /// The kernels of a `scatter_with`, whose indices and values lie in memory.
    pub(crate) fn combine_shares(
        &mut self,
        unit: usize,
        s: usize,
        feed: &Feed,
        types: &[Type],
    ) -> Shares {
        let index = Param::Values(s, 0, types[0].elem);
        let values = each(types, |k, ty| Param::Values(s, k, ty.elem));
        let results: Vec<Param> = types[1..]
            .iter()
            .enumerate()
            .map(|(k, ty)| Param::Result(s, k, ty.elem))
            .collect();
        let dest = feed.sink.outer[0].as_var().expect("arrays have names");
        let length = self.func.ty(dest).shape[0];
        let mut sizes: VarSet = length.as_var().into_iter().collect();
        let tile =
            "const ulong begin = get_global_id(0) * tile;\nconst ulong end = min(begin + tile, n);";

        let own = [
            Param::Extent,
            Param::Tile,
            Param::Span,
            Param::Shares,
            index.clone(),
        ];
        let body = Body::new(self.func, &[], &VarSet::new());
        let count = self.kernel(&format!("u{unit}_count{s}"), body, &sizes, &own, |body| {
            let length = body.atom(length);
            body.line(tile);
            body.line("__global ulong* const mine = places + get_global_id(0) * shares;");
            body.line("for (ulong share = 0; share < shares; share++) mine[share] = 0;");
            body.line("for (ulong i = begin; i < end; i++) {");
            body.line(format!("const ulong at = (ulong)v{s}_0[i];"));
            body.fail_if(&format!("at >= {length}"));
            body.line("mine[at / span]++;\n}");
        });
        let own = [Param::Tiles, Param::Span, Param::Shares];
        let body = Body::new(self.func, &[], &VarSet::new());
        let link = self.kernel(&format!("u{unit}_places{s}"), body, &VarSet::new(), &own, |body| {
            body.line("ulong sum = 0;");
            body.line("for (ulong share = 0; share < shares; share++) for (ulong t = 0; t < tiles; t++) {");
            body.line("const ulong here = places[t * shares + share];");
            body.line("places[t * shares + share] = sum;\nsum += here;\n}");
        });
        let own = [
            Param::Extent,
            Param::Tile,
            Param::Span,
            Param::Shares,
            Param::Sorted,
            index,
        ];
        let body = Body::new(self.func, &[], &VarSet::new());
        let sort = self.kernel(
            &format!("u{unit}_sort{s}"),
            body,
            &VarSet::new(),
            &own,
            |body| {
                body.line(tile);
                body.line("__global ulong* const mine = places + get_global_id(0) * shares;");
                body.line("for (ulong i = begin; i < end; i++) {");
                body.line(format!("sorted[mine[(ulong)v{s}_0[i] / span]++] = i;\n}}"));
            },
        );
        sizes.extend(match &feed.sink.combine {
            Some(Combine::Lambda(_)) => {
                let mut env = self.combining(&[&feed.sink]);
                feed.sink.outer.iter().for_each(|atom| {
                    env.remove(&atom.as_var().expect("arrays have names"));
                });
                env
            }
            _ => VarSet::new(),
        });
        let mut own = vec![
            Param::Extent,
            Param::Tiles,
            Param::Span,
            Param::Shares,
            Param::Sorted,
        ];
        own.extend(values.clone());
        own.extend(results.clone());
        let body = lambda_body(self.func, feed);
        let fold = self.kernel(&format!("u{unit}_fold{s}"), body, &sizes, &own, |body| {
            // After the sort, each tile's place is where the next one began: the last tile's is the share's end.
            // A group may have more work-items than there are shares.
            body.line("const ulong share = get_global_id(0);\nif (share >= shares) return;");
            body.line(
                "const ulong begin = share == 0 ? 0 : places[(tiles - 1) * shares + share - 1];",
            );
            body.line("const ulong end = places[(tiles - 1) * shares + share];");
            body.line("for (ulong q = begin; q < end; q++) {");
            body.line("const ulong i = sorted[q];");
            one(body, feed, types, s);
            body.line("}");
        });
        let mut own = vec![Param::Extent];
        own.extend(values);
        own.extend(results);
        let body = lambda_body(self.func, feed);
        let whole = self.kernel(&format!("u{unit}_whole{s}"), body, &sizes, &own, |body| {
            let length = body.atom(length);
            body.line("for (ulong i = 0; i < n; i++) {");
            body.fail_if(&format!("(ulong)v{s}_0[i] >= {length}"));
            one(body, feed, types, s);
            body.line("}");
        });
        Shares {
            count,
            link,
            sort,
            fold,
            whole,
        }
    }
}

fn lambda_body<'f>(func: &'f dsl_runtime::ir::Func, feed: &Feed) -> Body<'f> {
    match &feed.sink.combine {
        Some(Combine::Lambda(lambda)) => Body::new(func, &lambda.body.stmts, &VarSet::new()),
        _ => Body::new(func, &[], &VarSet::new()),
    }
}

/// Combines the values of iteration `i`.
fn one(body: &mut Body<'_>, feed: &Feed, types: &[Type], s: usize) {
    body.line(format!("const ulong at = (ulong)v{s}_0[i];"));
    let (mut olds, mut news) = (vec![], vec![]);
    for (k, ty) in types[1..].iter().enumerate() {
        let own = types::name(ty.elem);
        let old = types::from_memory(ty.elem, &format!("y{s}_{k}[at]"));
        let new = types::from_memory(ty.elem, &format!("v{s}_{}[i]", k + 1));
        body.line(format!("{own} old{k} = {old};"));
        body.line(format!("const {own} new{k} = {new};"));
        olds.push(format!("old{k}"));
        news.push(format!("new{k}"));
    }
    let combine = feed.sink.combine.as_ref().expect("it combines");
    body.combine(combine, &types[1..], &olds, &olds, &news);
    for (k, (ty, old)) in types[1..].iter().zip(&olds).enumerate() {
        body.line(format!(
            "y{s}_{k}[at] = {};",
            types::to_memory(ty.elem, old)
        ));
    }
}
