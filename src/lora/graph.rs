//! Reads the graph of an ONNX model: its nodes, and where the file stores the numbers of its weights.
//!
//! Only the fields of the format (`onnx.proto`) that lead to them are parsed. The numbers are read and replaced in
//! place, so that everything else in a model stays unchanged.

use std::collections::HashMap;
use std::ops::Range;

use ndarray::Array2;

/// Element type of 32-bit floats.
const FLOAT: u64 = 1;

/// A model, and what its graph contains.
pub(super) struct Graph {
    bytes: Vec<u8>,
    pub nodes: Vec<Node>,
    weights: HashMap<String, Stored>,
}

/// A node of a graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    /// Name of the operation.
    pub kind: String,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    /// Whether the second matrix of a product is transposed.
    pub transposed: bool,
}

/// Shape of a weight, and the bytes of its numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Stored {
    sides: Vec<usize>,
    numbers: Range<usize>,
}

/// Content of a field.
enum Content {
    Number(u64),
    Bytes(Range<usize>),
}

impl Graph {
    /// Parses the model in `bytes`.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, String> {
        let (mut nodes, mut weights) = (Vec::new(), HashMap::new());
        for (field, content) in fields(&bytes, 0..bytes.len())? {
            let (7, Content::Bytes(graph)) = (field, content) else { continue };
            for (field, content) in fields(&bytes, graph)? {
                match (field, content) {
                    (1, Content::Bytes(range)) => nodes.push(node(&bytes, range)?),
                    (5, Content::Bytes(range)) => weights.extend(weight(&bytes, range)?),
                    _ => {}
                }
            }
        }
        Ok(Self { bytes, nodes, weights })
    }

    /// Returns the model.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Returns the names of the weights that are stored as 32-bit floats.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.weights.keys().map(String::as_str)
    }

    /// Returns the shape of a weight; `None` if there is no weight with this name.
    pub fn sides(&self, name: &str) -> Option<&[usize]> {
        self.weights.get(name).map(|stored| stored.sides.as_slice())
    }

    /// Returns the numbers of a weight, row by row.
    pub fn numbers(&self, name: &str) -> Option<Vec<f32>> {
        let bytes = &self.bytes[self.weights.get(name)?.numbers.clone()];
        Some(bytes.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)).collect())
    }

    /// Adds a matrix to the weight `name`; returns whether there is a weight with this name and shape.
    pub fn add(&mut self, name: &str, change: &Array2<f32>) -> bool {
        let Some(stored) = self.weights.get(name) else { return false };
        if stored.sides != change.shape() {
            return false;
        }
        let numbers = self.bytes[stored.numbers.clone()].as_chunks_mut::<4>().0;
        for (number, change) in numbers.iter_mut().zip(change) {
            *number = (f32::from_le_bytes(*number) + change).to_le_bytes();
        }
        true
    }
}

fn node(bytes: &[u8], range: Range<usize>) -> Result<Node, String> {
    let mut node = Node::default();
    for (field, content) in fields(bytes, range)? {
        let Content::Bytes(range) = content else { continue };
        match field {
            1 => node.inputs.push(text(bytes, range)),
            2 => node.outputs.push(text(bytes, range)),
            4 => node.kind = text(bytes, range),
            5 => node.transposed |= is_transposed(bytes, range)?,
            _ => {}
        }
    }
    Ok(node)
}

/// Returns whether an attribute is `transB` with a value other than 0.
fn is_transposed(bytes: &[u8], range: Range<usize>) -> Result<bool, String> {
    let (mut named, mut set) = (false, false);
    for (field, content) in fields(bytes, range)? {
        match (field, content) {
            (1, Content::Bytes(range)) => named = &bytes[range] == b"transB",
            (3, Content::Number(value)) => set = value != 0,
            _ => {}
        }
    }
    Ok(named && set)
}

/// Returns the name and the location of a weight; `None` if it does not consist of 32-bit floats stored in this file.
fn weight(bytes: &[u8], range: Range<usize>) -> Result<Option<(String, Stored)>, String> {
    let (mut name, mut kind, mut stored) = (String::new(), 0, Stored::default());
    for (field, content) in fields(bytes, range)? {
        match (field, content) {
            (1, Content::Number(side)) => stored.sides.push(side as usize),
            (1, Content::Bytes(mut packed)) => {
                while packed.start < packed.end {
                    stored.sides.push(number(bytes, &mut packed)? as usize);
                }
            }
            (2, Content::Number(value)) => kind = value,
            (8, Content::Bytes(range)) => name = text(bytes, range),
            (4 | 9, Content::Bytes(range)) => stored.numbers = range,
            _ => {}
        }
    }
    let count = stored.sides.iter().try_fold(4_usize, |size, side| size.checked_mul(*side));
    let complete = kind == FLOAT && count == Some(stored.numbers.len());
    Ok(complete.then_some((name, stored)))
}

fn text(bytes: &[u8], range: Range<usize>) -> String {
    String::from_utf8_lossy(&bytes[range]).into_owned()
}

/// Returns the fields of the message in `range`; those of fixed length are skipped.
fn fields(bytes: &[u8], mut range: Range<usize>) -> Result<Vec<(u64, Content)>, String> {
    let mut found = Vec::new();
    while range.start < range.end {
        let tag = number(bytes, &mut range)?;
        let length = match tag & 7 {
            0 => {
                found.push((tag >> 3, Content::Number(number(bytes, &mut range)?)));
                continue;
            }
            1 => 8,
            5 => 4,
            2 => number(bytes, &mut range)?,
            _ => return Err(invalid()),
        };
        let length = usize::try_from(length).map_err(|_| invalid())?;
        let end = range.start.checked_add(length).filter(|end| *end <= range.end).ok_or_else(invalid)?;
        if tag & 7 == 2 {
            found.push((tag >> 3, Content::Bytes(range.start..end)));
        }
        range.start = end;
    }
    Ok(found)
}

/// Reads a variable-length integer at the start of `range`, and moves the start past it.
fn number(bytes: &[u8], range: &mut Range<usize>) -> Result<u64, String> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        if range.start >= range.end {
            return Err(invalid());
        }
        let byte = bytes[range.start];
        range.start += 1;
        number |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return Ok(number);
        }
    }
    Err(invalid())
}

fn invalid() -> String {
    "it is not an ONNX model".into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk;
    use crate::embed::onnx::tests::vit::transformer_folder;

    fn transformer() -> Vec<u8> {
        let folder = transformer_folder(1);
        disk::read(&folder.path().join("model.onnx"), disk::limit::MODEL).expect("read")
    }

    #[test]
    fn only_the_numbers_of_a_changed_weight_change() {
        let before = transformer();
        let mut graph = Graph::parse(before.clone()).expect("parsed");
        let name = "onnx::MatMul_vision_model.encoder.layers.1.mlp.fc1";
        let (old, sides) =
            (graph.numbers(name).expect("numbers"), graph.sides(name).expect("sides").to_vec());
        assert!(!graph.add(name, &Array2::ones((sides[1], sides[0]))));
        assert!(graph.add(name, &Array2::ones((sides[0], sides[1]))));
        let new = graph.numbers(name).expect("numbers");
        assert!(old.iter().zip(&new).all(|(old, new)| (new - old - 1.0).abs() < 1e-6));
        let after = graph.into_bytes();
        let changed = before.iter().zip(&after).filter(|(old, new)| old != new).count();
        assert!(before.len() == after.len() && changed <= 4 * old.len(), "{changed}");
    }

    #[test]
    fn packed_shapes_are_read() {
        let mut message = vec![0x0a, 2, 2, 3, 0x10, 1, 0x42, 1, b'w', 0x4a, 24];
        message.extend([0; 24]);
        let (name, stored) = weight(&message, 0..message.len()).expect("parsed").expect("a weight");
        assert_eq!((name.as_str(), stored), ("w", Stored { sides: vec![2, 3], numbers: 11..35 }));
    }

    #[test]
    fn truncated_models_are_refused() {
        let bytes = transformer();
        assert!(Graph::parse(b"no model".to_vec()).is_err());
        for length in (3..bytes.len() - 8).step_by(61) {
            assert!(Graph::parse(bytes[..length].to_vec()).is_err(), "{length}");
        }
    }
}
