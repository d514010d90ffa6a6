//! The head, and Adam, the optimiser that trains it. A head adds the output of its layers to its input (a residual
//! connection), so an untrained head changes nothing.
//!
//! With `x` an embedding of unit length as a row, a linear head computes `x + x W`, and one with hidden units
//! `x + max(0, x V + b) W`; the result is scaled to unit length.

use ndarray::{Array2, Axis, Zip};

use crate::cluster::unit_rows;
use crate::units::Rng;

/// Change of an output vector per step, relative to the length of the embedding, if all weights change in the same
/// direction.
const RATE: f32 = 0.3;
/// Learning rate of the weights and biases of hidden units.
const HIDDEN_RATE: f32 = 0.003;
/// Weight decay of the last layer per step, which moves the results towards the base embeddings.
const DECAY: f32 = 1e-3;
/// Decay of the running means of the gradients and their squares (Kingma and Ba, 2015).
const MEANS: [f32; 2] = [0.9, 0.999];
/// Added to the root of the mean square, to avoid division by zero.
const EPSILON: f32 = 1e-8;

/// A trained layer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Head {
    /// A linear layer.
    Linear {
        /// Inputs x outputs.
        weight: Array2<f32>,
    },
    /// A layer of hidden units, and a linear layer.
    Hidden {
        /// Inputs x hidden units.
        first: Array2<f32>,
        /// One row.
        bias: Array2<f32>,
        /// Hidden units x outputs.
        second: Array2<f32>,
    },
}

impl Head {
    /// Creates a head for embeddings of this width that changes nothing yet.
    pub fn new(width: usize, hidden: Option<usize>, rng: &mut Rng) -> Self {
        match hidden {
            None => Self::Linear { weight: Array2::zeros((width, width)) },
            Some(hidden) => Self::Hidden {
                first: Array2::from_shape_simple_fn((width, hidden), || rng.normal() as f32),
                bias: Array2::zeros((1, hidden)),
                second: Array2::zeros((hidden, width)),
            },
        }
    }

    /// Returns the parameters with their names.
    pub fn parameters(&self) -> Vec<(&'static str, &Array2<f32>)> {
        match self {
            Self::Linear { weight } => vec![("weight", weight)],
            Self::Hidden { first, bias, second } => {
                vec![("first.weight", first), ("first.bias", bias), ("second.weight", second)]
            }
        }
    }

    /// Builds a head from its parameters, which `take` returns by name; `None` if any is missing or their shapes do not
    /// match.
    pub fn of(mut take: impl FnMut(&str) -> Option<Array2<f32>>) -> Option<Self> {
        if let Some(weight) = take("weight") {
            return (weight.nrows() == weight.ncols()).then_some(Self::Linear { weight });
        }
        let (first, bias, second) = (take("first.weight")?, take("first.bias")?, take("second.weight")?);
        let (width, hidden) = first.dim();
        let fits = bias.dim() == (1, hidden) && second.dim() == (hidden, width);
        fits.then_some(Self::Hidden { first, bias, second })
    }

    /// Returns the number of values per embedding.
    pub fn width(&self) -> usize {
        match self {
            Self::Linear { weight } => weight.nrows(),
            Self::Hidden { first, .. } => first.nrows(),
        }
    }

    /// Applies the head to embeddings of unit length; the results have unit length too.
    pub fn apply(&self, rows: &Array2<f32>) -> Array2<f32> {
        unit_rows(self.forward(rows).1)
    }

    /// Returns the activations of the hidden units, and the outputs before scaling.
    fn forward(&self, rows: &Array2<f32>) -> (Option<Array2<f32>>, Array2<f32>) {
        match self {
            Self::Linear { weight } => (None, rows + &rows.dot(weight)),
            Self::Hidden { first, bias, second } => {
                let active = (rows.dot(first) + bias).mapv(|value| value.max(0.0));
                let outputs = rows + &active.dot(second);
                (Some(active), outputs)
            }
        }
    }

    /// Returns the gradients of the parameters for these rows. `of_results` maps the results for the rows to the
    /// gradient of the loss with respect to them.
    pub fn gradients(
        &self,
        rows: &Array2<f32>,
        of_results: impl FnOnce(&Array2<f32>) -> Array2<f32>,
    ) -> Vec<Array2<f32>> {
        let (active, outputs) = self.forward(rows);
        let results = unit_rows(outputs.clone());
        let mut slope = of_results(&results);
        // Backpropagation through the scaling to unit length: removes the component along the result, and divides by
        // the length.
        for ((mut slope, result), output) in
            slope.outer_iter_mut().zip(results.outer_iter()).zip(outputs.outer_iter())
        {
            let along = slope.dot(&result);
            slope.scaled_add(-along, &result);
            let length = output.dot(&output).sqrt();
            if length > 0.0 {
                slope /= length;
            }
        }
        match (self, active) {
            (Self::Hidden { second, .. }, Some(active)) => {
                let mut inner = slope.dot(&second.t());
                Zip::from(&mut inner).and(&active).for_each(|inner, active| {
                    if *active <= 0.0 {
                        *inner = 0.0;
                    }
                });
                let bias = inner.sum_axis(Axis(0)).insert_axis(Axis(0));
                vec![rows.t().dot(&inner), bias, active.t().dot(&slope)]
            }
            _ => vec![rows.t().dot(&slope)],
        }
    }

    /// Returns the parameters, each with its learning rate.
    fn trained(&mut self) -> Vec<(&mut Array2<f32>, f32)> {
        match self {
            Self::Linear { weight } => {
                let rate = RATE / weight.nrows() as f32;
                vec![(weight, rate)]
            }
            Self::Hidden { first, bias, second } => {
                let (hidden, width) = second.dim();
                let rate = RATE / (hidden as f32 * (width as f32).sqrt());
                vec![(first, HIDDEN_RATE), (bias, HIDDEN_RATE), (second, rate)]
            }
        }
    }
}

/// State of the optimiser (Adam; Kingma and Ba, 2015).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Adam {
    /// Running mean of the gradient of each parameter.
    pub means: Vec<Array2<f32>>,
    /// Running mean of the squared gradient of each parameter.
    pub squares: Vec<Array2<f32>>,
    /// Number of steps taken.
    pub steps: i32,
}

impl Adam {
    /// Creates the state before the first step.
    pub fn new(head: &Head) -> Self {
        let zeros = || head.parameters().into_iter().map(|(_, values)| Array2::zeros(values.dim())).collect();
        Self { means: zeros(), squares: zeros(), steps: 0 }
    }

    /// Changes the head by one step against the gradients. `share` scales the step, from 0 to 1.
    pub fn step(&mut self, head: &mut Head, gradients: &[Array2<f32>], share: f32) {
        self.steps += 1;
        let [mean_left, square_left] = MEANS.map(|decay| 1.0 - decay.powi(self.steps));
        let mut trained = head.trained();
        let moments = self.means.iter_mut().zip(&mut self.squares);
        for (((values, rate), gradient), (mean, square)) in trained.iter_mut().zip(gradients).zip(moments) {
            let rate = *rate * share;
            Zip::from(&mut **values).and(gradient).and(mean).and(square).for_each(
                |value, gradient, mean, square| {
                    *mean += (1.0 - MEANS[0]) * (gradient - *mean);
                    *square += (1.0 - MEANS[1]) * (gradient * gradient - *square);
                    *value -= rate * (*mean / mean_left) / ((*square / square_left).sqrt() + EPSILON);
                },
            );
        }
        if let Some((last, _)) = trained.last_mut() {
            last.mapv_inplace(|value| value * (1.0 - DECAY * share));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns rows of unit length.
    fn rows(count: usize, width: usize) -> Array2<f32> {
        let mut rng = Rng::new(3);
        unit_rows(Array2::from_shape_simple_fn((count, width), || rng.normal() as f32))
    }

    #[test]
    fn an_untrained_head_changes_nothing() {
        let rows = rows(5, 7);
        for hidden in [None, Some(4)] {
            let head = Head::new(7, hidden, &mut Rng::new(1));
            let difference = (head.apply(&rows) - &rows).mapv(f32::abs).sum();
            assert!(difference < 1e-4, "{difference}");
            let named: Vec<_> =
                head.parameters().into_iter().map(|(name, values)| (name, values.clone())).collect();
            let take = |name: &str| named.iter().find(|(own, _)| *own == name).map(|(_, v)| v.clone());
            assert_eq!(Head::of(take), Some(head));
        }
        assert_eq!(Head::of(|_| Some(Array2::zeros((2, 3)))), None);
    }

    #[test]
    fn gradients_match_differences_of_the_loss() {
        let rows = rows(6, 4);
        let goal = Array2::from_shape_fn((6, 4), |(row, column)| ((row + 2 * column) % 5) as f32 - 2.0);
        let loss = |head: &Head| f64::from((&head.apply(&rows) * &goal).sum());
        let mut rng = Rng::new(9);
        for hidden in [None, Some(3)] {
            let mut head = Head::new(4, hidden, &mut rng);
            for (values, _) in head.trained() {
                values.mapv_inplace(|value| value + 0.3 * rng.normal() as f32);
            }
            let gradients = head.gradients(&rows, |_| goal.clone());
            for (part, gradient) in gradients.iter().enumerate() {
                for (at, &expected) in gradient.indexed_iter() {
                    let moved = |by: f32| {
                        let mut head = head.clone();
                        head.trained()[part].0[at] += by;
                        loss(&head)
                    };
                    let found = (moved(1e-2) - moved(-1e-2)) / 2e-2;
                    assert!((found - f64::from(expected)).abs() < 0.02, "{part} {at:?}: {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn steps_lower_the_loss() {
        let rows = rows(20, 6);
        let goal = -&rows.slice(ndarray::s![.., ..;-1]).to_owned();
        for hidden in [None, Some(8)] {
            let mut head = Head::new(6, hidden, &mut Rng::new(1));
            let loss = |head: &Head| (&head.apply(&rows) * &goal).sum();
            let before = loss(&head);
            let mut adam = Adam::new(&head);
            for _ in 0..50 {
                let gradients = head.gradients(&rows, |_| goal.clone());
                adam.step(&mut head, &gradients, 1.0);
            }
            let after = loss(&head);
            assert!(after < before - 1.0, "{before} {after}");
        }
    }
}
