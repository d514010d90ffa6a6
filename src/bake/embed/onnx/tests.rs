//! Towers small enough to write by hand, against the same sums done plainly.

mod vit;

use super::*;

/// A field of a protocol buffer that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = varint(u64::from(number) << 3 | 2);
    out.extend(varint(bytes.len() as u64));
    out.extend_from_slice(bytes);
    out
}

/// A field of a protocol buffer that holds a number.
fn number(field: u8, value: u64) -> Vec<u8> {
    let mut out = varint(u64::from(field) << 3);
    out.extend(varint(value));
    out
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value > 127 {
        out.push(value as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

fn node(kind: &str, inputs: &[&str], output: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut node: Vec<u8> = inputs.iter().flat_map(|name| field(1, name.as_bytes())).collect();
    node.extend(field(2, output.as_bytes()));
    node.extend(field(4, kind.as_bytes()));
    node.extend(attributes.iter().flat_map(|attribute| field(5, attribute)));
    node
}

fn ints(name: &str, values: &[u64]) -> Vec<u8> {
    let mut attribute = field(1, name.as_bytes());
    attribute.extend(values.iter().flat_map(|value| number(8, *value)));
    attribute.extend(number(20, 7));
    attribute
}

fn tensor(name: &str, sides: &[u64], values: &[f32]) -> Vec<u8> {
    let mut tensor: Vec<u8> = sides.iter().flat_map(|side| number(1, *side)).collect();
    tensor.extend(number(2, 1));
    tensor.extend(field(8, name.as_bytes()));
    tensor.extend(field(9, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()));
    tensor
}

/// A tensor of 32-bit numbers; a side of 0 is free.
fn value(name: &str, sides: &[u64]) -> Vec<u8> {
    let side = |side: &u64| field(1, &if *side == 0 { field(2, b"batch") } else { number(1, *side) });
    let shape: Vec<u8> = sides.iter().flat_map(side).collect();
    let mut kind = number(1, 1);
    kind.extend(field(2, &shape));
    let mut value = field(1, name.as_bytes());
    value.extend(field(2, &field(1, &kind)));
    value
}

const SIDE: usize = 16;
const PATCH: usize = 8;
const WIDTH: usize = 5;

fn weights() -> Vec<f32> {
    (0..WIDTH * 3 * PATCH * PATCH).map(|at| ((at * 37 % 101) as f32 / 101.0 - 0.5) * 0.2).collect()
}

/// Patches by convolution, a bend, the mean of all patches: what a vision transformer does but for its blocks.
fn tower() -> Vec<u8> {
    let conv = [ints("kernel_shape", &[PATCH as u64; 2]), ints("strides", &[PATCH as u64; 2])];
    let mut graph = field(1, &node("Conv", &["pixel_values", "patches"], "embedded", &conv));
    graph.extend(field(1, &node("Relu", &["embedded"], "bent", &[])));
    graph.extend(field(1, &node("GlobalAveragePool", &["bent"], "pooled", &[])));
    graph.extend(field(1, &node("Flatten", &["pooled"], "image_embeds", &[])));
    graph.extend(field(2, b"tower"));
    graph.extend(field(5, &tensor("patches", &[WIDTH as u64, 3, PATCH as u64, PATCH as u64], &weights())));
    graph.extend(field(11, &value("pixel_values", &[0, 3, SIDE as u64, SIDE as u64])));
    graph.extend(field(12, &value("image_embeds", &[0, WIDTH as u64])));
    model(&graph)
}

/// A model of this graph, in the words of operator set 17.
fn model(graph: &[u8]) -> Vec<u8> {
    let mut model = number(1, 8);
    model.extend(field(7, graph));
    model.extend(field(8, &number(2, 17)));
    model
}

/// The same in plain loops.
fn plainly(planes: &[f32]) -> Vec<f32> {
    let weights = weights();
    let mut sums = vec![0.0; WIDTH];
    for (out, sum) in sums.iter_mut().enumerate() {
        for (top, left) in [(0, 0), (0, PATCH), (PATCH, 0), (PATCH, PATCH)] {
            let mut patch = 0.0;
            for channel in 0..3 {
                for y in 0..PATCH {
                    for x in 0..PATCH {
                        patch += weights[((out * 3 + channel) * PATCH + y) * PATCH + x]
                            * planes[(channel * SIDE + top + y) * SIDE + left + x];
                    }
                }
            }
            *sum += f32::max(patch, 0.0) / 4.0;
        }
    }
    unit_length(&mut sums, 1.0);
    sums
}

fn folder(model: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("model.onnx"), model).expect("written");
    let config = format!(r#"{{"size":{SIDE},"crop_size":{SIDE}}}"#);
    std::fs::write(folder.path().join("preprocessor_config.json"), config).expect("written");
    folder
}

#[test]
fn a_tower_gives_what_plain_sums_give() {
    let folder = folder(&tower());
    let mut model = Onnx::open(folder.path(), 1).expect("opened");
    let mut frames = Vec::new();
    let mut mean = vec![0.0; WIDTH];
    for at in 0..3_u32 {
        let shade = |x: u32, y: u32| [(x * 13 + at * 40) as u8, (y * 9 + at) as u8, (x * y) as u8];
        let picture = image::RgbImage::from_fn(SIDE as u32, SIDE as u32, |x, y| image::Rgb(shade(x, y)));
        let path = folder.path().join(format!("{at}.png"));
        picture.save(&path).expect("written");
        frames.push(path);
        let row = plainly(&model.preparation.planes(&picture));
        mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    unit_length(&mut mean, 1.0);
    frames.push(folder.path().join("gone.png"));
    let opened = Opened { bytes: Vec::new(), frames };
    let empty = Opened { bytes: Vec::new(), frames: Vec::new() };
    let rows = model.rows(&[opened, empty]).expect("embedded");
    for (got, want) in rows.row(0).iter().zip(&mean) {
        assert!((got - want).abs() < 1e-5, "{:?} against {mean:?}", rows.row(0));
    }
    assert!(rows.row(1).iter().all(|value| *value == 0.0));
}

#[test]
fn a_model_of_another_kind_is_told_by_its_ends() {
    let mut graph = field(1, &node("Relu", &["words"], "sense", &[]));
    graph.extend(field(2, b"other"));
    graph.extend(field(11, &value("words", &[0, 77])));
    graph.extend(field(12, &value("sense", &[0, 77])));
    let why = Onnx::open(folder(&model(&graph)).path(), 1).err().expect("refused");
    assert!(why.contains("words") && why.contains("sense"), "{why}");
    let why = Onnx::open(folder(b"no model at all").path(), 1).err().expect("refused");
    assert!(why.contains("model.onnx"), "{why}");
}
