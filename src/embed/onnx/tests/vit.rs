//! A small vision transformer built like CLIP's, with random weights: patches, a class token, position
//! embeddings, two blocks of attention and an MLP with CLIP's quick GELU, and a projection. Written as ONNX, with the
//! names that PyTorch's exporter gives the weights, and compared with plain loops.

use super::proto::{field, folder, int, ints, model, node, number, tensor, value, whole};
use crate::embed::onnx::Onnx;
use crate::embed::text::unit_length;
use crate::units::Rng;

const SIDE: usize = 16;
const PATCH: usize = 8;
const TOKENS: usize = (SIDE / PATCH) * (SIDE / PATCH) + 1;
const WIDTH: usize = 8;
const HEADS: usize = 2;
const HEAD: usize = WIDTH / HEADS;
const HIDDEN: usize = 12;
const OUT: usize = 6;
const BLOCKS: usize = 2;
const EPSILON: f32 = 1e-5;
const PATCHES: &str = "vision_model.embeddings.patch_embedding.weight";
const CLASS: &str = "vision_model.embeddings.class_embedding";
const POSITIONS: &str = "vision_model.embeddings.position_embedding.weight";
const BEFORE: &str = "vision_model.pre_layrnorm";
const AFTER: &str = "vision_model.post_layernorm";
const PROJECTION: &str = "onnx::MatMul_visual_projection";
/// Linear layers of a block, with their numbers of inputs and outputs.
const LAYERS: [(&str, [usize; 2]); 6] = [
    ("self_attn.q_proj", [WIDTH; 2]),
    ("self_attn.k_proj", [WIDTH; 2]),
    ("self_attn.v_proj", [WIDTH; 2]),
    ("self_attn.out_proj", [WIDTH; 2]),
    ("mlp.fc1", [WIDTH, HIDDEN]),
    ("mlp.fc2", [HIDDEN, WIDTH]),
];
const NORMS: [&str; 2] = ["layer_norm1", "layer_norm2"];

fn in_block(block: usize, part: &str) -> String {
    format!("vision_model.encoder.layers.{block}.{part}")
}

/// Returns the name of the matrix of a linear layer, which the exporter transposes and renames.
fn matrix(layer: &str) -> String {
    format!("onnx::MatMul_{layer}")
}

fn gain(norm: &str) -> String {
    format!("{norm}.weight")
}

fn bias(layer: &str) -> String {
    format!("{layer}.bias")
}

/// Name, shape and values of each weight, in the order in which they are generated.
struct Weights(Vec<(String, Vec<u64>, Vec<f32>)>);

impl Weights {
    fn random(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut weights = Self(Vec::new());
        let mut draw = |name: String, sides: &[usize], mean: f32, spread: f32| {
            let count: usize = sides.iter().product();
            let values = (0..count).map(|_| mean + spread * rng.normal() as f32).collect();
            weights.0.push((name, sides.iter().map(|&side| side as u64).collect(), values));
        };
        draw(PATCHES.into(), &[WIDTH, 3, PATCH, PATCH], 0.0, 0.1);
        draw(CLASS.into(), &[WIDTH], 0.0, 1.0);
        draw(POSITIONS.into(), &[TOKENS, WIDTH], 0.0, 0.5);
        for block in 0..BLOCKS {
            for (part, [inputs, outputs]) in LAYERS {
                draw(matrix(&in_block(block, part)), &[inputs, outputs], 0.0, 0.4);
                draw(bias(&in_block(block, part)), &[outputs], 0.0, 0.1);
            }
        }
        let norms = (0..BLOCKS).flat_map(|block| NORMS.map(|norm| in_block(block, norm)));
        for norm in norms.chain([BEFORE.into(), AFTER.into()]) {
            draw(gain(&norm), &[WIDTH], 1.0, 0.2);
            draw(bias(&norm), &[WIDTH], 0.0, 0.2);
        }
        draw(PROJECTION.into(), &[WIDTH, OUT], 0.0, 0.5);
        weights
    }

    fn get(&self, name: &str) -> &[f32] {
        &self.0.iter().find(|(own, _, _)| own == name).expect("a weight of this name").2
    }
}

/// Returns a float attribute.
fn float(name: &str, value: f32) -> Vec<u8> {
    let mut attribute = field(1, name.as_bytes());
    attribute.push(2 << 3 | 5);
    attribute.extend(value.to_le_bytes());
    attribute.extend(number(20, 1));
    attribute
}

/// Encoded nodes of a graph, in order.
#[derive(Default)]
struct Graph(Vec<u8>);

impl Graph {
    fn add(&mut self, kind: &str, inputs: &[&str], output: &str, attributes: &[Vec<u8>]) {
        self.0.extend(field(1, &node(kind, inputs, output, attributes)));
    }

    /// Adds a matrix product with bias.
    fn dense(&mut self, input: &str, layer: &str, output: &str) {
        let product = format!("{output}_product");
        self.add("MatMul", &[input, &matrix(layer)], &product, &[]);
        self.add("Add", &[&bias(layer), &product], output, &[]);
    }

    fn norm(&mut self, input: &str, norm: &str, output: &str) {
        let attributes = [int("axis", u64::MAX), float("epsilon", EPSILON)];
        self.add("LayerNormalization", &[input, &gain(norm), &bias(norm)], output, &attributes);
    }

    fn block(&mut self, block: usize, input: &str, output: &str) {
        let name = |part: &str| format!("{part}{block}");
        let layer = |part: &str| in_block(block, part);
        self.norm(input, &layer("layer_norm1"), &name("normed"));
        for (part, order) in [("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])] {
            let projected = name(&format!("{part}_flat"));
            self.dense(&name("normed"), &layer(&format!("self_attn.{part}_proj")), &projected);
            self.add("Reshape", &[&projected, "split"], &name(&format!("{part}_heads")), &[]);
            let turn = [ints("perm", &order)];
            self.add(
                "Transpose",
                &[&name(&format!("{part}_heads"))],
                &name(&format!("{part}_turned")),
                &turn,
            );
        }
        self.add("MatMul", &[&name("q_turned"), &name("k_turned")], &name("scores"), &[]);
        self.add("Mul", &[&name("scores"), "scale"], &name("scaled"), &[]);
        self.add("Softmax", &[&name("scaled")], &name("shares"), &[int("axis", u64::MAX)]);
        self.add("MatMul", &[&name("shares"), &name("v_turned")], &name("mixed"), &[]);
        self.add("Transpose", &[&name("mixed")], &name("mixed_turned"), &[ints("perm", &[0, 2, 1, 3])]);
        self.add("Reshape", &[&name("mixed_turned"), "join"], &name("joined"), &[]);
        self.dense(&name("joined"), &layer("self_attn.out_proj"), &name("attended"));
        self.add("Add", &[input, &name("attended")], &name("middle"), &[]);
        self.norm(&name("middle"), &layer("layer_norm2"), &name("normed_again"));
        self.dense(&name("normed_again"), &layer("mlp.fc1"), &name("wide"));
        self.add("Mul", &[&name("wide"), "steep"], &name("steeper"), &[]);
        self.add("Sigmoid", &[&name("steeper")], &name("gate"), &[]);
        self.add("Mul", &[&name("wide"), &name("gate")], &name("bent"), &[]);
        self.dense(&name("bent"), &layer("mlp.fc2"), &name("narrow"));
        self.add("Add", &[&name("middle"), &name("narrow")], output, &[]);
    }
}

fn tower(weights: &Weights) -> Vec<u8> {
    let mut graph = Graph::default();
    let conv = [ints("kernel_shape", &[PATCH as u64; 2]), ints("strides", &[PATCH as u64; 2])];
    graph.add("Conv", &["pixel_values", PATCHES], "convolved", &conv);
    graph.add("Reshape", &["convolved", "flat"], "columns", &[]);
    graph.add("Transpose", &["columns"], "rows", &[ints("perm", &[0, 2, 1])]);
    // Broadcasts the class token over the batch: zero times the mean, plus the token.
    graph.add("ReduceMean", &["rows"], "mean", &[ints("axes", &[1]), int("keepdims", 1)]);
    graph.add("Mul", &["mean", "zero"], "nothing", &[]);
    graph.add("Add", &["nothing", CLASS], "first", &[]);
    graph.add("Concat", &["first", "rows"], "tokens", &[int("axis", 1)]);
    graph.add("Add", &["tokens", POSITIONS], "placed", &[]);
    graph.norm("placed", BEFORE, "stream0");
    for block in 0..BLOCKS {
        graph.block(block, &format!("stream{block}"), &format!("stream{}", block + 1));
    }
    graph.add("Gather", &[&format!("stream{BLOCKS}"), "index"], "token", &[int("axis", 1)]);
    graph.norm("token", AFTER, "normed");
    graph.add("MatMul", &["normed", PROJECTION], "image_embeds", &[]);
    let mut graph = graph.0;
    graph.extend(field(2, b"vit"));
    for (name, sides, values) in &weights.0 {
        graph.extend(field(5, &tensor(name, sides, values)));
    }
    let single = |name: &str, value: f32| field(5, &tensor(name, &[1], &[value]));
    graph.extend(single("zero", 0.0));
    graph.extend(single("scale", (HEAD as f32).sqrt().recip()));
    graph.extend(single("steep", 1.702));
    graph.extend(field(5, &whole("flat", &[3], &[0, WIDTH as i64, -1])));
    graph.extend(field(5, &whole("split", &[4], &[0, TOKENS as i64, HEADS as i64, HEAD as i64])));
    graph.extend(field(5, &whole("join", &[3], &[0, TOKENS as i64, WIDTH as i64])));
    graph.extend(field(5, &whole("index", &[], &[0])));
    graph.extend(field(11, &value("pixel_values", &[0, 3, SIDE as u64, SIDE as u64])));
    graph.extend(field(12, &value("image_embeds", &[0, OUT as u64])));
    model(&graph)
}

type Rows = Vec<Vec<f32>>;

fn dense(rows: &Rows, weights: &Weights, layer: &str) -> Rows {
    let (matrix, bias) = (weights.get(&matrix(layer)), weights.get(&bias(layer)));
    let width = bias.len();
    let cell = |row: &Vec<f32>, out: usize| {
        bias[out] + row.iter().enumerate().map(|(at, value)| value * matrix[at * width + out]).sum::<f32>()
    };
    rows.iter().map(|row| (0..width).map(|out| cell(row, out)).collect()).collect()
}

fn norm(rows: &Rows, weights: &Weights, norm: &str) -> Rows {
    let (gain, bias) = (weights.get(&gain(norm)), weights.get(&bias(norm)));
    let normed = |row: &Vec<f32>| {
        let mean = row.iter().sum::<f32>() / row.len() as f32;
        let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / row.len() as f32;
        let scale = (variance + EPSILON).sqrt().recip();
        row.iter().enumerate().map(|(at, value)| (value - mean) * scale * gain[at] + bias[at]).collect()
    };
    rows.iter().map(normed).collect()
}

fn plus(a: &Rows, b: &Rows) -> Rows {
    a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + b).collect()).collect()
}

fn attend(rows: &Rows, weights: &Weights, block: usize) -> Rows {
    let [q, k, v] =
        ["q", "k", "v"].map(|part| dense(rows, weights, &in_block(block, &format!("self_attn.{part}_proj"))));
    let mut mixed = vec![vec![0.0; WIDTH]; rows.len()];
    for head in 0..HEADS {
        let range = head * HEAD..(head + 1) * HEAD;
        for (at, query) in q.iter().enumerate() {
            let score = |key: &Vec<f32>| {
                let dot: f32 = query[range.clone()].iter().zip(&key[range.clone()]).map(|(a, b)| a * b).sum();
                (dot / (HEAD as f32).sqrt()).exp()
            };
            let scores: Vec<f32> = k.iter().map(score).collect();
            let sum: f32 = scores.iter().sum();
            for (score, values) in scores.iter().zip(&v) {
                for column in range.clone() {
                    mixed[at][column] += score / sum * values[column];
                }
            }
        }
    }
    dense(&mixed, weights, &in_block(block, "self_attn.out_proj"))
}

/// Computes the tower's normalised output with plain loops.
fn reference(planes: &[f32], weights: &Weights) -> Vec<f32> {
    let across = SIDE / PATCH;
    let patches = weights.get(PATCHES);
    let mut rows = vec![weights.get(CLASS).to_vec()];
    for patch in 0..TOKENS - 1 {
        let (top, left) = (patch / across * PATCH, patch % across * PATCH);
        let mut row = vec![0.0; WIDTH];
        for (out, sum) in row.iter_mut().enumerate() {
            for at in 0..3 * PATCH * PATCH {
                let (channel, y, x) = (at / (PATCH * PATCH), at / PATCH % PATCH, at % PATCH);
                *sum += patches[out * 3 * PATCH * PATCH + at]
                    * planes[(channel * SIDE + top + y) * SIDE + left + x];
            }
        }
        rows.push(row);
    }
    let positions = weights.get(POSITIONS).chunks(WIDTH).map(<[f32]>::to_vec).collect();
    let mut stream = norm(&plus(&rows, &positions), weights, BEFORE);
    for block in 0..BLOCKS {
        let attended = attend(&norm(&stream, weights, &in_block(block, "layer_norm1")), weights, block);
        let middle = plus(&stream, &attended);
        let normed = norm(&middle, weights, &in_block(block, "layer_norm2"));
        let mut wide = dense(&normed, weights, &in_block(block, "mlp.fc1"));
        wide.iter_mut().flatten().for_each(|value| *value /= 1.0 + (-1.702 * *value).exp());
        stream = plus(&middle, &dense(&wide, weights, &in_block(block, "mlp.fc2")));
    }
    let token = norm(&vec![stream[0].clone()], weights, AFTER).remove(0);
    let out = weights.get(PROJECTION);
    let mut embedding: Vec<f32> = (0..OUT)
        .map(|column| token.iter().enumerate().map(|(at, value)| value * out[at * OUT + column]).sum())
        .collect();
    unit_length(&mut embedding, 1.0);
    embedding
}

/// Writes a transformer to a new folder.
pub(crate) fn transformer_folder(seed: u64) -> tempfile::TempDir {
    folder(&tower(&Weights::random(seed)))
}

#[test]
fn a_vision_transformer_matches_plain_loops() {
    let weights = Weights::random(4);
    let folder = transformer_folder(4);
    let mut model = Onnx::open(folder.path(), 2).expect("opened");
    let mut rng = Rng::new(8);
    let planes: Vec<Vec<f32>> =
        (0..3).map(|_| (0..3 * SIDE * SIDE).map(|_| rng.normal() as f32).collect()).collect();
    // All at once and one by one: the batch size does not change the result.
    let together = model.run(&planes).expect("run");
    for (planes, row) in planes.iter().zip(&together) {
        let alone = model.run(std::slice::from_ref(planes)).expect("run");
        for (got, wanted) in [(row, reference(planes, &weights)), (&alone[0], row.clone())] {
            let worst = got.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 2e-5, "off by {worst}: {got:?} against {wanted:?}");
        }
    }
    let apart = together[0].iter().zip(&together[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart > 0.05, "different pictures give nearly equal embeddings: {together:?}");
}
