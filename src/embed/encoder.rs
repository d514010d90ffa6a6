//! Embeds pictures and texts in the space of a library's embeddings, with the vision model that made them.

use std::path::{Path, PathBuf};

use image::DynamicImage;

use super::fusion::saved_mean;
use super::onnx::{Onnx, TextTower, id_of};
use super::table::{embedder_in, width_in};
use super::text::unit_length;
use super::{AUTO, BUILTIN, installed_models};
use crate::find::Encoder;
use crate::library::UserFolders;

/// Number of threads; low, because a show may be running.
const THREADS: usize = 2;

/// The vision model of the embeddings in a bake folder; its towers are opened when they are first needed.
struct TableEncoder {
    /// The folder of the model.
    folder: PathBuf,
    /// Number of dimensions of its embeddings.
    width: usize,
    /// The mean that was subtracted from the library's rows, if any.
    mean: Option<Vec<f32>>,
    vision: Option<Onnx>,
    /// The text tower: `None` until it is first needed, `Some(None)` if the model has none or it cannot be used.
    text: Option<Option<TextTower>>,
}

/// Opens the vision model of the embeddings in the folder `bake`, if it is among the user's models.
///
/// # Errors
/// Fails if a file of the bake or of the model cannot be read.
pub fn open_encoder(bake: &Path) -> Result<Option<Box<dyn Encoder>>, String> {
    let Some(places) = UserFolders::of_user() else { return Ok(None) };
    let encoder = TableEncoder::of(bake, &places.data.join("models"))?;
    Ok(encoder.map(|encoder| Box::new(encoder) as Box<dyn Encoder>))
}

impl TableEncoder {
    /// Returns the model in the folder `models` that made the embeddings in `bake`; `None` if it is not there.
    fn of(bake: &Path, models: &Path) -> Result<Option<Self>, String> {
        let id = match embedder_in(bake)? {
            Some(id) if id.embedder != BUILTIN => id,
            _ => return Ok(None),
        };
        let installed = installed_models(models);
        if id.embedder == AUTO {
            // Other models may have been added since.
            return Ok(installed.into_iter().find_map(|name| {
                let folder = models.join(name);
                let mean = saved_mean(bake, &id_of(&folder).ok()?, &id)?;
                Some(Self { folder, width: mean.len(), mean: Some(mean), vision: None, text: None })
            }));
        }
        if !installed.contains(&id.embedder) {
            return Ok(None);
        }
        let folder = models.join(&id.embedder);
        if id_of(&folder)? != id {
            return Ok(None);
        }
        let width = width_in(bake)?;
        Ok(Some(Self { folder, width, mean: None, vision: None, text: None }))
    }
}

impl Encoder for TableEncoder {
    fn picture(&mut self, picture: &DynamicImage) -> Result<Vec<f32>, String> {
        let vision = match &mut self.vision {
            Some(vision) => vision,
            closed => closed.insert(Onnx::open(&self.folder, THREADS)?),
        };
        let mut row = vision.picture(&picture.to_rgb8())?;
        if let Some(mean) = &self.mean {
            row.iter_mut().zip(mean).for_each(|(value, mean)| *value -= mean);
            unit_length(&mut row, 1.0);
        }
        Ok(row)
    }

    /// Pictures and texts lie in different parts of the space, so the mean of the pictures is not subtracted.
    fn text(&mut self, text: &str) -> Result<Option<Vec<f32>>, String> {
        let tower = match &mut self.text {
            Some(tower) => tower,
            closed => {
                // An unusable tower is reported only once.
                let opened = TextTower::open(&self.folder, self.width, THREADS).unwrap_or_else(|why| {
                    log::warn!("descriptions are matched without the vision model: {why}");
                    None
                });
                closed.insert(opened)
            }
        };
        tower.as_mut().map(|tower| tower.embed(text)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::onnx::tests::{clip_folder, sea_of_clip};
    use crate::embed::{ModelHost, Table};
    use crate::frames::items_in;

    /// Embeds one preset per picture with the embedder `name`, and returns the folder of the bake.
    fn bake(models: &Path, name: &str, pictures: &[PathBuf]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for at in 0..pictures.len() {
            std::fs::write(folder.path().join(format!("{at}.milk")), format!("zoom={at}")).expect("written");
        }
        let mut items = items_in(folder.path(), None).expect("presets");
        items.iter_mut().zip(pictures).for_each(|(item, picture)| item.frames = vec![picture.clone()]);
        let mut embedder = crate::embed::open_embedder(
            name,
            Some(models),
            &items,
            folder.path(),
            1,
            ModelHost::Here(1),
            &mut |_| (),
        )
        .expect("opened");
        crate::embed::embed(&items, &mut *embedder, folder.path(), &mut |_| true).expect("embedded");
        folder
    }

    fn similarity(row: &[f32], vector: &[f32]) -> f32 {
        row[row.len() - vector.len()..].iter().zip(vector).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn pictures_and_texts_are_embedded_like_the_presets() {
        let models = tempfile::tempdir().expect("a folder");
        let model = clip_folder();
        std::fs::rename(model.keep(), models.path().join("clip")).expect("moved");
        let pictures: Vec<PathBuf> = [[250, 10, 10], [10, 10, 250], [20, 240, 30]]
            .iter()
            .enumerate()
            .map(|(at, colour)| {
                let path = models.path().join(format!("{at}.png"));
                let shade = |x: u32, y: u32| image::Rgb(colour.map(|c: u8| c / (1 + (x * y % 3) as u8)));
                image::RgbImage::from_fn(16, 16, shade).save(&path).expect("saved");
                path
            })
            .collect();
        for name in ["clip", AUTO] {
            let bake = bake(models.path(), name, &pictures);
            let rows = Table::open(bake.path()).expect("read").expect("a table").rows;
            let mut encoder = TableEncoder::of(bake.path(), models.path()).expect("read").expect("installed");
            for (at, path) in pictures.iter().enumerate() {
                let row = encoder.picture(&image::open(path).expect("a picture")).expect("embedded");
                let same = similarity(rows.row(at).as_slice().expect("in order"), &row);
                assert!((same - 1.0).abs() < 1e-4, "{name}: {same}");
            }
            let sea = encoder.text("sea").expect("embedded").expect("a text tower");
            let wanted = sea_of_clip();
            assert_eq!(sea.len(), wanted.len());
            assert!(sea.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-5), "{sea:?} against {wanted:?}");
        }
        let bake = bake(models.path(), BUILTIN, &pictures);
        assert!(TableEncoder::of(bake.path(), models.path()).expect("read").is_none());
        let other = tempfile::tempdir().expect("a folder");
        assert!(TableEncoder::of(other.path(), models.path()).expect("read").is_none(), "no embeddings");
    }

    #[test]
    fn the_model_of_a_fusion_is_found_among_others() {
        let models = tempfile::tempdir().expect("a folder");
        std::fs::rename(clip_folder().keep(), models.path().join("clip")).expect("moved");
        let picture = models.path().join("grey.png");
        image::RgbImage::from_pixel(16, 16, image::Rgb([90, 120, 60])).save(&picture).expect("saved");
        let bake = bake(models.path(), AUTO, &[picture]);
        let other = models.path().join("another");
        std::fs::rename(clip_folder().keep(), &other).expect("moved");
        std::fs::write(other.join("aivj-model.toml"), "colours = \"bgr\"").expect("written");
        std::fs::create_dir(models.path().join("a folder without a model")).expect("made");
        let encoder = TableEncoder::of(bake.path(), models.path()).expect("read").expect("installed");
        assert!(encoder.folder.ends_with("clip"), "{}", encoder.folder.display());
    }

    #[test]
    fn embeddings_of_another_version_of_the_model_are_not_compared() {
        let models = tempfile::tempdir().expect("a folder");
        std::fs::rename(clip_folder().keep(), models.path().join("clip")).expect("moved");
        let picture = models.path().join("grey.png");
        image::RgbImage::from_pixel(16, 16, image::Rgb([90, 120, 60])).save(&picture).expect("saved");
        let bake = bake(models.path(), "clip", &[picture]);
        let config = r#"{"size":16,"crop_size":16,"image_mean":[0.1,0.1,0.1]}"#;
        std::fs::write(models.path().join("clip/preprocessor_config.json"), config).expect("written");
        assert!(TableEncoder::of(bake.path(), models.path()).expect("read").is_none());
    }
}
