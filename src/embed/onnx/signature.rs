//! The input and the output of a model, and the shape of the input.

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

use super::config::ModelConfig;
use super::prepare::Layout;

/// Maximum fixed batch size of a model; limited because a batch must fit in memory.
const LARGEST_BATCH: i64 = 256;
/// Names of the embedding output, in order of preference.
const OUTPUTS: [&str; 5] = ["image_embeds", "image_features", "pooler_output", "embedding", "output"];

/// How a vision tower is called.
pub(super) struct Signature {
    pub input: String,
    pub output: String,
    pub layout: Layout,
    /// Batch size, if the model has a fixed one.
    pub batch: Option<usize>,
}

impl Signature {
    /// Returns the signature of a vision tower; for any other model, the error lists its inputs and outputs.
    pub fn of(session: &Session, config: &ModelConfig) -> Result<Self, String> {
        let list = |ends: &[Outlet]| {
            ends.iter().map(|end| format!("{}: {}", end.name(), end.dtype())).collect::<Vec<_>>().join(", ")
        };
        let other = |why: &str| {
            let (inputs, outputs) = (list(session.inputs()), list(session.outputs()));
            format!("{why}; found inputs [{inputs}], outputs [{outputs}]")
        };
        let no_tower = "not a vision tower: it needs one input of pictures and one output of embeddings";
        let [input] = session.inputs() else { return Err(other(no_tower)) };
        if config.input.as_ref().is_some_and(|name| name != input.name()) {
            return Err(other("it does not have the configured input"));
        }
        let sides = input.dtype().tensor_shape().and_then(|shape| <[i64; 4]>::try_from(&shape[..]).ok());
        let sides = sides.filter(|_| rank(input) == Some(4)).ok_or_else(|| other(no_tower))?;
        let output = match &config.output {
            Some(name) if session.outputs().iter().any(|end| end.name() == name) => name.as_str(),
            Some(_) => return Err(other("it does not have the configured output")),
            None => embedding_output(session.outputs()).ok_or_else(|| other(no_tower))?,
        };
        let layout = layout_of(&sides, config.layout)?;
        check_size(&sides, layout, config.preparation.crop).map_err(|expected| {
            let (source, side) = (config.source.display(), config.preparation.crop);
            format!("it expects {expected} pictures, but {source} produces {side}x{side}; use the configuration of this model")
        })?;
        Ok(Self {
            input: input.name().to_owned(),
            output: output.to_owned(),
            layout,
            batch: batch_of(&sides)?,
        })
    }
}

/// Returns the number of dimensions of a tensor of 32-bit floats; `None` for other types.
fn rank(end: &Outlet) -> Option<usize> {
    match end.dtype() {
        ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } => Some(shape.len()),
        _ => None,
    }
}

/// Returns the name of the output with one vector per picture or, if there is none, of the first with several
/// vectors per picture.
fn embedding_output(outputs: &[Outlet]) -> Option<&str> {
    let of_rank =
        |wanted: usize| outputs.iter().filter(move |end| rank(end) == Some(wanted)).map(Outlet::name);
    let best = OUTPUTS.into_iter().find_map(|name| of_rank(2).find(|found| *found == name));
    best.or_else(|| of_rank(2).next()).or_else(|| of_rank(3).next()).or_else(|| of_rank(4).next())
}

/// Returns the order of an input's dimensions: as configured, or inferred from the position of the three channels, or
/// NCHW if that is ambiguous. Fails if the number of channels is neither 3 nor dynamic.
fn layout_of(sides: &[i64; 4], wanted: Option<Layout>) -> Result<Layout, String> {
    let accepts = |layout: Layout| matches!(sides[channels(layout)], ..1 | 3);
    let known = |layout: Layout| sides[channels(layout)] == 3;
    let guess = match known(Layout::Nhwc) && !known(Layout::Nchw) {
        true => Layout::Nhwc,
        false => Layout::Nchw,
    };
    let layout = wanted.unwrap_or(guess);
    let wrong = || {
        format!("its input shape is {sides:?}; it must be [.., 3, height, width] or [.., height, width, 3]")
    };
    accepts(layout).then_some(layout).ok_or_else(wrong)
}

/// Returns the index of the channels among an input's dimensions.
fn channels(layout: Layout) -> usize {
    match layout {
        Layout::Nchw => 1,
        Layout::Nhwc => 3,
    }
}

/// Returns the batch size of an input, or `None` if it is dynamic; fails above [`LARGEST_BATCH`].
fn batch_of(sides: &[i64; 4]) -> Result<Option<usize>, String> {
    match sides[0] {
        ..1 => Ok(None),
        fixed @ 1..=LARGEST_BATCH => Ok(Some(fixed as usize)),
        fixed => Err(format!(
            "its batch size of {fixed} exceeds the maximum of {LARGEST_BATCH}; export it with a dynamic batch size, or 1"
        )),
    }
}

/// Checks that an input accepts pictures of `side` x `side` pixels; the error is the expected width and
/// height.
fn check_size(sides: &[i64; 4], layout: Layout, side: u32) -> Result<(), String> {
    let side = i64::from(side);
    let from = match layout {
        Layout::Nchw => 2,
        Layout::Nhwc => 1,
    };
    let [height, width] = [sides[from], sides[from + 1]].map(|size| if size < 1 { side } else { size });
    match (width, height) == (side, side) {
        true => Ok(()),
        false => Err(format!("{width}x{height}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_recognised_by_the_three_channels() {
        use Layout::{Nchw, Nhwc};
        assert_eq!(layout_of(&[-1, 3, 224, 224], None), Ok(Nchw));
        assert_eq!(layout_of(&[-1, 224, 224, 3], None), Ok(Nhwc));
        assert_eq!(layout_of(&[-1, -1, -1, -1], None), Ok(Nchw));
        assert_eq!(layout_of(&[-1, -1, -1, -1], Some(Nhwc)), Ok(Nhwc));
        for (sides, wanted) in [([1, 4, 48, 48], None), ([1, 224, 224, 3], Some(Nchw))] {
            assert!(layout_of(&sides, wanted).is_err_and(|why| why.contains(&format!("{sides:?}"))));
        }
        assert_eq!(check_size(&[1, 3, -1, 32], Nchw, 48), Err("32x48".into()));
        assert_eq!(check_size(&[1, 48, -1, 3], Nhwc, 48), Ok(()));
    }
}
