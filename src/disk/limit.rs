//! Maximum sizes of the files that are read, by kind, in bytes; far more than any real file needs.

/// An image: a texture, a frame or a thumbnail.
pub const IMAGE: u64 = 64 << 20;
/// A list or index of a library: manifest, blacklist, style index, map, report.
pub const LIST: u64 = 1 << 30;
/// A file that people write by hand: settings, keys, profiles, the description of a model.
pub const TEXT: u64 = 16 << 20;
/// A set log, which grows with the length of a show.
pub const LOG: u64 = 4 << 30;
/// A vision model with its weights.
pub const MODEL: u64 = 16 << 30;
/// A file that is read in parts, such as audio or embeddings.
pub const STREAM: u64 = 1 << 40;
