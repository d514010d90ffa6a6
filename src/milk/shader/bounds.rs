//! Loop limits: adds an iteration counter, shared by all loops of a pixel, to a translated shader.
//!
//! An endless shader would hang the graphics device and stop the show.

/// Minimum and maximum of the iterations of all loops of one pixel.
const ITERATIONS: [usize; 2] = [128, 4_096];
/// Work all loops of one pixel may do, in statements; a texture lookup counts as 16.
const WORK: usize = 524_288;

/// Adds the counter to every `loop`, `while` and `for` body. The more work the shader does, the lower the limit.
pub(super) fn bound_loops(wgsl: &str) -> String {
    let work = wgsl.matches(';').count() + 16 * wgsl.matches("textureSample").count();
    let limit = (WORK / work.max(1)).clamp(ITERATIONS[0], ITERATIONS[1]);
    let mut out = String::with_capacity(wgsl.len() + 256);
    let mut guarded = false;
    let mut rest = wgsl;
    while let Some((at, word)) = next_loop(rest) {
        let Some(body) = body_start(&rest[at + word.len()..]) else { break };
        let end = at + word.len() + body;
        out.push_str(&rest[..end]);
        out.push_str(" loop_guard += 1u; if loop_guard > LOOP_LIMIT { break; } ");
        guarded = true;
        rest = &rest[end..];
    }
    out.push_str(rest);
    if guarded {
        // Appended, because diagnostic directives must come first.
        out.push_str(&format!("\nconst LOOP_LIMIT: u32 = {limit}u;\nvar<private> loop_guard: u32 = 0u;\n"));
    }
    out
}

/// Finds the next loop keyword: its offset and the keyword.
fn next_loop(text: &str) -> Option<(usize, &'static str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    ["loop", "while", "for"]
        .into_iter()
        .filter_map(|word| {
            text.match_indices(word)
                .find(|(at, _)| {
                    let before = text[..*at].chars().next_back();
                    let after = text[at + word.len()..].chars().next();
                    !before.is_some_and(is_word) && !after.is_some_and(is_word)
                })
                .map(|(at, _)| (at, word))
        })
        .min()
}

/// Returns the offset just after the opening brace of the loop body.
fn body_start(text: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'{' if depth == 0 => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_loop_is_guarded_once_and_other_words_are_not() {
        let source = "fn f() { for (var i = 0; i < 3; i++) { loop { break; } } let forward = 1; }";
        let bounded = bound_loops(source);
        assert_eq!(bounded.matches("loop_guard += 1u").count(), 2, "{bounded}");
    }

    #[test]
    fn a_loop_with_many_lookups_has_a_lower_limit() {
        let lookups = "c += textureSample(a, b, uv);".repeat(100);
        assert!(bound_loops("while (x) { x += 1; }").contains("LOOP_LIMIT: u32 = 4096u"));
        assert!(bound_loops(&format!("while (x) {{ {lookups} }}")).contains("LOOP_LIMIT: u32 = 308u"));
    }

    #[test]
    fn a_shader_without_loops_is_unchanged() {
        assert_eq!(bound_loops("fn f() { }"), "fn f() { }");
    }
}
