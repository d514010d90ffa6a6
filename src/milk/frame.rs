//! One frame of a preset as plain data: everything the stage needs to draw it, and nothing of how.
//!
//! Positions are clip space (x right, y up, -1..1), texture coordinates have their origin at the top left.
//! The buffers are reused: a player clears and refills them every frame.

use std::ops::Range;

use lactea_abi::{MeshVertex, MilkExtUniforms, MilkUniforms};

/// One frame of one preset, ready to draw.
///
/// Order of drawing: `below` onto the previous image; the warp pass (mesh, previous image in, new image out);
/// the blur pyramid of the previous image as far as a shader reads it; `above` onto the new image; the
/// composite pass from the new image to the deck's output.
#[derive(Debug, Default)]
pub struct Frame {
    /// Constants of the warp and composite shaders; `c[7]` (texsize) included.
    pub uniforms: MilkUniforms,
    /// MilkDrop 3 extras (`q33..q64`, mouse).
    pub extra: MilkExtUniforms,
    /// Cells of the warp mesh, across and down.
    pub mesh_size: [u32; 2],
    /// Warp mesh: `(across + 1) * (down + 1)` vertices, row by row from the top. `uv.xy` is where the previous
    /// image is read, `uv.zw` the vertex's own place, `diffuse` the decay colour.
    pub mesh: Vec<MeshVertex>,
    /// Composite mesh of the hue corners: diffuse colours of the screen's corners, top left, top right, bottom
    /// left, bottom right.
    pub hue: [[f32; 4]; 4],
    /// Whether reading outside the previous image wraps round (else it clamps).
    pub texture_wrap: bool,
    /// Ranges and edge darkening of the blur pyramid.
    pub blur: BlurRange,
    /// The fixed composite of presets without a composite shader.
    pub legacy: LegacyComposite,
    /// Drawn onto the previous image before the warp (motion vectors).
    pub below: Vec<Draw>,
    /// Drawn onto the new image after the warp, in order (shapes, waves, darken centre, borders).
    pub above: Vec<Draw>,
    /// Pool the line draws index.
    pub segments: Vec<Segment>,
    /// Pool the dot draws index.
    pub spots: Vec<Spot>,
    /// Pool the shape draws index.
    pub shapes: Vec<ShapeInstance>,
    /// Pool the triangle draws index; three vertices a triangle.
    pub triangles: Vec<Vertex>,
    /// How much of the screen polygons covered so far, in whole screens.
    painted: f32,
}

/// Screens the polygons of one frame may cover together; what is beyond is left out, so that no device is kept busy
/// for seconds.
const MAX_PAINTED: f32 = 256.0;

/// How new light meets what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blend {
    /// Covers by its alpha: `src * a + dst * (1 - a)`.
    Alpha,
    /// Adds by its alpha: `src * a + dst`.
    Additive,
}

/// How heavy lines and dots are, in reference pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// One pixel.
    Thin,
    /// One and a half: the same again half a pixel right, above, and both.
    Half,
    /// Two: the same again a pixel right, above, and both.
    Double,
}

/// One draw over a range of a pool.
#[derive(Clone, Debug, PartialEq)]
pub enum Draw {
    /// Line segments `frame.segments[range]`.
    Lines {
        /// Range of segments.
        range: Range<u32>,
        /// Blend mode.
        blend: Blend,
        /// How heavy they are.
        weight: Weight,
    },
    /// Square dots `frame.spots[range]`.
    Dots {
        /// Range of spots.
        range: Range<u32>,
        /// Blend mode.
        blend: Blend,
        /// How heavy they are.
        weight: Weight,
    },
    /// Filled polygons with outlines `frame.shapes[range]`: for each instance the fill, then the outline.
    Shapes {
        /// Range of instances.
        range: Range<u32>,
        /// Blend mode.
        blend: Blend,
        /// Fill with the previous image times the vertex colour.
        textured: bool,
        /// Outline two reference pixels wide instead of one.
        thick: bool,
    },
    /// Plain coloured triangles `frame.triangles[range]`.
    Triangles {
        /// Range of vertices, a multiple of three.
        range: Range<u32>,
        /// Blend mode.
        blend: Blend,
    },
}

/// A straight stroke between two points. Matches `struct Segment` in `shaders/stroke.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Segment {
    /// Start, clip space.
    pub a: [f32; 2],
    /// End, clip space.
    pub b: [f32; 2],
    /// RGBA at the start.
    pub color_a: [f32; 4],
    /// RGBA at the end.
    pub color_b: [f32; 4],
}

/// A dot. Matches `struct Spot` in `shaders/dot.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Spot {
    /// Centre, clip space.
    pub at: [f32; 2],
    /// RGBA.
    pub color: [f32; 4],
}

/// One polygon: corner `k` of `sides` lies at angle `k / sides * tau + angle + tau / 8`, `radius * (cos, sin)` from
/// the centre, the x part multiplied by `aspect_y` as MilkDrop does. Matches `struct Shape` in
/// `shaders/shape.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct ShapeInstance {
    /// Centre, clip space.
    pub center: [f32; 2],
    /// Half width of the polygon in clip units, across (aspect included) and up.
    pub radius: [f32; 2],
    /// Rotation of the corners, radians.
    pub angle: f32,
    /// Number of corners, 3 to 100, as a whole number.
    pub sides: f32,
    /// Rotation of the texture, radians.
    pub texture_angle: f32,
    /// Zoom of the texture.
    pub texture_zoom: f32,
    /// RGBA of the centre.
    pub color: [f32; 4],
    /// RGBA of the rim.
    pub color_rim: [f32; 4],
    /// RGBA of the outline; alpha 0 draws none.
    pub outline: [f32; 4],
    /// Width over height correction of the texture, as MilkDrop's `aspect_y`.
    pub texture_aspect: f32,
    /// Unused, keeps the layout a multiple of 16 bytes.
    pub pad: [f32; 3],
}

/// A corner of a plain triangle. Matches the vertex layout of `shaders/triangle.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Vertex {
    /// Clip space.
    pub at: [f32; 2],
    /// RGBA.
    pub color: [f32; 4],
}

/// Value ranges of blur 1 to 3, already made consistent, and how much the edges darken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlurRange {
    /// Darkest value kept, per level.
    pub min: [f32; 3],
    /// Brightest value kept, per level.
    pub max: [f32; 3],
    /// 0 no darkening to 1.
    pub edge_darken: f32,
}

impl Default for BlurRange {
    fn default() -> Self {
        Self { min: [0.0; 3], max: [1.0; 3], edge_darken: 0.25 }
    }
}

/// What MilkDrop 1 does between the feedback image and the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LegacyComposite {
    /// Brightness multiplier, 0 to 8.
    pub gamma: f32,
    /// Share of the echo image, 0..1.
    pub echo_alpha: f32,
    /// Zoom of the echo image.
    pub echo_zoom: f32,
    /// 0 plain, 1 mirrored across, 2 mirrored down, 3 both.
    pub echo_orientation: u32,
    /// `1 - (1 - x)^2`.
    pub brighten: bool,
    /// Square of the light.
    pub darken: bool,
    /// `x * (1 - x) * 2`.
    pub solarize: bool,
    /// `1 - x`.
    pub invert: bool,
    /// 0 white to 1 full use of the hue corners.
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
    /// Empties the pools and draw lists, keeping their memory.
    pub fn clear(&mut self) {
        self.mesh.clear();
        self.below.clear();
        self.above.clear();
        self.segments.clear();
        self.spots.clear();
        self.shapes.clear();
        self.triangles.clear();
        self.painted = 0.0;
    }

    /// Counts a polygon round `center` as wide and high as `radius` says, from -1 to 1 over the screen; false when it
    /// must be left out.
    pub(super) fn fill(&mut self, center: [f32; 2], radius: [f32; 2]) -> bool {
        let side = |axis: usize| {
            let (low, high) = (center[axis] - radius[axis].abs(), center[axis] + radius[axis].abs());
            (high.min(1.0) - low.max(-1.0)).max(0.0) / 2.0
        };
        self.painted += side(0) * side(1);
        self.has_room()
    }

    /// Whether everything the preset drew so far is in the frame.
    pub(super) fn has_room(&self) -> bool {
        self.painted <= MAX_PAINTED
    }
}
