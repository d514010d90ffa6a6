//! The result of a translation.

use lactea_abi::ShaderInterface;

/// Entry point that reads three textures at its pixel. `@group(2) @binding(0)` holds values that change every frame:
/// the source position of the warp in `xy`, or the diffuse colour of the composite. `@binding(1)` holds the position,
/// `@binding(2)` radius and angle.
pub const IMAGE_ENTRY: &str = "fs_image";

/// A translated shader.
#[derive(Clone, Debug)]
pub struct Translation {
    /// The module, not validated yet, with the fragment entry points `fs_main` and [`IMAGE_ENTRY`]. All its loops
    /// terminate.
    pub module: naga::Module,
    /// Textures, in the order of their bindings.
    pub interface: ShaderInterface,
    /// Whether it reads the diffuse colour, the corner hues of a composite.
    pub reads_diffuse: bool,
    /// Whether it reads the polar coordinates.
    pub reads_polar: bool,
}
