//! The text tower of a CLIP model: embeds a text in the space of the model's pictures.
//!
//! It is stored in the folder of the model, with its tokenizer, under the file names of Hugging Face, OpenCLIP or
//! Immich.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use ort::session::{Session, SessionInputValue};
use ort::value::{Outlet, Tensor, TensorElementType, ValueType};

use super::tokenizer::Tokenizer;
use super::{check_model, runtime, session};
use crate::embed::text::unit_length;

/// Possible paths of the text tower within the folder of a model, in order of preference.
pub(crate) const TEXT_FILES: [&str; 6] = [
    "text_model.onnx",
    "onnx/text_model.onnx",
    "textual.onnx",
    "textual/model.onnx",
    "text_model_quantized.onnx",
    "onnx/text_model_quantized.onnx",
];
/// Names of the embedding output, in order of preference.
const OUTPUTS: [&str; 5] = ["text_embeds", "text_features", "pooler_output", "embedding", "output"];
/// Name of the optional input that tells tokens from padding.
const MASK: &str = "attention_mask";
/// Maximum number of tokens for a tower that accepts any number; the number that CLIP was trained with.
const MAX_TOKENS: usize = 77;

/// A text tower that is ready to run.
pub(crate) struct TextTower {
    session: Session,
    tokenizer: Tokenizer,
    ids: TokenInput,
    mask: Option<TokenInput>,
    output: String,
}

/// An input with one integer per token.
struct TokenInput {
    name: String,
    /// Whether the integers have 64 bits instead of 32.
    is_long: bool,
    /// Number of tokens, if it is fixed.
    length: Option<usize>,
}

impl TextTower {
    /// Opens the text tower in the folder of a model whose picture embeddings have `width` dimensions, and tests it;
    /// `None` if the folder has none.
    ///
    /// # Errors
    /// Fails if the tower or its tokenizer cannot be used, or if its embeddings have another number of dimensions than
    /// those of pictures, as in an export without the projection into the common space.
    pub fn open(folder: &Path, width: usize, threads: usize) -> Result<Option<Self>, String> {
        let Some(path) = text_file(folder) else { return Ok(None) };
        let failed = |error: String| format!("cannot use {}: {error}", path.display());
        let tokenizer = Tokenizer::open(folder)?;
        check_model(&path).map_err(|error| failed(error.to_string()))?;
        let session = session(&runtime::runtime()?, None, &path, None, threads).map_err(failed)?;
        let inputs: Vec<TokenInput> = session.inputs().iter().filter_map(TokenInput::of).collect();
        if inputs.len() != session.inputs().len() {
            return Err(failed("not a text tower: one of its inputs is not a row of tokens".into()));
        }
        let (mut masks, mut ids): (Vec<_>, Vec<_>) = inputs.into_iter().partition(|input| input.name == MASK);
        let (Some(ids), mask, []) = (ids.pop(), masks.pop(), &ids[..]) else {
            return Err(failed("not a text tower: it must have exactly one token input".into()));
        };
        let output = output(session.outputs()).map(str::to_owned);
        let output = output.ok_or_else(|| failed("not a text tower: it has no embedding output".into()))?;
        let mut tower = Self { session, tokenizer, ids, mask, output };
        match tower.embed("test").map_err(failed)?.len() {
            own if own == width => Ok(Some(tower)),
            own => Err(failed(format!(
                "its embeddings have {own} dimensions, but those of pictures have {width}"
            ))),
        }
    }

    /// Returns the normalised embedding of a text.
    pub fn embed(&mut self, text: &str) -> Result<Vec<f32>, String> {
        let failed = |error: ort::Error| format!("the text tower failed: {error}");
        let tokens = self.tokenizer.tokens(text, self.ids.length.unwrap_or(MAX_TOKENS));
        let present = vec![1; tokens.len()];
        let mut tensors: Vec<(Cow<str>, SessionInputValue)> = Vec::new();
        for (input, values) in [(Some(&self.ids), tokens), (self.mask.as_ref(), present)] {
            if let Some(input) = input {
                tensors.push((input.name.as_str().into(), input.tensor(values).map_err(failed)?));
            }
        }
        let outputs = self.session.run(tensors).map_err(failed)?;
        let output = outputs.get(&self.output).ok_or("the text tower did not return its declared output")?;
        let (shape, values) = output.try_extract_tensor::<f32>().map_err(failed)?;
        if shape.len() != 2 || shape[0] != 1 || values.iter().any(|value| !value.is_finite()) {
            return Err(format!("the text tower returned invalid values of shape {shape:?}"));
        }
        let mut row = values.to_vec();
        unit_length(&mut row, 1.0);
        Ok(row)
    }
}

impl TokenInput {
    /// Returns the input if it takes one row of integers.
    fn of(input: &Outlet) -> Option<Self> {
        let ValueType::Tensor { ty, shape, .. } = input.dtype() else { return None };
        let is_long = match ty {
            TensorElementType::Int64 => true,
            TensorElementType::Int32 => false,
            _ => return None,
        };
        let fits = shape.len() == 2 && shape[0] <= 1;
        let length = usize::try_from(*shape.get(1)?).ok().filter(|length| *length > 0);
        fits.then(|| Self { name: input.name().to_owned(), is_long, length })
    }

    /// Returns the tensor of these values, padded with zeros to the length of the input.
    fn tensor(&self, mut values: Vec<i64>) -> ort::Result<SessionInputValue<'static>> {
        values.resize(self.length.unwrap_or(values.len()), 0);
        let sides = [1, values.len()];
        Ok(if self.is_long {
            Tensor::from_array((sides, values))?.into()
        } else {
            let short: Vec<i32> = values.into_iter().map(|value| value as i32).collect();
            Tensor::from_array((sides, short))?.into()
        })
    }
}

/// Returns the path of the text tower in the folder of a model, if there is one.
fn text_file(folder: &Path) -> Option<PathBuf> {
    TEXT_FILES.iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

/// Returns the name of the output with one vector per text.
fn output(outputs: &[Outlet]) -> Option<&str> {
    let is_row = |end: &&Outlet| matches!(end.dtype(), ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } if shape.len() == 2);
    let rows = || outputs.iter().filter(is_row).map(Outlet::name);
    OUTPUTS.into_iter().find_map(|name| rows().find(|found| *found == name)).or_else(|| rows().next())
}
