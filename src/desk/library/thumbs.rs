//! Thumbnails of presets, made from the frames of a bake; a separate thread reads and decodes them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use egui::{ColorImage, Context, TextureHandle, TextureId, TextureOptions};

use crate::disk;
use crate::facts::PresetId;
use crate::library::Entry;
use crate::library::looks::Looks;

/// Maximum width and height of a thumbnail, in pixels.
const SIDE: u32 = 96;
/// Maximum number of thumbnails in memory; more than fit on any screen.
const KEPT: usize = 400;
/// Capacity of the request queue. Requests that do not fit are retried in the next frame, so that scrolling
/// past thousands of presets reads only a few.
const QUEUE_CAPACITY: usize = 24;

struct Known {
    picture: Option<TextureHandle>,
    /// Number of the frame in which the thumbnail was last used.
    used: u64,
}

/// A cache of thumbnails.
pub(super) struct Thumbs {
    requests: SyncSender<(PresetId, Vec<PathBuf>)>,
    read: Receiver<(PresetId, Vec<PathBuf>, Option<ColorImage>)>,
    /// The possible paths of the frames requested from the current bake and not read yet.
    waiting: HashMap<PresetId, Vec<PathBuf>>,
    known: HashMap<PresetId, Known>,
    /// The bake that the thumbnails come from.
    looks: Arc<Looks>,
    drawing: u64,
}

impl Thumbs {
    /// Starts the thread; returns `None` if it cannot be started.
    pub fn start() -> Option<Self> {
        let (requests, jobs) = sync_channel::<(PresetId, Vec<PathBuf>)>(QUEUE_CAPACITY);
        let (done, read) = sync_channel(QUEUE_CAPACITY);
        let work = move || {
            for (id, paths) in jobs {
                let image = paths.iter().find_map(|path| load(path));
                if done.send((id, paths, image)).is_err() {
                    break; // The desk has been closed.
                }
            }
        };
        let thread = std::thread::Builder::new().name("thumbnails".into()).spawn(work);
        thread.ok().map(|_| Self {
            requests,
            read,
            waiting: HashMap::new(),
            known: HashMap::new(),
            looks: Arc::default(),
            drawing: 0,
        })
    }

    /// Starts a frame: uploads newly loaded thumbnails, and drops the least recently used ones if there are more than
    /// [`KEPT`].
    pub fn begin(&mut self, context: &Context, looks: &Arc<Looks>) {
        self.drawing += 1;
        if self.looks.bake != looks.bake {
            self.known.clear();
            self.waiting.clear();
        }
        self.looks = looks.clone();
        for (id, paths, image) in self.read.try_iter() {
            if self.waiting.get(&id) != Some(&paths) {
                continue; // It was requested from another bake.
            }
            self.waiting.remove(&id);
            let picture = image.map(|image| context.load_texture("thumbnail", image, TextureOptions::LINEAR));
            self.known.insert(id, Known { picture, used: self.drawing });
        }
        if self.known.len() > KEPT {
            let mut used: Vec<u64> = self.known.values().map(|known| known.used).collect();
            used.sort_unstable();
            let oldest = used[self.known.len() - KEPT];
            self.known.retain(|_, known| known.used >= oldest);
        }
    }

    /// Returns the thumbnail of a preset if it has been loaded; otherwise requests it.
    pub fn of(&mut self, entry: &Entry) -> Option<TextureId> {
        if let Some(known) = self.known.get_mut(&entry.id) {
            known.used = self.drawing;
            return known.picture.as_ref().map(TextureHandle::id);
        }
        if !self.waiting.contains_key(&entry.id) {
            let paths = self.looks.frames(entry);
            if !paths.is_empty() && self.requests.try_send((entry.id, paths.clone())).is_ok() {
                self.waiting.insert(entry.id, paths);
            }
        }
        None
    }
}

fn load(path: &Path) -> Option<ColorImage> {
    let picture = disk::picture(path).ok()?.thumbnail(SIDE, SIDE).to_rgba8();
    let size = [picture.width() as usize, picture.height() as usize];
    Some(ColorImage::from_rgba_unmultiplied(size, &picture))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Catalogue;
    use crate::library::looks::first_frame;

    #[test]
    fn a_baked_frame_is_found_and_read() {
        let bake = tempfile::tempdir().expect("a folder");
        let path = first_frame(bake.path(), "b/a.milk");
        // The folder is named after the first 16 hexadecimal digits of the SHA-1 of "b/a.milk".
        assert!(path.ends_with("frames/86/f2/86f2acbd62ade804/frame-000.webp"), "{}", path.display());
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        image::RgbaImage::new(224, 224).save(&path).expect("saved");
        assert_eq!(load(&path).map(|image| image.size), Some([96, 96]));
        std::fs::write(&path, "cut short").expect("written");
        assert!(load(&path).is_none());
    }

    #[test]
    fn frames_of_the_predecessor_are_found_in_flat_folders_and_as_png() {
        let entry = Catalogue::built_in().entries.remove(0);
        let bake = tempfile::tempdir().expect("a folder");
        let mut looks = Looks::default();
        looks.bake = Some(bake.path().to_owned());
        let first = first_frame(bake.path(), &entry.path);
        let hash = first.iter().nth_back(1).expect("a folder");
        let flat = bake.path().join("frames").join(hash).join("frame-000.png");
        std::fs::create_dir_all(flat.parent().expect("a folder")).expect("made");
        image::RgbaImage::new(224, 224).save(&flat).expect("saved");
        let found = || looks.frames(&entry).iter().find_map(|path| load(path)).map(|image| image.size);
        assert_eq!(found(), Some([96, 96]));
        std::fs::create_dir_all(first.parent().expect("a folder")).expect("made");
        std::fs::rename(&flat, first.with_extension("png")).expect("moved");
        assert_eq!(found(), Some([96, 96]));
    }

    #[test]
    fn a_frame_requested_from_the_previous_bake_is_not_shown() {
        let entry = Catalogue::built_in().entries.remove(0);
        let bake = |height: u32| {
            let folder = tempfile::tempdir().expect("a folder");
            let path = first_frame(folder.path(), &entry.path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            image::RgbaImage::new(224, height).save(&path).expect("saved");
            let mut looks = Looks::default();
            looks.bake = Some(folder.path().to_owned());
            (folder, Arc::new(looks))
        };
        let ((_old_folder, old), (_new_folder, new)) = (bake(224), bake(112));
        let (context, mut thumbs) = (Context::default(), Thumbs::start().expect("a thread"));
        thumbs.begin(&context, &old);
        assert_eq!(thumbs.of(&entry), None);
        for _ in 0..1000 {
            thumbs.begin(&context, &new);
            if thumbs.of(&entry).is_some() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let shown = thumbs.known[&entry.id].picture.as_ref().map(TextureHandle::size);
        assert_eq!(shown, Some([96, 48]));
    }
}
