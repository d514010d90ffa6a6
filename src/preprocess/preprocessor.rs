//! Directives and macros: from source tokens to preprocessed tokens.

use std::collections::HashMap;
use std::rc::Rc;

use super::condition;
use super::error::{Error, Pos};
use super::limits;
use super::token::{Name, Token, TokenKind};

/// A macro, with parameters if it is function-like.
struct Macro {
    parameters: Option<Vec<Name>>,
    body: Vec<Token>,
}

/// The macros whose expansion produced a token; if the token names one of them, it is not expanded again.
type Hidden = Option<Rc<HiddenName>>;

struct HiddenName {
    name: Name,
    rest: Hidden,
    /// Number of names, including this one.
    count: usize,
}

/// Adds a name to the hidden ones; fails if there are too many.
fn hide(name: &Name, rest: Hidden, pos: Pos) -> Result<Hidden, Error> {
    let count = 1 + rest.as_ref().map_or(0, |rest| rest.count);
    if count > limits::MACRO_CHAIN {
        return Error::limit(pos, format!("macro expansions nested deeper than {}", limits::MACRO_CHAIN));
    }
    Ok(Some(Rc::new(HiddenName { name: name.clone(), rest, count })))
}

fn hides(mut hidden: &Hidden, name: &str) -> bool {
    while let Some(entry) = hidden {
        if &*entry.name == name {
            return true;
        }
        hidden = &entry.rest;
    }
    false
}

/// Expands all macros and processes all directives of `tokens`; the last token is `TokenKind::End`.
pub(super) fn expand(tokens: Vec<Token>) -> Result<Vec<Token>, Error> {
    let mut preprocessor = Preprocessor { macros: HashMap::new(), work: 0 };
    preprocessor.file(&tokens)
}

struct Preprocessor {
    macros: HashMap<Name, Macro>,
    /// Number of tokens that macro expansion has processed so far.
    work: usize,
}

/// One level of `#if`.
struct Level {
    pos: Pos,
    /// Whether the lines of the current branch are active.
    active: bool,
    /// Whether a branch was already taken, or the whole conditional is inactive.
    taken: bool,
    otherwise: bool,
}

impl Preprocessor {
    fn file(&mut self, tokens: &[Token]) -> Result<Vec<Token>, Error> {
        let mut out = Vec::with_capacity(tokens.len());
        let mut levels: Vec<Level> = Vec::new();
        let mut at = 0;
        // Text between directives is expanded as a whole because macro arguments may span lines.
        let mut text: Vec<Token> = Vec::new();
        while at < tokens.len() {
            let token = &tokens[at];
            let active = levels.iter().all(|level| level.active);
            if token.starts_line && token.is("#") {
                let line = tokens[at + 1..].iter().take_while(|token| !token.starts_line).count();
                let line = &tokens[at + 1..=at + line];
                self.text(&mut text, &mut out)?;
                self.directive(token.pos, line, &mut levels, active)?;
                at += 1 + line.len();
                continue;
            }
            if active || token.kind == TokenKind::End {
                text.push(token.clone());
            }
            at += 1;
        }
        self.text(&mut text, &mut out)?;
        match levels.last() {
            Some(level) => Error::syntax(level.pos, "`#if` without `#endif`"),
            None => Ok(out),
        }
    }

    /// Expands `text`, appends it to `out` and clears it.
    fn text(&mut self, text: &mut Vec<Token>, out: &mut Vec<Token>) -> Result<(), Error> {
        if self.macros.is_empty() {
            out.append(text);
            return Ok(());
        }
        let input = text.drain(..).rev().map(|token| (token, None)).collect();
        let expanded = self.expand(input, 0)?;
        out.extend(expanded.into_iter().map(|(token, _)| token));
        if let Some(last) = out.last().filter(|_| out.len() > limits::TOKENS) {
            return Error::limit(last.pos, format!("macros expand to more than {} tokens", limits::TOKENS));
        }
        Ok(())
    }

    fn directive(
        &mut self,
        pos: Pos,
        line: &[Token],
        levels: &mut Vec<Level>,
        active: bool,
    ) -> Result<(), Error> {
        let Some((first, rest)) = line.split_first() else { return Ok(()) };
        let word = first.name().map_or("", |name| &**name);
        let defined = |this: &Self| match rest.first().and_then(Token::name) {
            Some(name) => Ok(this.macros.contains_key(name)),
            None => Error::syntax(pos, format!("`#{word}` needs a name")),
        };
        match word {
            "if" | "ifdef" | "ifndef" => {
                let value = active
                    && match word {
                        "if" => self.condition(pos, rest)?,
                        "ifdef" => defined(self)?,
                        _ => !defined(self)?,
                    };
                if levels.len() >= limits::NESTING {
                    return Error::limit(pos, format!("`#if` nested deeper than {}", limits::NESTING));
                }
                levels.push(Level { pos, active: value, taken: value || !active, otherwise: false });
            }
            "elif" | "else" => {
                let Some(level) = levels.last_mut().filter(|level| !level.otherwise) else {
                    return Error::syntax(pos, format!("`#{word}` without `#if`"));
                };
                let taken = level.taken;
                level.otherwise = word == "else";
                let value = !taken && (word == "else" || self.condition(pos, rest)?);
                if let Some(level) = levels.last_mut() {
                    level.active = value;
                    level.taken |= value;
                }
            }
            "endif" => {
                if levels.pop().is_none() {
                    return Error::syntax(pos, "`#endif` without `#if`");
                }
            }
            _ if !active => {}
            "define" => self.define(pos, rest)?,
            "undef" => {
                if let Some(name) = rest.first().and_then(Token::name) {
                    self.macros.remove(name);
                }
            }
            "error" => {
                let words: Vec<_> = rest.iter().map(Token::describe).collect();
                return Error::syntax(pos, format!("`#error` {}", words.join(" ")));
            }
            "include" => return Error::syntax(pos, "a preset cannot include files"),
            "pragma" | "line" => {}
            _ => return Error::syntax(pos, format!("unknown directive {}", first.describe())),
        }
        Ok(())
    }

    fn condition(&mut self, pos: Pos, line: &[Token]) -> Result<bool, Error> {
        // `defined` applies to names before they are expanded.
        let mut plain: Vec<Token> = Vec::with_capacity(line.len());
        let mut at = 0;
        while at < line.len() {
            let token = &line[at];
            at += 1;
            if token.name().is_none_or(|name| &**name != "defined") {
                plain.push(token.clone());
                continue;
            }
            let bracket = line.get(at).is_some_and(|token| token.is("("));
            at += usize::from(bracket);
            let Some(name) = line.get(at).and_then(Token::name) else {
                return Error::syntax(token.pos, "`defined` needs a name");
            };
            at += 1 + usize::from(bracket);
            let value = u32::from(self.macros.contains_key(name));
            plain.push(Token { kind: TokenKind::Int(value, false), ..token.clone() });
        }
        let input = plain.into_iter().rev().map(|token| (token, None)).collect();
        let line: Vec<Token> = self.expand(input, 0)?.into_iter().map(|(token, _)| token).collect();
        condition::evaluate(pos, &line)
    }

    fn define(&mut self, pos: Pos, line: &[Token]) -> Result<(), Error> {
        let Some((first, rest)) = line.split_first() else {
            return Error::syntax(pos, "`#define` needs a name");
        };
        let Some(name) = first.name() else {
            return Error::syntax(first.pos, format!("`#define` needs a name, not {}", first.describe()));
        };
        if self.macros.len() >= limits::MACROS {
            return Error::limit(pos, format!("more than {} macros", limits::MACROS));
        }
        let mut body = rest;
        let mut parameters = None;
        if rest.first().is_some_and(|token| token.is("(") && token.glued) {
            let Some(end) = rest.iter().position(|token| token.is(")")) else {
                return Error::syntax(rest[0].pos, "unclosed parameter list of a macro");
            };
            let names = rest[1..end].iter().filter(|token| !token.is(","));
            let names: Option<Vec<Name>> = names.map(|token| token.name().cloned()).collect();
            let Some(names) = names else {
                return Error::syntax(rest[0].pos, "macro parameters must be names");
            };
            if names.len() > limits::MACRO_PARAMETERS {
                let message = format!("a macro with more than {} parameters", limits::MACRO_PARAMETERS);
                return Error::limit(rest[0].pos, message);
            }
            parameters = Some(names);
            body = &rest[end + 1..];
        }
        self.macros.insert(name.clone(), Macro { parameters, body: body.to_vec() });
        Ok(())
    }

    /// Adds to the number of processed tokens; fails if it exceeds the limit.
    fn spend(&mut self, pos: Pos, tokens: usize) -> Result<(), Error> {
        self.work += tokens;
        if self.work > limits::EXPANSION {
            return Error::limit(
                pos,
                format!("macro expansion processes more than {} tokens", limits::EXPANSION),
            );
        }
        Ok(())
    }

    /// Expands the tokens of `input`, a stack with the next token on top.
    fn expand(
        &mut self,
        mut input: Vec<(Token, Hidden)>,
        depth: usize,
    ) -> Result<Vec<(Token, Hidden)>, Error> {
        let mut out = Vec::with_capacity(input.len());
        while let Some((token, hidden)) = input.pop() {
            let found = token.name().filter(|name| !hides(&hidden, name));
            let Some((name, found)) = found.and_then(|name| self.macros.get_key_value(name)) else {
                out.push((token, hidden));
                continue;
            };
            let name = name.clone();
            let Some(parameters) = found.parameters.clone() else {
                let body = found.body.clone();
                let replaced = body.into_iter().map(|own| (Token { pos: token.pos, ..own }, None)).collect();
                self.push(&mut input, replaced, &name, &hidden, token.pos)?;
                continue;
            };
            if !input.last().is_some_and(|(next, _)| next.is("(")) {
                out.push((token, hidden));
                continue;
            }
            let body = found.body.clone();
            let arguments = arguments(&token, &mut input)?;
            let fits = arguments.len() == parameters.len()
                || parameters.is_empty() && arguments.iter().all(Vec::is_empty);
            if !fits {
                let message =
                    format!("macro `{name}` takes {} arguments, not {}", parameters.len(), arguments.len());
                return Error::syntax(token.pos, message);
            }
            let replaced = self.substitute(&token, &parameters, &body, arguments, depth)?;
            self.push(&mut input, replaced, &name, &hidden, token.pos)?;
        }
        Ok(out)
    }

    /// Pushes the replacement of a macro onto the input.
    fn push(
        &mut self,
        input: &mut Vec<(Token, Hidden)>,
        replaced: Vec<(Token, Hidden)>,
        name: &Name,
        hidden: &Hidden,
        pos: Pos,
    ) -> Result<(), Error> {
        self.spend(pos, replaced.len() + 1)?;
        let outer = hide(name, hidden.clone(), pos)?;
        for (token, own) in replaced.into_iter().rev() {
            let hidden = match own {
                None => outer.clone(),
                own => hide(name, own, pos)?,
            };
            input.push((token, hidden));
        }
        Ok(())
    }

    /// Returns the body of a macro with its arguments substituted.
    fn substitute(
        &mut self,
        call: &Token,
        parameters: &[Name],
        body: &[Token],
        arguments: Vec<Vec<(Token, Hidden)>>,
        depth: usize,
    ) -> Result<Vec<(Token, Hidden)>, Error> {
        if depth >= limits::MACRO_DEPTH {
            let message =
                format!("macro calls in macro arguments nested deeper than {}", limits::MACRO_DEPTH);
            return Error::limit(call.pos, message);
        }
        self.spend(call.pos, body.len())?;
        let mut expanded: Vec<Option<Vec<(Token, Hidden)>>> = vec![None; arguments.len()];
        let mut out: Vec<(Token, Hidden)> = Vec::with_capacity(body.len());
        let parameter =
            |token: &Token| token.name().and_then(|name| parameters.iter().position(|own| own == name));
        let mut at = 0;
        while let Some(token) = body.get(at) {
            at += 1;
            if token.is("##") && !out.is_empty() && at < body.len() {
                let next = &body[at];
                at += 1;
                let right = match parameter(next) {
                    Some(index) => {
                        self.spend(call.pos, arguments[index].len())?;
                        arguments[index].clone()
                    }
                    None => vec![(next.clone(), None)],
                };
                paste(&mut out, right)?;
                continue;
            }
            let before_paste = body.get(at).is_some_and(|next| next.is("##"));
            match parameter(token) {
                Some(index) if before_paste => {
                    self.spend(call.pos, arguments[index].len())?;
                    out.extend(arguments[index].iter().cloned());
                }
                Some(index) => {
                    if expanded[index].is_none() {
                        let input: Vec<_> = arguments[index].iter().rev().cloned().collect();
                        self.spend(call.pos, input.len())?;
                        expanded[index] = Some(self.expand(input, depth + 1)?);
                    }
                    let argument = expanded[index].as_deref().unwrap_or_default();
                    self.spend(call.pos, argument.len())?;
                    out.extend(argument.iter().cloned());
                }
                None => out.push((Token { pos: call.pos, ..token.clone() }, None)),
            }
        }
        Ok(out)
    }
}

/// Takes the arguments of a call from the input, up to the closing parenthesis.
fn arguments(call: &Token, input: &mut Vec<(Token, Hidden)>) -> Result<Vec<Vec<(Token, Hidden)>>, Error> {
    input.pop();
    let mut arguments = vec![Vec::new()];
    let mut depth = 0_usize;
    while let Some((token, hidden)) = input.pop() {
        match token.kind {
            TokenKind::Mark("(" | "[" | "{") => depth += 1,
            TokenKind::Mark(")") if depth == 0 => return Ok(arguments),
            TokenKind::Mark(")" | "]" | "}") => depth = depth.saturating_sub(1),
            TokenKind::Mark(",") if depth == 0 => {
                arguments.push(Vec::new());
                continue;
            }
            TokenKind::End => break,
            _ => {}
        }
        if let Some(last) = arguments.last_mut() {
            last.push((token, hidden));
        }
    }
    Error::syntax(call.pos, format!("unclosed arguments of macro {}", call.describe()))
}

/// Pastes the last token of `out` and the first of `right` into one name or number; fails if it is too long.
fn paste(out: &mut Vec<(Token, Hidden)>, right: Vec<(Token, Hidden)>) -> Result<(), Error> {
    let mut right = right.into_iter();
    if let (Some((left, _)), Some((next, _))) = (out.last_mut(), right.next()) {
        let text = |token: &Token| match &token.kind {
            TokenKind::Name(name) => name.to_string(),
            TokenKind::Int(value, _) => value.to_string(),
            _ => String::new(),
        };
        let joined = text(left) + &text(&next);
        if joined.len() > limits::PASTED_BYTES {
            let message = format!("`##` produces a name of more than {} bytes", limits::PASTED_BYTES);
            return Error::limit(left.pos, message);
        }
        left.kind = match joined.parse::<u32>() {
            Ok(value) => TokenKind::Int(value, false),
            Err(_) => TokenKind::Name(joined.into()),
        };
    }
    out.extend(right);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::lexer;
    use super::*;

    fn expanded(source: &str) -> Result<String, Error> {
        let tokens = expand(lexer::tokens(source)?)?;
        let words: Vec<_> = tokens.iter().map(|token| token.describe().replace('`', "")).collect();
        Ok(words[..words.len() - 1].join(" "))
    }

    #[test]
    fn macros_are_expanded() {
        assert_eq!(expanded("#define a b\n#define b 3\na + b").as_deref(), Ok("3 + 3"));
        assert_eq!(expanded("#define f(x, y) x*y\nf(1, (2, 3)) f").as_deref(), Ok("1 * ( 2 , 3 ) f"));
        assert_eq!(expanded("#define f(x) g(x)\n#define g(x) [x]\nf(f(1))").as_deref(), Ok("[ [ 1 ] ]"));
        assert_eq!(expanded("#define p(a, b) a##b\np(x, 1) p(1, 2)").as_deref(), Ok("x1 12"));
        assert_eq!(expanded("#define x x + 1\nx").as_deref(), Ok("x + 1"));
        assert_eq!(expanded("#define f(x) \\\n (x)\nf(\n1\n)").as_deref(), Ok("( 1 )"));
        assert_eq!(expanded("#define f (x)\nf").as_deref(), Ok("( x )"));
    }

    #[test]
    fn conditionals_select_lines() {
        assert_eq!(expanded("#if 1 + 1 == 2\na\n#else\nb\n#endif").as_deref(), Ok("a"));
        assert_eq!(
            expanded("#define n 3\n#if n > 3\na\n#elif defined(n)\nb\n#else\nc\n#endif").as_deref(),
            Ok("b")
        );
        assert_eq!(expanded("#ifndef z\n#ifdef q\na\n#else\nb\n#endif\n#endif").as_deref(), Ok("b"));
        assert_eq!(expanded("#if 0\n#if 1\na\n#else\nb\n#endif\n#endif\nc").as_deref(), Ok("c"));
        assert_eq!(expanded("#define a 1\n#undef a\na").as_deref(), Ok("a"));
        assert!(expanded("#if 1\n").is_err());
        assert!(expanded("#endif").is_err());
    }
}
