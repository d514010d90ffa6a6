//! Errors of drawing and reading back.

/// Why the stage could not build, draw or read back a picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StageError {
    /// The picture or the warp mesh has no width or no height.
    #[error("cannot draw a picture of {size:?} pixels with a mesh of {mesh:?} cells")]
    EmptyPicture {
        /// Width and height of the picture, pixels.
        size: [u32; 2],
        /// Columns and rows of the warp mesh.
        mesh: [u32; 2],
    },
    /// The device reported an error.
    #[error("{0}")]
    Device(String),
    /// A picture could not be read back from the device.
    #[error("reading back a picture: {0}")]
    Readback(String),
}
