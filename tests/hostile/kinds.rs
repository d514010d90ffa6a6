//! Generators of hostile presets.

/// Returns a preset with this per-frame code.
pub fn code(code: &str) -> Vec<u8> {
    format!("[preset00]\nper_frame_1={code}\n").into_bytes()
}

/// Returns a preset with this composite shader.
pub fn shader(source: &str) -> Vec<u8> {
    let versions = "MILKDROP_PRESET_VERSION=201\nPSVERSION=2\nPSVERSION_WARP=2\nPSVERSION_COMP=2\n";
    let lines = source.lines().enumerate();
    let lines: String = lines.map(|(number, line)| format!("comp_{}=`{line}\n", number + 1)).collect();
    format!("{versions}[preset00]\n{lines}").into_bytes()
}

/// Returns a preset with 16 custom shapes, all with these values and this per-frame code.
pub fn shape(values: &str, code: &str) -> String {
    let values: String = values.split(' ').map(|value| format!("shapecode_N_{value}\n")).collect();
    let one = format!("shapecode_N_enabled=1\n{values}shape_N_per_frame1={code}\n");
    let all: String = (0..16).map(|number| one.replace("_N_", &format!("_{number}_"))).collect();
    format!("[preset00]\n{all}")
}

/// A name, and a generator of files by size, from 1 (small) to 4 (the largest allowed).
pub type Kind = (&'static str, fn(usize) -> Vec<u8>);

/// Kinds of files that are rejected, skipped or truncated, or whose code ends within the budget.
pub const KINDS: &[Kind] = &[
    ("brackets", |n| code(&format!("x={}1{}", "(".repeat(n * 10_000), ")".repeat(n * 10_000)))),
    ("open brackets", |n| code(&"(".repeat(n * 20_000))),
    ("indexes", |n| code(&format!("x={}1{}", "megabuf(".repeat(n * 5_000), ")".repeat(n * 5_000)))),
    ("square brackets", |n| code(&format!("x={}1{}", "1[".repeat(n * 9_000), "]".repeat(n * 9_000)))),
    ("signs", |n| code(&format!("x={}1", "-".repeat(n * 50_000)))),
    ("negations", |n| code(&format!("x={}1", "!".repeat(n * 50_000)))),
    ("powers", |n| code(&format!("x=1{}", "^1.01".repeat(n * 20_000)))),
    ("signed powers", |n| code(&format!("x=1{}", "^-1".repeat(n * 20_000)))),
    ("sums", |n| code(&format!("x=1{}", "+x".repeat(n * 50_000)))),
    ("conditions", |n| code(&format!("x={}1", "x?1:".repeat(n * 20_000)))),
    ("nested if", |n| code(&format!("{}1{}", "if(x,".repeat(n * 9_000), ",2)".repeat(n * 9_000)))),
    ("assignments", |n| code(&format!("{}1", "x=".repeat(n * 50_000)))),
    ("statements", |n| code(&"x=x+1;".repeat(n * 25_000))),
    ("separators", |n| code(&";".repeat(n * 200_000))),
    ("commas", |n| code(&format!("max({})", "1,".repeat(n * 50_000)))),
    ("names", |n| code(&(0..n * 15_000).map(|i| format!("v{i}=1;")).collect::<String>())),
    ("long name", |n| code(&format!("{}=1", "a".repeat(n * 200_000)))),
    ("long number", |n| code(&format!("x={}", "9".repeat(n * 200_000)))),
    ("dots", |n| code(&format!("x={}", ".".repeat(n * 200_000)))),
    ("exponents", |n| code(&format!("x=1e{}+1e-{0}", "9".repeat(n * 1_000)))),
    ("comments", |n| code(&format!("x=1{}", "/*".repeat(n * 100_000)))),
    ("quotes", |n| code(&format!("x=$'{}", "a".repeat(n * 100_000)))),
    ("loops in a row", |n| code(&"loop(2,x+=1);".repeat(n * 5_000))),
    ("conditional targets", |n| code(&format!("{}x{}=1", "if(a,".repeat(n * 50), ",b)".repeat(n * 50)))),
    ("keys", |n| (0..n * 20_000).map(|i| format!("k{i}=1\n")).collect::<String>().into_bytes()),
    ("equal keys", |n| "zoom=1\n".repeat(n * 30_000).into_bytes()),
    ("blank lines", |n| "\n\r".repeat(n * 100_000).into_bytes()),
    ("one line", |n| vec![b'a'; n * 250_000]),
    ("zeros", |n| vec![0; n * 250_000]),
    ("bytes", |n| (0..n * 60_000).map(|i| (i * 7 + i / 251) as u8).collect()),
    ("high bytes", |n| [b"[preset00]\nper_frame_1=".to_vec(), vec![0xff; n * 200_000]].concat()),
    ("half of a pair", |n| [&[0xff, 0xfe][..], &[0x3d, 0xd8].repeat(n * 50_000)].concat()),
    ("too large", |n| vec![b'\n'; (1 << 20) + n]),
    ("markers", |n| "[PRESET1_BEGIN]\n[PRESET2_BEGIN]\n".repeat(n * 8_000).into_bytes()),
    ("headers", |n| format!("[PRESET1_BEGIN]\n{}", "random_1=1e999\n".repeat(n * 10_000)).into_bytes()),
    ("numbers", |n| {
        let value = ["nan", "inf", "-1e39", "99999999999"][n - 1];
        let keys =
            ["zoom", "warp", "fDecay", "nWaveMode", "nMotionVectorsX", "mv_a", "ob_size", "fWaveScale"];
        keys.iter().map(|key| format!("{key}={value}\n")).collect::<String>().into_bytes()
    }),
    ("sizes of waves", |n| {
        let count = ["-1", "0", "513", "2147483647"][n - 1];
        let values = format!("wavecode_0_enabled=1\nwavecode_0_samples={count}\nwavecode_0_sep={count}\n");
        format!("[preset00]\n{values}wave_0_per_point1=x=1/0;y=sqrt(-1);a=exp(999);\n").into_bytes()
    }),
    ("defaults that call themselves", |n| {
        let call = format!("f({})", ["", "1", "f()", "f(f())"][n - 1]);
        shader(&format!("float f(float a = {call}) {{ return a; }}\nshader_body {{ ret = f(); }}"))
    }),
    ("defaults that double", |n| {
        let line = |i: usize| format!("float f{}(float a = f{i}() + f{i}()) {{ return a; }}\n", i + 1);
        let lines: String = (0..n * 6).map(line).collect();
        shader(&format!(
            "float f0(float a = 1) {{ return a; }}\n{lines}shader_body {{ ret = f{}(); }}",
            n * 6
        ))
    }),
    ("structs that double", |n| {
        let line = |i: usize| format!("struct S{} {{ S{i} x; S{i} y; }};\n", i + 1);
        let lines: String = (0..n * 15).map(line).collect();
        shader(&format!("struct S0 {{ float x; }};\n{lines}shader_body {{ S{} s; }}", n * 15))
    }),
    ("names that double", |n| {
        let lines: String = (0..n * 10).map(|i| format!("#define a{}(x) a{i}(x##x)\n", i + 1)).collect();
        shader(&format!("#define a0(x) x\n{lines}shader_body {{ ret = a{}(q); }}", n * 10))
    }),
    ("type modifiers", |n| {
        shader(&format!("{} int x;\nshader_body {{ ret = 1; }}", "unsigned ".repeat(n * 6_000)))
    }),
    ("constants", |n| {
        shader(&format!("shader_body {{ float a[1{}]; ret = a[0]; }}", "+1-1".repeat(n * 5_000)))
    }),
];

/// Kinds of files whose code or shaders need as much as the limits allow, or more.
pub const GREEDY: &[Kind] = &[
    ("endless code", |n| {
        code(
            [
                "while(1);",
                "loop(1000000,loop(1000000,x+=1));",
                "loop(1000000,memset(0,1,65536));",
                "while(exec2(while(exec2(x=x+1,1)),1));",
            ][n - 1],
        )
    }),
    ("slow functions", |n| {
        let call = ["pow(x,1.1)", "sin(x*1e300)", "exp(log(x+2))", "atan2(sigmoid(x,x),x)"][n - 1];
        code(&format!("x=1;loop(1000000,loop(1000000,x={call}));"))
    }),
    ("tiny numbers", |n| code(&format!("loop(1000000,loop(1000000,x=(x+1e-310)*{n}));"))),
    ("endless init", |n| {
        let key = ["per_frame_init_1", "wave_0_init1", "shape_0_init1", "per_pixel_1"][n - 1];
        let enabled = "wavecode_0_enabled=1\nshapecode_0_enabled=1\n";
        format!("[preset00]\n{enabled}{key}=loop(1000000,loop(1000000,x+=1));\n").into_bytes()
    }),
    ("endless points", |n| {
        let one = |slot: usize| {
            format!(
                "wavecode_{slot}_enabled=1\nwavecode_{slot}_samples=512\n\
                 wave_{slot}_per_point1=loop({}00000,t1+=1);\n",
                n * n
            )
        };
        format!("[preset00]\n{}", (0..16).map(one).collect::<String>()).into_bytes()
    }),
    ("floods of memory", |n| {
        let flood = "i=0;loop(128,megabuf(i)=1;gmegabuf(i)=1;i=i+65536);";
        let one = |slot: usize| {
            format!(
                "wavecode_{slot}_enabled=1\nwave_{slot}_init1={flood}\nwave_{slot}_per_point1={flood}\n\
                 shapecode_{slot}_enabled=1\nshape_{slot}_init1={flood}\nshape_{slot}_per_frame1={flood}\n"
            )
        };
        let slots: String = (0..n * 4).map(one).collect();
        format!("[preset00]\n{slots}per_frame_1={flood}\nper_pixel_1={flood}\n").into_bytes()
    }),
    ("memory moved around", |n| {
        let count = ["8000000", "-5", "1e300", "0/0"][n - 1];
        code(&format!("loop(1000,memset(-1,1,{count});memcpy(1,0,{count});freembuf({count}));"))
    }),
    ("crowds of shapes", |n| {
        let values = [
            "num_inst=1024 sides=100 rad=3 textured=1 a=0.01",
            "num_inst=1024 sides=2147483647 rad=0.1 border_a=1 thickOutline=1",
            "num_inst=2147483647 sides=3 rad=1e30 a=1",
            "num_inst=-1 sides=-1 rad=-1 tex_zoom=0",
        ][n - 1];
        shape(values, "x=rand(100)*0.01;y=rand(100)*0.01;").into_bytes()
    }),
    ("shapes without numbers", |n| {
        let value = ["1e308*1e308-1e308*1e308", "1e308*1e308", "-1e300", "1e-310"][n - 1];
        shape("num_inst=64 border_a=1", &format!("x=ang=rad=tex_zoom=sides=r=a2={value};")).into_bytes()
    }),
    ("motion vectors", |n| {
        let value = ["64", "1e9", "nan", "-1e9"][n - 1];
        let keys = ["nMotionVectorsX", "nMotionVectorsY", "mv_l", "mv_dx", "mv_a"];
        let lines: String = keys.iter().map(|key| format!("{key}={value}\n")).collect();
        format!("[preset00]\n{lines}per_pixel_1=zoom=1/0;rot=1e308;\n").into_bytes()
    }),
    ("variables without numbers", |n| {
        let value = ["1e308*1e308-1e308*1e308", "1e308*1e308", "-1e300", "invsqrt(0)"][n - 1];
        let names = "zoom zoomexp rot warp cx cy dx dy sx sy decay gamma echo_zoom echo_orient wave_mode \
                     wave_x wave_mystery ob_size ib_size mv_x mv_y mv_l blur1_min blur1_max q1";
        let lines = names.split_whitespace().map(|name| format!("{name}={value};"));
        code(&lines.collect::<String>())
    }),
    ("blur ranges", |n| {
        let range = ["b1n=1\nb1x=0", "b1n=nan\nb3x=inf", "b2n=-1e38\nb2x=1e38", "b1ed=1e38"][n - 1];
        let shader = shader("shader_body { ret = GetBlur1(uv) + GetBlur2(uv) + GetBlur3(uv); }");
        [format!("{range}\n").into_bytes(), shader].concat()
    }),
    ("endless shaders", |n| {
        shader(
            [
                "shader_body { while (1) { ret += 0.001; } }",
                "shader_body { for (;;) { ret += tex2D(sampler_main, ret.xy).xyz; } }",
                "shader_body { do { for (int i = 0; i >= 0; i++) ret += sin(ret); } while (q1 == q1); }",
                "shader_body { for (float x = 0; x < 1; x += 1e-30) ret += GetBlur3(uv + x); }",
            ][n - 1],
        )
    }),
    ("loops in loops", |n| {
        let open: String = (0..n * 2).map(|i| format!("for (int i{i} = 0; i{i} < 4000; i{i}++) ")).collect();
        shader(&format!("shader_body {{ {open} ret += uv.x; }}"))
    }),
    ("unrolled loops", |n| {
        let count = [512, 4_096, 1_000_000, 2_000_000_000][n - 1];
        shader(&format!(
            "shader_body {{ [unroll] for (int i = 0; i < {count}; i++) ret += tex2D(sampler_main, uv * i); }}"
        ))
    }),
    ("many lookups", |n| {
        let lookups = "ret += tex2D(sampler_main, uv + ret.xy).xyz;\n".repeat([100, 128, 129, 5_000][n - 1]);
        shader(&format!("shader_body {{\n{lookups}}}"))
    }),
    ("many operations", |n| {
        let lines = "ret = frac(ret * 1.7 + uv.xyx);\n".repeat([1_000, 4_000, 6_000, 20_000][n - 1]);
        shader(&format!("shader_body {{\n{lines}}}"))
    }),
    ("slow functions of shaders", |n| {
        let lines = "ret = pow(abs(sin(ret)), 1.3);\n".repeat([100, 200, 400, 4_000][n - 1]);
        shader(&format!("shader_body {{\n{lines}}}"))
    }),
    ("calls that double", |n| {
        let line = |i: usize| format!("float3 f{}(float3 x) {{ return f{i}(x) + f{i}(x * 2); }}\n", i + 1);
        let last = [4, 11, 20, 40][n - 1];
        let lines: String = (0..last).map(line).collect();
        shader(&format!(
            "float3 f0(float3 x) {{ return x + time; }}\n{lines}shader_body {{ ret = f{last}(ret); }}"
        ))
    }),
    ("macro arguments that double", |n| {
        let depth = [4, 11, 20, 60][n - 1];
        let nested = format!("{}uv.x{}", "F(".repeat(depth), ")".repeat(depth));
        shader(&format!("#define F(x) ((x)+(x))\nshader_body {{ ret = {nested}; }}"))
    }),
    ("many macros", |n| {
        let lines: String = (0..n * 2_000).map(|i| format!("#define a{} a{i}\n", i + 1)).collect();
        shader(&format!("#define a0 1\n{lines}shader_body {{ ret = a{}; }}", n * 2_000))
    }),
    ("conditions of the preprocessor", |n| {
        let text = [
            "#if 1/0\n#endif\n".repeat(1_000),
            "#if 1\n".repeat(5_000),
            format!("#if {}1{}\n#endif\n", "(".repeat(5_000), ")".repeat(5_000)),
            format!("#if 0\n{}#endif\n", "#elif 9223372036854775807 + 1 << 99 % -1\n".repeat(5_000)),
        ];
        shader(&format!("{}shader_body {{ ret = 1; }}", text[n - 1]))
    }),
    ("continued lines", |n| shader(&format!("shader_body {{ ret = 1 {}; }}", "\\\n".repeat(n * 10_000)))),
    ("unfinished shaders", |n| {
        let text = ["/*", "\"", "#define F(", "float3 f(float2 p) {"][n - 1];
        shader(&format!("{text}\nshader_body {{ ret = F(1"))
    }),
    ("arrays", |n| {
        let text = [
            "float a[16][16]; a[int(q1)][int(q2)] = 1; ret = a[int(uv.x * 1e9)][int(-q1)];",
            "float4 a[64]; for (int i = 0; i < 64; i++) a[i] = i; ret = a[int(uv.x * 64)].xyz;",
            "float a[16][16][16][16]; ret = a[1][2][3][4];",
            "float a[8][8][8][8][8][8][8][8]; ret = a[0][0][0][0][0][0][0][0];",
        ];
        shader(&format!("shader_body {{ {} }}", text[n - 1]))
    }),
    ("initializer lists", |n| {
        let [open, close] = ["{", "}"].map(|brace| brace.repeat(n * n * 30));
        shader(&format!("shader_body {{ float a[1] = {open} 1 {close}; ret = a[0]; }}"))
    }),
    ("copies of structs", |n| {
        let copies = "T = S; S = T;".repeat(n * 4);
        shader(&format!(
            "struct A {{ float4 x[60]; }};\nshader_body {{ A S = (A)0; A T = S; {copies} ret = T.x[int(q1)].xyz; }}"
        ))
    }),
    ("long chains of else if", |n| {
        let arms: String = (0..n * 100).map(|i| format!("if (q1 == {i}) ret = {i} * uv.x;\nelse ")).collect();
        shader(&format!("shader_body {{ {arms} ret = 1; }}"))
    }),
    ("switches", |n| {
        let cases: String = (0..n * 100).map(|i| format!("case {i}: ret = {i}; break;\n")).collect();
        shader(&format!("shader_body {{ switch (int(uv.x * 400)) {{\n{cases}default: ret = 1; }} }}"))
    }),
    ("many images", |n| {
        let count = n * 6;
        let samplers: String = (0..count).map(|i| format!("sampler sampler_rand{i:02}_x;\n")).collect();
        let lookups: String =
            (0..count).map(|i| format!("ret += tex2D(sampler_rand{i:02}_x, uv).xyz;\n")).collect();
        shader(&format!("{samplers}shader_body {{\n{lookups}}}"))
    }),
    ("odd images", |n| {
        let long = "a".repeat(50_000);
        let name = ["rand99", "worms_as_a_volume", "pw_", &long][n - 1];
        shader(&format!(
            "sampler3D sampler_{name};\nfloat4 texsize_{name};\n\
             shader_body {{ ret = tex3D(sampler_{name}, uv.xyx).xyz + texsize_{name}.z; }}"
        ))
    }),
    ("samplers as arguments", |n| {
        let call = "f(sampler_main) + f(sampler_noise_lq) + f(sampler_blur1) + f(sampler_fc_main)";
        let line = |i: usize| {
            format!("float3 f{}(sampler s) {{ return f{i}(s) + f{i}(sampler_pc_main); }}\n", i + 1)
        };
        let lines: String = (0..n * 3).map(line).collect();
        shader(&format!(
            "float3 f0(sampler s) {{ return tex2D(s, 0.5).xyz; }}\n{lines}\
             float3 f(sampler s) {{ return f{}(s); }}\nshader_body {{ ret = {call}; }}",
            n * 3
        ))
    }),
    ("sound at every pixel", |n| {
        let lines = "ret += get_fft(ret.x) + get_wave(uv.y) + get_fft_peak_hz(ret.y / 0);\n";
        shader(&format!("shader_body {{\n{}}}", lines.repeat([1, 40, 133, 1_000][n - 1])))
    }),
    ("pictures without numbers", |n| {
        let value =
            ["0.0 / q1", "log(-q1) / q1", "1e38 * 1e38 * uv.x", "asfloat(2143289344 + int(q1))"][n - 1];
        shader(&format!("shader_body {{ ret = {value}; ret += tex2D(sampler_main, ret.xy / q1).xyz; }}"))
    }),
    ("literals", |n| {
        let long = "9".repeat(50_000);
        let number = ["1e999999", "0xffffffffffffffffffff", &long, "1.5.5.5e"][n - 1];
        shader(&format!("shader_body {{ ret = {number}; int i = {number}; ret += i; }}"))
    }),
    ("shaders of other text", |n| {
        let text = ["\u{202e}ret\u{0}", "`````", "@group(0) fn main() {}", "asm { jmp 0 }"][n - 1];
        shader(&format!("{text}\nshader_body {{ {text} }}"))
    }),
    ("double presets", |n| {
        let half = |number: usize| {
            let text =
                String::from_utf8_lossy(&shader("shader_body { while (1) ret += uv.x; }")).into_owned();
            let code = "per_frame_1=loop(1000000,loop(1000000,x+=1));";
            format!("[PRESET{number}_BEGIN]\n{text}{code}\n[PRESET{number}_END]\n")
        };
        let header = [
            "blending_pattern=plasma3\nblending_progress=nan\n",
            "blending_pattern=\nrandom_1=1e999\nrandom_5=-inf\n",
            "blending_progress=-1e30\nblending_direction=7\n",
            "[PRESET1_BEGIN]\n[PRESET2_BEGIN]\n",
        ][n - 1];
        format!("{header}{}{}", half(1), half(2)).into_bytes()
    }),
];
