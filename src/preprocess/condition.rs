//! Evaluates `#if` conditions: integers, operators and parentheses. Unknown names are 0.

use super::error::{Error, Pos};
use super::limits;
use super::token::{Token, TokenKind};

/// Evaluates the condition of an `#if` line whose macros are already expanded.
pub(super) fn evaluate(pos: Pos, line: &[Token]) -> Result<bool, Error> {
    let mut parser = ConditionParser { pos, line, depth: 0 };
    let value = parser.binary(0)?;
    match parser.line.first() {
        Some(extra) => Error::syntax(extra.pos, format!("unexpected {} after a condition", extra.describe())),
        None => Ok(value != 0),
    }
}

struct ConditionParser<'a> {
    pos: Pos,
    line: &'a [Token],
    depth: usize,
}

/// Returns the precedence of a binary operator; 0 for any other token.
fn precedence(token: &Token) -> u8 {
    let TokenKind::Mark(mark) = token.kind else { return 0 };
    match mark {
        "||" => 1,
        "&&" => 2,
        "|" => 3,
        "^" => 4,
        "&" => 5,
        "==" | "!=" => 6,
        "<" | ">" | "<=" | ">=" => 7,
        "<<" | ">>" => 8,
        "+" | "-" => 9,
        "*" | "/" | "%" => 10,
        _ => 0,
    }
}

impl ConditionParser<'_> {
    fn take(&mut self) -> Option<Token> {
        let (first, rest) = self.line.split_first()?;
        self.line = rest;
        Some(first.clone())
    }

    fn binary(&mut self, weakest: u8) -> Result<i64, Error> {
        let mut left = self.unary()?;
        while let Some(operator) = self.line.first().cloned() {
            let precedence = precedence(&operator);
            if precedence <= weakest {
                break;
            }
            self.take();
            let right = self.binary(precedence)?;
            let TokenKind::Mark(mark) = operator.kind else { break };
            left = match mark {
                "||" => i64::from(left != 0 || right != 0),
                "&&" => i64::from(left != 0 && right != 0),
                "|" => left | right,
                "^" => left ^ right,
                "&" => left & right,
                "==" => i64::from(left == right),
                "!=" => i64::from(left != right),
                "<" => i64::from(left < right),
                ">" => i64::from(left > right),
                "<=" => i64::from(left <= right),
                ">=" => i64::from(left >= right),
                "<<" => left.wrapping_shl(right as u32),
                ">>" => left.wrapping_shr(right as u32),
                "+" => left.wrapping_add(right),
                "-" => left.wrapping_sub(right),
                "*" => left.wrapping_mul(right),
                _ if right == 0 => return Error::syntax(operator.pos, "division by zero in a condition"),
                "/" => left.wrapping_div(right),
                _ => left.wrapping_rem(right),
            };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<i64, Error> {
        let Some(token) = self.take() else { return Error::syntax(self.pos, "missing condition") };
        if self.depth >= limits::NESTING {
            return Error::limit(token.pos, format!("a condition nested deeper than {}", limits::NESTING));
        }
        self.depth += 1;
        let value = match token.kind {
            TokenKind::Int(value, _) => i64::from(value),
            TokenKind::Float(value) => value as i64,
            TokenKind::Name(_) => 0,
            TokenKind::Mark("!") => i64::from(self.unary()? == 0),
            TokenKind::Mark("-") => self.unary()?.wrapping_neg(),
            TokenKind::Mark("+") => self.unary()?,
            TokenKind::Mark("~") => !self.unary()?,
            TokenKind::Mark("(") => {
                let value = self.binary(0)?;
                if !self.take().is_some_and(|token| token.is(")")) {
                    return Error::syntax(token.pos, "unclosed parenthesis in a condition");
                }
                value
            }
            _ => return Error::syntax(token.pos, format!("unexpected {} in a condition", token.describe())),
        };
        self.depth -= 1;
        Ok(value)
    }
}
