//! The warp mesh: the position at which each vertex of a grid samples the previous image.
//!
//! Zoom, stretch, warp, rotation and translation are applied in the order of MilkDrop's preset authoring guide.

use smallvec::SmallVec;

use super::Frame;
use super::engine::{Context, Engine, Namespace};
use super::names::{VERTEX, frame, vertex};
use super::program::{FrameCode, Program};
use crate::eel::BatchCode;

/// Number of motion variables. Their slots are the same in per-frame and per-vertex code.
const MOTION: usize = 10;
const _: () = assert!(frame::zoom == vertex::zoom && frame::sy == vertex::sy && vertex::sy + 1 == MOTION);

/// State of the per-vertex code, and the previous mesh.
pub(super) struct MeshState {
    namespace: Namespace,
    grid: Grid,
    /// Outputs of the per-vertex code for one row of the mesh.
    outputs: Vec<f64>,
    previous: PreviousMesh,
    /// Whether every vertex of the latest mesh sampled a non-finite position.
    all_non_finite: bool,
}

/// The previous frame's mesh, used by motion vectors.
#[derive(Default)]
pub(super) struct PreviousMesh {
    /// Number of columns and rows.
    pub size: [u32; 2],
    /// Texture coordinates, row by row from the top; empty before the first frame.
    pub uv: Vec<[f32; 2]>,
}

impl MeshState {
    pub fn new(code: &FrameCode) -> Self {
        Self {
            namespace: Namespace::new(code.vertex_vars),
            grid: Grid::default(),
            outputs: Vec::new(),
            previous: PreviousMesh::default(),
            all_non_finite: false,
        }
    }

    /// Returns true if every vertex of the latest mesh sampled a non-finite position.
    pub fn all_non_finite(&self) -> bool {
        self.all_non_finite
    }

    pub fn previous(&self) -> &PreviousMesh {
        &self.previous
    }

    /// Fills the mesh and the decay of `out`, running the per-vertex code for every vertex. Vertices that the
    /// code does not reach within the budget keep the motion of the per-frame code.
    pub fn compute(
        &mut self,
        program: &Program,
        frame_vars: &[f64],
        context: &Context,
        engine: &mut Engine,
        out: &mut Frame,
    ) {
        let code = program.code.per_vertex.as_ref();
        self.grid.fit(context.tick.mesh, context.aspect, code);
        let field = WarpField::new(program, context.tick.time as f32, context.aspect);
        out.decay = (frame_vars[frame::decay] as f32).min(1.0);
        let vars = &mut self.namespace;
        vars.set_read_only(VERTEX, &context.read_only);
        // Unlike in per-frame code, these are the correction factors themselves, not their inverses.
        vars.vars[vertex::aspectx..=vertex::aspecty].copy_from_slice(&context.aspect.map(f64::from));
        vars.set_q(VERTEX, &context.q);
        let base: [f64; MOTION] = frame_vars[..MOTION].try_into().expect("motion variables come first");
        let motion = base.map(|value| value as f32);
        // Motion variables that the code assigns, each with its output column.
        let columns = code.map(|code| (0..MOTION).filter_map(|slot| Some((slot, code.output(slot)?))));
        let columns: SmallVec<[(usize, usize); MOTION]> = columns.into_iter().flatten().collect();
        out.mesh_size = context.tick.mesh;
        let across = context.tick.mesh[0] as usize + 1;
        let mut rotation = Rotation::new(motion[vertex::rot]);
        let mut non_finite = 0;
        let mut found = |source: [f32; 2]| {
            non_finite += usize::from(!source.iter().all(|axis| axis.is_finite()));
            source.map(finite)
        };
        let width = self.grid.inputs.len() / self.grid.points.len();
        for (points, inputs) in self.grid.points.chunks(across).zip(self.grid.inputs.chunks(across * width)) {
            let mut finished = 0;
            if let Some(code) = code {
                vars.vars[..MOTION].copy_from_slice(&base);
                self.outputs.resize(across * columns.len(), 0.0);
                finished = vars.run_batch(code, engine, across, inputs, &mut self.outputs);
            }
            let (coded, rest) = points.split_at(finished);
            let mut rows = self.outputs.chunks_exact(columns.len().max(1));
            out.sources.extend(coded.iter().map(|point| {
                let mut motion = motion;
                if let (false, Some(row)) = (columns.is_empty(), rows.next()) {
                    for &(slot, column) in &columns {
                        motion[slot] = row[column] as f32;
                    }
                }
                found(field.source(point, &motion, &mut rotation))
            }));
            out.sources.extend(rest.iter().map(|point| found(field.source(point, &motion, &mut rotation))));
        }
        self.all_non_finite = non_finite == out.sources.len();
        self.previous.size = context.tick.mesh;
        self.previous.uv.clear();
        self.previous.uv.extend_from_slice(&out.sources);
    }
}

/// The vertices of the mesh, which change only with its size and the aspect correction.
#[derive(Default)]
struct Grid {
    size: [u32; 2],
    aspect: [f32; 2],
    points: Vec<GridPoint>,
    /// For each vertex, a row of inputs of the per-vertex code: `x` to `ang`, and the columns that
    /// [`BatchCode::rows`] adds.
    inputs: Vec<f64>,
}

impl Grid {
    /// Computes the vertices unless they are up to date. `code` must be the same in every call.
    fn fit(&mut self, size: [u32; 2], aspect: [f32; 2], code: Option<&BatchCode>) {
        if !self.points.is_empty() && self.size == size && self.aspect == aspect {
            return;
        }
        (self.size, self.aspect) = (size, aspect);
        self.points.clear();
        self.points.extend(grid_points(size, aspect));
        let inputs = self.points.iter().flat_map(|point| {
            let GridPoint { code_pos: [x, y], rad, ang, .. } = *point;
            [x, y, rad, ang].map(f64::from)
        });
        let inputs: Vec<f64> = inputs.collect();
        self.inputs = match code {
            Some(code) => code.rows(&inputs),
            None => inputs,
        };
    }
}

/// Returns the vertices of a warp mesh of `size` columns and rows, row by row from the top. `aspect` is the aspect
/// correction of the picture; the larger factor is 1.
pub fn grid_points(size: [u32; 2], aspect: [f32; 2]) -> impl Iterator<Item = GridPoint> {
    let [across, down] = size;
    let places = (0..=down).flat_map(move |row| (0..=across).map(move |column| [column, row]));
    places.map(move |place| GridPoint::new(place, size, aspect))
}

/// One vertex of the warp mesh.
pub struct GridPoint {
    /// Position in clip space, y up.
    pub at: [f32; 2],
    /// Distance from the centre, corrected for the aspect ratio.
    pub rad: f32,
    /// Angle around the centre in radians, -pi to pi, counterclockwise.
    pub ang: f32,
    /// Position in the coordinates of per-vertex code, y down: 0 to 1 along the longer side of the picture, less along
    /// the other.
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
            // The centre row counts as just below the centre, so its left half is at -pi.
            ang: if at_center { 0.0 } else { negative_zero(square_y).atan2(square_x) },
            code_pos: [x * 0.5 * aspect_x + 0.5, y * -0.5 * aspect_y + 0.5],
        }
    }
}

/// Sine and cosine of an angle, recomputed only when the angle changes.
struct Rotation {
    angle: f32,
    sin: f32,
    cos: f32,
}

impl Rotation {
    fn new(angle: f32) -> Self {
        let (sin, cos) = angle.sin_cos();
        Self { angle, sin, cos }
    }

    fn turn(&mut self, angle: f32) -> (f32, f32) {
        if angle.to_bits() != self.angle.to_bits() {
            *self = Self::new(angle);
        }
        (self.sin, self.cos)
    }
}

/// Parameters of the slow ripple that `warp` scales, and the aspect correction.
struct WarpField {
    time: f32,
    scale: f32,
    f: [f32; 4],
    aspect: [f32; 2],
}

impl WarpField {
    fn new(program: &Program, time: f32, aspect: [f32; 2]) -> Self {
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
            aspect,
        }
    }

    /// Returns where the vertex samples the previous image, 0 to 1 with the origin at the top left. `motion`
    /// contains the motion variables of the vertex, by slot.
    fn source(&self, point: &GridPoint, motion: &[f32; MOTION], rotation: &mut Rotation) -> [f32; 2] {
        let [aspect_x, aspect_y] = self.aspect;
        let [x, y] = point.at;
        // In the ripple, y points down.
        let ripple_y = -y;
        let (cx, cy) = (motion[vertex::cx], motion[vertex::cy]);
        let scale = 1.0 / nonzero(zoom(motion[vertex::zoom], motion[vertex::zoomexp], point.rad));
        let mut u = x * aspect_x * 0.5 * scale + 0.5;
        let mut v = -y * aspect_y * 0.5 * scale + 0.5;
        u = (u - cx) / nonzero(motion[vertex::sx]) + cx;
        v = (v - cy) / nonzero(motion[vertex::sy]) + cy;
        if motion[vertex::warp] != 0.0 {
            let [f0, f1, f2, f3] = self.f;
            let (time, freq, amount) = (self.time, self.scale, motion[vertex::warp] * 0.0035);
            u += amount * (time * 0.333 + freq * (x * f0 - ripple_y * f3)).sin();
            v += amount * (time * 0.375 - freq * (x * f2 + ripple_y * f1)).cos();
            u += amount * (time * 0.753 - freq * (x * f1 - ripple_y * f2)).cos();
            v += amount * (time * 0.825 + freq * (x * f0 + ripple_y * f3)).sin();
        }
        let (sin, cos) = rotation.turn(motion[vertex::rot]);
        let (from_x, from_y) = (u - cx, v - cy);
        u = from_x * cos - from_y * sin + cx - motion[vertex::dx];
        v = from_x * sin + from_y * cos + cy - motion[vertex::dy];
        [(u - 0.5) / aspect_x + 0.5, (v - 0.5) / aspect_y + 0.5]
    }
}

/// Returns `zoom ^ (exponent ^ (2 * rad - 1))`, where `rad` is the distance from the centre. If `zoom` or
/// `exponent` is 1, returns `zoom` directly; the result is the same bit for bit.
fn zoom(zoom: f32, exponent: f32, rad: f32) -> f32 {
    if zoom == 1.0 || exponent == 1.0 {
        return zoom;
    }
    zoom.powf(exponent.powf(rad * 2.0 - 1.0))
}

/// Replaces 0 with a tiny positive number, for use as a divisor.
fn nonzero(value: f32) -> f32 {
    if value == 0.0 { f32::MIN_POSITIVE.sqrt() } else { value }
}

/// Maps 0 to -0, so that `atan2` returns -π instead of π for a negative x.
fn negative_zero(value: f32) -> f32 {
    if value == 0.0 { -0.0 } else { value }
}

/// Clamps a texture coordinate to what samplers can address; non-finite values become 0.5.
fn finite(value: f32) -> f32 {
    if value.is_finite() { value.clamp(-1e5, 1e5) } else { 0.5 }
}
