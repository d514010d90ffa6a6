//! Tokens to nodes, by precedence climbing. Recursion and size are bounded.

use super::compile::{CompileError, Scope};
use super::functions::{self, Operator};
use super::lex::{Kind, Token};
use super::tree::{Node, NodeId};

/// Deepest nesting of one expression.
const MAX_DEPTH: u16 = 400;
/// Most nodes of one program.
const MAX_NODES: usize = 200_000;

/// What is being built.
pub(super) struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    scope: &'a mut Scope,
    pub nodes: Vec<Node>,
    /// Height of each node, so that walking it is known to stay within the stack.
    heights: Vec<u16>,
    nesting: u16,
}

/// Strength of two-sided operators, loosest first, as the EEL2 manual of REAPER lists them: bits inside comparisons,
/// the remainder inside everything but powers. Assignment and `?:` are handled apart.
const LEVELS: &[&[(&str, Operator)]] = &[
    &[
        ("==", Operator::Equal),
        ("===", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("!==", Operator::NotEqual),
    ],
    &[
        ("<", Operator::Less),
        (">", Operator::Greater),
        ("<=", Operator::LessEqual),
        (">=", Operator::GreaterEqual),
    ],
    &[("|", Operator::BitOr), ("&", Operator::BitAnd), ("~", Operator::BitXor)],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide)],
    &[("<<", Operator::ShiftLeft), (">>", Operator::ShiftRight)],
    &[("%", Operator::Modulo)],
];

const UPDATES: &[(&str, Operator)] = &[
    ("+=", Operator::Add),
    ("-=", Operator::Subtract),
    ("*=", Operator::Multiply),
    ("/=", Operator::Divide),
    ("%=", Operator::Modulo),
    ("^=", Operator::Power),
    ("|=", Operator::BitOr),
    ("&=", Operator::BitAnd),
];

type Parsed = Result<NodeId, CompileError>;

impl<'a> Parser<'a> {
    pub fn new(tokens: &'a [Token], scope: &'a mut Scope) -> Self {
        Self { tokens, at: 0, scope, nodes: Vec::new(), heights: Vec::new(), nesting: 0 }
    }

    /// The whole program: statements up to the end of the text.
    pub fn program(&mut self) -> Parsed {
        let root = self.statements()?;
        match self.tokens.get(self.at) {
            None => Ok(root),
            Some(_) => Err(self.error("unexpected closing bracket")),
        }
    }

    /// Statements up to a closing bracket, a comma or the end.
    fn statements(&mut self) -> Parsed {
        let mut list = Vec::new();
        loop {
            while self.take(";") {}
            if matches!(self.sign(), Some(")" | "]" | ",")) || self.at >= self.tokens.len() {
                break;
            }
            list.push(self.expression()?);
            if !matches!(self.sign(), Some(";" | ")" | "]" | ",")) && self.at < self.tokens.len() {
                return Err(self.error("an operator or ';' is missing"));
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
        let place = self.conditional()?;
        if self.take("=") {
            let value = self.expression()?;
            return self.push(Node::Assign(place, value));
        }
        for &(sign, operator) in UPDATES {
            if self.take(sign) {
                let value = self.expression()?;
                return self.push(Node::Update(operator, place, value));
            }
        }
        Ok(place)
    }

    fn conditional(&mut self) -> Parsed {
        let condition = self.either()?;
        if !self.take("?") {
            return Ok(condition);
        }
        let yes = self.expression()?;
        let no = if self.take(":") { self.expression()? } else { self.push(Node::Number(0.0))? };
        self.push(Node::If(condition, yes, no))
    }

    fn either(&mut self) -> Parsed {
        let mut left = self.both()?;
        while self.take("||") {
            let right = self.both()?;
            left = self.push(Node::Or(left, right))?;
        }
        Ok(left)
    }

    fn both(&mut self) -> Parsed {
        let mut left = self.level(0)?;
        while self.take("&&") {
            let right = self.level(0)?;
            left = self.push(Node::And(left, right))?;
        }
        Ok(left)
    }

    fn level(&mut self, level: usize) -> Parsed {
        let Some(operators) = LEVELS.get(level) else { return self.prefixed() };
        let mut left = self.level(level + 1)?;
        while let Some(&(_, operator)) =
            self.sign().and_then(|sign| operators.iter().find(|(known, _)| *known == sign))
        {
            self.at += 1;
            let right = self.level(level + 1)?;
            left = self.push(Node::Binary(operator, left, right))?;
        }
        Ok(left)
    }

    fn prefixed(&mut self) -> Parsed {
        let Some(sign @ ("-" | "+" | "!")) = self.sign() else { return self.power() };
        self.nesting += 1;
        if self.nesting > MAX_DEPTH {
            return Err(self.error(format!("nested deeper than {MAX_DEPTH}")));
        }
        self.at += 1;
        let value = self.prefixed()?;
        self.nesting -= 1;
        match sign {
            "-" => self.push(Node::Negate(value)),
            "!" => self.push(Node::Not(value)),
            _ => Ok(value),
        }
    }

    fn power(&mut self) -> Parsed {
        let mut base = self.indexed()?;
        while self.take("^") {
            let exponent = match self.sign() {
                Some("-" | "+" | "!") => self.prefixed()?,
                _ => self.indexed()?,
            };
            base = self.push(Node::Binary(Operator::Power, base, exponent))?;
        }
        Ok(base)
    }

    /// `base[offset]` is `megabuf(base + offset)`.
    fn indexed(&mut self) -> Parsed {
        let mut value = self.atom()?;
        while self.take("[") {
            let offset = self.statements()?;
            self.expect("]")?;
            let index = self.push(Node::Binary(Operator::Add, value, offset))?;
            value = self.push(Node::Mega(index))?;
        }
        Ok(value)
    }

    fn atom(&mut self) -> Parsed {
        let Some(token) = self.tokens.get(self.at) else { return Err(self.error("the code ends too early")) };
        match &token.kind {
            Kind::Number(value) => {
                self.at += 1;
                self.push(Node::Number(*value))
            }
            Kind::Name(name) => {
                self.at += 1;
                if self.sign() == Some("(") { self.call(name) } else { self.variable(name) }
            }
            Kind::Sign("(") => {
                self.at += 1;
                self.nesting += 1;
                if self.nesting > MAX_DEPTH {
                    return Err(self.error(format!("nested deeper than {MAX_DEPTH}")));
                }
                let value = self.statements()?;
                self.nesting -= 1;
                self.expect(")")?;
                Ok(value)
            }
            Kind::Sign(sign) => Err(self.error(format!("unexpected '{sign}'"))),
        }
    }

    fn variable(&mut self, name: &str) -> Parsed {
        let register = name.strip_prefix("reg").filter(|digits| digits.len() == 2);
        if let Some(number) = register.and_then(|digits| digits.parse().ok()) {
            return self.push(Node::Register(number));
        }
        let slot = self.scope.var(name).slot() as u32;
        self.push(Node::Variable(slot))
    }

    fn call(&mut self, name: &str) -> Parsed {
        let start = self.at;
        self.at += 1;
        let mut arguments = Vec::new();
        if self.sign() != Some(")") {
            loop {
                arguments.push(self.statements()?);
                if !self.take(",") {
                    break;
                }
            }
        }
        self.expect(")")?;
        let call = self.build_call(name, &arguments);
        call.unwrap_or_else(|what| {
            let at = self.tokens.get(start.saturating_sub(1)).map_or(0, |token| token.at);
            Err(CompileError::new(at, what))
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
            ("assign" | "_set", &[place, value]) => Node::Assign(place, value),
            ("megabuf", &[index]) => Node::Mega(index),
            ("gmegabuf" | "gmem", &[index]) => Node::GlobalMega(index),
            ("_neg", &[value]) => Node::Negate(value),
            _ => match (functions::find(name), arguments) {
                (Some((function, 1)), &[x]) => Node::Call1(function, x),
                (Some((function, 2)), &[x, y]) => Node::Call2(function, x, y),
                (Some((function, 3)), &[x, y, z]) => Node::Call3(function, x, y, z),
                (Some((_, wanted)), given) => {
                    return Err(format!("{name} takes {wanted} arguments, not {}", given.len()));
                }
                (None, _) => return Err(format!("unknown function {name}")),
            },
        };
        Ok(self.push(node))
    }

    fn push(&mut self, node: Node) -> Parsed {
        if self.nodes.len() >= MAX_NODES {
            return Err(self.error(format!("more than {MAX_NODES} operations")));
        }
        let height = 1 + self.tallest_child(&node);
        if height > MAX_DEPTH * 2 {
            return Err(self.error(format!("an expression of more than {} steps", MAX_DEPTH * 2)));
        }
        self.nodes.push(self.folded(node));
        self.heights.push(height);
        Ok((self.nodes.len() - 1) as NodeId)
    }

    fn tallest_child(&self, node: &Node) -> u16 {
        let height = |id: &NodeId| self.heights[*id as usize];
        match node {
            Node::Number(_) | Node::Variable(_) | Node::Register(_) => 0,
            Node::Mega(a)
            | Node::GlobalMega(a)
            | Node::Negate(a)
            | Node::Not(a)
            | Node::While(a)
            | Node::Call1(_, a) => height(a),
            Node::Assign(a, b)
            | Node::Update(_, a, b)
            | Node::Binary(_, a, b)
            | Node::And(a, b)
            | Node::Or(a, b)
            | Node::Loop(a, b)
            | Node::Call2(_, a, b) => height(a).max(height(b)),
            Node::If(a, b, c) | Node::Call3(_, a, b, c) => height(a).max(height(b)).max(height(c)),
            Node::Sequence(list) => list.iter().map(height).max().unwrap_or(0),
        }
    }

    /// Works out at once what depends on numbers alone.
    fn folded(&self, node: Node) -> Node {
        let number = |id: NodeId| match self.nodes[id as usize] {
            Node::Number(value) => Some(value),
            _ => None,
        };
        match node {
            Node::Binary(operator, a, b) => match (number(a), number(b)) {
                (Some(a), Some(b)) => Node::Number(operator.apply(a, b)),
                _ => node,
            },
            Node::Negate(a) => number(a).map_or(node, |a| Node::Number(-a)),
            _ => node,
        }
    }

    fn sign(&self) -> Option<&'static str> {
        match self.tokens.get(self.at)?.kind {
            Kind::Sign(sign) => Some(sign),
            _ => None,
        }
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.sign() == Some(sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), CompileError> {
        if self.take(sign) { Ok(()) } else { Err(self.error(format!("'{sign}' is missing"))) }
    }

    fn error(&self, what: impl Into<String>) -> CompileError {
        let at = self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |token| token.at);
        CompileError::new(at, what)
    }
}
