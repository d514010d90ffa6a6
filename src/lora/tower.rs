//! The vision tower of a CLIP model, with the weights of an ONNX model: a vision transformer (Dosovitskiy et al., 2020)
//! with a class token and, optionally, a projection of its result.

use std::collections::BTreeMap;

use burn_tensor::activation::{gelu, sigmoid, softmax};
use burn_tensor::{Device, Tensor, TensorData};
use ndarray::Array2;

use super::adapter::{Adapter, Place, Target};
use super::graph::{Graph, Node};

/// Ending of the name by which a tower is recognised.
const FIRST_NORM: &str = "encoder.layers.0.layer_norm1.weight";
/// Added to variances.
const EPSILON: f32 = 1e-5;
/// Maximum number of attention heads.
const MAX_HEADS: usize = 64;
/// Maximum difference from the results of the ONNX model.
const TOLERANCE: f32 = 1e-3;

/// Where a model stores the weights of a linear layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Name of the matrix.
    pub name: String,
    /// Whether the matrix has one row per output, rather than one per input.
    pub by_output: bool,
}

/// A vision tower.
pub(super) struct Tower {
    device: Device,
    /// Side length of the pictures, in pixels.
    side: usize,
    /// Side length of the patches, in pixels.
    patch: usize,
    width: usize,
    heads: usize,
    patches: Tensor<2>,
    class: Tensor<3>,
    positions: Tensor<3>,
    before: Norm,
    blocks: Vec<Block>,
    after: Norm,
    projection: Option<Tensor<2>>,
    /// Whether the MLPs use the exact GELU, rather than CLIP's approximation.
    is_exact: bool,
    sources: BTreeMap<Place, Source>,
}

struct Norm {
    gain: Tensor<2>,
    bias: Tensor<2>,
}

struct Block {
    /// Before the attention and before the MLP.
    norms: [Norm; 2],
    /// In the order of [`Target::ALL`].
    layers: Vec<Dense>,
}

struct Dense {
    /// One row per input, one column per output.
    weight: Tensor<2>,
    bias: Tensor<2>,
}

/// An adapter on the device of a tower.
pub(super) struct Adapted {
    scale: f32,
    /// The pair of matrices of each layer.
    pub pairs: BTreeMap<Place, [Tensor<2>; 2]>,
}

impl Tower {
    /// Reads the tower that computes the value `output`, for pictures of `side` x `side` pixels.
    pub fn new(graph: &Graph, output: &str, side: usize, device: Device) -> Result<Self, String> {
        let prefixes = graph.names().filter_map(|name| name.strip_suffix(FIRST_NORM));
        let prefix = prefixes.filter(|prefix| !prefix.contains("text_model")).min();
        let prefix = prefix.ok_or("its layers are not named like those of a CLIP vision tower")?.to_owned();
        let weights = Weights { graph, device: &device, prefix };
        let patches = weights.name("embeddings.patch_embedding.weight");
        let Some(&[width, 3, patch, _]) = graph.sides(&patches).filter(|sides| !sides.contains(&0)) else {
            return Err(format!("{patches} is missing or not a convolution with three input channels"));
        };
        let positions = weights.positions(width)?;
        if !side.is_multiple_of(patch) || positions.dims()[1] != (side / patch).pow(2) + 1 {
            return Err(format!("its positions do not fit {side}x{side} pictures"));
        }
        let mut sources = BTreeMap::new();
        let mut blocks = Vec::new();
        while graph
            .sides(&weights.name(&format!("encoder.layers.{}.layer_norm1.weight", blocks.len())))
            .is_some()
        {
            let block = blocks.len();
            let path = |name: &str| format!("encoder.layers.{block}.{name}");
            let norms =
                [weights.norm(&path("layer_norm1"), width)?, weights.norm(&path("layer_norm2"), width)?];
            let mut layers = Vec::new();
            for target in Target::ALL {
                let (source, layer) = weights.dense(&path(target.path()))?;
                sources.insert(Place { block, target }, source);
                layers.push(layer);
            }
            let block = Block { norms, layers };
            block.check(width)?;
            blocks.push(block);
        }
        let projection = projection(graph, output).map(|source| weights.matrix(&source)).transpose()?;
        if projection.as_ref().is_some_and(|projection| projection.dims()[0] != width) {
            return Err("its projection has the wrong number of inputs".into());
        }
        Ok(Self {
            side,
            patch,
            width,
            heads: 1,
            patches: weights.tensor(&patches, [width, 3 * patch * patch])?.transpose(),
            class: weights
                .tensor(&weights.name("embeddings.class_embedding"), [1, width])?
                .reshape([1, 1, width]),
            positions,
            before: weights.norm("pre_layrnorm", width)?,
            blocks,
            after: weights.norm("post_layernorm", width)?,
            projection,
            is_exact: graph.nodes.iter().any(|node| ["Erf", "Gelu"].contains(&node.kind.as_str())),
            sources,
            device,
        })
    }

    /// Returns the layers `targets` of all blocks, each with its numbers of outputs and inputs.
    pub fn layers(&self, targets: &[Target]) -> impl Iterator<Item = (Place, [usize; 2])> {
        let places = self.sources.keys().filter(move |place| targets.contains(&place.target));
        places.map(move |place| {
            let [inputs, outputs] = self.layer(*place).weight.dims();
            (*place, [outputs, inputs])
        })
    }

    fn layer(&self, place: Place) -> &Dense {
        &self.blocks[place.block].layers[place.target as usize]
    }

    /// Returns where the ONNX model stores the weights of a layer.
    pub fn source(&self, place: Place) -> Option<&Source> {
        self.sources.get(&place)
    }

    /// Sets the number of attention heads, which the weights do not contain, to the one whose results are closest to
    /// `expected`, those of the ONNX model for `pictures`. Fails if none are close enough.
    pub fn fit_heads(&mut self, pictures: &[Vec<f32>], expected: &[Vec<f32>]) -> Result<(), String> {
        let width = self.width;
        let mut best = (f32::INFINITY, self.heads);
        for heads in (1..=MAX_HEADS.min(width)).filter(|heads| width.is_multiple_of(*heads)) {
            self.heads = heads;
            let found = difference(&self.rows(pictures, None)?, expected);
            if found < best.0 {
                best = (found, heads);
            }
        }
        self.heads = best.1;
        match best.0 < TOLERANCE {
            true => Ok(()),
            false => Err(format!("its results differ by {} from those of a CLIP vision tower", best.0)),
        }
    }

    /// Copies an adapter to the device; gradients are computed for its matrices.
    ///
    /// # Errors
    /// Fails if it has matrices for layers that the tower does not have.
    pub fn adapt(&self, adapter: &Adapter) -> Result<Adapted, String> {
        let mut pairs = BTreeMap::new();
        for (place, pair) in &adapter.pairs {
            let sides = self.sources.contains_key(place).then(|| self.layer(*place).weight.dims());
            if sides != Some([pair.a.ncols(), pair.b.nrows()]) {
                let Place { block, target } = place;
                return Err(format!("the adapter does not fit {} of block {block}", target.path()));
            }
            let tensor = |matrix: &Array2<f32>| {
                let (rows, columns) = matrix.dim();
                self.tensor(matrix.iter().copied().collect(), [rows, columns]).require_grad()
            };
            pairs.insert(*place, [tensor(&pair.a), tensor(&pair.b)]);
        }
        Ok(Adapted { scale: adapter.scale, pairs })
    }

    /// Copies a matrix to the device, given its numbers and its numbers of rows and columns.
    pub fn tensor(&self, numbers: Vec<f32>, sides: [usize; 2]) -> Tensor<2> {
        Tensor::from_data(TensorData::new(numbers, sides), &self.device)
    }

    /// Returns the embeddings of preprocessed pictures, scaled to unit length.
    pub fn rows(&self, pictures: &[Vec<f32>], adapted: Option<&Adapted>) -> Result<Vec<Vec<f32>>, String> {
        let rows = self.embed(pictures, adapted);
        let columns = rows.dims()[1];
        Ok(numbers(rows)?.chunks(columns).map(<[f32]>::to_vec).collect())
    }

    /// Computes the embeddings of preprocessed pictures, scaled to unit length. The pictures are channel-first.
    pub fn embed(&self, pictures: &[Vec<f32>], adapted: Option<&Adapted>) -> Tensor<2> {
        let (count, width) = (pictures.len(), self.width);
        let across = self.side / self.patch;
        let tokens = across * across + 1;
        let cells: Vec<f32> = pictures.iter().flat_map(|picture| self.cells(picture)).collect();
        let cells = self.tensor(cells, [count * (tokens - 1), 3 * self.patch * self.patch]);
        let patches = cells.matmul(self.patches.clone()).reshape([count, tokens - 1, width]);
        let class = self.class.clone().repeat_dim(0, count);
        let stream = Tensor::cat(vec![class, patches], 1) + self.positions.clone();
        let mut stream = self.before.apply(stream.reshape([count * tokens, width]));
        for at in 0..self.blocks.len() {
            stream = self.block(at, stream, count, adapted);
        }
        let class = stream.reshape([count, tokens, width]).narrow(1, 0, 1).reshape([count, width]);
        let class = self.after.apply(class);
        let rows = match &self.projection {
            Some(projection) => class.matmul(projection.clone()),
            None => class,
        };
        let length = rows.clone().square().sum_dim(1).add_scalar(1e-12_f32).sqrt();
        rows / length
    }

    /// Returns the values of a picture patch by patch.
    fn cells(&self, picture: &[f32]) -> Vec<f32> {
        let Self { side, patch, .. } = *self;
        let mut cells = Vec::with_capacity(picture.len());
        for top in (0..side).step_by(patch) {
            for left in (0..side).step_by(patch) {
                for row in (0..3).flat_map(|channel| (top..top + patch).map(move |y| channel * side + y)) {
                    cells.extend(&picture[row * side + left..row * side + left + patch]);
                }
            }
        }
        cells
    }

    fn block(&self, at: usize, stream: Tensor<2>, count: usize, adapted: Option<&Adapted>) -> Tensor<2> {
        let Block { norms: [first, second], .. } = &self.blocks[at];
        let layer = |target, input| self.apply(Place { block: at, target }, input, adapted);
        let (width, heads) = (self.width, self.heads);
        let tokens = stream.dims()[0] / count;
        let normed = first.apply(stream.clone());
        let split = |target: Target| {
            let all: Tensor<2> = layer(target, normed.clone());
            all.reshape([count, tokens, heads, width / heads]).swap_dims(1, 2)
        };
        let scale = ((width / heads) as f32).sqrt().recip();
        let scores = split(Target::Query).matmul(split(Target::Key).swap_dims(2, 3)).mul_scalar(scale);
        let mixed = softmax(scores, 3).matmul(split(Target::Value));
        let mixed = mixed.swap_dims(1, 2).reshape([count * tokens, width]);
        let stream = stream + layer(Target::Output, mixed);
        let wide = layer(Target::Up, second.apply(stream.clone()));
        let bent = match self.is_exact {
            true => gelu(wide),
            false => wide.clone() * sigmoid(wide.mul_scalar(1.702_f32)),
        };
        stream + layer(Target::Down, bent)
    }

    /// Applies a linear layer, with its adapter if it has one.
    fn apply(&self, place: Place, input: Tensor<2>, adapted: Option<&Adapted>) -> Tensor<2> {
        let Dense { weight, bias } = self.layer(place);
        let result = input.clone().matmul(weight.clone()) + bias.clone();
        let pair = adapted.and_then(|adapted| Some((adapted.pairs.get(&place)?, adapted.scale)));
        match pair {
            Some(([a, b], scale)) => {
                let change = input.matmul(a.clone().transpose()).matmul(b.clone().transpose());
                result + change.mul_scalar(scale)
            }
            None => result,
        }
    }
}

impl Block {
    /// Checks that the layers fit each other and the rows that they are applied to.
    fn check(&self, width: usize) -> Result<(), String> {
        let sides = |target: Target| self.layers[target as usize].weight.dims();
        let hidden = sides(Target::Up)[1];
        let fits = |target: Target| match target {
            Target::Up => sides(target) == [width, hidden],
            Target::Down => sides(target) == [hidden, width],
            _ => sides(target) == [width; 2],
        };
        match Target::ALL.into_iter().find(|target| !fits(*target)) {
            Some(target) => Err(format!("{} has the wrong shape", target.path())),
            None => Ok(()),
        }
    }
}

impl Norm {
    fn apply(&self, rows: Tensor<2>) -> Tensor<2> {
        let centred = rows.clone() - rows.mean_dim(1);
        let variance = centred.clone().square().mean_dim(1);
        centred / variance.add_scalar(EPSILON).sqrt() * self.gain.clone() + self.bias.clone()
    }
}

/// The weights of a tower.
struct Weights<'a> {
    graph: &'a Graph,
    device: &'a Device,
    /// What the names of the tower's weights begin with.
    prefix: String,
}

impl Weights<'_> {
    fn name(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// Returns the weight `name` as a matrix with these numbers of rows and columns.
    fn tensor(&self, name: &str, sides: [usize; 2]) -> Result<Tensor<2>, String> {
        let numbers = self.graph.numbers(name).filter(|numbers| numbers.len() == sides[0] * sides[1]);
        let numbers = numbers.ok_or_else(|| format!("{name} is missing or has the wrong shape"))?;
        Ok(Tensor::from_data(TensorData::new(numbers, sides), self.device))
    }

    fn norm(&self, path: &str, width: usize) -> Result<Norm, String> {
        let part = |part: &str| self.tensor(&self.name(&format!("{path}.{part}")), [1, width]);
        Ok(Norm { gain: part("weight")?, bias: part("bias")? })
    }

    /// Returns the position embeddings. Some exporters fold their lookup into a constant, which changes their name.
    fn positions(&self, width: usize) -> Result<Tensor<3>, String> {
        let own = self.name("embeddings.position_embedding.weight");
        let computed = || {
            let has_shape = |name: &&str| matches!(self.graph.sides(name), Some(&[1, tokens, w]) if w == width && tokens > 1);
            self.graph.names().filter(has_shape).min().map(str::to_owned)
        };
        let name = match self.graph.sides(&own) {
            Some(_) => own,
            None => computed().ok_or_else(|| format!("{own} is missing"))?,
        };
        let count: usize = self.graph.sides(&name).unwrap_or_default().iter().product();
        let tokens = count / width;
        Ok(self.tensor(&name, [tokens, width])?.reshape([1, tokens, width]))
    }

    /// Returns the matrix of a linear layer, with one row per input.
    fn matrix(&self, source: &Source) -> Result<Tensor<2>, String> {
        let Source { name, by_output } = source;
        let &[rows, columns] = self.graph.sides(name).unwrap_or_default() else {
            return Err(format!("{name} is not a matrix"));
        };
        let matrix = self.tensor(name, [rows, columns])?;
        Ok(if *by_output { matrix.transpose() } else { matrix })
    }

    fn dense(&self, path: &str) -> Result<(Source, Dense), String> {
        let source = source(self.graph, &self.name(path));
        let source = source.ok_or_else(|| format!("the matrix of {} cannot be found", self.name(path)))?;
        let weight = self.matrix(&source)?;
        let bias = self.tensor(&self.name(&format!("{path}.bias")), [1, weight.dims()[1]])?;
        Ok((source, Dense { weight, bias }))
    }
}

/// Returns where the matrix of the linear layer at `path` is stored. If it does not have the name of the layer, it is
/// found through the bias.
fn source(graph: &Graph, path: &str) -> Option<Source> {
    let (weight, bias) = (format!("{path}.weight"), format!("{path}.bias"));
    let products = || graph.nodes.iter().filter(|node| is_product(node));
    let named = products().filter_map(|node| factor(graph, node)).find(|source| source.name == weight);
    named.or_else(|| {
        let user = graph.nodes.iter().find(|node| node.inputs.contains(&bias))?;
        let feeds = |node: &&Node| node.outputs.iter().any(|output| user.inputs.contains(output));
        factor(graph, if is_product(user) { user } else { products().find(feeds)? })
    })
}

/// Returns where the projection is stored, if `output` is projected.
fn projection(graph: &Graph, output: &str) -> Option<Source> {
    let producer = |name: &str| graph.nodes.iter().find(|node| node.outputs.iter().any(|own| own == name));
    let mut node = producer(output)?;
    // Normalisation of the result.
    while ["Div", "Mul", "Identity"].contains(&node.kind.as_str()) {
        node = producer(node.inputs.first()?)?;
    }
    if is_product(node) { factor(graph, node) } else { None }
}

fn is_product(node: &Node) -> bool {
    ["MatMul", "Gemm"].contains(&node.kind.as_str())
}

/// Returns where the second matrix of a product is stored.
fn factor(graph: &Graph, node: &Node) -> Option<Source> {
    let second = node.inputs.get(1)?;
    if graph.sides(second).is_some() {
        return Some(Source { name: second.clone(), by_output: node.transposed });
    }
    let is_source = |other: &&Node| other.kind == "Transpose" && other.outputs.contains(second);
    let name = graph.nodes.iter().find(is_source)?.inputs.first()?;
    graph.sides(name)?;
    Some(Source { name: name.clone(), by_output: !node.transposed })
}

/// Returns the largest difference between the numbers of two lists of rows.
pub(super) fn difference(rows: &[Vec<f32>], others: &[Vec<f32>]) -> f32 {
    let same_shape = rows.iter().map(Vec::len).eq(others.iter().map(Vec::len));
    let is_finite = rows.iter().chain(others).flatten().all(|value| value.is_finite());
    if !same_shape || !is_finite {
        return f32::INFINITY;
    }
    let pairs = rows.iter().flatten().zip(others.iter().flatten());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Copies the numbers of a tensor from its device, row by row.
pub(super) fn numbers<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, String> {
    tensor.try_into_vec_as::<f32>().map_err(|error| error.to_string())
}
