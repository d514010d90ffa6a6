//! Builds the syntax tree.

mod cursor;
mod declarations;
mod expressions;
mod statements;
mod types;

use super::ast::Ast;
use super::error::Error;
use super::token::Token;

/// Parses the tokens of a shader; the last one must be the end.
pub(super) fn parse(tokens: &[Token]) -> Result<Ast, Error> {
    cursor::Parser::new(tokens).file()
}

#[cfg(test)]
mod tests {
    use super::super::{lexer, preprocessor};
    use super::*;
    use crate::hlsl::error::Pos;

    fn parsed(source: &str) -> Result<Ast, Error> {
        parse(&preprocessor::expand(lexer::tokens(source)?)?)
    }

    #[test]
    fn errors_have_their_place() {
        let error = parsed("shader_body\n{\n ret = ;\n}").expect_err("a syntax error");
        assert_eq!(error.pos, Pos { line: 3, column: 8 });
        let error = parsed("float x;").expect_err("no body");
        assert!(error.message.contains("shader_body"), "{error}");
    }

    #[test]
    fn deep_nesting_is_refused() {
        for (open, close) in
            [("(", ")"), ("-", ""), ("f(", ")"), ("{", "}"), ("a[", "]"), ("1?", ":1"), ("(float)", "")]
        {
            let source = format!("shader_body {{ ret = {}1{}; }}", open.repeat(50_000), close.repeat(50_000));
            assert!(parsed(&source).is_err(), "{open}");
        }
        let long = format!("shader_body {{ ret = 1{}; }}", "+1".repeat(20_000));
        assert!(parsed(&long).is_ok());
    }

    #[test]
    fn names_of_types_are_names_where_no_declaration_is() {
        let source = "shader_body { float3 sample; sample = 1; sample.x++; float texture = 2; texture *= 3; \
                      float sampler = 1; sampler = texture; float centroid = 2; centroid += 1; }";
        assert_eq!(parsed(source).map(|ast| ast.body.len()), Ok(9));
    }
}
