//! `aivj render` and `aivj bench` from the command line: determinism, double presets, hostile files and comparisons.
//!
//! Needs a Vulkan device; a software rasteriser is enough.

use std::path::{Path, PathBuf};
use std::process::Command;

use aivj::stage::Gpu;
use serde_json::Value;

/// Header of a preset with shaders.
const HEAD: &str =
    "MILKDROP_PRESET_VERSION=201\nPSVERSION=2\nPSVERSION_WARP=2\nPSVERSION_COMP=2\n[preset00]\n";
const ORDINARY: &str = "fDecay=0.97\nnWaveMode=2\nzoom=1.03\nrot=0.02\nwarp=0.5\n\
    per_frame_1=wave_r=rand(100)/100; q1=sin(time);\nper_pixel_1=zoom=zoom+0.02*sin(rad*9+q1);\n";

/// Runs `aivj render` on `files`; returns a report per file, or `None` if `AIVJ_NO_GPU=1` is set.
fn render(folder: &Path, files: &[(&str, String)], more: &[&str]) -> Option<Vec<Value>> {
    Gpu::for_test()?;
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| folder.join(name)).collect();
    for (path, (_, text)) in paths.iter().zip(files) {
        std::fs::write(path, text).expect("written");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_aivj"));
    command.arg("render").args(["--size", "96x64", "--workers", "2"]).args(more).args(&paths);
    let output = command.output().expect("aivj starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let mut reports: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("one report per line")).collect();
    assert_eq!(reports.len(), files.len(), "{lines}{errors}");
    reports
        .sort_by_key(|report| paths.iter().position(|path| report["preset"] == path.to_str().unwrap_or("")));
    Some(reports)
}

#[test]
fn the_same_seed_renders_identical_frames() {
    let folder = tempfile::tempdir().expect("a folder");
    let draw = |name: &str, seed: &str| -> Option<Vec<u8>> {
        let out = folder.path().join(name);
        let out_text = out.to_string_lossy().into_owned();
        let more = ["--frames", "12", "--save", "12", "--seed", seed, "--out", &out_text];
        let shader = "comp_1=`shader_body { ret = tex2D(sampler_main, uv).xyz\ncomp_2=`\
            * hue_shader + rand_frame.x * 0.1; }\n";
        let text = format!("{HEAD}{ORDINARY}{shader}");
        let reports = render(folder.path(), &[("a.milk", text)], &more)?;
        assert_eq!(reports[0]["status"], "ok", "{}", reports[0]);
        Some(std::fs::read(out.join("0000/frame-012.png")).expect("the frame"))
    };
    let Some(first) = draw("first", "7") else { return };
    assert!(draw("second", "7") == Some(first.clone()), "two runs with the same seed differ");
    assert!(draw("third", "8") != Some(first), "the seed has no effect");
}

#[test]
fn a_double_preset_blends_both_halves() {
    let folder = tempfile::tempdir().expect("a folder");
    let half = |number: u32, shade: &str| {
        format!(
            "[PRESET{number}_BEGIN]\nNAME=half\n[preset00]\nfWaveAlpha=0\nob_size=1\nob_a=1\n{shade}\n\
             [PRESET{number}_END]\n"
        )
    };
    let both = |progress: &str| {
        let (dark, light) = (half(1, "ob_r=0\nob_g=0\nob_b=0"), half(2, "ob_r=1\nob_g=1\nob_b=1"));
        format!("blending_pattern=zoom\nblending_progress={progress}\n{dark}{light}")
    };
    let files = [("first.milk2", both("0")), ("half.milk2", both("0.5")), ("second.milk2", both("1"))];
    let Some(reports) = render(folder.path(), &files, &["--frames", "3"]) else { return };
    let luma: Vec<f64> = reports.iter().map(|report| report["luma"].as_f64().unwrap_or(-1.0)).collect();
    assert!(luma[0] < 0.01 && luma[1] > luma[2] * 0.4 && luma[1] < luma[2] * 0.6, "{luma:?}");
}

#[test]
fn hostile_presets_do_not_affect_other_presets() {
    let deep = format!("per_frame_1=q1={}1{};\n", "(".repeat(20_000), ")".repeat(20_000));
    let many =
        (0..400).map(|i| format!("per_frame_{}=loop(1000000,loop(1000000,q{}=q1+1));\n", i + 1, i % 9 + 1));
    let mut bomb = format!("{HEAD}comp_1=`#define a0 x+x+x+x\n");
    for i in 1..30 {
        bomb.push_str(&format!("comp_{0}=`#define a{i} a{1}+a{1}+a{1}+a{1}\n", i + 1, i - 1));
    }
    bomb.push_str("comp_31=`shader_body { float x = 1; ret = a29; }\n");
    let cover = (0..16).map(|i| {
        format!(
            "shapecode_{i}_enabled=1\nshapecode_{i}_num_inst=1024\nshapecode_{i}_sides=100\nshapecode_{i}_rad=4\n\
             shapecode_{i}_textured=1\n"
        )
    });
    let endless =
        "comp_1=`shader_body { float n = 0; while (n < 1) {\ncomp_2=` n *= 0.5; ret += 0.001; } }\n";
    let files = [
        ("deep.milk", format!("[preset00]\n{deep}")),
        ("loops.milk", format!("[preset00]\n{}", many.collect::<String>())),
        ("while.milk", "[preset00]\nper_frame_1=while(1);\nper_pixel_1=while(1);\n".to_owned()),
        (
            "memory.milk",
            "[preset00]\nper_frame_1=n=0;loop(900000,megabuf(n*9)=1;gmegabuf(n*9)=1;n+=1);\n".into(),
        ),
        ("nan.milk", "[preset00]\nper_frame_1=zoom=log(-1);rot=1/0;dx=exp(9999);wave_x=log(-1);\n".into()),
        (
            "huge.milk",
            "[preset00]\nnMotionVectorsX=1e30\nnMotionVectorsY=1e30\nmv_a=1\nfWaveScale=1e38\n".into(),
        ),
        ("free.milk", "[preset00]\nper_frame_1=loop(1000000,megabuf(0)=1;freembuf(0));\n".into()),
        ("shapes.milk", format!("[preset00]\n{}", cover.collect::<String>())),
        (
            "arithmetic.milk",
            format!(
                "{HEAD}comp_1=`shader_body {{ {} }}\n",
                "ret=sin(ret)+pow(abs(ret.yzx),0.7);".repeat(300)
            ),
        ),
        (
            "lookups.milk",
            format!(
                "{HEAD}warp_1=`shader_body {{ float n=0; while(n<100000) {{ {} n+=1; }} }}\n",
                "ret+=tex2D(sampler_main,uv+n*0.001).xyz;".repeat(40)
            ),
        ),
        ("bomb.milk", bomb),
        ("endless.milk", format!("{HEAD}{endless}")),
        ("binary.milk", String::from_utf8_lossy(&(0..=255).cycle().take(9_000).collect::<Vec<u8>>()).into()),
        ("empty.milk", String::new()),
        ("ordinary.milk", format!("{HEAD}{ORDINARY}")),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let Some(reports) = render(folder.path(), &files, &["--frames", "2", "--timeout", "30"]) else { return };
    for ((name, _), report) in files.iter().zip(&reports) {
        let status = report["status"].as_str().unwrap_or_default();
        let no_preset = matches!(*name, "binary.milk" | "empty.milk");
        assert_eq!(status, if no_preset { "refused" } else { "ok" }, "{name}: {report}");
        let reason = report["reason"].as_str().unwrap_or_default();
        assert!(status == "ok" || !reason.is_empty(), "{report}");
        assert!(!reason.contains("excluded"), "only a show excludes presets: {report}");
    }
    assert_eq!(reports.last().map(|report| &report["status"]), Some(&Value::from("ok")));
}

#[test]
fn a_benchmark_compared_with_itself_has_ratios_of_one() {
    if Gpu::for_test().is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let bench = |line: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aivj"));
        command.arg("bench").args(line.split(' ')).current_dir(folder.path());
        let output = command.output().expect("aivj starts");
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let table = bench("--size 96x64 --frames 2 --rounds 1 --limit 2 --json a.json");
    assert!(table.lines().last().is_some_and(|line| line.starts_with("| 96x64 | 48x36 | 2 | ")), "{table}");
    let text = std::fs::read_to_string(folder.path().join("a.json")).expect("the results");
    let results: Value = serde_json::from_str(&text).expect("JSON");
    let rows = results["rows"].as_array().expect("rows");
    let measured = |row: &Value| ["cpu_ms", "frame_ms", "first_picture_ms"].map(|key| row[key].as_f64());
    assert_eq!((rows.len(), &results["frames"], &results["rounds"]), (2, &Value::from(2), &Value::from(1)));
    assert!(rows.iter().flat_map(measured).all(|ms| ms.is_some_and(|ms| ms > 0.0)), "{text}");
    let comparison = bench("--compare a.json a.json");
    let ratios = "1.00 (1.00 to 1.00, 1.00)";
    let expected = format!("| 96x64 | 48x36 | 2 | {ratios} | {ratios} | {ratios} | ");
    assert!(comparison.lines().last().is_some_and(|line| line.starts_with(&expected)), "{comparison}");
}
