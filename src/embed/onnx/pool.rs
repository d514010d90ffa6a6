//! Combines the vectors of a model's output into one per picture.

use super::config::Pool;
use super::prepare::Layout;

/// Returns one vector per picture from the values of an output; `None` if its shape is not supported.
///
/// The shape is [pictures, dimensions], [pictures, tokens, dimensions] or, for a convolution, [pictures, dimensions,
/// height, width] or [pictures, height, width, dimensions]. For a convolution, two equal adjacent sizes are taken as
/// height and width; if this is ambiguous, the order is that of the input, `layout`.
///
/// If `pool` is `None`, the cells of a convolution are averaged. For tokens, the first one, the class token, is used,
/// unless their number is a perfect square: then there is no class token, and they are averaged.
pub(super) fn pool(
    shape: &[i64],
    values: &[f32],
    pool: Option<Pool>,
    layout: Layout,
) -> Option<Vec<Vec<f32>>> {
    let sides: Vec<usize> = shape.iter().map(|side| usize::try_from(*side).ok()).collect::<Option<_>>()?;
    let (tokens, dimensions, dimensions_last) = match sides[..].split_first()?.1 {
        [dimensions] => (1, *dimensions, true),
        [tokens, dimensions] => (*tokens, *dimensions, true),
        [first, second, third] => match layout {
            _ if second == third && first != second => (second * third, *first, false),
            _ if first == second && second != third => (first * second, *third, true),
            Layout::Nchw => (second * third, *first, false),
            Layout::Nhwc => (first * second, *third, true),
        },
        _ => return None,
    };
    if tokens * dimensions == 0 {
        return None;
    }
    let square = tokens.isqrt().pow(2) == tokens;
    let used = match pool {
        Some(Pool::Cls) => 1,
        Some(Pool::Mean) => tokens,
        None if sides.len() == 3 && !square => 1,
        None => tokens,
    };
    let value = |picture: &[f32], at: usize| {
        let token = |token: usize| match dimensions_last {
            true => picture[token * dimensions + at],
            false => picture[at * tokens + token],
        };
        (0..used).map(token).sum::<f32>() / used as f32
    };
    let pictures = values.chunks_exact(tokens * dimensions);
    Some(pictures.map(|picture| (0..dimensions).map(|at| value(picture, at)).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(shape: &[i64], wanted: Option<Pool>, layout: Layout) -> Option<Vec<f32>> {
        let count = shape.iter().product::<i64>();
        let values: Vec<f32> = (0..count).map(|value| value as f32).collect();
        let rows = pool(shape, &values, wanted, layout)?;
        assert_eq!(rows.len(), shape[0] as usize);
        rows.into_iter().next()
    }

    #[test]
    fn outputs_of_every_shape_give_one_vector_per_picture() {
        use Layout::{Nchw, Nhwc};
        assert_eq!(first(&[2, 3], None, Nchw), Some(vec![0.0, 1.0, 2.0]));
        // A class token and four patches, as in CLIP and DINOv2; four patches, as in SigLIP.
        assert_eq!(first(&[2, 5, 2], None, Nchw), Some(vec![0.0, 1.0]));
        assert_eq!(first(&[2, 4, 2], None, Nchw), Some(vec![3.0, 4.0]));
        assert_eq!(first(&[2, 5, 2], Some(Pool::Mean), Nchw), Some(vec![4.0, 5.0]));
        assert_eq!(first(&[2, 4, 2], Some(Pool::Cls), Nchw), Some(vec![0.0, 1.0]));
        for layout in [Nchw, Nhwc] {
            assert_eq!(first(&[1, 3, 2, 2], None, layout), Some(vec![1.5, 5.5, 9.5]));
            assert_eq!(first(&[1, 2, 2, 3], None, layout), Some(vec![4.5, 5.5, 6.5]));
        }
        assert_eq!(first(&[1, 2, 2, 2], None, Nchw), Some(vec![1.5, 5.5]));
        assert_eq!(first(&[1, 2, 2, 2], None, Nhwc), Some(vec![3.0, 4.0]));
        for shape in [&[][..], &[4], &[1, 0], &[1, 2, 2, 2, 2], &[-1, 2]] {
            assert_eq!(pool(shape, &[0.0; 16], None, Nchw), None, "{shape:?}");
        }
    }
}
