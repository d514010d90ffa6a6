//! Generates programs from a grammar: EEL source that mostly compiles, presets that contain it, and shader bodies.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "0.5",
    ".5",
    "1.2.3",
    "1e308",
    "1e-320",
    "1e999",
    "-1e999",
    "65535",
    "65536",
    "8388607",
    "8388608",
    "9223372036854775808",
    "0x7fffffff",
    "0xffffffffffffffffff",
    "$pi",
    "$e",
    "$phi",
    "$xFF",
    "$'a'",
    "4294967296",
    "(0/0)",
    "log(-1)",
    "(1e308*10)",
    "(1e308*10-1e308*10)",
    "asin(2)",
    "0.00001",
    "-0.00001",
];
const NAMES: &[&str] =
    &["a", "b", "x", "n", "reg00", "reg99", "q1", "q64", "t8", "zoom", "Time", "x.y", "regab"];
const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "%", "^", "&", "|", "~", "<<", ">>", "==", "===", "!=", "!==", "<", ">", "<=", ">=",
    "&&", "||",
];
const UPDATES: &[&str] = &["=", "+=", "-=", "*=", "/=", "%=", "^=", "|=", "&="];
const ONE: &[&str] = &[
    "sin", "cos", "tan", "asin", "acos", "atan", "sqr", "sqrt", "invsqrt", "exp", "log", "log10", "abs",
    "sign", "floor", "ceil", "int", "rand", "bnot", "freembuf", "megabuf", "gmegabuf", "_neg", "!", "-",
];
const TWO: &[&str] = &[
    "atan2",
    "pow",
    "min",
    "max",
    "sigmoid",
    "band",
    "bor",
    "equal",
    "above",
    "below",
    "_mem_free",
    "nonsense",
];
const THREE: &[&str] = &["memcpy", "memset", "if", "exec3"];

/// Returns a strategy for the source of one program.
pub fn program() -> impl Strategy<Value = String> {
    vec(statement(), 1..8).prop_map(|statements| statements.join(";"))
}

fn statement() -> impl Strategy<Value = String> {
    let expression = expression().boxed();
    let block = vec(expression.clone(), 1..4).prop_map(|steps| steps.join(";")).boxed();
    prop_oneof![
        4 => (place(expression.clone()), select(UPDATES), expression.clone())
            .prop_map(|(place, sign, value)| format!("{place}{sign}{value}")),
        1 => (expression.clone(), block.clone()).prop_map(|(count, body)| format!("loop({count},{body})")),
        1 => (select(NUMBERS), block.clone()).prop_map(|(count, body)| format!("loop({count},{body};n+=1)")),
        1 => block.clone().prop_map(|body| format!("while({body})")),
        1 => (expression.clone(), block.clone(), block)
            .prop_map(|(condition, yes, no)| format!("if({condition},{yes},{no})")),
        1 => expression,
    ]
}

fn place(index: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> {
    prop_oneof![
        3 => select(NAMES).prop_map(str::to_owned),
        1 => index.clone().prop_map(|index| format!("megabuf({index})")),
        1 => index.clone().prop_map(|index| format!("gmegabuf({index})")),
        1 => index.clone().prop_map(|index| format!("x[{index}]")),
        1 => index.prop_map(|condition| format!("if({condition},a,reg07)")),
    ]
}

fn expression() -> impl Strategy<Value = String> + Clone {
    let leaf = prop_oneof![
        select(NUMBERS).prop_map(str::to_owned),
        select(NAMES).prop_map(str::to_owned),
        any::<f64>().prop_map(|number| format!("{number:e}")),
    ];
    leaf.prop_recursive(6, 48, 3, |inner| {
        let inner = inner.boxed();
        prop_oneof![
            4 => (inner.clone(), select(OPERATORS), inner.clone())
                .prop_map(|(a, sign, b)| format!("({a}{sign}{b})")),
            1 => (inner.clone(), select(OPERATORS), inner.clone()).prop_map(|(a, sign, b)| format!("{a}{sign}{b}")),
            2 => (select(ONE), inner.clone()).prop_map(|(name, a)| format!("{name}({a})")),
            2 => (select(TWO), inner.clone(), inner.clone()).prop_map(|(name, a, b)| format!("{name}({a},{b})")),
            1 => (select(THREE), inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(name, a, b, c)| format!("{name}({a},{b},{c})")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a}?{b}:{c})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            1 => (inner.clone(), inner).prop_map(|(a, b)| format!("(x={a};{b})")),
        ]
    })
}

/// Returns a strategy for the lines of a preset: values with any number, and code.
pub fn preset_lines() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    const SETTINGS: &[&str] = &[
        "zoom",
        "rot",
        "warp",
        "cx",
        "dx",
        "sx",
        "sy",
        "fDecay",
        "fGammaAdj",
        "nWaveMode",
        "fWaveAlpha",
        "fWaveScale",
        "fWaveSmoothing",
        "fWaveParam",
        "wave_x",
        "wave_y",
        "nMotionVectorsX",
        "nMotionVectorsY",
        "mv_l",
        "mv_a",
        "mv_dx",
        "ob_size",
        "ob_a",
        "ib_size",
        "ib_a",
        "fZoomExponent",
        "fWarpScale",
        "fWarpAnimSpeed",
        "b1n",
        "b1x",
        "wavecode_0_enabled",
        "wavecode_0_samples",
        "wavecode_0_sep",
        "wavecode_0_scaling",
        "wavecode_0_smoothing",
        "wavecode_0_bSpectrum",
        "shapecode_0_enabled",
        "shapecode_0_sides",
        "shapecode_0_num_inst",
        "shapecode_0_rad",
        "shapecode_0_textured",
        "bModWaveAlphaByVolume",
        "fModWaveAlphaStart",
        "fModWaveAlphaEnd",
        "bDarkenCenter",
    ];
    const CODE: &[&str] = &[
        "per_frame_1",
        "per_frame_init_1",
        "per_pixel_1",
        "wave_0_per_frame1",
        "wave_0_per_point1",
        "shape_0_per_frame1",
        "shape_0_init1",
    ];
    const OUTPUTS: &[&str] = &[
        "zoom", "rot", "dx", "sx", "cx", "mv_l", "mv_x", "mv_dx", "x", "y", "rad", "ang", "sides", "samples",
        "wave_a",
    ];
    let number = prop_oneof![
        select(
            &["0", "1", "-1", "64", "1e38", "-1e38", "1e-38", "nan", "inf", "512", "1024", "2147483648"][..]
        )
        .prop_map(str::to_owned),
        any::<f32>().prop_map(|number| number.to_string()),
    ];
    let code = (select(OUTPUTS), expression()).prop_map(|(name, value)| format!("{name}={value};"));
    let code = prop_oneof![code, program()];
    let line = prop_oneof![
        3 => (select(SETTINGS), number),
        1 => (select(CODE), code),
        1 => (select(&["wavecode_0_enabled", "shapecode_0_enabled", "mv_a", "ob_a"][..]), Just("1".to_owned())),
    ];
    vec(line, 1..24)
}

/// Returns a strategy for the body of a shader.
pub fn shader() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "ret",
        "=",
        "+=",
        "*",
        "+",
        "-",
        "/",
        "(",
        ")",
        "{",
        "}",
        ";",
        "uv",
        "tex2D(sampler_main, uv)",
        ".xyz",
        ".x",
        "float a",
        "a",
        "1",
        "0.5",
        "1e99",
        "if",
        "else",
        "while",
        "for (int i = 0; i < 9; i++)",
        "saturate",
        "lerp",
        "float3(1,2,3)",
        "GetBlur1(uv)",
        "q1",
        "rad",
        "[",
        "]",
        "?",
        ":",
        "#define B(x) x",
        "\u{e4}",
        "//",
        "/*",
        "texsize",
    ];
    prop_oneof![
        1 => expression().prop_map(|value| format!("ret = {value};")),
        1 => expression().prop_map(|value| format!("ret = tex2D(sampler_main, uv + {value}).xyz;")),
        2 => vec(select(WORDS), 0..40).prop_map(|words| words.join(" ")),
    ]
}
