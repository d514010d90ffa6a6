//! The trained matrices: for each linear layer, a pair of small ones whose product is added to its weights (LoRA; Hu et
//! al., 2021). They are saved as an adapter for PEFT, the Python library.

use std::collections::BTreeMap;
use std::path::Path;

use burn_tensor::{bf16, f16};
use ndarray::Array2;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::disk::{self, FileError};
use crate::units::Rng;

/// File names of an adapter.
const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";
/// Prefix that PEFT adds to the name of a layer.
const PREFIX: &str = "base_model.model.";
/// Name of the layers of a vision tower, before their number.
const LAYERS: &str = "encoder.layers.";

/// A linear layer in each block of a vision tower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Queries of the attention.
    Query,
    /// Keys of the attention.
    Key,
    /// Values of the attention.
    Value,
    /// Output of the attention.
    Output,
    /// First layer of the MLP.
    Up,
    /// Second layer of the MLP.
    Down,
}

impl Target {
    /// All layers, in declaration order.
    pub const ALL: [Self; 6] = [Self::Query, Self::Key, Self::Value, Self::Output, Self::Up, Self::Down];

    /// Returns the name of the layer within its block.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Query => "self_attn.q_proj",
            Self::Key => "self_attn.k_proj",
            Self::Value => "self_attn.v_proj",
            Self::Output => "self_attn.out_proj",
            Self::Up => "mlp.fc1",
            Self::Down => "mlp.fc2",
        }
    }

    /// Returns the name of the layer in the configuration of an adapter.
    pub fn name(self) -> &'static str {
        self.path().rsplit('.').next().unwrap_or_default()
    }
}

/// A linear layer of a vision tower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub block: usize,
    pub target: Target,
}

/// The matrices of a layer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pair {
    /// One row per rank, one column per input.
    pub a: Array2<f32>,
    /// One row per output, one column per rank.
    pub b: Array2<f32>,
}

/// The matrices of all trained layers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Adapter {
    pub rank: usize,
    /// Factor by which the products are multiplied.
    pub scale: f32,
    pub pairs: BTreeMap<Place, Pair>,
}

impl Adapter {
    /// Creates an adapter that changes nothing yet, for layers with these numbers of outputs and inputs.
    pub fn new(
        layers: impl Iterator<Item = (Place, [usize; 2])>,
        rank: usize,
        alpha: f64,
        rng: &mut Rng,
    ) -> Self {
        let pair = |(place, [outputs, inputs]): (Place, [usize; 2])| {
            let limit = (inputs as f32).sqrt().recip();
            let a = Array2::from_shape_simple_fn((rank, inputs), || limit * (2.0 * rng.unit_f32() - 1.0));
            (place, Pair { a, b: Array2::zeros((outputs, rank)) })
        };
        Self { rank, scale: (alpha / rank as f64) as f32, pairs: layers.map(pair).collect() }
    }

    /// Returns what is added to the weights of a layer: one row per output, one column per input.
    pub fn change(&self, pair: &Pair) -> Array2<f32> {
        pair.b.dot(&pair.a) * self.scale
    }

    /// Returns the parameters, always in the same order.
    pub fn parameters(&self) -> impl Iterator<Item = &Array2<f32>> {
        self.pairs.values().flat_map(|Pair { a, b }| [a, b])
    }

    /// Returns the parameters, always in the same order.
    pub fn parameters_mut(&mut self) -> impl Iterator<Item = &mut Array2<f32>> {
        self.pairs.values_mut().flat_map(|Pair { a, b }| [a, b])
    }

    /// Writes the adapter to `folder`; `base` is the name of the model that it belongs to.
    pub fn write(&self, folder: &Path, base: &str) -> Result<(), FileError> {
        let mut targets: Vec<&str> = self.pairs.keys().map(|place| place.target.name()).collect();
        targets.sort_unstable();
        targets.dedup();
        let config = json!({
            "peft_type": "LORA",
            "task_type": "FEATURE_EXTRACTION",
            "base_model_name_or_path": base,
            "inference_mode": true,
            "r": self.rank,
            "lora_alpha": f64::from(self.scale) * self.rank as f64,
            "lora_dropout": 0.0,
            "target_modules": targets,
            "bias": "none",
            "fan_in_fan_out": false,
            "init_lora_weights": true,
            "use_rslora": false,
            "use_dora": false,
            "rank_pattern": {},
            "alpha_pattern": {},
            "modules_to_save": null,
        });
        let path = folder.join(WEIGHTS);
        let mut tensors = Vec::new();
        for (place, Pair { a, b }) in &self.pairs {
            for (letter, matrix) in [("A", a), ("B", b)] {
                let bytes: Vec<u8> = matrix.iter().flat_map(|value| value.to_le_bytes()).collect();
                tensors.push((name(*place, letter), matrix.shape().to_vec(), bytes));
            }
        }
        let views = tensors.iter().map(|(name, shape, bytes)| {
            TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.as_str(), view))
        });
        let views = views.collect::<Result<Vec<_>, _>>().map_err(|error| FileError::new(&path, &error))?;
        let metadata = [("format".to_owned(), "pt".to_owned())].into();
        let bytes =
            safetensors::serialize(views, Some(metadata)).map_err(|error| FileError::new(&path, &error))?;
        disk::write(&path, &bytes)?;
        disk::write_json(&folder.join(CONFIG), &config)
    }

    /// Reads the adapter in `folder`.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let config: Config =
            disk::read_json(&folder.join(CONFIG)).map_err(|error: FileError| error.to_string())?;
        let scale = config.scale()?;
        let path = folder.join(WEIGHTS);
        let failed = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
        let bytes = disk::read(&path, disk::limit::LIST).map_err(|error| failed(&error))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| failed(&error))?;
        let (mut a, mut b) = (BTreeMap::new(), BTreeMap::new());
        for (name, view) in tensors.tensors() {
            let (place, letter) =
                place(&name).ok_or_else(|| failed(&format!("{name} is not a layer of a vision tower")))?;
            let matrix = matrix(&view).ok_or_else(|| failed(&format!("{name} is not a matrix of floats")))?;
            if letter == 'A' {
                a.insert(place, matrix)
            } else {
                b.insert(place, matrix)
            };
        }
        let count = a.len().max(b.len());
        let pair = |(place, a): (Place, Array2<f32>)| {
            let b = b.remove(&place)?;
            let fits = a.nrows() == config.r && b.ncols() == config.r;
            fits.then_some((place, Pair { a, b }))
        };
        let pairs: BTreeMap<Place, Pair> = a.into_iter().filter_map(pair).collect();
        if pairs.is_empty() || pairs.len() < count {
            return Err(failed(&format!("a matrix is missing or does not have rank {}", config.r)));
        }
        Ok(Self { rank: config.r, scale, pairs })
    }
}

/// The keys of the configuration that determine the result.
#[derive(Deserialize)]
struct Config {
    peft_type: String,
    r: usize,
    lora_alpha: f64,
    bias: Option<String>,
    use_rslora: Option<bool>,
    use_dora: Option<bool>,
    fan_in_fan_out: Option<bool>,
    rank_pattern: Option<Map<String, Value>>,
    alpha_pattern: Option<Map<String, Value>>,
}

impl Config {
    /// Returns the factor by which the products are multiplied. Fails for other kinds of adapters.
    fn scale(&self) -> Result<f32, String> {
        let set = |option: Option<bool>| option.unwrap_or(false);
        let has_entries = |map: &Option<Map<String, Value>>| map.as_ref().is_some_and(|map| !map.is_empty());
        let unsupported = [
            ("peft_type", self.peft_type != "LORA"),
            ("r", self.r == 0),
            ("bias", self.bias.as_ref().is_some_and(|bias| bias != "none")),
            ("use_dora", set(self.use_dora)),
            ("fan_in_fan_out", set(self.fan_in_fan_out)),
            ("rank_pattern", has_entries(&self.rank_pattern)),
            ("alpha_pattern", has_entries(&self.alpha_pattern)),
        ];
        if let Some((key, _)) = unsupported.iter().find(|(_, unsupported)| *unsupported) {
            return Err(format!("{CONFIG}: the value of {key} is not supported"));
        }
        let rank = self.r as f64;
        let divisor = if set(self.use_rslora) { rank.sqrt() } else { rank };
        Ok((self.lora_alpha / divisor) as f32)
    }
}

/// Returns the name of a matrix in an adapter.
fn name(place: Place, letter: &str) -> String {
    let Place { block, target } = place;
    format!("{PREFIX}vision_model.{LAYERS}{block}.{}.lora_{letter}.weight", target.path())
}

/// Returns the layer and the letter in the name of a matrix.
fn place(name: &str) -> Option<(Place, char)> {
    let (tower, layer) = name.strip_prefix(PREFIX)?.split_once(LAYERS)?;
    let (block, layer) = layer.split_once('.')?;
    let (path, matrix) = layer.split_once(".lora_")?;
    let target = Target::ALL.into_iter().find(|target| target.path() == path)?;
    let letter = match matrix {
        "A.weight" | "A.default.weight" => 'A',
        "B.weight" | "B.default.weight" => 'B',
        _ => return None,
    };
    let place = Place { block: block.parse().ok()?, target };
    (!tower.contains("text_model")).then_some((place, letter))
}

/// Returns the numbers of a tensor; `None` if it is not a matrix of floats.
fn matrix(view: &TensorView) -> Option<Array2<f32>> {
    let pairs = || view.data().as_chunks::<2>().0.iter();
    let values: Vec<f32> = match view.dtype() {
        Dtype::F32 => {
            view.data().as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)).collect()
        }
        Dtype::F16 => pairs().map(|number| f16::from_le_bytes(*number).to_f32()).collect(),
        Dtype::BF16 => pairs().map(|number| bf16::from_le_bytes(*number).to_f32()).collect(),
        _ => return None,
    };
    let [rows, columns]: [usize; 2] = view.shape().try_into().ok()?;
    Array2::from_shape_vec((rows, columns), values).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter() -> Adapter {
        let places = [(0, Target::Query, [6, 4]), (1, Target::Down, [4, 12])];
        let layers = places.map(|(block, target, sides)| (Place { block, target }, sides));
        let mut rng = Rng::new(3);
        let mut adapter = Adapter::new(layers.into_iter(), 2, 3.0, &mut rng);
        for values in adapter.parameters_mut() {
            values.mapv_inplace(|value| value + rng.normal() as f32);
        }
        adapter
    }

    #[test]
    fn a_new_adapter_changes_nothing() {
        let layers = [(Place { block: 0, target: Target::Key }, [5, 3])];
        let adapter = Adapter::new(layers.into_iter(), 2, 16.0, &mut Rng::new(1));
        let pair = &adapter.pairs[&layers[0].0];
        assert_eq!(adapter.change(pair), Array2::<f32>::zeros((5, 3)));
        assert!(adapter.scale == 8.0 && pair.a.iter().any(|value| value.abs() > 0.01));
    }

    #[test]
    fn an_adapter_round_trips_and_uses_the_names_of_peft() {
        let folder = tempfile::tempdir().expect("a folder");
        let written = adapter();
        written.write(folder.path(), "clip").expect("written");
        assert_eq!(Adapter::read(folder.path()), Ok(written));
        let bytes = disk::read(&folder.path().join(WEIGHTS), disk::limit::LIST).expect("read");
        let tensors = SafeTensors::deserialize(&bytes).expect("tensors");
        let query = "base_model.model.vision_model.encoder.layers.0.self_attn.q_proj.lora_A.weight";
        assert_eq!(tensors.tensor(query).expect("a matrix").shape(), [2, 4]);
        let down = "base_model.model.vision_model.encoder.layers.1.mlp.fc2.lora_B.weight";
        assert_eq!(tensors.tensor(down).expect("a matrix").shape(), [4, 2]);
        let config: Value = disk::read_json(&folder.path().join(CONFIG)).expect("read");
        assert_eq!((&config["r"], &config["lora_alpha"]), (&json!(2), &json!(3.0)));
        assert_eq!(config["target_modules"], json!(["fc2", "q_proj"]));
    }

    #[test]
    fn other_kinds_of_adapters_are_refused_with_the_reason() {
        let folder = tempfile::tempdir().expect("a folder");
        adapter().write(folder.path(), "clip").expect("written");
        let config = folder.path().join(CONFIG);
        let refused = |key: &str, value: Value| {
            adapter().write(folder.path(), "clip").expect("written");
            let mut changed: Value = disk::read_json(&config).expect("read");
            changed[key] = value;
            disk::write_json(&config, &changed).expect("written");
            Adapter::read(folder.path()).expect_err("refused")
        };
        assert!(refused("use_dora", json!(true)).contains("use_dora"));
        assert!(refused("alpha_pattern", json!({"fc2": 4})).contains("alpha_pattern"));
        assert!(refused("r", json!(3)).contains("have rank 3"));
        for name in ["vision_model.head.lora_A.weight", "text_model.encoder.layers.0.mlp.fc1.lora_A.weight"] {
            assert_eq!(place(&format!("{PREFIX}{name}")), None);
        }
    }
}
