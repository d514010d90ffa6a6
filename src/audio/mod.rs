//! Sources of sound: devices, files and the built-in demo track; the audio clock.
