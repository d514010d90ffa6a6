//! Rendering single presets to pictures, for measuring and for looking at them.
