//! The warp mesh: where each corner of the grid reads the previous image.
//!
//! The order of zoom, stretch, warp, rotation and shift is MilkDrop's, as its preset authoring guide describes it.

use lactea_abi::MeshVertex;

use super::Frame;
use super::names::{VERTEX, frame, vertex};
use super::player::{Context, Engine, Namespace};
use super::program::{FrameCode, Program};

/// The ten motion values per-vertex code may change, in slot order of both namespaces.
const MOTION: usize = 10;
const _: () = assert!(frame::zoom == vertex::zoom && frame::sy == vertex::sy && vertex::sy + 1 == MOTION);

/// State of per-vertex code and the last mesh.
pub(super) struct MeshState {
    namespace: Namespace,
    previous: PreviousMesh,
}

/// The last frame's mesh, which motion vectors follow backwards.
#[derive(Default)]
pub(super) struct PreviousMesh {
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

    /// Fills `out.mesh`, running per-vertex code at every corner.
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
        // Here, unlike in per-frame code, these are the factors that make circles round.
        vars.vars[vertex::aspectx..=vertex::aspecty].copy_from_slice(&context.aspect.map(f64::from));
        vars.set_q(VERTEX, &context.q);
        let written: [f64; MOTION] = frame_vars[..MOTION].try_into().expect("the first ten are motion");
        out.mesh_size = context.tick.mesh;
        for row in 0..=down {
            for column in 0..=across {
                let place = Place::new([column, row], [across, down], context.aspect);
                let motion = if code.is_some() {
                    vars.vars[..MOTION].copy_from_slice(&written);
                    place.load(&mut vars.vars);
                    vars.run(code, engine);
                    Motion::from_vars(&vars.vars)
                } else {
                    Motion::from_vars(&written)
                };
                out.mesh.push(place.vertex(field.source(&place, &motion, context.aspect), decay));
            }
        }
        self.previous.size = context.tick.mesh;
        self.previous.uv.clear();
        self.previous.uv.extend(out.mesh.iter().map(|v| [v.uv[0], v.uv[1]]));
    }
}

/// One corner of the grid.
struct Place {
    /// Clip space, y up.
    at: [f32; 2],
    /// Distance from the middle, aspect corrected.
    rad: f32,
    /// Angle from the middle, -pi..pi.
    ang: f32,
    /// 0..1 as per-vertex code sees it, y down.
    seen: [f32; 2],
}

impl Place {
    fn new([column, row]: [u32; 2], [across, down]: [u32; 2], [aspect_x, aspect_y]: [f32; 2]) -> Self {
        let x = column as f32 / across.max(1) as f32 * 2.0 - 1.0;
        let y = 1.0 - row as f32 / down.max(1) as f32 * 2.0;
        let (round_x, round_y) = (x * aspect_x, y * aspect_y);
        let in_the_middle = row * 2 == down && column * 2 == across;
        Self {
            at: [x, y],
            rad: round_x.hypot(round_y),
            // The row through the middle counts as just below it, so that its left half lies at -pi.
            ang: if in_the_middle { 0.0 } else { below_zero(round_y).atan2(round_x) },
            seen: [x * 0.5 * aspect_x + 0.5, y * -0.5 * aspect_y + 0.5],
        }
    }

    fn load(&self, vars: &mut [f64]) {
        vars[vertex::x] = f64::from(self.seen[0]);
        vars[vertex::y] = f64::from(self.seen[1]);
        vars[vertex::rad] = f64::from(self.rad);
        vars[vertex::ang] = f64::from(self.ang);
    }

    fn vertex(&self, source: [f32; 2], decay: f32) -> MeshVertex {
        let [x, y] = self.at;
        MeshVertex {
            pos: self.at,
            diffuse: [decay, decay, decay, 1.0],
            uv: [source[0], source[1], x * 0.5 + 0.5, 0.5 - y * 0.5],
            // Shaders count the angle clockwise, code the other way.
            rad_ang: [self.rad, -self.ang],
        }
    }
}

/// The motion at one corner, after per-vertex code.
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

/// The slow ripple that `warp` mixes in.
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

    /// Where in the previous image this corner reads, 0..1 with the origin at the top left.
    fn source(&self, place: &Place, motion: &Motion, [aspect_x, aspect_y]: [f32; 2]) -> [f32; 2] {
        let [x, y] = place.at;
        // The ripple counts y downwards.
        let ripple_y = -y;
        let [cx, cy] = motion.center;
        let zoom = motion.zoom.powf(motion.zoom_exponent.powf(place.rad * 2.0 - 1.0));
        let shrink = 1.0 / nonzero(zoom);
        let mut u = x * aspect_x * 0.5 * shrink + 0.5;
        let mut v = -y * aspect_y * 0.5 * shrink + 0.5;
        u = (u - cx) / nonzero(motion.stretch[0]) + cx;
        v = (v - cy) / nonzero(motion.stretch[1]) + cy;
        if motion.warp != 0.0 {
            let [f0, f1, f2, f3] = self.f;
            let (time, scale, amount) = (self.time, self.scale, motion.warp * 0.0035);
            u += amount * (time * 0.333 + scale * (x * f0 - ripple_y * f3)).sin();
            v += amount * (time * 0.375 - scale * (x * f2 + ripple_y * f1)).cos();
            u += amount * (time * 0.753 - scale * (x * f1 - ripple_y * f2)).cos();
            v += amount * (time * 0.825 + scale * (x * f0 + ripple_y * f3)).sin();
        }
        let (sin, cos) = motion.rot.sin_cos();
        let (from_x, from_y) = (u - cx, v - cy);
        u = from_x * cos - from_y * sin + cx - motion.shift[0];
        v = from_x * sin + from_y * cos + cy - motion.shift[1];
        [finite((u - 0.5) / aspect_x + 0.5), finite((v - 0.5) / aspect_y + 0.5)]
    }
}

fn nonzero(value: f32) -> f32 {
    if value == 0.0 { f32::MIN_POSITIVE.sqrt() } else { value }
}

/// Nothing counts as just below nothing.
fn below_zero(value: f32) -> f32 {
    if value == 0.0 { -0.0 } else { value }
}

/// The GPU gets numbers only, within what its samplers can address.
fn finite(value: f32) -> f32 {
    if value.is_finite() { value.clamp(-1e5, 1e5) } else { 0.5 }
}
