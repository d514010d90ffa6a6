//! One frame of a preset as plain data: the input of the stage.
//!
//! Positions are in clip space (x right, y up, -1 to 1); texture coordinates have their origin at the top left.
//! A player clears and refills the same frame, so its buffers are reused.

use std::ops::Range;

use lactea_abi::MilkUniforms;

use crate::hlsl::ExtraUniforms;

/// One frame of one preset, ready to draw.
///
/// Drawing order: `below` onto the previous image; the warp pass from the previous to the new image; `above` onto the
/// new image; the blur pyramid of the previous image, if a shader reads it; the composite pass from the new image to
/// the deck's output.
#[derive(Debug, Default)]
pub struct Frame {
    /// Uniforms of the warp and composite shaders, including `c[7]` (texsize).
    pub uniforms: MilkUniforms,
    /// Shader inputs that MilkDrop's successors added.
    pub extra: ExtraUniforms,
    /// Columns and rows of the warp mesh.
    pub mesh_size: [u32; 2],
    /// Where each vertex of the warp mesh samples the previous image, 0 to 1 with the origin at the top left:
    /// `(columns + 1) * (rows + 1)` vertices, row by row from the top.
    pub sources: Vec<[f32; 2]>,
    /// Factor applied to the previous image by the built-in warp, at most 1.
    pub decay: f32,
    /// Hues of the screen corners as RGBA: top left, top right, bottom left, bottom right.
    pub hue: [[f32; 4]; 4],
    /// Whether the previous image repeats beyond its edges; otherwise it is clamped.
    pub texture_wrap: bool,
    /// Value ranges and edge darkening of the blur pyramid.
    pub blur: BlurRange,
    /// Parameters of the built-in composite, for presets without a composite shader.
    pub legacy: LegacyComposite,
    /// Draw calls onto the previous image, before the warp (motion vectors).
    pub below: Vec<Draw>,
    /// Draw calls onto the new image, after the warp, in order (shapes, waves, darkened centre, borders).
    pub above: Vec<Draw>,
    /// Segments referenced by [`Draw::Lines`].
    pub segments: Vec<Segment>,
    /// Dots referenced by [`Draw::Dots`].
    pub dots: Vec<Dot>,
    /// Instances referenced by [`Draw::Shapes`].
    pub shapes: Vec<ShapeInstance>,
    /// Borders referenced by [`Draw::Borders`].
    pub borders: Vec<Border>,
    /// Vertices referenced by [`Draw::Triangles`], three per triangle.
    pub triangles: Vec<Vertex>,
}

/// Maximum total area of the polygons of one frame, in screens, so that a frame does not occupy the device for seconds.
const MAX_AREA: f32 = 256.0;
/// Maximum number of polygon corners in one frame, limited for the same reason as [`MAX_AREA`]. Enough for four shapes
/// with 1,024 outlined instances of 100 sides each.
const MAX_CORNERS: u32 = 4 * 1_024 * 200;

/// Blend mode of a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blend {
    /// `src * a + dst * (1 - a)`.
    Alpha,
    /// `src * a + dst`.
    Additive,
}

/// Width of lines and dots, in reference pixels (one pixel up to a picture height of 720, then 1/720 of the height).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// One pixel wide.
    Thin,
    /// One and a half pixels wide: drawn four times, offset by half a pixel right, down, and both.
    Half,
    /// Two pixels wide: drawn four times, offset by one pixel right, up, and both.
    Double,
}

/// One draw call over a range of a frame's buffers.
#[derive(Clone, Debug, PartialEq)]
pub enum Draw {
    /// Line segments `frame.segments[range]`.
    Lines {
        /// Range of the segments in the frame.
        range: Range<u32>,
        /// Blend mode of the lines.
        blend: Blend,
        /// Width of the lines.
        weight: Weight,
    },
    /// Square dots `frame.dots[range]`.
    Dots {
        /// Range of the dots in the frame.
        range: Range<u32>,
        /// Blend mode of the dots.
        blend: Blend,
        /// Width of the dots.
        weight: Weight,
    },
    /// Filled, outlined polygons `frame.shapes[range]`.
    Shapes {
        /// Range of the instances in the frame.
        range: Range<u32>,
        /// Blend mode of the polygons.
        blend: Blend,
        /// Whether the fill is the previous image times the vertex colour.
        textured: bool,
        /// Whether the outline is two reference pixels wide instead of one.
        thick: bool,
    },
    /// Borders `frame.borders[range]`, blended by alpha.
    Borders {
        /// Range of the borders in the frame.
        range: Range<u32>,
    },
    /// Untextured triangles `frame.triangles[range]`.
    Triangles {
        /// Range of vertices, a multiple of three.
        range: Range<u32>,
        /// Blend mode of the triangles.
        blend: Blend,
    },
}

/// A line segment. Matches the instance layout of `shaders/stroke.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Segment {
    /// Start, in clip space.
    pub a: [f32; 2],
    /// End, in clip space.
    pub b: [f32; 2],
    /// RGBA at the start.
    pub color_a: [f32; 4],
    /// RGBA at the end.
    pub color_b: [f32; 4],
}

/// A dot. Matches the instance layout of `shaders/dot.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Dot {
    /// Centre, in clip space.
    pub at: [f32; 2],
    /// Colour of the dot, as RGBA.
    pub color: [f32; 4],
}

/// One polygon. Corner `k` of `sides` is at `center + radius * (cos, sin)` of the angle
/// `k / sides * tau + angle + tau / 8`. Matches `struct Shape` in `shaders/shape.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct ShapeInstance {
    /// Centre, in clip space.
    pub center: [f32; 2],
    /// Horizontal and vertical radius in clip units; the horizontal one includes the aspect ratio.
    pub radius: [f32; 2],
    /// Rotation of the corners, in radians.
    pub angle: f32,
    /// Number of corners, an integer from 3 to 100.
    pub sides: f32,
    /// Rotation of the texture, in radians.
    pub texture_angle: f32,
    /// Zoom of the texture.
    pub texture_zoom: f32,
    /// RGBA of the centre.
    pub color: [f32; 4],
    /// RGBA of the rim.
    pub color_rim: [f32; 4],
    /// RGBA of the outline; none is drawn at alpha 0.
    pub outline: [f32; 4],
    /// Aspect correction of the texture: MilkDrop's `aspect_y`.
    pub texture_aspect: f32,
    /// Padding to a multiple of 16 bytes.
    pub pad: [f32; 3],
}

/// The area between two rectangles around the centre of the picture. Matches the instance layout of
/// `shaders/border.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Border {
    /// Half the size of the outer and of the inner rectangle, in clip space.
    pub edges: [f32; 2],
    /// RGBA of the border.
    pub color: [f32; 4],
}

/// A vertex of an untextured triangle. Matches the vertex layout of `shaders/triangle.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Vertex {
    /// Position in clip space.
    pub at: [f32; 2],
    /// Colour at the vertex, as RGBA.
    pub color: [f32; 4],
}

/// Value ranges of blur levels 1 to 3, which are never empty, and the edge darkening.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlurRange {
    /// Lower end of the stored range, per level.
    pub min: [f32; 3],
    /// Upper end of the stored range, per level.
    pub max: [f32; 3],
    /// Darkening towards the edges, from 0 (none) to 1 (full).
    pub edge_darken: f32,
}

impl Default for BlurRange {
    fn default() -> Self {
        Self { min: [0.0; 3], max: [1.0; 3], edge_darken: 0.25 }
    }
}

/// Parameters of the MilkDrop 1 composite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LegacyComposite {
    /// Brightness multiplier, 0 to 8.
    pub gamma: f32,
    /// Opacity of the echo image, 0 to 1.
    pub echo_alpha: f32,
    /// Zoom of the echo image.
    pub echo_zoom: f32,
    /// Orientation of the echo image: 0 unchanged, 1 flipped horizontally, 2 flipped vertically, 3 both.
    pub echo_orientation: u32,
    /// Whether to replace each channel `x` with `1 - (1 - x)^2`.
    pub brighten: bool,
    /// Whether to replace each channel `x` with `x * x`.
    pub darken: bool,
    /// Whether to replace each channel `x` with `x * (1 - x) * 2`.
    pub solarize: bool,
    /// Whether to replace each channel `x` with `1 - x`.
    pub invert: bool,
    /// Strength of the corner hues, from 0 (none) to 1 (full).
    pub hue_amount: f32,
}

impl Default for LegacyComposite {
    fn default() -> Self {
        Self {
            gamma: 1.0,
            echo_alpha: 0.0,
            echo_zoom: 1.0,
            echo_orientation: 0,
            brighten: false,
            darken: false,
            solarize: false,
            invert: false,
            hue_amount: 0.0,
        }
    }
}

impl Frame {
    /// Clears the buffers and the draw lists, keeping their allocations.
    pub fn clear(&mut self) {
        self.sources.clear();
        self.below.clear();
        self.above.clear();
        self.segments.clear();
        self.dots.clear();
        self.shapes.clear();
        self.borders.clear();
        self.triangles.clear();
    }

    /// Drops polygons, bottommost first, until the rest are within [`MAX_AREA`] and [`MAX_CORNERS`], each divided by
    /// `presets`, the number of presets that share the limits. Returns true if any were dropped.
    pub(super) fn limit_polygons(&mut self, presets: u32) -> bool {
        let polygons = self.above.iter().rev().filter_map(|draw| match draw {
            Draw::Shapes { range, thick, .. } => Some(range.clone().rev().map(|index| (index, *thick))),
            _ => None,
        });
        let (mut area, mut corners) = (0.0, 0_u32);
        let (max_area, max_corners) = (MAX_AREA / presets as f32, MAX_CORNERS / presets);
        let mut first = self.shapes.len() as u32;
        for (index, thick) in polygons.flatten() {
            let shape = &self.shapes[index as usize];
            area += shape.visible_area();
            corners = corners.saturating_add(shape.corners(thick));
            if area > max_area || corners > max_corners {
                break;
            }
            first = index;
        }
        self.shapes.drain(..first as usize);
        self.above.retain_mut(|draw| match draw {
            Draw::Shapes { range, .. } => {
                *range = range.start.saturating_sub(first)..range.end.saturating_sub(first);
                range.start < range.end
            }
            _ => true,
        });
        first > 0
    }
}

impl ShapeInstance {
    /// Returns the visible part of the rectangle around the polygon, in screens.
    fn visible_area(&self) -> f32 {
        let side = |axis: usize| {
            let (center, radius) = (self.center[axis], self.radius[axis].abs());
            ((center + radius).min(1.0) - (center - radius).max(-1.0)).max(0.0) / 2.0
        };
        side(0) * side(1)
    }

    /// Returns the number of corners, including those of the outline, which is drawn four times if `thick`.
    fn corners(&self, thick: bool) -> u32 {
        let outlines = match self.outline[3] > 0.0 {
            false => 0,
            true if thick => 4,
            true => 1,
        };
        self.sides as u32 * (1 + outlines)
    }
}
