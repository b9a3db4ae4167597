//! Statements: from an operation's word to the expression behind it.

use super::{Operand, Parsed, Parser};
use crate::ir::lex::Token;
use crate::ir::print::{operand_type, outer_count, sink_types};
use crate::ir::{
    Atom, Block, Check, Combine, Const, Data, Expr, Fault, Index, Lambda, Level, Loop, LoopKind,
    Par, Place, ScalarOp, ScalarType, Sink, SinkKind, Stmt, Type, Var,
};

impl Parser<'_> {
    pub(super) fn stmt(&mut self) -> Parsed<Stmt> {
        let mut defs = vec![];
        if matches!(self.peek(), Token::Name(_)) {
            defs = self.some(Self::bind_typed)?;
            self.sign("=")?;
        }
        let types: Vec<_> = defs.iter().map(|&def| self.elem_of(def)).collect();
        let expr = self.expr(&types)?;
        Ok(Stmt {
            defs,
            expr,
            place: Place::default(),
        })
    }

    fn expr(&mut self, types: &[Option<ScalarType>]) -> Parsed<Expr> {
        let result = types.first().copied().flatten();
        let Token::Word(word) = *self.peek() else {
            return self.expected("an operation");
        };
        let at = self.at;
        self.next();
        Ok(match word {
            "cast" => Expr::Cast(self.scalar_type()?, self.atom(None)?),
            "bits" => Expr::Bits(self.scalar_type()?, self.atom(None)?),
            "index" | "index.in" => Expr::Index(self.index(word == "index")?),
            "update" | "update.in" => {
                let index = self.index(word == "update")?;
                self.sign("=")?;
                let elem = self.elem_of(index.array);
                Expr::Update(index, self.atom(elem)?)
            }
            "array" => {
                self.sign("[")?;
                Expr::Array(self.list("]", |p| p.atom(result))?)
            }
            "data" => Expr::Data(self.data()?),
            "reshape" => {
                let array = self.name()?;
                self.sign("[")?;
                Expr::Reshape(array, self.list("]", Self::size)?)
            }
            "check" => Expr::Check(self.check()?),
            "if" => {
                let cond = self.atom(Some(ScalarType::Bool))?;
                self.sign("{")?;
                let then = self.block("yield", types)?;
                self.word("else")?;
                self.sign("{")?;
                Expr::If(cond, then, self.block("yield", types)?)
            }
            "loop" => Expr::Loop(self.looping()?),
            "par" | "par.inner" => Expr::Par(self.par(word == "par.inner", types)?),
            _ => match ScalarOp::parse(word) {
                Some(op) => self.op(op, result)?,
                None => return self.error_at(at, format!("there is no operation `{word}`")),
            },
        })
    }

    fn op(&mut self, op: ScalarOp, result: Option<ScalarType>) -> Parsed<Expr> {
        let operands = self.some(Self::operand)?;
        let named = operands.iter().find_map(|operand| match operand {
            Operand::Atom(Atom::Var(var)) => self.elem_of(*var),
            _ => None,
        });
        let numbered = operands.into_iter().enumerate();
        let atoms = numbered
            .map(|(at, operand)| self.resolve(operand, operand_type(op, at, result, named)));
        Ok(Expr::Op(op, atoms.collect::<Parsed<_>>()?))
    }

    fn index(&mut self, checked: bool) -> Parsed<Index> {
        let array = self.name()?;
        self.sign("[")?;
        Ok(Index {
            array,
            indices: self.list("]", Self::size)?,
            checked,
        })
    }

    fn data(&mut self) -> Parsed<Data> {
        let at = self.at;
        self.sign("[")?;
        let shape = self.list("]", |p| {
            let at = p.at;
            match p.size()? {
                Atom::Const(Const { bits, .. }) => Ok(bits as usize),
                Atom::Var(_) => p.error_at(at, "the shape of constant data is constant"),
            }
        })?;
        let elem = self.scalar_type()?;
        self.sign("{")?;
        let bits = self.list("}", |p| {
            let at = p.at;
            match p.atom(Some(elem))? {
                Atom::Const(value) if value.ty == elem => Ok(value.bits),
                _ => p.error_at(at, format!("expected a constant of type {elem}")),
            }
        })?;
        let wanted = shape.iter().try_fold(1usize, |n, &len| n.checked_mul(len));
        if wanted != Some(bits.len()) {
            return self.error_at(
                at,
                format!("{} elements do not fill this shape", bits.len()),
            );
        }
        Ok(Data {
            elem,
            shape,
            bits: bits.into(),
        })
    }

    fn check(&mut self) -> Parsed<Check> {
        let at = self.at;
        let Token::Word(word) = self.next() else {
            return self.error_at(at, "expected the name of a fault");
        };
        let fault = match (word, self.peek().clone()) {
            ("assert", Token::Text(message)) => {
                self.next();
                Fault::Assert(message)
            }
            ("assert", _) => return self.expected("the message of the assertion"),
            _ => match Fault::parse(word) {
                Some(fault) => fault,
                None => return self.error_at(at, format!("there is no fault `{word}`")),
            },
        };
        let cond = self.atom(Some(ScalarType::Bool))?;
        let mut operands = vec![];
        while self.accept(",") {
            operands.push(self.size()?);
        }
        Ok(Check {
            cond,
            fault,
            operands,
        })
    }

    fn looping(&mut self) -> Parsed<Loop> {
        let at = self.at;
        let Token::Word(word @ ("for" | "while")) = self.next() else {
            return self.error_at(at, "expected `for` or `while`");
        };
        let counter = if word == "for" {
            Some(self.range()?)
        } else {
            None
        };
        self.sign("(")?;
        let carried = self.list(")", |p| {
            let var = p.bind_typed()?;
            p.sign("=")?;
            Ok((var, p.atom(p.elem_of(var))?))
        })?;
        let types: Vec<_> = carried.iter().map(|&(var, _)| self.elem_of(var)).collect();
        self.sign("{")?;
        let kind = match counter {
            Some((index, extent)) => LoopKind::For { index, extent },
            None => {
                let cond = self.block("yield", &[Some(ScalarType::Bool)])?;
                self.sign("{")?;
                LoopKind::While(cond)
            }
        };
        Ok(Loop {
            kind,
            carried,
            body: self.block("yield", &types)?,
        })
    }

    /// `%i in 0..%n`.
    fn range(&mut self) -> Parsed<(Var, Atom)> {
        let index = self.bind(Type::index())?;
        self.word("in")?;
        if self.peek() != &Token::Number("0") {
            return self.expected("`0`: counting starts there");
        }
        self.next();
        self.sign("..")?;
        Ok((index, self.size()?))
    }

    fn par(&mut self, inner: bool, types: &[Option<ScalarType>]) -> Parsed<Par> {
        let mut levels = vec![];
        if self.accept("[") {
            while !self.accept("]") {
                let level = match *self.peek() {
                    Token::Word(word) => Level::parse(word),
                    _ => None,
                };
                match level {
                    Some(level) => levels.push(level),
                    None => return self.expected("a level such as `threads`"),
                }
                self.next();
            }
        }
        self.sign("(")?;
        let (index, extent) = self.range()?;
        self.sign(")")?;
        self.sign("{")?;
        self.enter()?;
        let mut par = Par {
            index,
            extent,
            body: Block::default(),
            sinks: vec![],
            inner,
            levels,
        };
        let mut types = types;
        while !self.accept("}") {
            if self.peek() == &Token::End {
                return self.unclosed();
            }
            let start = self.at;
            let kind = match *self.peek() {
                Token::Word(word) => SinkKind::parse(word),
                _ => None,
            };
            let parsed = match kind {
                Some(kind) => self.sink(kind, types).map(|sink| {
                    types = types.get(sink.results()..).unwrap_or(&[]);
                    par.sinks.push(sink);
                }),
                None if par.sinks.is_empty() => self.stmt().map(|stmt| par.body.stmts.push(stmt)),
                None => self.expected("a sink or `}`: statements stand before the sinks"),
            };
            if let Err(mistake) = parsed {
                self.report(mistake);
                self.recover(start);
            }
        }
        self.depth -= 1;
        Ok(par)
    }

    fn sink(&mut self, kind: SinkKind, types: &[Option<ScalarType>]) -> Parsed<Sink> {
        let at = self.at;
        self.next();
        let combine = match *self.peek() {
            Token::Sign("(") => Some(Combine::Lambda(self.lambda()?)),
            Token::Word(word) => match ScalarOp::parse(word) {
                Some(op) => {
                    self.next();
                    Some(Combine::Op(op))
                }
                None => None,
            },
            _ => None,
        };
        if combine.is_some() != kind.combines() {
            let name = kind.name();
            return self.error_at(
                at,
                match kind.combines() {
                    true => format!("{name} needs a combining function, such as `{name} add …`"),
                    false => format!("{name} takes no combining function"),
                },
            );
        }
        let operands = self.some(Self::operand)?;
        let contexts = sink_types(kind, operands.len(), types);
        let mut values: Vec<Atom> = vec![];
        for (operand, context) in operands.into_iter().zip(contexts) {
            values.push(self.resolve(operand, context)?);
        }
        let outer = values.drain(..outer_count(kind, values.len())).collect();
        Ok(Sink {
            kind,
            outer,
            values,
            combine,
            place: Place::default(),
        })
    }

    fn lambda(&mut self) -> Parsed<Lambda> {
        self.sign("(")?;
        let params = self.list(")", Self::bind_typed)?;
        let types: Vec<_> = params.iter().map(|&var| self.elem_of(var)).collect();
        self.sign("{")?;
        Ok(Lambda {
            params,
            body: self.block("yield", &types)?,
        })
    }
}
