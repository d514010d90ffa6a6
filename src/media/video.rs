//! Writes frames as a video through ffmpeg, as an animated WebP, or as a folder of PNGs.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::Context as _;
use image::RgbaImage;
use image::codecs::png::PngEncoder;

use crate::confine::{self, Rights};
use crate::disk::{Draft, Folder};
use crate::media::animation::Animation;

/// A video being written. A file appears with [`Video::finish`]; until then, an earlier one stays in its place.
pub enum Video {
    /// An ffmpeg process that reads raw frames.
    Ffmpeg {
        /// The ffmpeg process.
        process: Encoder,
        /// Standard input of the process.
        input: ChildStdin,
        /// The file that ffmpeg writes.
        draft: Draft,
    },
    /// A folder of numbered PNGs.
    Folder {
        /// The folder that the frames are written to.
        folder: Folder,
        /// Number of frames written.
        number: u32,
    },
    /// A silent animated WebP, written without an external program.
    Animation(Animation),
}

/// A process that is killed if it is dropped before it exits.
pub struct Encoder(Child);

impl Drop for Encoder {
    fn drop(&mut self) {
        self.0.kill().ok(); // Fails if it has exited.
        self.0.wait().ok();
    }
}

impl Video {
    /// Opens `path`. A video extension (`.mp4`, `.m4v`, `.mov`, `.mkv`, `.webm`) selects a video with
    /// `sound`, or a silent animation with the extension `.webp` if ffmpeg cannot be started or lacks an
    /// encoder; `.webp` selects a silent animation; an existing folder or a name without an extension selects
    /// a folder of PNGs.
    ///
    /// # Errors
    /// Returns an error for any other extension, or if the file or folder cannot be created.
    pub fn open(path: &Path, size: [u32; 2], fps: u32, sound: Option<&Path>) -> anyhow::Result<Self> {
        let format = VideoFormat::of(path)?;
        let codec = match format {
            VideoFormat::Folder => {
                let folder = Folder::create(path);
                let folder = folder.with_context(|| format!("creating the folder {}", path.display()))?;
                return Ok(Self::Folder { folder, number: 0 });
            }
            VideoFormat::Animation => return animation(path, size, fps),
            VideoFormat::Video(codec) => codec,
        };
        let (draft, _) = Draft::create(path).with_context(|| format!("creating {}", path.display()))?;
        match start_ffmpeg(draft, codec, size, fps, sound) {
            Ok(video) => Ok(video),
            Err(error) => {
                let path = path.with_extension("webp");
                eprintln!("{error}; writing {} without sound instead", path.display());
                animation(&path, size, fps)
            }
        }
    }

    /// Adds the next frame.
    pub fn push(&mut self, frame: &RgbaImage) -> anyhow::Result<()> {
        match self {
            Self::Ffmpeg { input, draft, .. } => {
                input.write_all(frame.as_raw()).with_context(|| format!("writing {}", draft.path().display()))
            }
            Self::Folder { folder, number } => {
                *number += 1;
                let name = format!("frame-{number:05}.png");
                let written = folder.replace(Path::new(&name), |out| {
                    frame.write_with_encoder(PngEncoder::new(out)).map_err(std::io::Error::other)
                });
                written.with_context(|| format!("writing {}", folder.path().join(name).display()))
            }
            Self::Animation(animation) => animation.push(frame).context("writing the animation"),
        }
    }

    /// Completes a video that ends early as `NAME.part.EXT`, next to any earlier file `NAME.EXT`, and returns the path. A
    /// folder of pictures keeps its name.
    ///
    /// # Errors
    /// Fails as [`Self::finish`] does, without creating `NAME.part.EXT`.
    pub fn finish_part(self) -> anyhow::Result<PathBuf> {
        let part = match self {
            Self::Ffmpeg { process, input, draft } => {
                Self::Ffmpeg { process, input, draft: draft.into_part() }
            }
            Self::Animation(animation) => Self::Animation(animation.into_part()),
            folder @ Self::Folder { .. } => folder,
        };
        part.finish()
    }

    /// Completes the video and returns the path of its file or folder.
    pub fn finish(self) -> anyhow::Result<PathBuf> {
        match self {
            Self::Ffmpeg { mut process, input, draft } => {
                drop(input);
                let status = process.0.wait().context("waiting for ffmpeg")?;
                let path = draft.path().display().to_string();
                anyhow::ensure!(status.success(), "ffmpeg failed with {status} writing {path}");
                draft.publish().with_context(|| format!("writing {path}"))
            }
            Self::Folder { folder, .. } => Ok(folder.path().to_owned()),
            Self::Animation(animation) => animation.finish().context("finishing the animation"),
        }
    }
}

fn animation(path: &Path, size: [u32; 2], fps: u32) -> anyhow::Result<Video> {
    Animation::create(path, size, fps)
        .map(Video::Animation)
        .with_context(|| format!("creating {}", path.display()))
}

/// The output format that a file name selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VideoFormat {
    /// A video with these codecs.
    Video(Codec),
    /// A silent animated WebP.
    Animation,
    /// A folder of numbered PNGs.
    Folder,
}

/// The codecs of a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// H.264, or MPEG-4 Part 2 if ffmpeg has no H.264 encoder, with AAC sound.
    Mpeg,
    /// VP9 with Opus sound.
    WebM,
}

/// A file name whose extension is not a known video format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot write a .{0} file; end the name in .mp4, .mov, .mkv, .webm or .webp for a video, or omit the extension for a folder \
     of pictures"
)]
pub struct UnknownVideoFormat(String);

impl VideoFormat {
    /// Returns the format that a file name selects; always [`Self::Folder`] for an existing folder.
    pub fn of(path: &Path) -> Result<Self, UnknownVideoFormat> {
        let Some(ending) = path.extension().filter(|_| !path.is_dir()) else { return Ok(Self::Folder) };
        match ending.to_string_lossy().to_lowercase().as_str() {
            "mp4" | "m4v" | "mov" | "mkv" => Ok(Self::Video(Codec::Mpeg)),
            "webm" => Ok(Self::Video(Codec::WebM)),
            "webp" => Ok(Self::Animation),
            other => Err(UnknownVideoFormat(other.to_owned())),
        }
    }
}

impl Codec {
    /// Returns ffmpeg's video encoders for this codec, with their options, in order of preference.
    fn encoders(self) -> &'static [(&'static str, &'static [&'static str])] {
        match self {
            Self::Mpeg => &[
                ("libx264", &["-preset", "veryfast", "-crf", "18"]),
                ("h264_videotoolbox", &["-b:v", "12M"]),
                ("libopenh264", &["-b:v", "12M"]),
                ("mpeg4", &["-q:v", "3"]),
            ],
            Self::WebM => {
                &[("libvpx-vp9", &["-crf", "24", "-b:v", "0", "-deadline", "realtime", "-cpu-used", "6"])]
            }
        }
    }

    fn sound(self) -> &'static str {
        match self {
            Self::Mpeg => "aac",
            Self::WebM => "libopus",
        }
    }
}

/// ffmpeg options that convert full-range RGB to the colours that players assume for HD, and tag them as such
/// (ITU-R BT.709, limited range; H.264 annex E); by default, ffmpeg converts to BT.601. They also pad the
/// width and height to even numbers, which 4:2:0 requires.
const COLOURS: [&str; 12] = [
    "-vf",
    "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=in_range=full:out_range=tv:out_color_matrix=bt709,format=yuv420p",
    "-pix_fmt",
    "yuv420p",
    "-colorspace",
    "bt709",
    "-color_primaries",
    "bt709",
    "-color_trc",
    "bt709",
    "-color_range",
    "tv",
];

/// Why ffmpeg cannot write the video.
#[derive(Debug, thiserror::Error)]
pub enum FfmpegError {
    /// ffmpeg is missing or did not start.
    #[error("cannot start ffmpeg: {0}")]
    Start(#[from] std::io::Error),
    /// ffmpeg was built without a suitable encoder.
    #[error("ffmpeg has no video encoder for this format")]
    NoEncoder,
}

/// Returns the name and options of the preferred video encoder for `codec` among those of the installed
/// ffmpeg.
pub fn encoder(codec: Codec) -> Result<(&'static str, &'static [&'static str]), FfmpegError> {
    let listed = Command::new("ffmpeg").args(["-hide_banner", "-encoders"]).stdin(Stdio::null()).output()?;
    let listed = String::from_utf8_lossy(&listed.stdout);
    let has = |name: &str| listed.lines().any(|line| line.split_whitespace().nth(1) == Some(name));
    codec.encoders().iter().copied().find(|(name, _)| has(name)).ok_or(FfmpegError::NoEncoder)
}

fn start_ffmpeg(
    draft: Draft,
    codec: Codec,
    size: [u32; 2],
    fps: u32,
    sound: Option<&Path>,
) -> Result<Video, FfmpegError> {
    let (encoder, options) = encoder(codec)?;
    // Sound that ends early is padded with silence.
    let with_sound = ["-c:a", codec.sound(), "-af", "apad", "-shortest"];
    let mut command = Command::new("ffmpeg");
    command
        .args(["-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgba"])
        .args(["-s", &format!("{}x{}", size[0], size[1]), "-r", &fps.to_string(), "-i", "-"])
        .args(sound.into_iter().flat_map(|sound| [Path::new("-i"), sound]))
        .args(["-c:v", encoder])
        .args(options)
        .args(COLOURS)
        .args(with_sound.iter().filter(|_| sound.is_some()))
        .arg(draft.written())
        .stdin(Stdio::piped());
    let folder =
        draft.written().parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let rights =
        Rights { read: sound.map(Path::to_owned).into_iter().collect(), write: vec![folder.to_owned()] };
    // Ctrl+C in a terminal reaches the whole process group; in its own group, ffmpeg can finish the file.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    #[cfg(windows)]
    std::os::windows::process::CommandExt::creation_flags(&mut command, 0x200); // CREATE_NEW_PROCESS_GROUP
    let mut process = confine::spawn(&mut command, &rights)?;
    let input = process.stdin.take().ok_or_else(|| std::io::Error::other("its standard input is missing"))?;
    Ok(Video::Ffmpeg { process: Encoder(process), input, draft })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_an_unknown_extension_is_rejected() {
        let of = |name: &str| VideoFormat::of(Path::new(name));
        for name in ["a.mp4", "a.MOV", "x/a.mkv", "a.m4v"] {
            assert_eq!(of(name), Ok(VideoFormat::Video(Codec::Mpeg)), "{name}");
        }
        assert_eq!(of("a.webm"), Ok(VideoFormat::Video(Codec::WebM)));
        assert_eq!(of("a.webp"), Ok(VideoFormat::Animation));
        assert_eq!(of("frames"), Ok(VideoFormat::Folder));
        let error = of("set.avi").expect_err("refused").to_string();
        assert!(error.contains(".avi") && error.contains(".mp4"), "{error}");
        let folder = tempfile::Builder::new().suffix(".v2").tempdir().expect("a folder");
        assert_eq!(VideoFormat::of(folder.path()), Ok(VideoFormat::Folder));
    }

    #[test]
    fn an_abandoned_recording_leaves_the_earlier_one() {
        let folder = tempfile::tempdir().expect("a folder");
        for ending in ["webp", "mp4"] {
            let path = folder.path().join("show").with_extension(ending);
            std::fs::write(&path, "earlier").expect("written");
            let mut video = Video::open(&path, [4, 4], 5, None).expect("opened");
            video.push(&RgbaImage::new(4, 4)).expect("written");
            drop(video);
            assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 1, "{ending}: no draft");
            assert_eq!(std::fs::read(&path).expect("there"), b"earlier", "{ending}");
            std::fs::remove_file(&path).expect("removed");
        }
    }

    #[test]
    fn a_recording_that_ends_early_is_kept_next_to_the_earlier_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let with_ffmpeg = encoder(Codec::Mpeg).ok().map(|_| "mp4");
        for ending in ["webp"].into_iter().chain(with_ffmpeg) {
            let path = folder.path().join("show").with_extension(ending);
            std::fs::write(&path, "earlier").expect("written");
            let mut video = Video::open(&path, [16, 16], 5, None).expect("opened");
            video.push(&RgbaImage::new(16, 16)).expect("written");
            let part = video.finish_part().expect("finished");
            assert_eq!(part, folder.path().join(format!("show.part.{ending}")));
            assert!(std::fs::metadata(&part).expect("there").len() > 0, "{ending}");
            assert_eq!(std::fs::read(&path).expect("there"), b"earlier", "{ending}");
        }
        let path = folder.path().join("frames");
        let mut video = Video::open(&path, [4, 4], 5, None).expect("opened");
        video.push(&RgbaImage::new(4, 4)).expect("written");
        assert_eq!(video.finish_part().expect("finished"), path);
    }

    #[test]
    fn a_video_shows_the_colours_of_its_pictures() {
        if encoder(Codec::Mpeg).is_err() {
            println!("skipped: ffmpeg cannot write MP4 video here");
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let bars = [[230, 26, 26], [26, 204, 26], [26, 26, 230]];
        let picture = RgbaImage::from_fn(96, 64, |x, _| {
            let [r, g, b] = bars[x as usize / 32];
            image::Rgba([r, g, b, 255])
        });
        for ending in ["mp4", "mkv", "mov"] {
            let path = folder.path().join("bars").with_extension(ending);
            std::fs::write(&path, "an earlier recording").expect("written");
            let mut video = Video::open(&path, [96, 64], 5, None).expect("opened");
            (0..3).for_each(|_| video.push(&picture).expect("written"));
            assert_eq!(std::fs::read(&path).expect("there"), b"an earlier recording", "{ending}");
            assert_eq!(video.finish().expect("finished"), path);
            // Decode as players do for HD: BT.709, limited range.
            let read = Command::new("ffmpeg")
                .args(["-v", "error", "-i"])
                .arg(&path)
                .args(["-frames:v", "1", "-f", "rawvideo", "-vf"])
                .arg("scale=in_color_matrix=bt709:in_range=tv,format=rgb24")
                .args(["-pix_fmt", "rgb24", "-"])
                .output()
                .expect("read");
            for (bar, wanted) in bars.iter().enumerate() {
                let at = (32 * 96 + bar * 32 + 16) * 3;
                let shown = &read.stdout[at..at + 3];
                let off = wanted.iter().zip(shown).map(|(a, b): (&u8, &u8)| a.abs_diff(*b)).max();
                assert!(off <= Some(3), "{ending}: {shown:?} instead of {wanted:?}");
            }
            let marks = Command::new("ffprobe")
                .args(["-v", "error", "-select_streams", "v", "-of", "csv=p=0", "-show_entries"])
                .arg("stream=color_range,color_space,color_transfer,color_primaries")
                .arg(&path)
                .output()
                .expect("probed");
            assert_eq!(String::from_utf8_lossy(&marks.stdout).trim(), "tv,bt709,bt709,bt709", "{ending}");
        }
    }
}
