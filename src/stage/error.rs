//! Errors from drawing and reading back pictures.

/// Why the stage could not build, draw or read back a picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StageError {
    /// The width or height of the picture or the warp mesh is 0.
    #[error("cannot draw a picture of {size:?} pixels with a mesh of {mesh:?} cells")]
    EmptyPicture {
        /// Width and height of the picture, in pixels.
        size: [u32; 2],
        /// Columns and rows of the warp mesh.
        mesh: [u32; 2],
    },
    /// A side of the picture is longer than the device can draw.
    #[error(
        "cannot draw a picture of {size:?} pixels: this graphics device is limited to {limit} pixels per side; choose \
         a smaller size"
    )]
    PictureTooLarge {
        /// Width and height of the picture, in pixels.
        size: [u32; 2],
        /// Maximum width and height, in pixels.
        limit: u32,
    },
    /// The warp mesh has more vertices than fit into a buffer of the device.
    #[error(
        "cannot draw a warp mesh of {mesh:?} cells: this graphics device is limited to {limit} vertices; choose a \
         smaller mesh"
    )]
    MeshTooLarge {
        /// Columns and rows of the warp mesh.
        mesh: [u32; 2],
        /// Maximum number of vertices.
        limit: u64,
    },
    /// The device is lost. Everything created with it must be recreated on another device.
    #[error("the graphics device was lost: {0}")]
    Lost(String),
    /// The device is out of memory. It still works, and smaller or fewer pictures may fit.
    #[error("the graphics device is out of memory")]
    OutOfMemory,
    /// The device rejected its input, such as a shader, or a picture could not be read back.
    #[error("{0}")]
    Invalid(String),
    /// The device did not finish within this many seconds.
    #[error("the graphics device did not finish within {0} s")]
    Timeout(u64),
}

impl StageError {
    /// Returns true if the device or the computer is at fault, not the preset.
    pub fn is_device_failure(&self) -> bool {
        match self {
            Self::Lost(_) | Self::OutOfMemory | Self::Timeout(_) => true,
            Self::PictureTooLarge { .. } | Self::MeshTooLarge { .. } => true,
            Self::EmptyPicture { .. } | Self::Invalid(_) => false,
        }
    }
}
