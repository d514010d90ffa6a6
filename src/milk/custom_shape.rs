//! Custom shapes: polygons positioned by preset code, up to 1,024 instances each.

use super::engine::{Context, Engine, Namespace};
use super::names::{SHAPE, T_COUNT, shape};
use super::program::ShapeProgram;
use super::{Blend, Draw, Frame, ShapeInstance, color_byte};

/// Maximum number of instances of one shape per frame.
const MAX_INSTANCES: i32 = 1024;

/// State of one custom shape.
pub(super) struct ShapeState {
    main: Namespace,
    init_t: [f64; T_COUNT],
}

impl ShapeState {
    pub fn new(program: &ShapeProgram) -> Self {
        Self { main: Namespace::new(program.vars), init_t: [0.0; T_COUNT] }
    }

    /// Runs the shape's init code once.
    pub fn init(&mut self, program: &ShapeProgram, context: &Context, engine: &mut Engine) {
        self.main.set_read_only(SHAPE, &context.read_only);
        self.main.set_q(SHAPE, &context.q);
        self.load_values(program, 0);
        self.main.run(program.init.as_ref(), engine);
        self.init_t.copy_from_slice(&self.main.vars[SHAPE.t..SHAPE.t + T_COUNT]);
    }

    /// Runs the per-frame code of every instance and adds the polygons to `out`.
    pub fn draw(&mut self, program: &ShapeProgram, context: &Context, engine: &mut Engine, out: &mut Frame) {
        for instance in 0..program.values.instances.clamp(1, MAX_INSTANCES) {
            self.main.set_read_only(SHAPE, &context.read_only);
            self.main.set_q(SHAPE, &context.q);
            self.main.vars[SHAPE.t..SHAPE.t + T_COUNT].copy_from_slice(&self.init_t);
            self.load_values(program, instance);
            self.main.run(program.per_frame.as_ref(), engine);
            self.push(context, out);
        }
    }

    /// Copies the values of the preset file into the variables.
    fn load_values(&mut self, program: &ShapeProgram, instance: i32) {
        let values = &program.values;
        for (slot, value) in [
            (shape::x, values.x),
            (shape::y, values.y),
            (shape::rad, values.rad),
            (shape::ang, values.ang),
            (shape::tex_ang, values.tex_ang),
            (shape::tex_zoom, values.tex_zoom),
            (shape::sides, values.sides as f32),
            (shape::textured, values.textured as f32),
            (shape::additive, values.additive as f32),
            (shape::thick, values.thick_outline as f32),
            (shape::r, values.r),
            (shape::g, values.g),
            (shape::b, values.b),
            (shape::a, values.a),
            (shape::r2, values.r2),
            (shape::g2, values.g2),
            (shape::b2, values.b2),
            (shape::a2, values.a2),
            (shape::border_r, values.border_r),
            (shape::border_g, values.border_g),
            (shape::border_b, values.border_b),
            (shape::border_a, values.border_a),
            (shape::instance, instance as f32),
            (shape::num_inst, values.instances as f32),
        ] {
            self.main.vars[slot] = f64::from(value);
        }
    }

    /// Adds the polygon described by the variables; consecutive instances with the same blend mode, texturing
    /// and outline width share one draw.
    fn push(&self, context: &Context, out: &mut Frame) {
        let vars = &self.main.vars;
        let at = |slot: usize| vars[slot] as f32;
        let rgba = |slots: [usize; 4]| slots.map(|slot| color_byte(vars[slot]));
        let aspect_y = context.aspect[1];
        let instance = ShapeInstance {
            // In presets, y points up for the centre, but down for the corner offsets.
            center: [at(shape::x) * 2.0 - 1.0, at(shape::y) * 2.0 - 1.0],
            radius: [at(shape::rad) * aspect_y, -at(shape::rad)],
            angle: at(shape::ang),
            sides: at(shape::sides).floor().max(3.0).min(100.0),
            texture_angle: at(shape::tex_ang),
            texture_zoom: at(shape::tex_zoom),
            color: rgba([shape::r, shape::g, shape::b, shape::a]),
            color_rim: rgba([shape::r2, shape::g2, shape::b2, shape::a2]),
            outline: rgba([shape::border_r, shape::border_g, shape::border_b, shape::border_a]),
            texture_aspect: aspect_y,
            pad: [0.0; 3],
        };
        let values = [instance.center, instance.radius, [instance.angle, instance.texture_angle]];
        if !values.as_flattened().iter().all(|value| value.abs() < 1e5) {
            return;
        }
        let thick = vars[shape::thick] != 0.0;
        let blend = if vars[shape::additive] != 0.0 { Blend::Additive } else { Blend::Alpha };
        let textured = vars[shape::textured] != 0.0;
        let next = out.shapes.len() as u32;
        out.shapes.push(instance);
        match out.above.last_mut() {
            Some(Draw::Shapes { range, blend: b, textured: t, thick: k })
                if (*b, *t, *k) == (blend, textured, thick) && range.end == next =>
            {
                range.end = next + 1;
            }
            _ => out.above.push(Draw::Shapes { range: next..next + 1, blend, textured, thick }),
        }
    }
}
