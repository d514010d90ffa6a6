//! Measures the demo track like a recording: levels, spectra, beats and determinism.

use super::*;
use crate::audio::{Level, dbfs};

fn level_of(pcm: &Pcm, section: &PlanSection) -> Level {
    Level::of(pcm.between(section.start, section.end))
}

/// Returns the power of `frames` at one frequency (Goertzel, 1958), in dB.
fn power_db(frames: &[Frame], rate_hz: u32, hz: f64) -> f32 {
    let turn = 2.0 * (std::f64::consts::TAU * hz / f64::from(rate_hz)).cos();
    let (mut one, mut two) = (0.0f64, 0.0f64);
    for frame in frames {
        (one, two) = (f64::from(frame[0] + frame[1]) / 2.0 + turn * one - two, one);
    }
    let power = one * one + two * two - turn * one * two;
    10.0 * ((power / (frames.len().max(1) as f64).powi(2)).max(1e-15)).log10() as f32
}

#[test]
fn the_track_has_clean_samples_and_varied_levels() {
    let pcm = render(SAMPLE_RATE_HZ);
    let length = pcm.seconds().0;
    assert!((120.0..=190.0).contains(&length), "{length} s");
    assert!(pcm.frames.iter().flatten().all(|s| s.is_finite() && s.abs() < 0.98));
    for section in &SECTIONS {
        let level = level_of(&pcm, section);
        println!(
            "{:10} {:6.1} s {:5.1} dBFS rms {:5.1} peak",
            section.name, section.start.0, level.rms_dbfs, level.peak_dbfs
        );
        let bounds = match (section.passage, section.name) {
            (PlanPassage::Silence, _) => -120.0..=-119.0,
            (PlanPassage::Ambient, _) => -32.0..=-16.0,
            (PlanPassage::Techno, "breakdown") => -30.0..=-14.0,
            (PlanPassage::Techno | PlanPassage::Rock, _) => -20.0..=-8.0,
        };
        assert!(bounds.contains(&level.rms_dbfs), "{}: {level:?}, expected {bounds:?}", section.name);
    }
    let mean =
        pcm.frames.iter().flatten().map(|&s| f64::from(s)).sum::<f64>() / (2.0 * pcm.frames.len() as f64);
    assert!(mean.abs() < 0.005, "DC offset {mean}");
    let worst = [0.0, 30.0, 60.0, 90.0, 120.0].map(|from| {
        let part = pcm.between(Seconds(from), Seconds(from + 10.0));
        dbfs(part.iter().map(|f| (f[0] - f[1]).abs()).fold(0.0, f32::max))
    });
    assert!(worst.iter().all(|side| *side > -40.0), "the track is stereo throughout: {worst:?} dBFS");
}

#[test]
fn sections_have_no_gaps() {
    assert_eq!(SECTIONS[0].start, Seconds::ZERO);
    for pair in SECTIONS.windows(2) {
        assert_eq!(pair[0].end, pair[1].start, "after {}", pair[0].name);
        assert!(pair[0].length().0 > 2.0);
    }
    assert_eq!(SECTIONS[SECTIONS.len() - 1].end, LENGTH);
    assert_eq!(section_at(HIGHLIGHT).name, "build");
    assert_eq!(section_at(LENGTH + Seconds(1.0)).name, "pads");
}

#[test]
fn output_does_not_depend_on_block_size_or_run() {
    let mut whole = vec![[0.0; 2]; 44_100];
    DemoTrack::new(44_100).starting_at(HIGHLIGHT).fill(&mut whole);
    let mut parts = vec![[0.0; 2]; 44_100];
    let mut track = DemoTrack::new(44_100).starting_at(HIGHLIGHT);
    parts.chunks_mut(333).for_each(|part| track.fill(part));
    assert!(whole == parts);
    let (mut source, mut block, mut read) =
        (DemoTrack::new(44_100).starting_at(HIGHLIGHT), Block::default(), Vec::new());
    for k in 0..=60 {
        source.read(Seconds(f64::from(k) / 60.0), &mut block);
        read.extend_from_slice(&block.frames);
    }
    assert!(read == whole);
}

#[test]
fn the_drop_has_a_kick_on_every_beat_and_the_breakdown_none() {
    let find = |name| SECTIONS.iter().find(|s| s.name == name).copied();
    let (drop, breakdown) = (find("drop").unwrap(), find("breakdown").unwrap());
    let beat = 60.0 / drop.bpm.unwrap();
    let low = |start: Seconds| {
        let mut track = DemoTrack::new(44_100).starting_at(start);
        let mut frames = vec![[0.0; 2]; (16.0 * beat * 44_100.0) as usize];
        track.fill(&mut frames);
        // Power at 50 Hz on the beat, and half a beat later.
        [0.02, 0.52].map(|part| {
            let windows = (0..16).map(|k| ((k as f64 + part) * beat * 44_100.0) as usize);
            windows.map(|at| power_db(&frames[at..at + 4_000], 44_100, 50.0)).fold(f32::INFINITY, f32::min)
        })
    };
    let [on, off] = low(drop.start);
    assert!(on > -30.0 && on > off + 6.0, "drop: {on} dB on the beat, {off} dB off it");
    let [on, _] = low(breakdown.start);
    assert!(on < -40.0, "breakdown: {on} dB on the beat");
}

#[test]
fn rock_has_more_mids_and_techno_more_bass() {
    let pcm = render(22_050);
    let tilt = |name: &str| {
        let section = SECTIONS.iter().find(|s| s.name == name).unwrap();
        let frames = pcm.between(section.start, section.end);
        let sum = |from: u32, to: u32| {
            (from..to)
                .step_by(7)
                .map(|hz| 10f32.powf(power_db(&frames[..88_200], 22_050, hz.into()) / 10.0))
                .sum::<f32>()
        };
        10.0 * (sum(200, 2_000) / sum(35, 120)).log10()
    };
    let (techno, rock, pads) = (tilt("drop"), tilt("chorus"), tilt("pads"));
    assert!(rock > techno + 3.0, "mids over bass: techno {techno} dB, rock {rock} dB, pads {pads} dB");
}

#[test]
fn the_start_is_the_same_as_that_of_the_whole_track() {
    let start = render_start(8_000, Seconds(2.5));
    assert_eq!(start.frames.len(), 20_000);
    assert_eq!(start.frames, render(8_000).frames[..20_000]);
    assert_eq!(render_start(8_000, Seconds(1e9)).frames.len(), render(8_000).frames.len());
}
