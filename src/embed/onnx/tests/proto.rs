//! Writes small ONNX models as protocol buffers.

/// Side length of the pictures, in pixels.
pub(super) const SIDE: usize = 16;

/// Returns a length-delimited field.
pub(super) fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = varint(u64::from(number) << 3 | 2);
    out.extend(varint(bytes.len() as u64));
    out.extend_from_slice(bytes);
    out
}

/// Returns an integer field.
pub(super) fn number(field: u8, value: u64) -> Vec<u8> {
    let mut out = varint(u64::from(field) << 3);
    out.extend(varint(value));
    out
}

pub(super) fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value > 127 {
        out.push(value as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

pub(super) fn node(kind: &str, inputs: &[&str], output: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut node: Vec<u8> = inputs.iter().flat_map(|name| field(1, name.as_bytes())).collect();
    node.extend(field(2, output.as_bytes()));
    node.extend(field(4, kind.as_bytes()));
    node.extend(attributes.iter().flat_map(|attribute| field(5, attribute)));
    node
}

pub(super) fn ints(name: &str, values: &[u64]) -> Vec<u8> {
    let mut attribute = field(1, name.as_bytes());
    attribute.extend(values.iter().flat_map(|value| number(8, *value)));
    attribute.extend(number(20, 7));
    attribute
}

pub(super) fn tensor(name: &str, sides: &[u64], values: &[f32]) -> Vec<u8> {
    let mut tensor: Vec<u8> = sides.iter().flat_map(|side| number(1, *side)).collect();
    tensor.extend(number(2, 1));
    tensor.extend(field(8, name.as_bytes()));
    tensor.extend(field(9, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()));
    tensor
}

/// Returns a tensor of 64-bit integers; a scalar if `sides` is empty.
pub(super) fn whole(name: &str, sides: &[u64], values: &[i64]) -> Vec<u8> {
    let mut tensor: Vec<u8> = sides.iter().flat_map(|side| number(1, *side)).collect();
    tensor.extend(number(2, 7));
    tensor.extend(field(8, name.as_bytes()));
    tensor.extend(field(9, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()));
    tensor
}

/// Returns the description of a tensor of 32-bit floats; a side of 0 is dynamic and has the same name in all
/// tensors.
pub(super) fn value(name: &str, sides: &[u64]) -> Vec<u8> {
    value_of(1, name, sides)
}

/// Returns the description of a tensor of 64-bit integers, as [`value`] does.
pub(super) fn whole_value(name: &str, sides: &[u64]) -> Vec<u8> {
    value_of(7, name, sides)
}

fn value_of(element: u64, name: &str, sides: &[u64]) -> Vec<u8> {
    let free = |at: usize| field(2, format!("side{at}").as_bytes());
    let side = |(at, side): (usize, &u64)| field(1, &if *side == 0 { free(at) } else { number(1, *side) });
    let shape: Vec<u8> = sides.iter().enumerate().flat_map(side).collect();
    let mut kind = number(1, element);
    kind.extend(field(2, &shape));
    let mut value = field(1, name.as_bytes());
    value.extend(field(2, &field(1, &kind)));
    value
}

/// Returns an integer attribute.
pub(super) fn int(name: &str, value: u64) -> Vec<u8> {
    let mut attribute = field(1, name.as_bytes());
    attribute.extend(number(3, value));
    attribute.extend(number(20, 2));
    attribute
}

/// Returns a model with this graph, for operator set 17.
pub(super) fn model(graph: &[u8]) -> Vec<u8> {
    let mut model = number(1, 8);
    model.extend(field(7, graph));
    model.extend(field(8, &number(2, 17)));
    model
}

/// Writes a model and its configuration to a folder.
pub(super) fn folder(model: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("model.onnx"), model).expect("written");
    let config = format!(r#"{{"size":{SIDE},"crop_size":{SIDE}}}"#);
    std::fs::write(folder.path().join("preprocessor_config.json"), config).expect("written");
    folder
}
