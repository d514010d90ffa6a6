//! Screenshots: read back and saved without blocking the show.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};

use crate::disk;
use crate::library::UserFolders;
use crate::stage::{Readback, Stage, Wait};

/// State of the current screenshot; only one can be in progress.
#[derive(Default)]
pub(super) enum Screenshot {
    /// No screenshot is in progress.
    #[default]
    Idle,
    /// Waiting for the next frame.
    Asked,
    /// Being read back from the graphics device.
    Taken(Readback),
    /// Being saved by a thread, which sends a message for the performer when it is done.
    Saving(Receiver<String>),
}

impl Screenshot {
    /// Requests a screenshot of the next frame, unless one is in progress.
    pub fn ask(&mut self) {
        if matches!(self, Self::Idle) {
            *self = Self::Asked;
        }
    }

    /// Requests the screenshot again if it was being read back from a graphics device that has been lost.
    pub fn again(&mut self) {
        if matches!(self, Self::Taken(_)) {
            *self = Self::Asked;
        }
    }

    /// Advances the screenshot after a frame was drawn. Returns a message once the screenshot is saved or has
    /// failed.
    pub fn frame(&mut self, stage: &Stage) -> Option<String> {
        let gpu = &stage.render_context().gpu;
        match self {
            Self::Idle => None,
            Self::Asked => {
                let mut readback = Readback::new(gpu, stage.size());
                stage.read_back(&mut readback);
                *self = Self::Taken(readback);
                None
            }
            Self::Taken(readback) => {
                let [width, height] = stage.size();
                let saving = match readback.receive(gpu, Wait::Never) {
                    Ok(None) => return None,
                    Ok(Some(frame)) => match image::RgbaImage::from_raw(width, height, frame.pixels.to_vec())
                    {
                        Some(picture) => save(picture),
                        None => Err("the output size changed".into()),
                    },
                    Err(error) => Err(error.to_string()),
                };
                match saving {
                    Ok(receiver) => {
                        *self = Self::Saving(receiver);
                        None
                    }
                    Err(why) => {
                        *self = Self::Idle;
                        Some(format!("could not save the screenshot: {why}"))
                    }
                }
            }
            Self::Saving(receiver) => {
                let message = receiver.try_recv().ok();
                if message.is_some() {
                    *self = Self::Idle;
                }
                message
            }
        }
    }
}

/// Saves `picture` on a separate thread, because encoding takes longer than a frame.
fn save(picture: image::RgbaImage) -> Result<Receiver<String>, String> {
    let folder =
        UserFolders::of_user().map_or_else(|| PathBuf::from("."), |places| places.data.join("pictures"));
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

/// Writes a PNG file named after the current Unix time in seconds, never replacing an existing file. Returns
/// its path.
fn write(folder: &Path, picture: &image::RgbaImage) -> Result<PathBuf, String> {
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let second = super::unix_now();
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
    fn two_screenshots_in_one_second_are_both_saved() {
        let folder = tempfile::tempdir().expect("a folder");
        let picture = image::RgbaImage::from_pixel(4, 2, image::Rgba([9, 8, 7, 255]));
        let first = write(folder.path(), &picture).expect("saved");
        let second = write(folder.path(), &picture).expect("saved");
        assert_ne!(first, second);
        assert_eq!(image::open(&first).expect("a picture").into_rgba8(), picture);
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 2);
    }
}
