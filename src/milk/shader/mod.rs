//! Shader text of a preset: static gate, HLSL to WGSL, and what the shader binds.
