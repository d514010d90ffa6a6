//! The warp mesh: where each vertex of the grid samples the previous image.
//!
//! Zoom, stretch, warp, rotation and translation are applied in the order of MilkDrop's preset authoring guide.

use lactea_abi::MeshVertex;

use super::Frame;
use super::engine::{Context, Engine, Namespace};
use super::names::{VERTEX, frame, vertex};
use super::program::{FrameCode, Program};

/// Number of motion variables. Their slots are the same in per-frame and per-vertex code.
const MOTION: usize = 10;
const _: () = assert!(frame::zoom == vertex::zoom && frame::sy == vertex::sy && vertex::sy + 1 == MOTION);

/// State of the per-vertex code, and the previous mesh.
pub(super) struct MeshState {
    namespace: Namespace,
    previous: PreviousMesh,
}

/// The previous frame's mesh, used by motion vectors.
#[derive(Default)]
pub(super) struct PreviousMesh {
    /// Columns and rows.
    pub size: [u32; 2],
    /// Texture coordinates, row by row from the top; empty before the first frame.
    pub uv: Vec<[f32; 2]>,
}

impl MeshState {
    pub fn new(code: &FrameCode) -> Self {
        Self { namespace: Namespace::new(code.vertex_vars), previous: PreviousMesh::default() }
    }

    pub fn previous(&self) -> &PreviousMesh {
        &self.previous
    }

    /// Fills `out.mesh`, running the per-vertex code for every vertex.
    pub fn compute(
        &mut self,
        program: &Program,
        frame_vars: &[f64],
        context: &Context,
        engine: &mut Engine,
        out: &mut Frame,
    ) {
        let [across, down] = context.tick.mesh;
        let field = WarpField::new(program, context.tick.time as f32);
        let decay = (frame_vars[frame::decay] as f32).min(1.0);
        let code = program.code.per_vertex.as_ref();
        let vars = &mut self.namespace;
        vars.set_read_only(VERTEX, &context.read_only);
        // Unlike in per-frame code, these are the correction factors themselves, not their inverses.
        vars.vars[vertex::aspectx..=vertex::aspecty].copy_from_slice(&context.aspect.map(f64::from));
        vars.set_q(VERTEX, &context.q);
        let base: [f64; MOTION] = frame_vars[..MOTION].try_into().expect("motion variables come first");
        out.mesh_size = context.tick.mesh;
        for row in 0..=down {
            for column in 0..=across {
                let point = GridPoint::new([column, row], [across, down], context.aspect);
                let motion = if code.is_some() {
                    vars.vars[..MOTION].copy_from_slice(&base);
                    point.load(&mut vars.vars);
                    vars.run(code, engine);
                    Motion::from_vars(&vars.vars)
                } else {
                    Motion::from_vars(&base)
                };
                out.mesh.push(point.vertex(field.source(&point, &motion, context.aspect), decay));
            }
        }
        self.previous.size = context.tick.mesh;
        self.previous.uv.clear();
        self.previous.uv.extend(out.mesh.iter().map(|v| [v.uv[0], v.uv[1]]));
    }
}

/// One vertex of the grid.
struct GridPoint {
    /// Position in clip space, y up.
    at: [f32; 2],
    /// Distance from the centre, aspect corrected.
    rad: f32,
    /// Angle around the centre, -pi to pi.
    ang: f32,
    /// Position as per-vertex code reads it, 0 to 1, y down.
    code_pos: [f32; 2],
}

impl GridPoint {
    fn new([column, row]: [u32; 2], [across, down]: [u32; 2], [aspect_x, aspect_y]: [f32; 2]) -> Self {
        let x = column as f32 / across.max(1) as f32 * 2.0 - 1.0;
        let y = 1.0 - row as f32 / down.max(1) as f32 * 2.0;
        let (square_x, square_y) = (x * aspect_x, y * aspect_y);
        let at_center = row * 2 == down && column * 2 == across;
        Self {
            at: [x, y],
            rad: square_x.hypot(square_y),
            // The centre row counts as just below the centre: its left half is at -pi.
            ang: if at_center { 0.0 } else { negative_zero(square_y).atan2(square_x) },
            code_pos: [x * 0.5 * aspect_x + 0.5, y * -0.5 * aspect_y + 0.5],
        }
    }

    /// Sets the position variables of per-vertex code.
    fn load(&self, vars: &mut [f64]) {
        vars[vertex::x] = f64::from(self.code_pos[0]);
        vars[vertex::y] = f64::from(self.code_pos[1]);
        vars[vertex::rad] = f64::from(self.rad);
        vars[vertex::ang] = f64::from(self.ang);
    }

    fn vertex(&self, source: [f32; 2], decay: f32) -> MeshVertex {
        let [x, y] = self.at;
        MeshVertex {
            pos: self.at,
            diffuse: [decay, decay, decay, 1.0],
            uv: [source[0], source[1], x * 0.5 + 0.5, 0.5 - y * 0.5],
            // Angles are clockwise in shaders, counterclockwise in code.
            rad_ang: [self.rad, -self.ang],
        }
    }
}

/// Motion of one vertex, after per-vertex code.
struct Motion {
    zoom: f32,
    zoom_exponent: f32,
    rot: f32,
    warp: f32,
    center: [f32; 2],
    shift: [f32; 2],
    stretch: [f32; 2],
}

impl Motion {
    fn from_vars(vars: &[f64]) -> Self {
        let at = |slot: usize| vars[slot] as f32;
        Self {
            zoom: at(vertex::zoom),
            zoom_exponent: at(vertex::zoomexp),
            rot: at(vertex::rot),
            warp: at(vertex::warp),
            center: [at(vertex::cx), at(vertex::cy)],
            shift: [at(vertex::dx), at(vertex::dy)],
            stretch: [at(vertex::sx), at(vertex::sy)],
        }
    }
}

/// The slow ripple scaled by `warp`.
struct WarpField {
    time: f32,
    scale: f32,
    f: [f32; 4],
}

impl WarpField {
    fn new(program: &Program, time: f32) -> Self {
        let time = time * program.base.warp_anim_speed;
        Self {
            time,
            scale: 1.0 / nonzero(program.base.warp_scale),
            f: [
                11.68 + 4.0 * (time * 1.413 + 10.0).cos(),
                8.77 + 3.0 * (time * 1.113 + 7.0).cos(),
                10.54 + 3.0 * (time * 1.233 + 3.0).cos(),
                11.49 + 4.0 * (time * 0.933 + 5.0).cos(),
            ],
        }
    }

    /// Returns where the vertex samples the previous image, 0 to 1 with the origin at the top left.
    fn source(&self, point: &GridPoint, motion: &Motion, [aspect_x, aspect_y]: [f32; 2]) -> [f32; 2] {
        let [x, y] = point.at;
        // In the ripple, y points down.
        let ripple_y = -y;
        let [cx, cy] = motion.center;
        let zoom = motion.zoom.powf(motion.zoom_exponent.powf(point.rad * 2.0 - 1.0));
        let scale = 1.0 / nonzero(zoom);
        let mut u = x * aspect_x * 0.5 * scale + 0.5;
        let mut v = -y * aspect_y * 0.5 * scale + 0.5;
        u = (u - cx) / nonzero(motion.stretch[0]) + cx;
        v = (v - cy) / nonzero(motion.stretch[1]) + cy;
        if motion.warp != 0.0 {
            let [f0, f1, f2, f3] = self.f;
            let (time, freq, amount) = (self.time, self.scale, motion.warp * 0.0035);
            u += amount * (time * 0.333 + freq * (x * f0 - ripple_y * f3)).sin();
            v += amount * (time * 0.375 - freq * (x * f2 + ripple_y * f1)).cos();
            u += amount * (time * 0.753 - freq * (x * f1 - ripple_y * f2)).cos();
            v += amount * (time * 0.825 + freq * (x * f0 + ripple_y * f3)).sin();
        }
        let (sin, cos) = motion.rot.sin_cos();
        let (from_x, from_y) = (u - cx, v - cy);
        u = from_x * cos - from_y * sin + cx - motion.shift[0];
        v = from_x * sin + from_y * cos + cy - motion.shift[1];
        [finite((u - 0.5) / aspect_x + 0.5), finite((v - 0.5) / aspect_y + 0.5)]
    }
}

/// Replaces 0 with a tiny divisor.
fn nonzero(value: f32) -> f32 {
    if value == 0.0 { f32::MIN_POSITIVE.sqrt() } else { value }
}

/// Maps 0 to -0, whose `atan2` is negative.
fn negative_zero(value: f32) -> f32 {
    if value == 0.0 { -0.0 } else { value }
}

/// Clamps a texture coordinate to what samplers can address; non-finite values become 0.5.
fn finite(value: f32) -> f32 {
    if value.is_finite() { value.clamp(-1e5, 1e5) } else { 0.5 }
}
