//! Windows, clock, keys and MIDI, settings, supervisor.
