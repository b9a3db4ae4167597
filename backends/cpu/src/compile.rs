//! From the statements of a scheduled function to units of machine code.

use crate::abi::{EnvSlot, Site, SlotUse};
use crate::jit::{Handle, Jit};
use crate::unit::{Mode, ParUnit, RegionUnit, ScanUnit, Units};
use crate::vector::{Chunk, Emit, Plan, free_names, fuses_scans};
use dsl_runtime::backend::CompileError;
use dsl_runtime::ir::{Expr, Func, Par, Sink, SinkKind, Stmt, Var, VarSet};
use std::sync::Arc;

/// Compiles the units of a function.
pub struct Compiler<'f> {
    func: &'f Func,
    mode: Mode,
    plan: Plan,
    strided: &'f VarSet,
    jit: Jit,
    data: Vec<Arc<[u64]>>,
    pars: Vec<PendingPar>,
    regions: Vec<PendingRegion>,
}

struct PendingPar {
    env: Vec<EnvSlot>,
    slots: Vec<(usize, SlotUse)>,
    main: Handle,
    count: Option<Handle>,
    scan: Option<(Handle, Option<Handle>)>,
    combine: Vec<Option<Handle>>,
    sites: Vec<Site>,
    values: Vec<usize>,
}

struct PendingRegion {
    env: Vec<EnvSlot>,
    results: Vec<Var>,
    main: Handle,
    sites: Vec<Site>,
}

impl<'f> Compiler<'f> {
    /// For a function; `strided` are the parameters that come with distances of their own.
    pub fn new(func: &'f Func, mode: Mode, strided: &'f VarSet) -> Self {
        Compiler {
            func,
            mode,
            plan: Plan::new(func, mode),
            strided,
            jit: Jit::default(),
            data: vec![],
            pars: vec![],
            regions: vec![],
        }
    }

    /// Keeps the code as text too.
    pub fn listed(mut self) -> Self {
        self.jit.list();
        self
    }

    /// Compiles a statement that is a par as a unit whose chunks drivers run; yields its number.
    pub fn par(&mut self, stmt: &Stmt) -> Result<usize, CompileError> {
        let Expr::Par(par) = &stmt.expr else {
            return Err(CompileError::Internal(
                "cpu: only a par is a unit of its own".into(),
            ));
        };
        // Start values and destinations are the driver's business.
        let mut inside = stmt.clone();
        if let Expr::Par(par) = &mut inside.expr {
            par.sinks.iter_mut().for_each(|sink| sink.outer.clear());
        }
        let env = self.environment(&[inside], &[], &VarSet::new(), false);
        let slots = slots(par);
        let mut sites = vec![];
        let has = |test: fn(SinkKind) -> bool| par.sinks.iter().any(|s| test(s.kind));
        let scans = has(|k| {
            matches!(
                k,
                SinkKind::Scan | SinkKind::ExScan | SinkKind::RScan | SinkKind::RExScan
            )
        });
        let main = self.chunk(&env, &slots, par, Chunk::Main, &mut sites)?;
        let count = match has(|k| k == SinkKind::Filter) {
            true => Some(self.chunk(&env, &slots, par, Chunk::Count, &mut sites)?),
            false => None,
        };
        let scan = if !scans {
            None
        } else if fuses_scans(&self.plan, par) {
            Some((
                self.chunk(&env, &slots, par, Chunk::Totals, &mut sites)?,
                None,
            ))
        } else {
            let totals = self.chunk(&env, &slots, par, Chunk::PlaceTotals, &mut sites)?;
            let finish = self.chunk(&env, &slots, par, Chunk::PlaceFinish, &mut sites)?;
            Some((totals, Some(finish)))
        };
        let mut combine = vec![];
        for sink in &par.sinks {
            combine.push(match sink.combine {
                Some(_) => Some(self.combine(&env, sink, &mut sites)?),
                None => None,
            });
        }
        self.pars.push(PendingPar {
            env,
            slots,
            main,
            count,
            scan,
            combine,
            sites,
            values: par.sinks.iter().map(value_count).collect(),
        });
        Ok(self.pars.len() - 1)
    }

    /// Compiles statements that run in sequence; yields the number of the unit. `live_out` are the names that are used
    /// afterwards; `dying`, arrays from outside that nobody uses afterwards: their references go to the region.
    pub fn region(
        &mut self,
        stmts: &[Stmt],
        live_out: &[Var],
        dying: &VarSet,
    ) -> Result<usize, CompileError> {
        let env = self.environment(stmts, live_out, dying, true);
        let known: VarSet = env
            .iter()
            .filter_map(|slot| match slot {
                EnvSlot::Data(var) => Some(*var),
                _ => None,
            })
            .collect();
        let dying: VarSet = dying.intersection(&known).copied().collect();
        let mut sites = vec![];
        let (func, mode, plan, data) = (self.func, self.mode, &self.plan, &mut self.data);
        let name = format!("{}.region{}", func.name, self.regions.len());
        let main = self.jit.define(&name, 1, |isa, params| {
            let mut emit = Emit::new(isa, func, mode, plan, &mut sites, data, params[0]);
            emit.environment(&env);
            emit.adopt(&dying);
            emit.region(stmts, live_out);
            emit.finish()
        })?;
        self.regions.push(PendingRegion {
            env,
            results: live_out.to_vec(),
            main,
            sites,
        });
        Ok(self.regions.len() - 1)
    }

    /// Makes the code ready to run.
    pub fn finish(self) -> Result<Units, CompileError> {
        let code = self.jit.finish()?;
        let pars = self.pars.into_iter().map(|p| ParUnit {
            env: p.env,
            slots: p.slots,
            main: code.chunk(p.main),
            count: p.count.map(|h| code.chunk(h)),
            scan: p.scan.map(|(totals, finish)| ScanUnit {
                totals: code.chunk(totals),
                finish: finish.map(|h| code.chunk(h)),
            }),
            combine: p
                .combine
                .into_iter()
                .map(|c| c.map(|h| code.combine(h)))
                .collect(),
            sites: p.sites,
            values: p.values,
        });
        let pars = pars.collect();
        let regions = self.regions.into_iter().map(|r| RegionUnit {
            env: r.env,
            results: r.results,
            main: code.region(r.main),
            sites: r.sites,
        });
        Ok(Units {
            regions: regions.collect(),
            pars,
            code,
            data: self.data,
        })
    }

    fn chunk(
        &mut self,
        env: &[EnvSlot],
        slots: &[(usize, SlotUse)],
        par: &Par,
        which: Chunk,
        sites: &mut Vec<Site>,
    ) -> Result<Handle, CompileError> {
        let (func, mode, plan, data) = (self.func, self.mode, &self.plan, &mut self.data);
        let suffix = match which {
            Chunk::Main => "",
            Chunk::Count => ".count",
            Chunk::Totals | Chunk::PlaceTotals => ".totals",
            Chunk::PlaceFinish => ".finish",
        };
        let name = format!("{}.par{}{suffix}", func.name, self.pars.len());
        self.jit.define(&name, 3, |isa, params| {
            let mut emit = Emit::new(isa, func, mode, plan, sites, data, params[0]);
            emit.environment(env);
            emit.chunk(par, which, slots, params[1], params[2]);
            emit.finish()
        })
    }

    fn combine(
        &mut self,
        env: &[EnvSlot],
        sink: &Sink,
        sites: &mut Vec<Site>,
    ) -> Result<Handle, CompileError> {
        let (func, mode, plan, data) = (self.func, self.mode, &self.plan, &mut self.data);
        let name = format!("{}.par{}.{}", func.name, self.pars.len(), sink.kind.name());
        self.jit.define(&name, 4, |isa, params| {
            let mut emit = Emit::new(isa, func, mode, plan, sites, data, params[0]);
            emit.environment(env);
            emit.combiner(sink, params[1], params[2], params[3]);
            emit.finish()
        })
    }

    /// What statements need from outside.
    fn environment(
        &self,
        stmts: &[Stmt],
        live_out: &[Var],
        dying: &VarSet,
        region: bool,
    ) -> Vec<EnvSlot> {
        let free = free_names(self.func, stmts, live_out, dying);
        let mut env = vec![];
        for var in free {
            let ty = self.func.ty(var);
            if ty.is_scalar() {
                env.push(EnvSlot::Scalar(var));
                continue;
            }
            env.push(EnvSlot::Data(var));
            if region {
                env.push(EnvSlot::Block(var));
            }
            if self.strided.contains(&var) {
                env.extend((0..ty.rank()).map(|d| EnvSlot::Stride(var, d)));
            }
        }
        env
    }
}

/// How many values a sink combines or writes.
fn value_count(sink: &Sink) -> usize {
    match sink.kind {
        SinkKind::Filter | SinkKind::Scatter | SinkKind::ScatterWith => sink.values.len() - 1,
        _ => sink.values.len(),
    }
}

/// The slots of a par.
fn slots(par: &Par) -> Vec<(usize, SlotUse)> {
    let mut slots = vec![];
    for (k, sink) in par.sinks.iter().enumerate() {
        let (first, each, count) = match sink.kind {
            SinkKind::Collect => (None, SlotUse::Result, 1),
            SinkKind::Reduce => (Some(SlotUse::Partial), SlotUse::Result, 0),
            SinkKind::Filter => (Some(SlotUse::Kept), SlotUse::Values, value_count(sink)),
            SinkKind::Scatter | SinkKind::ScatterWith => {
                (Some(SlotUse::Index), SlotUse::Values, value_count(sink))
            }
            _ => (Some(SlotUse::Carry), SlotUse::Result, sink.values.len()),
        };
        slots.extend(first.map(|usage| (k, usage)));
        slots.extend(std::iter::repeat_n((k, each), count));
    }
    slots
}
