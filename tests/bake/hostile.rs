//! Hostile presets: endless code, memory floods, macro bombs, garbage.

use std::fmt::Write as _;
use std::path::Path;

/// A preset that draws nothing.
pub const BLACK: &str =
    "[preset00]\nfDecay=0\nfWaveAlpha=0\nnMotionVectorsX=0\nmv_a=0\nob_size=0\nib_size=0\n";

/// One hostile file and its acceptable verdicts.
pub struct Case {
    pub name: &'static str,
    /// Words, one of which must appear in the file's safety verdict or broken parts; `excluded` for a file
    /// that is not audited.
    pub expected: &'static [&'static str],
}

/// Writes every hostile preset.
pub fn write_all(folder: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: &'static str, text: Vec<u8>, expected: &'static [&'static str]| {
        std::fs::write(folder.join(name), text).expect("written");
        cases.push(Case { name, expected });
    };
    let code = |code: &str| format!("[preset00]\nfDecay=0.98\nfWaveAlpha=1\n{code}\n").into_bytes();
    let frame = |line: &str| code(&format!("per_frame_1={line}"));
    let cut = &["ran out of its budget", "hang"][..];
    add("endless loop.milk", frame("loop(100000000, loop(100000000, x=x+1));"), cut);
    // The language itself ends a `while` after about a million iterations.
    add("endless while.milk", frame("while(1);"), &["ok"]);
    add("endless vertex.milk", code("per_pixel_1=loop(1000000, zoom=zoom+0.0001);"), cut);
    add("memory flood.milk", frame("i=0; loop(9000000, megabuf(i)=1; i=i+1);"), &["ok"]);
    add(
        "not a number.milk",
        frame("zoom=0/0; rot=1/0; warp=sqrt(-1); cx=log(-1); wave_x=pow(0,-1);"),
        &["ok"],
    );
    add(
        "deep equation.milk",
        frame(&format!("x={}1{};", "(".repeat(20_000), ")".repeat(20_000))),
        &["per_frame"],
    );
    let shader = |body: &str| {
        let mut text = String::from(
            "MILKDROP_PRESET_VERSION=201\nPSVERSION=2\nPSVERSION_WARP=2\nPSVERSION_COMP=2\n[preset00]\n",
        );
        for (number, line) in body.lines().enumerate() {
            writeln!(text, "comp_{}=`{line}", number + 1).expect("written");
        }
        text.into_bytes()
    };
    add(
        "endless shader.milk",
        shader("shader_body\n{\nfloat a=0;\nwhile(1>0)\n{\na+=0.001;\n}\nret=a;\n}"),
        &["ok", "hang"],
    );
    let nested = "shader_body\n{\nfloat3 a=0;\nfor(int i=0;i<4000;i++)\nfor(int j=0;j<4000;j++)\n\
                  a+=tex2D(sampler_main,uv+a.xy).xyz;\nret=a;\n}";
    add("heavy shader.milk", shader(nested), &["ok", "hang"]);
    let brackets = format!("shader_body\n{{\nret={}1{};\n}}", "(".repeat(5000), ")".repeat(5000));
    add("deep shader.milk", shader(&brackets), &["shader"]);
    add("wide array.milk", shader("float big[100000000];\nshader_body\n{\nret=big[3];\n}"), &["shader"]);
    let mut bomb = String::from("#define A0 1+1\n");
    (1..40).for_each(|n| writeln!(bomb, "#define A{n} A{0}+A{0}", n - 1).expect("written"));
    add("macro bomb.milk", shader(&format!("{bomb}shader_body\n{{\nret=A39;\n}}")), &["shader"]);
    let mut crowd = String::new();
    for shape in 0..4 {
        write!(
            crowd,
            "shapecode_{shape}_enabled=1\nshapecode_{shape}_sides=100\nshapecode_{shape}_num_inst=1024\n\
                       shapecode_{shape}_textured=1\nshapecode_{shape}_rad=3\nshapecode_{shape}_a=0.01\n"
        )
        .expect("written");
    }
    add("crowd of shapes.milk", code(&crowd), &["ok", "hang"]);
    add("empty.milk", Vec::new(), &["refused"]);
    add(
        "noise.milk",
        (0..60_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect(),
        &["refused"],
    );
    add("huge.milk", vec![b'a'; 3 << 20], &["excluded"]);
    cases
}
