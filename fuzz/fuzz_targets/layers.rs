//! Fuzz target: see `aivj_fuzz::entries::layers`.

#![no_main]

libfuzzer_sys::fuzz_target!(init: aivj_fuzz::let_caught_panics_pass(), |data: &[u8]| aivj_fuzz::entries::layers(data));
