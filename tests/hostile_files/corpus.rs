//! Hostile files and folders: they block on open, read endlessly, form link cycles, point elsewhere, or lie about their
//! size.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A way to create something hostile at a path.
pub struct Trap {
    pub name: &'static str,
    pub set: fn(&Path),
}

/// Traps that may take the place of any file.
pub const TRAPS: [Trap; 17] = [
    Trap { name: "pipe", set: pipe },
    Trap { name: "socket", set: socket },
    Trap { name: "link to a pipe", set: |at| linked(at, pipe) },
    Trap { name: "link to endless zeros", set: |at| link("/dev/zero", at) },
    Trap { name: "link to a full device", set: |at| link("/dev/full", at) },
    Trap { name: "link to a terminal", set: |at| link("/dev/tty", at) },
    Trap { name: "link to the kernel log", set: |at| link("/proc/kmsg", at) },
    Trap { name: "link to the memory of the process", set: |at| link("/proc/self/mem", at) },
    Trap { name: "link to itself", set: |at| link(at, at) },
    Trap { name: "links in a circle", set: circle },
    Trap { name: "broken link", set: |at| link("/no/such/place", at) },
    Trap { name: "folder", set: |at| std::fs::create_dir(at).expect("made") },
    Trap {
        name: "link to a folder",
        set: |at| linked(at, |target| std::fs::create_dir(target).expect("made")),
    },
    Trap { name: "terabyte of holes", set: |at| holes(at, 1 << 40) },
    Trap { name: "two gigabytes of holes", set: |at| holes(at, 2 << 30) },
    Trap { name: "empty file", set: |at| write(at, b"") },
    Trap { name: "noise", set: |at| write(at, &noise(200_000)) },
];

pub fn write(at: &Path, bytes: &[u8]) {
    std::fs::write(at, bytes).expect("written");
}

fn link(target: impl AsRef<Path>, at: &Path) {
    symlink(target, at).expect("linked");
}

fn pipe(at: &Path) {
    assert!(Command::new("mkfifo").arg(at).status().expect("mkfifo").success());
}

fn socket(at: &Path) {
    // The path of a socket is limited to 108 bytes: bind it under a short name, then move it.
    let folder = tempfile::tempdir_in("/tmp").expect("a folder");
    let short = folder.path().join("s");
    drop(UnixListener::bind(&short).expect("bound"));
    std::fs::rename(&short, at).expect("moved");
}

fn holes(at: &Path, length: u64) {
    std::fs::File::create(at).expect("made").set_len(length).expect("holes");
}

fn linked(at: &Path, set: impl FnOnce(&Path)) {
    let mut name = at.file_name().unwrap_or_default().to_owned();
    name.push(".target");
    set(&at.with_file_name(&name));
    link(name, at);
}

fn circle(at: &Path) {
    let mut name = at.file_name().unwrap_or_default().to_owned();
    name.push(".back");
    link(at.file_name().unwrap_or_default(), &at.with_file_name(&name));
    link(name, at);
}

pub fn noise(length: u32) -> Vec<u8> {
    (0..length).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// Creates files and folders that are hostile to a library scan; returns their number.
pub fn hostile_tree(library: &Path) -> usize {
    let preset = b"[preset00]\nzoom=1.01\n";
    let at = |name: &[u8]| library.join(OsStr::from_bytes(name));
    write(&at(b"\xff\xfe not text.milk"), preset);
    write(&at(b"line\nbreak.milk"), preset);
    write(&at(b"-rf --help.milk"), preset);
    write(&at(&[b"n".repeat(250), b".milk".to_vec()].concat()), preset);
    write(&at(b"utf16.milk"), b"\xff\xfe[\0p\0r\0e\0s\0e\0t\x000\x000\0]\0");
    write(&at(b"zeros.milk"), &[0; 1000]);
    write(&at(b"too large.milk"), &vec![b'a'; (1 << 20) + 1]);
    link(library, &at(b"round"));
    link("..", &at(b"up"));
    link("/", &at(b"root"));
    link("/proc", &at(b"processes"));
    std::fs::hard_link(at(b"zeros.milk"), at(b"twice.milk")).expect("linked");
    // The path of the deepest file exceeds the maximum length, so the folders are created from within.
    let name = "d".repeat(200);
    let script =
        format!("for i in $(seq 25); do mkdir {name} && cd -P {name} || exit 1; done; : > deep.milk");
    assert!(Command::new("sh").args(["-c", &script]).current_dir(library).status().expect("sh").success());
    13
}

/// Writes images that are damaged or claim more pixels than they contain; returns their paths.
pub fn hostile_images(folder: &Path) -> Vec<PathBuf> {
    let be = u32::to_be_bytes;
    let png = |width: u32, height: u32| {
        let mut header = b"IHDR".to_vec();
        header.extend([be(width), be(height)].concat());
        header.extend([8, 6, 0, 0, 0]);
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
        bytes.extend(&header);
        bytes.extend(be(crc32(&header)));
        bytes.extend(b"\0\0\0\x0cIDATx\x9c\x03\0\0\0\0\x01\0\0\0\0");
        bytes
    };
    let mut bomb = Vec::new();
    let zeros = image::GrayImage::new(16_000, 16_000);
    zeros.write_to(&mut std::io::Cursor::new(&mut bomb), image::ImageFormat::Png).expect("a picture");
    let gif = b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02\x02D\x01\0;"
        .to_vec();
    let bmp = {
        let mut bytes = b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
        bytes.extend(60_000_u32.to_le_bytes());
        bytes.extend(60_000_u32.to_le_bytes());
        bytes.extend([1, 0, 24, 0]);
        bytes.extend([0; 24]);
        bytes
    };
    let tga = [vec![0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 32, 0], vec![0; 40]].concat();
    let dds = {
        let mut bytes = b"DDS \x7c\0\0\0\x07\x10\x08\0".to_vec();
        bytes.extend(60_000_u32.to_le_bytes());
        bytes.extend(60_000_u32.to_le_bytes());
        bytes.extend([0; 56]);
        bytes.extend(b"\x20\0\0\0\x04\0\0\0DXT5");
        bytes.extend([0; 40]);
        bytes
    };
    let jpeg = b"\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff\x03\x01\x11\0\x02\x11\0\x03\x11\0\xff\xda\0\x0c\x03\x01\0\x02\0\x03\0\0?\0".to_vec();
    let webp = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0/\xff\xff\xff\x0f\0\0\0\0\0\0\0\0\0".to_vec();
    let images = [
        ("vast.png", png(60_000, 60_000)),
        ("endless.png", png(u32::MAX >> 1, u32::MAX >> 1)),
        ("nothing.png", png(0, 0)),
        ("bomb.png", bomb),
        ("cut.png", png(64, 64)[..40].to_vec()),
        ("vast_gif.gif", gif),
        ("vast_bmp.bmp", bmp),
        ("vast_tga.tga", tga),
        ("vast_dds.dds", dds),
        ("vast_jpg.jpg", jpeg),
        ("vast_webp.webp", webp),
        ("noise.png", noise(5000)),
    ];
    let mut written = Vec::new();
    for (name, bytes) in images {
        write(&folder.join(name), &bytes);
        written.push(folder.join(name));
    }
    written
}

/// Computes the CRC-32 checksum used by PNG (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

/// Writes audio files that lie about their length or format, or contain no audio; returns their paths.
pub fn hostile_sounds(folder: &Path) -> Vec<PathBuf> {
    let wav = |channels: u16, rate: u32, claimed: u32| {
        let mut bytes = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0".to_vec();
        bytes.extend(channels.to_le_bytes());
        bytes.extend(rate.to_le_bytes());
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend((channels * 2).to_le_bytes());
        bytes.extend(16_u16.to_le_bytes());
        bytes.extend(b"data");
        bytes.extend(claimed.to_le_bytes());
        bytes.extend([0; 64]);
        bytes
    };
    let sounds = [
        ("claims.wav", wav(2, 44_100, u32::MAX)),
        ("silent channels.wav", wav(0, 44_100, 64)),
        ("many channels.wav", wav(30_000, 44_100, 64)),
        ("no rate.wav", wav(2, 0, 64)),
        ("fast.wav", wav(2, u32::MAX, 64)),
        ("text.mp3", b"a shopping list\n".repeat(4000)),
        ("noise.flac", [b"fLaC".to_vec(), noise(5000)].concat()),
        ("noise.ogg", [b"OggS".to_vec(), noise(5000)].concat()),
    ];
    let mut written = Vec::new();
    for (name, bytes) in sounds {
        write(&folder.join(name), &bytes);
        written.push(folder.join(name));
    }
    written
}

/// Writes lines to a file.
pub fn lines(at: &Path, lines: impl IntoIterator<Item = String>) {
    let mut file = std::fs::File::create(at).expect("made");
    lines.into_iter().for_each(|line| writeln!(file, "{line}").expect("written"));
}
