//! Files: how they are opened, listed, read as text or as a matrix, and written.
//!
//! Nothing in a folder is trusted. Only regular files up to a size limit are read. Links are followed, but a
//! pipe, a device or a socket is rejected with an error that names its kind. Files are read and folders
//! listed on helper threads that are abandoned if the disk does not respond, so a stalled network mount
//! affects only the files on it.

mod dds;
mod draft;
mod error;
mod folder;
mod identity;
mod input;
mod lenient;
pub mod limit;
mod mounts;
mod network;
pub mod npy;
mod owner;
mod picture;
mod text;
mod timeout;
mod walk;
mod whole;
mod wire_path;

pub use draft::Draft;
pub use error::FileError;
pub use folder::Folder;
pub use identity::is_at;
pub use input::{Input, read, read_if_exists, sha256};
pub use lenient::lenient;
pub use network::is_network;
pub use owner::{is_own, replaceable_by_others};
pub use picture::{PictureError, middle, picture};
pub use text::{TextError, decode, decode_lossy, each_line, lines, read_json, read_text};
#[cfg(test)]
pub(crate) use timeout::stall;
pub use timeout::with_timeout;
pub use walk::{
    FileKind, FolderKey, Item, Skipped, Walk, check_link, folder_key, has_entries, is_missing, kind, list,
    metadata, real_path, responds, wake,
};
pub use whole::{create_folder, publish, remove_if_exists, replace, write, write_below, write_json};
pub use wire_path::{WirePath, WirePaths, as_wire_paths};
