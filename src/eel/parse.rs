//! Parses tokens into nodes. Recursion depth and program size are limited.

use super::error::CompileError;
use super::functions::{self, Binary, Comparison, Function, Unary};
use super::lex::{Kind, Token};
use super::scope::Scope;
use super::tree::{Home, Node, NodeId, Space};

/// Maximum nesting depth of an expression, low enough for the recursive parser to fit on a thread's stack.
const MAX_DEPTH: u16 = 200;
/// Maximum height of the tree, which exceeds the nesting depth in long operator chains.
const MAX_HEIGHT: u16 = 500;
/// Maximum number of nodes in a program.
const MAX_NODES: usize = 200_000;

/// State of the parser.
pub(super) struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    scope: &'a mut Scope,
    pub nodes: Vec<Node>,
    /// Height of each node, which is limited so that recursive passes over the tree fit on the stack.
    heights: Vec<u16>,
    nesting: u16,
}

/// Binary operators by precedence, lowest first, following REAPER's EEL2 manual: bitwise operators bind
/// tighter than comparisons, and `%` tighter than any other binary operator but `^`. Assignment, `?:`, `||`,
/// `&&` and `^` have their own functions.
const LEVELS: &[&[(&str, Binary)]] = &[
    &[
        ("==", Binary::Compare(Comparison::Equal)),
        ("===", Binary::Compare(Comparison::Equal)),
        ("!=", Binary::Compare(Comparison::NotEqual)),
        ("!==", Binary::Compare(Comparison::NotEqual)),
    ],
    &[
        ("<", Binary::Compare(Comparison::Less)),
        (">", Binary::Compare(Comparison::Greater)),
        ("<=", Binary::Compare(Comparison::LessEqual)),
        (">=", Binary::Compare(Comparison::GreaterEqual)),
    ],
    &[("|", Binary::BitOr), ("&", Binary::BitAnd), ("~", Binary::BitXor)],
    &[("+", Binary::Add), ("-", Binary::Subtract)],
    &[("*", Binary::Multiply), ("/", Binary::Divide)],
    &[("<<", Binary::ShiftLeft), (">>", Binary::ShiftRight)],
    &[("%", Binary::Modulo)],
];

const COMPOUND_ASSIGNMENTS: &[(&str, Binary)] = &[
    ("+=", Binary::Add),
    ("-=", Binary::Subtract),
    ("*=", Binary::Multiply),
    ("/=", Binary::Divide),
    ("%=", Binary::Modulo),
    ("^=", Binary::Power),
    ("|=", Binary::BitOr),
    ("&=", Binary::BitAnd),
    ("~=", Binary::BitXor),
];

type Parsed = Result<NodeId, CompileError>;

impl<'a> Parser<'a> {
    pub fn new(tokens: &'a [Token], scope: &'a mut Scope) -> Self {
        Self { tokens, at: 0, scope, nodes: Vec::new(), heights: Vec::new(), nesting: 0 }
    }

    /// Parses the whole program.
    pub fn program(&mut self) -> Parsed {
        let root = self.statements()?;
        match self.tokens.get(self.at) {
            None => Ok(root),
            Some(_) => Err(self.error("unexpected comma or closing bracket")),
        }
    }

    /// Parses statements up to a closing bracket, a comma or the end of the code.
    fn statements(&mut self) -> Parsed {
        let mut list = Vec::new();
        loop {
            while self.eat(";") {}
            if matches!(self.symbol(), Some(")" | "]" | ",")) || self.at >= self.tokens.len() {
                break;
            }
            list.push(self.expression()?);
            if !matches!(self.symbol(), Some(";" | ")" | "]" | ",")) && self.at < self.tokens.len() {
                return Err(self.error("expected an operator or ';'"));
            }
        }
        match list[..] {
            [] => self.push(Node::Number(0.0)),
            [only] => Ok(only),
            _ => self.push(Node::Sequence(list.into())),
        }
    }

    fn expression(&mut self) -> Parsed {
        self.nesting += 1;
        if self.nesting > MAX_DEPTH {
            return Err(self.error(format!("nested deeper than {MAX_DEPTH}")));
        }
        let result = self.assignment();
        self.nesting -= 1;
        result
    }

    fn assignment(&mut self) -> Parsed {
        let target = self.conditional()?;
        if self.eat("=") {
            let value = self.expression()?;
            return self.push(Node::Assign(target, value));
        }
        for &(symbol, operator) in COMPOUND_ASSIGNMENTS {
            if self.eat(symbol) {
                let value = self.expression()?;
                return self.push(Node::CompoundAssign(operator, target, value));
            }
        }
        Ok(target)
    }

    fn conditional(&mut self) -> Parsed {
        let condition = self.logical_or()?;
        if !self.eat("?") {
            return Ok(condition);
        }
        let yes = self.expression()?;
        let no = if self.eat(":") { self.expression()? } else { self.push(Node::Number(0.0))? };
        self.push(Node::If(condition, yes, no))
    }

    fn logical_or(&mut self) -> Parsed {
        let mut left = self.logical_and()?;
        while self.eat("||") {
            let right = self.logical_and()?;
            left = self.push(Node::Or(left, right))?;
        }
        Ok(left)
    }

    fn logical_and(&mut self) -> Parsed {
        let mut left = self.binary(0)?;
        while self.eat("&&") {
            let right = self.binary(0)?;
            left = self.push(Node::And(left, right))?;
        }
        Ok(left)
    }

    fn binary(&mut self, level: usize) -> Parsed {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some(&(_, operator)) =
            self.symbol().and_then(|symbol| operators.iter().find(|(known, _)| *known == symbol))
        {
            self.at += 1;
            let right = self.binary(level + 1)?;
            left = self.push(Node::Binary(operator, left, right))?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        let Some(symbol @ ("-" | "+" | "!")) = self.symbol() else { return self.power() };
        self.nesting += 1;
        if self.nesting > MAX_DEPTH {
            return Err(self.error(format!("nested deeper than {MAX_DEPTH}")));
        }
        self.at += 1;
        let value = self.unary()?;
        self.nesting -= 1;
        match symbol {
            "-" => self.push(Node::Unary(Unary::Negate, value)),
            "!" => self.push(Node::Not(value)),
            _ => Ok(value),
        }
    }

    fn power(&mut self) -> Parsed {
        let mut base = self.index()?;
        while self.eat("^") {
            let exponent = match self.symbol() {
                Some("-" | "+" | "!") => self.unary()?,
                _ => self.index()?,
            };
            base = self.push(Node::Binary(Binary::Power, base, exponent))?;
        }
        Ok(base)
    }

    /// Parses `base[offset]`, which is `megabuf(base + offset)`, and `gmem[index]`, which is `gmegabuf(index)`.
    fn index(&mut self) -> Parsed {
        let global = matches!(&self.tokens[self.at.min(self.tokens.len())..],
            [Token { kind: Kind::Name(name), .. }, Token { kind: Kind::Symbol("["), .. }, ..] if name == "gmem");
        let mut value = if global {
            self.at += 2;
            let index = self.statements()?;
            self.expect("]")?;
            self.push(Node::Memory(Space::Global, index))?
        } else {
            self.primary()?
        };
        while self.eat("[") {
            let offset = self.statements()?;
            self.expect("]")?;
            let index = self.push(Node::Binary(Binary::Add, value, offset))?;
            value = self.push(Node::Memory(Space::Local, index))?;
        }
        Ok(value)
    }

    fn primary(&mut self) -> Parsed {
        let Some(token) = self.tokens.get(self.at) else { return Err(self.error("unexpected end of code")) };
        match &token.kind {
            Kind::Number(value) => {
                self.at += 1;
                self.push(Node::Number(*value))
            }
            Kind::Name(name) => {
                self.at += 1;
                if self.symbol() == Some("(") { self.call(name) } else { self.variable(name) }
            }
            Kind::Symbol("(") => {
                self.at += 1;
                let value = self.statements()?;
                self.expect(")")?;
                Ok(value)
            }
            Kind::Symbol(symbol) => Err(self.error(format!("unexpected '{symbol}'"))),
        }
    }

    fn variable(&mut self, name: &str) -> Parsed {
        let register = name.strip_prefix("reg").filter(|digits| digits.len() == 2);
        if let Some(number) = register.and_then(|digits| digits.parse().ok()) {
            return self.push(Node::Name(Home::Register(number)));
        }
        let slot = self.scope.var(name).slot() as u32;
        self.push(Node::Name(Home::Variable(slot)))
    }

    fn call(&mut self, name: &str) -> Parsed {
        let start = self.at;
        self.at += 1;
        let mut arguments = Vec::new();
        if self.symbol() != Some(")") {
            loop {
                arguments.push(self.statements()?);
                if !self.eat(",") {
                    break;
                }
            }
        }
        self.expect(")")?;
        let call = self.build_call(name, &arguments);
        call.unwrap_or_else(|message| {
            let at = self.tokens.get(start.saturating_sub(1)).map_or(0, |token| token.at);
            Err(CompileError::new(at, message))
        })
    }

    fn build_call(&mut self, name: &str, arguments: &[NodeId]) -> Result<Parsed, String> {
        let node = match (name, arguments) {
            ("if" | "_if", &[condition, yes, no]) => Node::If(condition, yes, no),
            ("if" | "_if", &[condition, yes]) => {
                let no = match self.push(Node::Number(0.0)) {
                    Ok(no) => no,
                    Err(error) => return Ok(Err(error)),
                };
                Node::If(condition, yes, no)
            }
            ("exec2" | "exec3", _) if !arguments.is_empty() => Node::Sequence(arguments.into()),
            ("loop", &[count, body]) => Node::Loop(count, body),
            ("while", &[body]) => Node::While(body),
            ("_and", &[a, b]) => Node::And(a, b),
            ("_or", &[a, b]) => Node::Or(a, b),
            ("assign" | "_set", &[target, value]) => Node::Assign(target, value),
            ("megabuf" | "_mem", &[index]) => Node::Memory(Space::Local, index),
            ("gmegabuf" | "gmem" | "_gmem", &[index]) => Node::Memory(Space::Global, index),
            _ => match (functions::find(name), arguments) {
                (Some(Function::Unary(function)), &[x]) => Node::Unary(function, x),
                (Some(Function::Binary(function)), &[x, y]) => Node::Binary(function, x, y),
                (Some(Function::Not), &[x]) => Node::Not(x),
                (Some(Function::Random), &[x]) => Node::Random(x),
                (Some(Function::Free), &[x]) => Node::Free(x),
                (Some(Function::Move(function)), &[x, y, z]) => Node::Move(function, x, y, z),
                (Some(Function::Assign(operator)), &[target, value]) => {
                    Node::CompoundAssign(operator, target, value)
                }
                (Some(function), given) => {
                    let expected = function.arguments();
                    let unit = if expected == 1 { "argument" } else { "arguments" };
                    return Err(format!("{name} takes {expected} {unit}, got {}", given.len()));
                }
                (None, _) => return Err(format!("unknown function {name}")),
            },
        };
        Ok(self.push(node))
    }

    fn push(&mut self, node: Node) -> Parsed {
        if self.nodes.len() >= MAX_NODES {
            return Err(self.error(format!("more than {MAX_NODES} nodes")));
        }
        let height = 1 + self.tallest_child(&node);
        if height > MAX_HEIGHT {
            return Err(self.error(format!("expression tree deeper than {MAX_HEIGHT}")));
        }
        self.nodes.push(self.fold_constants(node));
        self.heights.push(height);
        Ok((self.nodes.len() - 1) as NodeId)
    }

    /// Returns the height of the tallest child; 0 if there are no children.
    fn tallest_child(&self, node: &Node) -> u16 {
        let mut tallest = 0;
        node.children(|child| tallest = tallest.max(self.heights[child as usize]));
        tallest
    }

    /// Replaces a pure operator or function whose operands are all constant with its result.
    fn fold_constants(&self, node: Node) -> Node {
        let number = |id: NodeId| match self.nodes[id as usize] {
            Node::Number(value) => Some(value),
            _ => None,
        };
        match node {
            Node::Binary(binary, a, b) => match (number(a), number(b)) {
                (Some(a), Some(b)) => Node::Number(binary.apply(a, b)),
                _ => node,
            },
            Node::Unary(unary, a) => number(a).map_or(node, |a| Node::Number(unary.apply(a))),
            _ => node,
        }
    }

    fn symbol(&self) -> Option<&'static str> {
        match self.tokens.get(self.at)?.kind {
            Kind::Symbol(symbol) => Some(symbol),
            _ => None,
        }
    }

    /// Consumes the next token and returns true if it is `symbol`.
    fn eat(&mut self, symbol: &str) -> bool {
        let found = self.symbol() == Some(symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), CompileError> {
        if self.eat(symbol) { Ok(()) } else { Err(self.error(format!("expected '{symbol}'"))) }
    }

    fn error(&self, message: impl Into<String>) -> CompileError {
        let at = self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |token| token.at);
        CompileError::new(at, message)
    }
}
