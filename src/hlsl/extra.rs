//! The uniform block of the shader inputs that MilkDrop 3, BeatDrop and Milkwave added to those of MilkDrop 2.

use bytemuck::Zeroable as _;

/// Number of bins of the spectrum, and number of values in the array of a waveform.
pub const SOUND_VALUES: usize = 512;
/// Number of values of a waveform that shaders read; the others are unused.
pub const WAVE_VALUES: usize = 480;

/// [`SOUND_VALUES`] numbers as vectors, because array elements in a uniform block are padded to 16 bytes.
pub type SoundValues = [[f32; 4]; SOUND_VALUES / 4];

/// Inputs of preset shaders.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct ExtraUniforms {
    /// `mouse`: position from 0 to 1, or -1; whether a button is down; whether it has just been released.
    pub mouse: [f32; 4],
    /// `q33` to `q64`.
    pub q_hi: [[f32; 4]; 8],
    /// `bass_smooth`, `mid_smooth`, `treb_smooth` and `vol_smooth`.
    pub smooth: [f32; 4],
    /// `sysTime`: hour, minute, second, and seconds since midnight.
    pub clock: [f32; 4],
    /// `sysDate`: year, month, day, and weekday from 1 (Monday).
    pub date: [f32; 4],
    /// `vis_intensity`, `vis_shift` and `vis_version`.
    pub vis: [f32; 4],
    /// `colshift_hue`, `colshift_saturation` and `colshift_brightness`.
    pub color_shift: [f32; 4],
    /// Spectrum read by `get_fft`, from the lowest frequency to the highest.
    pub spectrum: SoundValues,
    /// Peaks of the spectrum, read by `get_fft_peak`.
    pub peaks: SoundValues,
    /// Waveform of the left channel, read by `get_wave_left`.
    pub left: SoundValues,
    /// Waveform of the right channel, read by `get_wave_right`.
    pub right: SoundValues,
}

impl Default for ExtraUniforms {
    /// Returns silence at midnight on Saturday, 1 January 2000, without a mouse.
    fn default() -> Self {
        Self {
            mouse: [-1.0, -1.0, 0.0, 0.0],
            date: [2000.0, 1.0, 1.0, 6.0],
            vis: [1.0, 0.0, 1.0, 0.0],
            ..Self::zeroed()
        }
    }
}
