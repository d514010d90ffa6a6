//! Validates every shader without a graphics device: the files in `shaders`, as they are assembled for the device, and
//! the translated shaders of the built-in presets.

#![allow(clippy::panic, reason = "test helpers")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use aivj::library;
use aivj::milk::Program;
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{Binding, ShaderStage, TypeInner};

/// Files that are complete modules.
const WHOLE: [&str; 12] = [
    "border.wgsl",
    "clamp.wgsl",
    "composite.wgsl",
    "dot.wgsl",
    "flash_show.wgsl",
    "layer.wgsl",
    "picture_stats.wgsl",
    "mesh.wgsl",
    "shape.wgsl",
    "stroke.wgsl",
    "triangle.wgsl",
    "warp.wgsl",
];

fn folder() -> PathBuf {
    PathBuf::from("shaders")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Returns the shared source that precedes a file.
fn shared_part(name: &str) -> String {
    match name {
        "flash.wgsl" => {
            ["cells", "fields", "pattern"].map(|part| read(&format!("shared/flash_{part}.wgsl"))).concat()
        }
        _ if WHOLE.contains(&name) => String::new(),
        _ => read("shared/screen.wgsl") + "\n",
    }
}

/// Parses and validates `wgsl`.
fn valid(name: &str, wgsl: &str) -> naga::Module {
    let module = naga::front::wgsl::parse_str(wgsl)
        .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(wgsl)));
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::default());
    if let Err(error) = validator.validate(&module) {
        panic!("{name}: {}", error.emit_to_string(wgsl));
    }
    module
}

/// Returns location and type of every value that the vertex stage outputs or a fragment stage takes.
fn locations(module: &naga::Module, stage: ShaderStage) -> BTreeSet<(u32, String)> {
    let entry = module.entry_points.iter().find(|entry| entry.stage == stage).expect("an entry point");
    let function = &entry.function;
    let results = function.result.iter().map(|result| (result.ty, result.binding.clone()));
    let arguments = function.arguments.iter().map(|argument| (argument.ty, argument.binding.clone()));
    let values: Vec<_> = if stage == ShaderStage::Vertex { results.collect() } else { arguments.collect() };
    let mut found = BTreeSet::new();
    for (ty, binding) in values {
        let members = match &module.types[ty].inner {
            TypeInner::Struct { members, .. } => members.iter().map(|m| (m.ty, m.binding.clone())).collect(),
            _ => vec![(ty, binding)],
        };
        for (ty, binding) in members {
            if let Some(Binding::Location { location, .. }) = binding {
                found.insert((location, format!("{:?}", module.types[ty].inner)));
            }
        }
    }
    found
}

#[test]
fn every_shader_file_is_valid() {
    let entries = std::fs::read_dir(folder()).expect("the folder is there").flatten();
    let names: Vec<String> = entries
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "wgsl"))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert!(WHOLE.iter().all(|whole| names.iter().any(|name| name == whole)), "a file is missing: {names:?}");
    for name in &names {
        let module = valid(name, &(shared_part(name) + &read(name)));
        assert!(!module.entry_points.is_empty(), "{name} has no entry point");
    }
}

#[test]
fn every_shader_of_the_built_in_presets_is_valid_and_fits_the_mesh() {
    let given = locations(&valid("mesh.wgsl", &read("mesh.wgsl")), ShaderStage::Vertex);
    let mut shaders = 0;
    for preset in library::built_in() {
        let program = Program::compile(preset.text.as_bytes()).expect("a preset");
        assert_eq!(program.problems, [], "{}", preset.path);
        for (kind, text) in [("warp", &program.warp), ("composite", &program.composite)] {
            let Some(text) = text else { continue };
            let name = format!("{} {kind}", preset.path);
            let taken = locations(&text.module, ShaderStage::Fragment);
            assert!(taken.is_subset(&given), "{name} takes {taken:?}, the mesh gives {given:?}");
            shaders += 1;
        }
    }
    assert!(shaders >= 36, "only {shaders} shaders");
}
