//! Screenshots: read back and saved without blocking the show.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, TryRecvError};

use image::RgbaImage;

use crate::archive::unix_now;
use crate::disk;
use crate::library::UserFolders;
use crate::stage::{Readback, Stage, Wait};

/// Maximum number of pictures waiting in memory to be saved; while there are this many, no further one is taken.
const MAX_TAKEN: usize = 4;

/// Screenshots in progress.
#[derive(Default)]
pub(super) struct Screenshot {
    /// Whether a screenshot has been requested but not started yet.
    asked: bool,
    /// The picture being read back from the graphics device.
    reading: Option<Readback>,
    /// Pictures to save, oldest first.
    taken: VecDeque<RgbaImage>,
    /// The picture being saved by a thread, which sends a message for the performer when it is done.
    saving: Option<Receiver<String>>,
}

impl Screenshot {
    /// Requests a screenshot of the next frame.
    pub fn ask(&mut self) {
        self.asked = true;
    }

    /// Requests the screenshot again if it was being read back; called after the stage was replaced.
    pub fn again(&mut self) {
        self.asked |= self.reading.take().is_some();
    }

    /// Advances the screenshot after a frame was drawn. Returns a message once the screenshot is saved or has
    /// failed.
    pub fn frame(&mut self, stage: &Stage) -> Option<String> {
        let failed = self.read(stage).err().map(|why| format!("could not save the screenshot: {why}"));
        failed.or_else(|| self.save(folder))
    }

    fn read(&mut self, stage: &Stage) -> Result<(), String> {
        let gpu = &stage.render_context().gpu;
        let [width, height] = stage.size();
        let Some(readback) = &mut self.reading else {
            if self.taken.len() < MAX_TAKEN && std::mem::take(&mut self.asked) {
                stage.read_back(self.reading.insert(Readback::new(gpu, [width, height])));
            }
            return Ok(());
        };
        let read = match readback.receive(gpu, Wait::Never) {
            Ok(None) => return Ok(()),
            Ok(Some(frame)) => RgbaImage::from_raw(width, height, frame.pixels.to_vec())
                .ok_or_else(|| "the output size changed".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        self.reading = None;
        self.taken.push_back(read?);
        Ok(())
    }

    /// Saves the pictures one at a time, so that no two get the same name. Returns a message once one is saved or has
    /// failed.
    fn save(&mut self, folder: impl FnOnce() -> PathBuf) -> Option<String> {
        if let Some(saving) = &self.saving {
            let message = saving.try_recv();
            if message != Err(TryRecvError::Empty) {
                self.saving = None;
            }
            return message.ok();
        }
        match save(self.taken.pop_front()?, folder()) {
            Ok(saving) => {
                self.saving = Some(saving);
                None
            }
            Err(why) => Some(format!("could not save the screenshot: {why}")),
        }
    }
}

/// Returns the folder of the user's screenshots.
fn folder() -> PathBuf {
    UserFolders::of_user().map_or_else(|| PathBuf::from("."), |places| places.data.join("pictures"))
}

/// Saves `picture` on a separate thread, because encoding takes longer than a frame.
fn save(picture: RgbaImage, folder: PathBuf) -> Result<Receiver<String>, String> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let work = move || {
        let message = match write(&folder, &picture) {
            Ok(path) => format!("screenshot saved as {}", path.display()),
            Err(why) => format!("could not save the screenshot in {}: {why}", folder.display()),
        };
        sender.send(message).ok(); // Fails only if the show has ended.
    };
    std::thread::Builder::new().name("screenshot".into()).spawn(work).map_err(|error| error.to_string())?;
    Ok(receiver)
}

/// Writes a PNG file named after the current Unix time in seconds, and returns its path. Never replaces a file.
fn write(folder: &Path, picture: &RgbaImage) -> Result<PathBuf, String> {
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let second = unix_now();
    let names = (0..).map(|number| match number {
        0 => format!("aivj-{second}.png"),
        _ => format!("aivj-{second}-{number}.png"),
    });
    let path = names.map(|name| folder.join(name)).find(|path| !path.exists()).ok_or("no free file name")?;
    disk::replace(&path, |out| picture.write_to(out, image::ImageFormat::Png).map_err(std::io::Error::other))
        .map_err(|error| error.to_string())?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screenshots_of_the_same_second_are_all_saved() {
        let folder = tempfile::tempdir().expect("a folder");
        let picture = |red| RgbaImage::from_pixel(4, 2, image::Rgba([red, 8, 7, 255]));
        let mut screenshot = Screenshot { taken: [1, 2, 3].map(picture).into(), ..Screenshot::default() };
        while screenshot.saving.is_some() || !screenshot.taken.is_empty() {
            let message = screenshot.save(|| folder.path().to_owned()).unwrap_or_default();
            assert!(message.is_empty() || message.contains("saved as"), "{message}");
        }
        let files = std::fs::read_dir(folder.path()).expect("read").map(|file| file.expect("a file").path());
        let mut reds: Vec<u8> = files
            .map(|file| image::open(file).expect("a picture").into_rgba8().get_pixel(0, 0).0[0])
            .collect();
        reds.sort_unstable();
        assert_eq!(reds, [1, 2, 3]);
    }
}
