//! Makes an intermediate value of a model one of its outputs, so that a classifier can be used without its last
//! layers.

use std::path::Path;

use super::external::{external_files, values};
use crate::disk;

/// Maximum size of a model that can be cut; a larger one has external weights.
const MAX_MODEL: u64 = 2 << 30;
/// Element type of 32-bit floats.
const FLOAT: u8 = 1;

/// Returns the model in `path` with the value `name` as an additional output. Protocol buffers merge repeated
/// occurrences of a message field, so the declaration of the output is appended to the model.
///
/// # Errors
/// Fails if the file cannot be read, computes no such value, or has external weights, which a model in memory cannot
/// refer to.
pub(super) fn with_output(path: &Path, name: &str) -> Result<Vec<u8>, String> {
    // The built-in runtime aborts the process if an output is not computed.
    if !values(path).map_err(|error| error.to_string())?.contains(name) {
        return Err(format!("it computes no value named {name}"));
    }
    if !external_files(path).map_err(|error| error.to_string())?.is_empty() {
        return Err(format!(
            "it has no output {name}, and cannot be given one because its weights are in external files"
        ));
    }
    let mut model = disk::read(path, MAX_MODEL).map_err(|error| error.to_string())?;
    // A tensor without a shape: the runtime infers it.
    let kind = field(1, &[1 << 3, FLOAT]);
    let value = [field(1, name.as_bytes()), field(2, &kind)].concat();
    model.extend(field(7, &field(12, &value)));
    Ok(model)
}

/// Encodes a field that contains a string or a message.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length > 127 {
        bytes.push(length as u8 & 127 | 128);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(content);
    bytes
}
