//! Meshes of the warp and composite passes.

use lactea_abi::MeshVertex;

use crate::milk::{GridPoint, grid_points};

/// Vertex attributes of `shaders/mesh.wgsl`.
pub(in crate::stage) const ATTRIBUTES: [wgpu::VertexAttribute; 4] =
    wgpu::vertex_attr_array![0 => Float32x2, 1 => Float32x4, 2 => Float32x4, 3 => Float32x2];

/// Returns the layout of the vertex buffer.
pub(in crate::stage) fn buffer_layout() -> wgpu::VertexBufferLayout<'static> {
    wgpu::VertexBufferLayout {
        array_stride: std::mem::size_of::<MeshVertex>() as u64,
        step_mode: wgpu::VertexStepMode::Vertex,
        attributes: &ATTRIBUTES,
    }
}

/// Returns the grid points of the warp mesh of `cells` columns and rows in a picture of `size` pixels.
pub(in crate::stage) fn warp_points(cells: [u32; 2], size: [u32; 2]) -> impl Iterator<Item = GridPoint> {
    grid_points(cells, aspect(size))
}

/// Returns the vertices of the warp mesh; [`set_sources`] sets their source positions and decay.
pub(in crate::stage) fn warp_vertices(cells: [u32; 2], size: [u32; 2]) -> Vec<MeshVertex> {
    let vertex = |point: GridPoint| {
        let [x, y] = point.at;
        MeshVertex {
            pos: point.at,
            diffuse: [1.0; 4],
            uv: [0.0, 0.0, x * 0.5 + 0.5, 0.5 - y * 0.5],
            // Angles are clockwise in shaders, counterclockwise in the preset's code.
            rad_ang: [point.rad, -point.ang],
        }
    };
    warp_points(cells, size).map(vertex).collect()
}

/// Sets the source position at which each vertex of the warp mesh samples the previous image, and the decay.
pub(in crate::stage) fn set_sources(vertices: &mut [MeshVertex], sources: &[[f32; 2]], decay: f32) {
    for (vertex, source) in vertices.iter_mut().zip(sources) {
        vertex.uv[..2].copy_from_slice(source);
        vertex.diffuse = [decay, decay, decay, 1.0];
    }
}

/// Returns the horizontal and vertical aspect correction of a picture, of which the larger is 1.
fn aspect([width, height]: [u32; 2]) -> [f32; 2] {
    let [width, height] = [width as f32, height as f32];
    [(width / height).min(1.0), (height / width).min(1.0)]
}

/// Returns the indices of a grid of `columns` by `rows` cells, two triangles each. Diagonals run from bottom left to
/// top right.
pub(in crate::stage) fn grid_indices([columns, rows]: [u32; 2]) -> Vec<u32> {
    let mut indices = Vec::with_capacity((columns * rows * 6) as usize);
    for row in 0..rows {
        for column in 0..columns {
            let top_left = row * (columns + 1) + column;
            let (top_right, bottom_left) = (top_left + 1, top_left + columns + 1);
            indices.extend([top_left, top_right, bottom_left, top_right, bottom_left + 1, bottom_left]);
        }
    }
    indices
}

/// Columns and rows of each quarter of the composite mesh.
const QUARTER: [u32; 2] = [15, 11];
/// Number of vertices in each quarter.
const QUARTER_VERTICES: u32 = (QUARTER[0] + 1) * (QUARTER[1] + 1);

/// Fills `out` with the composite mesh for an image of `size` pixels: four quarters without shared vertices, so that
/// the angle is continuous within each. As presets expect, composite shaders sample half a pixel right of and below
/// the vertex (`uv.xy`); the built-in composite samples at the vertex (`uv.zw`).
pub(in crate::stage) fn composite_vertices(hue: &[[f32; 4]; 4], size: [u32; 2], out: &mut Vec<MeshVertex>) {
    out.clear();
    let [width, height] = size.map(|side| side as f32);
    let aspect = aspect(size);
    let offset = [0.5 / width, 0.5 / height];
    for (right, below) in [(false, false), (true, false), (false, true), (true, true)] {
        for row in 0..=QUARTER[1] {
            for column in 0..=QUARTER[0] {
                // Cells are smaller towards the centre.
                let half = |step: u32, steps: u32, far: bool| {
                    let away = if far { step } else { steps - step } as f32 / steps as f32;
                    0.5 + 0.5 * away.powi(3) * if far { 1.0 } else { -1.0 }
                };
                let (u, v) = (half(column, QUARTER[0], right), half(row, QUARTER[1], below));
                out.push(composite_vertex([u, v], below, hue, aspect, offset));
            }
        }
    }
}

fn composite_vertex(
    [u, v]: [f32; 2],
    below: bool,
    hue: &[[f32; 4]; 4],
    aspect: [f32; 2],
    offset: [f32; 2],
) -> MeshVertex {
    let (x, y) = ((u * 2.0 - 1.0) * aspect[0], (v * 2.0 - 1.0) * aspect[1]);
    let corner = aspect[0].hypot(aspect[1]);
    // At three o'clock, the angle is 0 in the lower half and a full turn in the upper half.
    let mut angle = y.atan2(x);
    if angle < 0.0 || (angle == 0.0 && !below && x > 0.0) {
        angle += std::f32::consts::TAU;
    }
    let diffuse = std::array::from_fn(|channel| {
        // Composite shaders expect the left and right hues swapped.
        let top = hue[1][channel] + (hue[0][channel] - hue[1][channel]) * u;
        let bottom = hue[3][channel] + (hue[2][channel] - hue[3][channel]) * u;
        top + (bottom - top) * v
    });
    MeshVertex {
        pos: [u * 2.0 - 1.0, 1.0 - v * 2.0],
        diffuse,
        uv: [u + offset[0], v + offset[1], u, v],
        rad_ang: [x.hypot(y) / corner, angle],
    }
}

/// Returns the indices of the composite mesh. The diagonals of its cells run around the centre, not towards it.
pub(in crate::stage) fn composite_indices() -> Vec<u32> {
    let rising = grid_indices(QUARTER);
    let falling = rising.chunks_exact(6).flat_map(|cell| {
        let [top_left, top_right, bottom_left, bottom_right] = [cell[0], cell[1], cell[2], cell[4]];
        [top_left, top_right, bottom_right, top_left, bottom_right, bottom_left]
    });
    let falling: Vec<u32> = falling.collect();
    let quarters = [&rising, &falling, &falling, &rising];
    (0..).zip(quarters).flat_map(|(q, cells)| cells.iter().map(move |i| i + q * QUARTER_VERTICES)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_angle_is_continuous_within_each_quarter() {
        let mut vertices = Vec::new();
        composite_vertices(&[[1.0; 4]; 4], [320, 180], &mut vertices);
        for triangle in composite_indices().chunks_exact(3) {
            let corners = [0, 1, 2].map(|corner: usize| vertices[triangle[corner] as usize].rad_ang);
            if corners.iter().any(|[radius, _]| *radius == 0.0) {
                continue; // The angle is undefined at the centre.
            }
            let angles = corners.map(|[_, angle]| angle);
            let jump = (0..3).map(|i: usize| (angles[i] - angles[(i + 1) % 3]).abs()).fold(0.0, f32::max);
            assert!(jump <= std::f32::consts::FRAC_PI_2 + 1e-4, "{angles:?}");
        }
    }
}
