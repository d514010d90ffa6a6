//! Built-in variables of each kind of preset code, as slot numbers.
//!
//! Constants are named as in presets. [`new_scope`] registers the names of a namespace first and in order, so each
//! constant equals the slot of its variable.

use crate::eel::Scope;

/// Defines the slot constants of one namespace, in order.
macro_rules! namespace {
    ($(#[$meta:meta])* $module:ident: $($name:ident)+) => {
        $(#[$meta])*
        #[expect(non_upper_case_globals, reason = "slots have the names presets use")]
        #[allow(dead_code, reason = "some variables are only used by presets")]
        pub(super) mod $module {
            #[allow(non_camel_case_types, clippy::enum_variant_names)]
            enum Slot { $($name),+ }
            $(pub const $name: usize = Slot::$name as usize;)+
            /// Names in slot order.
            pub const NAMES: &[&str] = &[$(stringify!($name)),+];
        }
    };
}

namespace! {
    /// Per-frame code.
    frame:
    zoom zoomexp rot warp cx cy dx dy sx sy
    decay gamma echo_zoom echo_alpha echo_orient
    wave_mode wave_a wave_r wave_g wave_b wave_x wave_y wave_mystery
    wave_usedots wave_thick wave_additive wave_brighten
    ob_size ob_r ob_g ob_b ob_a ib_size ib_r ib_g ib_b ib_a
    mv_x mv_y mv_dx mv_dy mv_l mv_r mv_g mv_b mv_a
    darken_center wrap invert brighten darken solarize
    blur1_min blur2_min blur3_min blur1_max blur2_max blur3_max blur1_edge_darken
    monitor
    time fps frame progress bass mid treb bass_att mid_att treb_att
    meshx meshy pixelsx pixelsy aspectx aspecty
}

namespace! {
    /// Per-vertex ("per_pixel") code.
    vertex:
    zoom zoomexp rot warp cx cy dx dy sx sy
    x y rad ang
    time fps frame progress bass mid treb bass_att mid_att treb_att
    meshx meshy pixelsx pixelsy aspectx aspecty
}

namespace! {
    /// Per-frame code of a custom wave.
    wave:
    r g b a samples sep scaling spectrum smoothing usedots thick additive
    time fps frame progress bass mid treb bass_att mid_att treb_att
}

namespace! {
    /// Per-point code of a custom wave.
    point:
    sample value1 value2 x y r g b a
    time fps frame progress bass mid treb bass_att mid_att treb_att
}

namespace! {
    /// Code of a custom shape.
    shape:
    x y rad ang tex_ang tex_zoom sides textured additive thick
    r g b a r2 g2 b2 a2 border_r border_g border_b border_a
    instance num_inst
    time fps frame progress bass mid treb bass_att mid_att treb_att
}

/// Number of `q` variables, `q1` to `q64`: 32 from MilkDrop 2, the others from MilkDrop 3.
pub(super) const Q_COUNT: usize = 64;
/// Number of `t` variables of custom waves and shapes, `t1` to `t16`.
pub(super) const T_COUNT: usize = 16;
/// Number of read-only variables, `time` to `aspecty`. Waves and shapes have only the first ten, up to
/// `treb_att`.
pub(super) const READ_ONLY: usize = 16;

/// Creates a scope with the built-in variables of a namespace, then `q1..q64`, then `t1..t16`.
pub(super) fn new_scope(names: &[&str]) -> Scope {
    let mut scope = Scope::new();
    for name in names {
        scope.var(name);
    }
    for q in 1..=Q_COUNT {
        scope.var(&format!("q{q}"));
    }
    for t in 1..=T_COUNT {
        scope.var(&format!("t{t}"));
    }
    scope
}

/// Positions of the shared variables in one namespace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Slot of `time`, the first read-only variable.
    pub time: usize,
    /// Number of read-only variables.
    pub read_only: usize,
    /// Slot of `q1`.
    pub q: usize,
    /// Slot of `t1`.
    pub t: usize,
}

impl Layout {
    /// Returns the layout of a namespace whose built-in variables are `names`; `time` is the slot of the
    /// `time` variable.
    pub const fn of(names: &[&str], time: usize) -> Self {
        Self { time, read_only: names.len() - time, q: names.len(), t: names.len() + Q_COUNT }
    }
}

/// Layout of per-frame code.
pub(super) const FRAME: Layout = Layout::of(frame::NAMES, frame::time);
/// Layout of per-vertex code.
pub(super) const VERTEX: Layout = Layout::of(vertex::NAMES, vertex::time);
/// Layout of a custom wave's per-frame code.
pub(super) const WAVE: Layout = Layout::of(wave::NAMES, wave::time);
/// Layout of a custom wave's per-point code.
pub(super) const POINT: Layout = Layout::of(point::NAMES, point::time);
/// Layout of a custom shape's code.
pub(super) const SHAPE: Layout = Layout::of(shape::NAMES, shape::time);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slot_constants_match_the_scope() {
        for (names, layout) in [
            (frame::NAMES, FRAME),
            (vertex::NAMES, VERTEX),
            (wave::NAMES, WAVE),
            (point::NAMES, POINT),
            (shape::NAMES, SHAPE),
        ] {
            let mut scope = new_scope(names);
            for (slot, name) in names.iter().enumerate() {
                assert_eq!(scope.var(name).slot(), slot, "{name}");
            }
            assert_eq!(scope.var("q1").slot(), layout.q);
            assert_eq!(scope.var("t16").slot(), layout.t + T_COUNT - 1);
            assert_eq!(names[layout.time], "time");
            assert!(names[layout.time + layout.read_only - 1] == "aspecty" || layout.read_only == 10);
        }
    }
}
