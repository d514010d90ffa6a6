//! The result of a translation.

use lactea_abi::ShaderInterface;

/// Name of the entry point that reads its inputs from three textures. `@group(2) @binding(0)` holds values
/// that change every frame: the source position of a warp shader in `xy`, or the diffuse colour of a
/// composite shader. `@binding(1)` holds the position, `@binding(2)` the radius and angle.
pub const IMAGE_ENTRY: &str = "fs_image";

/// A translated shader.
#[derive(Clone, Debug)]
pub struct Translation {
    /// The module, not validated yet, with the fragment entry points `fs_main` and [`IMAGE_ENTRY`]. All its loops
    /// terminate.
    pub module: naga::Module,
    /// Textures that the shader reads, in the order of their bindings, and the texture sizes that it uses.
    pub interface: ShaderInterface,
    /// Whether the shader reads the diffuse colour, which holds the corner hues in a composite shader.
    pub reads_diffuse: bool,
    /// Whether the shader reads `uv`, which is the source position in a warp shader.
    pub reads_source: bool,
    /// Whether the shader reads the polar coordinates.
    pub reads_polar: bool,
}
