//! Writes frames as MP4 through ffmpeg, as animated WebP, or as a folder of PNGs.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::Context as _;
use image::RgbaImage;

use crate::media::animation::Animation;

/// A video being written.
pub enum Video {
    /// An ffmpeg process that reads raw frames.
    Ffmpeg {
        /// The process.
        process: Child,
        /// Its standard input.
        input: ChildStdin,
        /// Path of the video.
        path: PathBuf,
    },
    /// A folder of numbered PNGs.
    Folder {
        /// Path of the folder.
        path: PathBuf,
        /// Number of frames written.
        number: u32,
    },
    /// A silent animated WebP, written without an external program.
    Animation(Animation),
}

impl Video {
    /// Opens `path`. A name ending in `.mp4` gives a video with `sound`, or an animation without sound if ffmpeg is
    /// missing; `.webp` gives an animation; any other name a folder.
    pub fn open(path: &Path, size: [u32; 2], fps: u32, sound: Option<&Path>) -> anyhow::Result<Self> {
        let ends_in =
            |wanted: &str| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(wanted));
        if !ends_in("mp4") && !ends_in("webp") {
            std::fs::create_dir_all(path)
                .with_context(|| format!("creating the folder {}", path.display()))?;
            return Ok(Self::Folder { path: path.to_owned(), number: 0 });
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)
                .with_context(|| format!("creating the folder {}", parent.display()))?;
        }
        if ends_in("webp") {
            return animation(path, size, fps);
        }
        match start_ffmpeg(path, size, fps, sound) {
            Ok(video) => Ok(video),
            Err(error) => {
                let path = path.with_extension("webp");
                eprintln!("{error}; writing {} without sound instead", path.display());
                animation(&path, size, fps)
            }
        }
    }

    /// Adds one frame.
    pub fn push(&mut self, frame: &RgbaImage) -> anyhow::Result<()> {
        match self {
            Self::Ffmpeg { input, path, .. } => {
                input.write_all(frame.as_raw()).with_context(|| format!("writing {}", path.display()))
            }
            Self::Folder { path, number } => {
                *number += 1;
                let path = path.join(format!("frame-{number:05}.png"));
                frame.save(&path).with_context(|| format!("writing {}", path.display()))
            }
            Self::Animation(animation) => animation.push(frame).context("writing the animation"),
        }
    }

    /// Completes the file and returns its path.
    pub fn finish(self) -> anyhow::Result<PathBuf> {
        match self {
            Self::Ffmpeg { mut process, input, path } => {
                drop(input);
                let status = process.wait().context("waiting for ffmpeg")?;
                anyhow::ensure!(status.success(), "ffmpeg failed with {status} writing {}", path.display());
                Ok(path)
            }
            Self::Folder { path, .. } => Ok(path),
            Self::Animation(animation) => animation.finish().context("finishing the animation"),
        }
    }
}

fn animation(path: &Path, size: [u32; 2], fps: u32) -> anyhow::Result<Video> {
    let animation = Animation::create(path, size, 1000 / fps.max(1));
    animation.map(Video::Animation).with_context(|| format!("creating {}", path.display()))
}

/// MP4 video encoders of ffmpeg in order of preference, with their options.
const ENCODERS: [(&str, &[&str]); 4] = [
    ("libx264", &["-preset", "veryfast", "-crf", "18"]),
    ("h264_videotoolbox", &["-b:v", "12M"]),
    ("libopenh264", &["-b:v", "12M"]),
    ("mpeg4", &["-q:v", "3"]),
];

/// Why ffmpeg cannot write MP4 video.
#[derive(Debug, thiserror::Error)]
pub enum FfmpegError {
    /// ffmpeg is missing or did not start.
    #[error("cannot start ffmpeg: {0}")]
    Start(#[from] std::io::Error),
    /// ffmpeg was built without a suitable encoder.
    #[error("ffmpeg has no MP4 video encoder")]
    NoEncoder,
}

/// Returns the name and options of the best MP4 video encoder that ffmpeg has.
pub fn encoder() -> Result<(&'static str, &'static [&'static str]), FfmpegError> {
    let listed = Command::new("ffmpeg").args(["-hide_banner", "-encoders"]).stdin(Stdio::null()).output()?;
    let listed = String::from_utf8_lossy(&listed.stdout);
    let has = |name: &str| listed.lines().any(|line| line.split_whitespace().nth(1) == Some(name));
    ENCODERS.into_iter().find(|(name, _)| has(name)).ok_or(FfmpegError::NoEncoder)
}

fn start_ffmpeg(path: &Path, size: [u32; 2], fps: u32, sound: Option<&Path>) -> Result<Video, FfmpegError> {
    let (encoder, options) = encoder()?;
    let with_sound: &[&str] =
        if sound.is_some() { &["-c:a", "aac", "-af", "apad", "-shortest"] } else { &[] };
    let mut process = Command::new("ffmpeg")
        .args(["-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgba"])
        .args(["-s", &format!("{}x{}", size[0], size[1]), "-r", &fps.to_string(), "-i", "-"])
        .args(sound.into_iter().flat_map(|sound| [Path::new("-i"), sound]))
        .args(["-c:v", encoder])
        .args(options)
        // Pad to even sides, which yuv420p requires. Sound that ends early is followed by silence.
        .args(["-pix_fmt", "yuv420p", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2"])
        .args(with_sound)
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()?;
    let input = process.stdin.take().ok_or_else(|| std::io::Error::other("its standard input is missing"))?;
    Ok(Video::Ffmpeg { process, input, path: path.to_owned() })
}
