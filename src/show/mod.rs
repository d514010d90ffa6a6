//! One step of the show: features and commands in, a cue out.
