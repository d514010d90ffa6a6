//! Tests with small hand-written vision towers whose outputs are compared with plain loops.

mod proto;
pub(crate) mod vit;

use super::*;
use proto::{SIDE, field, folder, int, ints, model, node, number, tensor, value};

const PATCH: usize = 8;
pub(in crate::embed) const WIDTH: usize = 5;

/// The tokenizer of [`clip_folder`]: the word "sea" is one token.
const TOKENIZER: &str = r#"{"model":{"type":"BPE","merges":["s e","se a</w>"],"vocab":
    {"<|startoftext|>":0,"<|endoftext|>":1,"s":2,"e":3,"a</w>":4,"sea</w>":5}}}"#;
const TOKENS: usize = 6;

/// Writes the tower of [`tower`] and a text tower with its tokenizer to a new folder.
pub(crate) fn clip_folder() -> tempfile::TempDir {
    let folder = tower_folder();
    std::fs::write(folder.path().join("text_model.onnx"), text_tower([0, 0], &[])).expect("written");
    std::fs::write(folder.path().join("tokenizer.json"), TOKENIZER).expect("written");
    folder
}

fn word_vectors() -> Vec<f32> {
    (0..TOKENS * WIDTH).map(|at| (at * 53 % 89) as f32 / 89.0 - 0.5).collect()
}

/// Returns a text tower that computes the mean of the token vectors. `sides` is the shape of its input; `more` names
/// further inputs.
fn text_tower(sides: [u64; 2], more: &[&str]) -> Vec<u8> {
    let mut graph = field(1, &node("Gather", &["vectors", "input_ids"], "tokens", &[]));
    let mean = [ints("axes", &[1]), int("keepdims", 0)];
    graph.extend(field(1, &node("ReduceMean", &["tokens"], "text_embeds", &mean)));
    graph.extend(field(2, b"text tower"));
    graph.extend(field(5, &tensor("vectors", &[TOKENS as u64, WIDTH as u64], &word_vectors())));
    for name in ["input_ids"].iter().chain(more) {
        graph.extend(field(11, &proto::whole_value(name, &sides)));
    }
    graph.extend(field(12, &value("text_embeds", &[sides[0], WIDTH as u64])));
    model(&graph)
}

/// Returns the normalised mean of the vectors of some tokens.
fn mean_of_tokens(tokens: &[usize]) -> Vec<f32> {
    let vectors = word_vectors();
    let mut mean: Vec<f32> =
        (0..WIDTH).map(|at| tokens.iter().map(|token| vectors[token * WIDTH + at]).sum()).collect();
    unit_length(&mut mean, 1.0);
    mean
}

/// Returns the embedding of "sea" by the text tower of [`clip_folder`].
pub(in crate::embed) fn sea_of_clip() -> Vec<f32> {
    mean_of_tokens(&[0, 5, 1])
}

#[test]
fn a_text_tower_matches_plain_loops() {
    let folder = clip_folder();
    let same = |row: &[f32], wanted: &[f32]| row.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-5);
    let mut tower = TextTower::open(folder.path(), WIDTH, 1).expect("opened").expect("a tower");
    let row = tower.embed("Sea").expect("embedded");
    assert!(row.len() == WIDTH && same(&row, &sea_of_clip()), "{row:?}");
    // A fixed number of tokens is padded with token 0.
    std::fs::write(folder.path().join("text_model.onnx"), text_tower([1, 8], &[])).expect("written");
    let mut tower = TextTower::open(folder.path(), WIDTH, 1).expect("opened").expect("a tower");
    let row = tower.embed("sea sea").expect("embedded");
    assert!(same(&row, &mean_of_tokens(&[0, 5, 5, 1, 0, 0, 0, 0])), "{row:?}");
}

#[test]
fn a_text_tower_without_a_tokenizer_or_of_another_kind_is_refused() {
    let folder = clip_folder();
    let open = || TextTower::open(folder.path(), WIDTH, 1).map(|tower| tower.is_some());
    std::fs::write(folder.path().join("text_model.onnx"), text_tower([0, 0], &["words"])).expect("written");
    assert!(open().is_err_and(|why| why.contains("exactly one token input")));
    std::fs::write(folder.path().join("text_model.onnx"), text_tower([0, 0], &[])).expect("written");
    let wider = TextTower::open(folder.path(), WIDTH + 3, 1).map(|tower| tower.is_some());
    assert!(
        wider
            .is_err_and(|why| why.contains("its embeddings have 5 dimensions, but those of pictures have 8"))
    );
    std::fs::write(folder.path().join("text_model.onnx"), tower()).expect("written");
    assert!(open().is_err_and(|why| why.contains("not a text tower")));
    std::fs::remove_file(folder.path().join("tokenizer.json")).expect("removed");
    assert!(open().is_err_and(|why| why.contains("tokenizer.json")));
    std::fs::remove_file(folder.path().join("text_model.onnx")).expect("removed");
    assert_eq!(open(), Ok(false));
}

fn weights() -> Vec<f32> {
    (0..WIDTH * 3 * PATCH * PATCH).map(|at| ((at * 37 % 101) as f32 / 101.0 - 0.5) * 0.2).collect()
}

/// Writes the tower of [`tower`] and its configuration to a new folder.
pub(crate) fn tower_folder() -> tempfile::TempDir {
    folder(&tower())
}

/// Returns a tower of a patch convolution, an activation and mean pooling: a vision transformer without its
/// blocks.
fn tower() -> Vec<u8> {
    tower_of([0, 3, SIDE as u64, SIDE as u64], &patches())
}

/// Returns the tensor of the patch weights, stored within the model.
fn patches() -> Vec<u8> {
    tensor("patches", &[WIDTH as u64, 3, PATCH as u64, PATCH as u64], &weights())
}

/// Returns a tower for the input shape `sides`, in which 0 is a dynamic dimension.
fn tower_of(sides: [u64; 4], patches: &[u8]) -> Vec<u8> {
    let conv = [ints("kernel_shape", &[PATCH as u64; 2]), ints("strides", &[PATCH as u64; 2])];
    let mut graph = field(1, &node("Conv", &["pixel_values", "patches"], "embedded", &conv));
    graph.extend(field(1, &node("Relu", &["embedded"], "bent", &[])));
    graph.extend(field(1, &node("GlobalAveragePool", &["bent"], "pooled", &[])));
    graph.extend(field(1, &node("Flatten", &["pooled"], "image_embeds", &[])));
    graph.extend(field(2, b"tower"));
    graph.extend(field(5, patches));
    graph.extend(field(11, &value("pixel_values", &sides)));
    graph.extend(field(12, &value("image_embeds", &[sides[0], WIDTH as u64])));
    model(&graph)
}

/// Computes the tower's normalised output with plain loops.
fn reference(planes: &[f32]) -> Vec<f32> {
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

#[test]
fn a_tower_matches_plain_loops() {
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
        let row = reference(&model.config.preparation.values(&picture, Layout::Nchw));
        mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    unit_length(&mut mean, 1.0);
    frames.push(folder.path().join("gone.png"));
    let opened = PresetInput { bytes: Vec::new(), frames };
    let empty = PresetInput { bytes: Vec::new(), frames: Vec::new() };
    let rows = model.rows(&[opened, empty]).expect("embedded");
    for (got, want) in rows.row(0).iter().zip(&mean) {
        assert!((got - want).abs() < 1e-5, "{:?} against {mean:?}", rows.row(0));
    }
    assert!(rows.row(1).iter().all(|value| *value == 0.0));
}

#[test]
fn a_model_of_another_kind_is_reported_with_its_inputs_and_outputs() {
    let mut graph = field(1, &node("Relu", &["words"], "sense", &[]));
    graph.extend(field(2, b"other"));
    graph.extend(field(11, &value("words", &[0, 77])));
    graph.extend(field(12, &value("sense", &[0, 77])));
    let why = Onnx::open(folder(&model(&graph)).path(), 1).err().expect("refused");
    assert!(why.contains("words") && why.contains("sense"), "{why}");
    let why = Onnx::open(folder(b"no model at all").path(), 1).err().expect("refused");
    assert!(why.contains("model.onnx"), "{why}");
}

/// Returns `count` pictures of noise, already preprocessed.
fn pictures(count: usize) -> Vec<Vec<f32>> {
    let mut rng = crate::units::Rng::new(6);
    (0..count).map(|_| (0..3 * SIDE * SIDE).map(|_| rng.normal() as f32).collect()).collect()
}

fn assert_matches_reference(rows: &[Vec<f32>], pictures: &[Vec<f32>]) {
    assert_eq!(rows.len(), pictures.len());
    for (row, planes) in rows.iter().zip(pictures) {
        let wanted = reference(planes);
        assert!(row.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-5), "{row:?} against {wanted:?}");
    }
}

#[test]
fn a_fixed_batch_size_is_respected() {
    let pictures = pictures(BATCH + 1);
    for batch in [1, 3, BATCH as u64, 11] {
        let folder = folder(&tower_of([batch, 3, SIDE as u64, SIDE as u64], &patches()));
        let mut model = Onnx::open(folder.path(), 1).expect("opened");
        assert_eq!(model.signature.batch, Some(batch as usize));
        assert_matches_reference(&model.run(&pictures).expect("run"), &pictures);
        assert_eq!(model.chunk_size() % batch as usize, 0);
        let frames: Vec<PathBuf> = (0..BATCH + 1)
            .map(|at| {
                let path = folder.path().join(format!("{at}.png"));
                let shade = |x: u32, y: u32| image::Rgb([(x * 13) as u8, (y * 9) as u8, at as u8 * 20]);
                image::RgbImage::from_fn(SIDE as u32, SIDE as u32, shade).save(&path).expect("written");
                path
            })
            .collect();
        let opened = |frame: &PathBuf| PresetInput { bytes: Vec::new(), frames: vec![frame.clone()] };
        let rows = model.rows(&frames.iter().map(opened).collect::<Vec<_>>()).expect("embedded");
        assert!(rows.outer_iter().all(|row| (row.dot(&row) - 1.0).abs() < 1e-5), "{rows}");
    }
    let folder = folder(&tower_of([4096, 3, SIDE as u64, SIDE as u64], &patches()));
    let why = Onnx::open(folder.path(), 1).err().expect("refused");
    assert!(why.contains("batch size of 4096"), "{why}");
}

#[test]
fn a_model_that_only_takes_one_picture_is_run_one_at_a_time() {
    // This model concatenates the rows of all pictures.
    let conv = [ints("kernel_shape", &[PATCH as u64; 2]), ints("strides", &[PATCH as u64; 2])];
    let mut graph = field(1, &node("Conv", &["pixel_values", "patches"], "embedded", &conv));
    graph.extend(field(1, &node("Relu", &["embedded"], "bent", &[])));
    graph.extend(field(1, &node("GlobalAveragePool", &["bent"], "pooled", &[])));
    graph.extend(field(1, &node("Flatten", &["pooled"], "image_embeds", &[int("axis", 0)])));
    graph.extend(field(2, b"tower"));
    graph.extend(field(5, &patches()));
    graph.extend(field(11, &value("pixel_values", &[0, 3, SIDE as u64, SIDE as u64])));
    let of_any_sides = field(2, &field(1, &number(1, 1)));
    graph.extend(field(12, &[field(1, b"image_embeds"), of_any_sides].concat()));
    let folder = folder(&model(&graph));
    let mut model = Onnx::open(folder.path(), 1).expect("opened");
    let pictures = pictures(3);
    assert_matches_reference(&model.run(&pictures).expect("run"), &pictures);
}

#[test]
fn a_wrong_picture_size_is_reported_with_both_files() {
    let refused = |sides| {
        let folder = folder(&tower_of(sides, &patches()));
        Onnx::open(folder.path(), 1).err().expect("refused")
    };
    let why = refused([0, 3, 48, 48]);
    assert!(why.contains("model.onnx: it expects 48x48 pictures"), "{why}");
    assert!(why.contains("preprocessor_config.json produces 16x16"), "{why}");
    let free = folder(&tower_of([0, 3, 0, 0], &patches()));
    assert!(Onnx::open(free.path(), 1).is_ok());
}

/// Returns the tower with a channels-last input, followed by the softmax of a classifier.
fn classifier() -> Vec<u8> {
    let conv = [ints("kernel_shape", &[PATCH as u64; 2]), ints("strides", &[PATCH as u64; 2])];
    let mut graph = field(1, &node("Transpose", &["pictures"], "planes", &[ints("perm", &[0, 3, 1, 2])]));
    graph.extend(field(1, &node("Conv", &["planes", "patches"], "embedded", &conv)));
    graph.extend(field(1, &node("Relu", &["embedded"], "bent", &[])));
    graph.extend(field(1, &node("GlobalAveragePool", &["bent"], "pooled", &[])));
    graph.extend(field(1, &node("Flatten", &["pooled"], "scores", &[])));
    graph.extend(field(1, &node("Softmax", &["scores"], "classes", &[])));
    graph.extend(field(2, b"classifier"));
    graph.extend(field(5, &patches()));
    graph.extend(field(11, &value("pictures", &[0, SIDE as u64, SIDE as u64, 3])));
    graph.extend(field(12, &value("classes", &[0, WIDTH as u64])));
    model(&graph)
}

#[test]
fn a_network_is_cut_at_a_named_value_and_receives_its_channel_order() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("net.onnx"), classifier()).expect("written");
    let picture = image::RgbImage::from_fn(20, 16, |x, y| image::Rgb([x as u8 * 9, y as u8 * 8, 77]));
    picture.save(folder.path().join("picture.png")).expect("written");
    let frames = vec![folder.path().join("picture.png")];
    // The reference takes planes, in the order blue, green, red.
    let planes: Vec<f32> = [(2, 10.0), (1, 20.0), (0, 30.0)]
        .into_iter()
        .flat_map(|(channel, mean)| {
            let cut = image::imageops::crop_imm(&picture, 2, 0, 16, 16).to_image();
            cut.pixels().map(|pixel| f32::from(pixel.0[channel]) - mean).collect::<Vec<_>>()
        })
        .collect();
    let wanted = reference(&planes);
    // "bent" has a vector for each patch, "scores" has one.
    let mut ids = Vec::new();
    for output in ["bent", "scores"] {
        let config =
            format!("output = {output:?}\ncolours = \"bgr\"\nsize = 16\nscale = 1\nmean = [10, 20, 30]");
        std::fs::write(folder.path().join("aivj-model.toml"), config).expect("written");
        let mut model = Onnx::open(folder.path(), 1).expect("opened");
        let rows =
            model.rows(&[PresetInput { bytes: Vec::new(), frames: frames.clone() }]).expect("embedded");
        let off = rows.row(0).iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 1e-5, "{output}: {rows} against {wanted:?}");
        ids.push(model.id());
    }
    assert_ne!(ids[0], ids[1]);
    std::fs::write(folder.path().join("aivj-model.toml"), "output = \"none\"\nsize = 16").expect("written");
    let why = Onnx::open(folder.path(), 1).err().expect("refused");
    assert!(why.contains("net.onnx") && why.contains("none"), "{why}");
    std::fs::write(folder.path().join("aivj-model.toml"), "model = \"../net.onnx\"\nsize = 16")
        .expect("written");
    let why = Onnx::open(folder.path(), 1).err().expect("refused");
    assert!(why.contains("has no model ../net.onnx"), "{why}");
}

#[test]
fn tokens_are_pooled_if_no_output_has_one_vector_per_picture() {
    // The four patches as tokens: [pictures, 4, WIDTH].
    let conv = [ints("kernel_shape", &[PATCH as u64; 2]), ints("strides", &[PATCH as u64; 2])];
    let mut graph = field(1, &node("Conv", &["pixel_values", "patches"], "embedded", &conv));
    graph.extend(field(1, &node("Relu", &["embedded"], "bent", &[])));
    graph.extend(field(1, &node("Reshape", &["bent", "flat"], "columns", &[])));
    graph
        .extend(field(1, &node("Transpose", &["columns"], "last_hidden_state", &[ints("perm", &[0, 2, 1])])));
    graph.extend(field(2, b"tokens"));
    graph.extend(field(5, &patches()));
    graph.extend(field(5, &proto::whole("flat", &[3], &[0, WIDTH as i64, -1])));
    graph.extend(field(11, &value("pixel_values", &[0, 3, SIDE as u64, SIDE as u64])));
    graph.extend(field(12, &value("last_hidden_state", &[0, 4, WIDTH as u64])));
    let folder = folder(&model(&graph));
    let mut model = Onnx::open(folder.path(), 1).expect("opened");
    let pictures = pictures(3);
    assert_matches_reference(&model.run(&pictures).expect("run"), &pictures);
}

#[test]
fn external_weights_are_part_of_the_fingerprint() {
    let name = "model.onnx_data";
    let mut entry = field(1, b"location");
    entry.extend(field(2, name.as_bytes()));
    let mut patches: Vec<u8> =
        [WIDTH, 3, PATCH, PATCH].iter().flat_map(|side| number(1, *side as u64)).collect();
    patches.extend(number(2, 1));
    patches.extend(field(8, b"patches"));
    patches.extend(field(13, &entry));
    patches.extend(number(14, 1));
    let folder = folder(&tower_of([0, 3, SIDE as u64, SIDE as u64], &patches));
    let open = |weights: &[f32]| {
        let bytes: Vec<u8> = weights.iter().flat_map(|value| value.to_le_bytes()).collect();
        std::fs::write(folder.path().join(name), bytes).expect("written");
        Onnx::open(folder.path(), 1).expect("opened")
    };
    let other: Vec<f32> = weights().iter().map(|weight| -weight).collect();
    let (mut one, another, again) = (open(&weights()), open(&other), open(&weights()));
    let pictures = pictures(2);
    assert_matches_reference(&one.run(&pictures).expect("run"), &pictures);
    assert_ne!(one.id(), another.id());
    assert_eq!(one.id(), again.id());
    // The fingerprint of a model without external data is the hash of its file.
    let whole = proto::folder(&tower());
    let bytes = std::fs::read(whole.path().join("model.onnx")).expect("there");
    let hash: String = Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(Onnx::open(whole.path(), 1).expect("opened").id().model, hash);
}
