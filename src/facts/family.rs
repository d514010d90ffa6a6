//! Families: groups of presets that share their code and therefore look alike. The director avoids showing
//! two presets of a family in succession.

use sha2::{Digest as _, Sha256};

use super::sheet::Sheet;

/// Combined length of the shaders, in bytes without white space or comments, below which they are probably an
/// editor's defaults; presets then share a family only if their equations match too.
const OWN_SHADER_BYTES: usize = 300;

/// Returns the family ID: a hash of the shaders or, if they are short or missing, of the shaders and the
/// equations. Returns `None` for a preset without code.
pub(super) fn of(sheet: &Sheet) -> Option<u64> {
    let shaders = [sheet.warp_text(), sheet.comp_text()];
    let equations = [sheet.per_frame.as_str(), &sheet.per_pixel, &sheet.customs];
    let shader_bytes: usize = shaders.iter().map(|text| text.len()).sum();
    let parts: Vec<&str> = if shader_bytes >= OWN_SHADER_BYTES {
        shaders.to_vec()
    } else {
        shaders.into_iter().chain(equations).collect()
    };
    if parts.iter().all(|part| part.is_empty()) {
        return None;
    }
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    Some(first_bytes(&digest.finalize()))
}

/// Returns the family ID of a preset without code, which only files with identical bytes share.
pub(super) fn own(bytes: &[u8]) -> u64 {
    first_bytes(&Sha256::digest(bytes))
}

fn first_bytes(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
