//! What the music does: bands, loudness, onsets, beat, section, scene. Pure: samples in, features out.
