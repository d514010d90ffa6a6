//! Size limits of shader source, far above any real preset, checked before the recursive parser runs.

/// Maximum source size, bytes.
const MAX_BYTES: usize = 256 << 10;
/// Maximum nesting of brackets.
const MAX_NESTING: usize = 200;
/// Maximum tokens between two statement ends.
const MAX_EXPRESSION_TOKENS: usize = 5_000;
/// Maximum `else` branches.
const MAX_ELSE_BRANCHES: usize = 2_000;
/// Maximum integer in square brackets.
const MAX_DIMENSION: u64 = 4_096;
/// Maximum macro definitions.
const MAX_MACROS: usize = 512;
/// Maximum length of a macro body, bytes.
const MAX_MACRO_BYTES: usize = 8_192;
/// Maximum size of an expanded macro, bytes.
const MAX_EXPANSION: u64 = 100_000;

/// Returns an error that names the first limit exceeded.
pub(super) fn check(source: &str) -> Result<(), String> {
    if source.len() > MAX_BYTES {
        return Err(format!("shader source is {} bytes; the limit is {MAX_BYTES}", source.len()));
    }
    check_nesting(source)?;
    check_dimensions(source)?;
    check_macros(source)
}

fn check_nesting(source: &str) -> Result<(), String> {
    let (mut depth, mut run, mut in_word) = (0_usize, 0_usize, false);
    let mut prefix_run = 0_usize;
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        // Stacked unary operators recurse like brackets.
        prefix_run = if matches!(byte, b'-' | b'+' | b'!' | b'~') {
            prefix_run + 1
        } else if byte.is_ascii_whitespace() {
            prefix_run
        } else {
            0
        };
        if matches!(byte, b';' | b'{' | b'}') {
            run = 0;
        } else if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.' {
            run += usize::from(!in_word);
        } else if !byte.is_ascii_whitespace() {
            run += 1;
        }
        in_word = byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
        if depth > MAX_NESTING || prefix_run > MAX_NESTING {
            return Err(format!("shader source is nested deeper than {MAX_NESTING}"));
        }
        if run > MAX_EXPRESSION_TOKENS {
            return Err(format!("expression of more than {MAX_EXPRESSION_TOKENS} tokens"));
        }
    }
    let branches = source.matches("else").count();
    if branches > MAX_ELSE_BRANCHES {
        return Err(format!("{branches} else branches; the limit is {MAX_ELSE_BRANCHES}"));
    }
    Ok(())
}

fn check_dimensions(source: &str) -> Result<(), String> {
    for part in source.split('[').skip(1) {
        let digits: String = part.trim_start().chars().take_while(char::is_ascii_digit).take(12).collect();
        if digits.parse::<u64>().is_ok_and(|size| size > MAX_DIMENSION) {
            return Err(format!("array of {digits} elements; the limit is {MAX_DIMENSION}"));
        }
    }
    Ok(())
}

/// Limits the expanded size of macros, including macros used by macros.
fn check_macros(source: &str) -> Result<(), String> {
    let mut sizes: Vec<(&str, u64)> = Vec::new();
    for line in source.lines() {
        let Some(rest) = line.trim_start().strip_prefix('#') else { continue };
        let Some(rest) = rest.trim_start().strip_prefix("define") else { continue };
        let rest = rest.trim_start();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (name, body) = rest.split_at(end);
        if body.len() > MAX_MACRO_BYTES {
            return Err(format!("macro {name} is longer than {MAX_MACRO_BYTES} bytes"));
        }
        let mut size = body.len() as u64 + 1;
        for word in body.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()) {
            if let Some((_, inner)) = sizes.iter().find(|(known, _)| *known == word) {
                size = size.saturating_add(*inner);
            }
        }
        if size > MAX_EXPANSION {
            return Err(format!("macro {name} expands to more than {MAX_EXPANSION} bytes"));
        }
        if sizes.len() >= MAX_MACROS {
            return Err(format!("more than {MAX_MACROS} macros"));
        }
        sizes.push((name, size));
    }
    if sizes.is_empty() {
        return Ok(());
    }
    let mut total = 0_u64;
    for word in source.split(|c: char| !c.is_alphanumeric() && c != '_') {
        if let Some((_, size)) = sizes.iter().find(|(known, _)| *known == word) {
            total = total.saturating_add(*size);
        }
    }
    let limit = MAX_EXPANSION * 20;
    if total > limit {
        return Err(format!("macros expand to more than {limit} bytes in total"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_macros_are_rejected() {
        let mut source = String::from("#define a0 x+x+x+x\n");
        for i in 1..40 {
            source.push_str(&format!("#define a{i} a{0}+a{0}+a{0}+a{0}\n", i - 1));
        }
        assert!(check(&source).is_err());
    }

    #[test]
    fn ordinary_source_is_accepted() {
        assert_eq!(check("#define sat saturate\nshader_body { float a[12]; ret = sat(uv.x); }"), Ok(()));
        assert!(check("float a[100000];").is_err());
    }
}
