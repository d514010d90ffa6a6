//! Pictures the performer saves: read back and written without the show waiting for either.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};

use crate::library::UserFolders;
use crate::stage::{Camera, Stage, Wait};

/// At most one picture on its way.
#[derive(Default)]
pub(super) enum Still {
    /// Nothing was asked for.
    #[default]
    Idle,
    /// The next frame shall be taken.
    Asked,
    /// The device is copying it.
    Taken(Camera),
    /// A thread is writing it; it says where, or what went wrong.
    Saving(Receiver<String>),
}

impl Still {
    /// The next frame shall be saved; one that is on its way already is finished first.
    pub fn ask(&mut self) {
        if matches!(self, Self::Idle) {
            *self = Self::Asked;
        }
    }

    /// One step, after the frame was drawn. Words for the desk when a picture was saved, or could not be.
    pub fn frame(&mut self, stage: &Stage) -> Option<String> {
        let gpu = &stage.render_context().gpu;
        match self {
            Self::Idle => None,
            Self::Asked => {
                let mut camera = Camera::new(gpu, stage.size());
                camera.shoot(stage);
                *self = Self::Taken(camera);
                None
            }
            Self::Taken(camera) => {
                let [width, height] = stage.size();
                let said = match camera.develop(gpu, Wait::Never) {
                    Ok(None) => return None,
                    Ok(Some(shot)) => match image::RgbaImage::from_raw(width, height, shot.pixels.to_vec()) {
                        Some(picture) => save(picture),
                        None => Err("its size changed".into()),
                    },
                    Err(why) => Err(why),
                };
                match said {
                    Ok(said) => {
                        *self = Self::Saving(said);
                        None
                    }
                    Err(why) => {
                        *self = Self::Idle;
                        Some(format!("no picture was saved: {why}"))
                    }
                }
            }
            Self::Saving(said) => {
                let said = said.try_recv().ok();
                if said.is_some() {
                    *self = Self::Idle;
                }
                said
            }
        }
    }
}

/// Writes `picture` on a thread of its own: encoding takes longer than a frame.
fn save(picture: image::RgbaImage) -> Result<Receiver<String>, String> {
    let folder =
        UserFolders::of_user().map_or_else(|| PathBuf::from("."), |places| places.data.join("pictures"));
    let (say, said) = mpsc::sync_channel(1);
    let work = move || {
        let words = match write(&folder, &picture) {
            Ok(path) => format!("saved the picture as {}", path.display()),
            Err(why) => format!("no picture was saved in {}: {why}", folder.display()),
        };
        say.send(words).ok(); // The show is over.
    };
    std::thread::Builder::new().name("picture".into()).spawn(work).map_err(|error| error.to_string())?;
    Ok(said)
}

/// The file is named after the second it was taken in; one that is there already is never replaced.
fn write(folder: &Path, picture: &image::RgbaImage) -> Result<PathBuf, String> {
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let second = super::unix_now();
    let names = (0..).map(|number| match number {
        0 => format!("aivj-{second}.png"),
        _ => format!("aivj-{second}-{number}.png"),
    });
    let path =
        names.map(|name| folder.join(name)).find(|path| !path.exists()).ok_or("every name is taken")?;
    let part = path.with_extension("part");
    picture.save_with_format(&part, image::ImageFormat::Png).map_err(|error| error.to_string())?;
    std::fs::rename(&part, &path).map_err(|error| error.to_string())?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pictures_of_one_second_are_both_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let picture = image::RgbaImage::from_pixel(4, 2, image::Rgba([9, 8, 7, 255]));
        let first = write(folder.path(), &picture).expect("saved");
        let second = write(folder.path(), &picture).expect("saved");
        assert_ne!(first, second);
        assert_eq!(image::open(&first).expect("a picture").into_rgba8(), picture);
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 2);
    }
}
