//! The size of the warp mesh, if the performer has not chosen one.

use crate::milk::COARSE_MESH;

/// Distance between two vertices of an automatic mesh on a graphics card, in pixels.
const VERTEX_DISTANCE: u32 = 8;
/// Maximum number of cells of an automatic mesh: those of a 1920x1080 picture. The CPU computes every vertex.
const MAX_CELLS: u32 = 240 * 135;

/// Returns the columns and rows of the warp mesh for a picture of `size` pixels: [`COARSE_MESH`] on a software
/// rasteriser. On a graphics card, there are at least as many, and a vertex every eight pixels, up to a maximum number
/// of vertices; both numbers are even, so that one vertex is at the centre.
pub(super) fn automatic_mesh(size: [u32; 2], software: bool) -> [u32; 2] {
    if software {
        return COARSE_MESH;
    }
    let dense = size.map(|side| f64::from(side / VERTEX_DISTANCE));
    let scale = (f64::from(MAX_CELLS) / (dense[0] * dense[1])).sqrt().min(1.0);
    [0, 1].map(|axis: usize| ((dense[axis] * scale) as u32 / 2 * 2).max(COARSE_MESH[axis]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_automatic_mesh_is_dense_only_on_a_graphics_card() {
        for size in [[320, 240], [1920, 1080], [7680, 4320]] {
            assert_eq!(automatic_mesh(size, true), [48, 36]);
        }
        let dense = |size| automatic_mesh(size, false);
        assert_eq!(dense([1280, 720]), [160, 90]);
        assert_eq!(dense([1920, 1080]), [240, 134]);
        assert_eq!(dense([7680, 4320]), [240, 134], "limited");
        assert_eq!(dense([1080, 1920]), [134, 240]);
        assert_eq!((dense([320, 240]), dense([1, 1])), ([48, 36], [48, 36]));
    }
}
