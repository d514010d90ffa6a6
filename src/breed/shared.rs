//! Variables that parts of a preset share: `q1` to `q64`, `reg00` to `reg99`, `gmegabuf`, `megabuf`, and the blur
//! texture ranges.

use std::collections::BTreeSet;

/// A variable that several parts of a preset can read or write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shared {
    /// `q1` to `q64`, which per-frame code passes to all other parts.
    Q(u8),
    /// `reg00` to `reg99`, common to all code.
    Reg(u8),
    /// `gmegabuf`, the memory common to all code.
    Memory,
    /// `megabuf`, the memory of one kind of code, such as per-frame code. Grafted code would share the host's memory.
    LocalMemory,
    /// The blur texture ranges: set by preset values and per-frame code, read by shaders.
    Blur,
}

/// Number of `q` variables.
const Q_COUNT: u8 = 64;

impl Shared {
    /// Adds to `found` the variables that a line of code uses. Shaders also read `q` variables four at a
    /// time, as `_qa` to `_qp`.
    pub fn collect(code: &str, found: &mut BTreeSet<Self>) {
        let code = code.split("//").next().unwrap_or_default().to_ascii_lowercase();
        for word in code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            if let Some(number) = word.strip_prefix('q').and_then(|number| number.parse::<u8>().ok()) {
                found.extend((1..=Q_COUNT).contains(&number).then_some(Self::Q(number)));
            } else if let Some(&[group @ b'a'..=b'p']) = word.strip_prefix("_q").map(str::as_bytes) {
                let first = (group - b'a') * 4 + 1;
                found.extend((first..first + 4).map(Self::Q));
            } else if let Some(number) = word.strip_prefix("reg").filter(|number| number.len() == 2) {
                found.extend(number.parse().ok().map(Self::Reg));
            } else if ["gmegabuf", "gmem"].contains(&word) {
                found.insert(Self::Memory);
            } else if ["megabuf", "memcpy", "memset", "freembuf"].contains(&word) {
                found.insert(Self::LocalMemory);
            } else if ["getblur", "sampler_blur", "blur1_", "blur2_", "blur3_"]
                .iter()
                .any(|start| word.starts_with(start))
            {
                found.insert(Self::Blur);
            }
        }
    }

    /// Returns whether parts that both use this variable must come from the same parent. Parts that use `q`
    /// variables can be grafted instead (see `graft`).
    pub fn connects(self) -> bool {
        match self {
            Self::Reg(_) | Self::Memory | Self::Blur => true,
            Self::Q(_) | Self::LocalMemory => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_in_equations_and_shaders() {
        let found = |code: &str| {
            let mut found = BTreeSet::new();
            Shared::collect(code, &mut found);
            found.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(found("Q1 = q32*reg07; // q5"), [Shared::Q(1), Shared::Q(32), Shared::Reg(7)]);
        assert_eq!(found("uv = mul(uv, float2x2(_qb))"), [5, 6, 7, 8].map(Shared::Q));
        assert_eq!(found("gmegabuf(3) = freq1 + q65 + tex2D(sampler_main, uv) + regular"), [Shared::Memory]);
        assert_eq!(found("ret = GetBlur2(uv)"), [Shared::Blur]);
        assert_eq!(found("blur1_min = 0.2"), [Shared::Blur]);
    }
}
