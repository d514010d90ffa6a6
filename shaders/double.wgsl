// Mixes the two pictures of a double preset; the pattern determines where the second one appears first.

// Matches `DoubleUniforms` in src/stage/pass/double.rs.
struct Double {
    // Random numbers for the pattern, 0 to 1.
    random: vec4<f32>,
    // 0 shows only the first picture, 1 only the second.
    share: f32,
    // Number of the pattern in src/milk/double.rs.
    pattern: u32,
    // 1 to reverse the order in which the second picture appears.
    reversed: u32,
    // Width over height.
    aspect: f32,
    seed: f32,
    pad0: f32,
    pad1: f32,
    pad2: f32,
}

@group(0) @binding(1) var<uniform> double: Double;
@group(0) @binding(2) var first: texture_2d<f32>;
@group(0) @binding(3) var second: texture_2d<f32>;

const TAU: f32 = 6.2831853;
// Width of the soft edge, as a fraction of the pattern's range.
const EDGE: f32 = 0.12;

fn random_at(cell: vec2<f32>) -> f32 {
    let salted = cell + double.random.xy * 37.0 + double.seed * 11.0;
    return fract(sin(dot(salted, vec2<f32>(12.9898, 78.233))) * 43758.547);
}

fn clouds(place: vec2<f32>) -> f32 {
    var sum = 0.0;
    var weight = 0.5;
    var at = place;
    for (var octave = 0; octave < 4; octave++) {
        let cell = floor(at);
        let t = smoothstep(vec2<f32>(0.0), vec2<f32>(1.0), at - cell);
        let above = mix(random_at(cell), random_at(cell + vec2<f32>(1.0, 0.0)), t.x);
        let below = mix(random_at(cell + vec2<f32>(0.0, 1.0)), random_at(cell + vec2<f32>(1.0, 1.0)), t.x);
        sum += mix(above, below, t.y) * weight;
        weight *= 0.5;
        at *= 2.0;
    }
    // The sums cluster around 0.5; spread them over the range.
    return clamp((sum / 0.9375 - 0.5) * 1.8 + 0.5, 0.0, 1.0);
}

fn spiral(turn: f32, radius: f32, arms: f32) -> f32 {
    return fract(turn * arms + radius * 2.0 + double.random.x);
}

// Distance from the centre of a regular star; 1 on its outline.
fn star(place: vec2<f32>, points: f32) -> f32 {
    let turn = atan2(place.y, place.x) / TAU * points + 0.25 * points;
    let ray = abs(fract(turn) - 0.5) * 2.0;
    return length(place) / mix(0.45, 1.0, ray);
}

// When the second picture appears at `uv`: 0 for the first places, 1 for the last.
fn reached(uv: vec2<f32>) -> f32 {
    // Offset from the centre, in units of half the height.
    let place = (uv - 0.5) * 2.0 * vec2<f32>(double.aspect, 1.0);
    let corner = length(vec2<f32>(double.aspect, 1.0));
    let radius = length(place) / corner;
    let turn = atan2(place.y, place.x) / TAU + 0.5;
    let cells = uv * vec2<f32>(8.0 * double.aspect, 8.0);
    let in_cell = (fract(cells) - 0.5) * 2.0;
    let late = random_at(floor(cells));
    switch double.pattern {
        case 1u: { // side
            let angle = double.random.x * TAU;
            return dot(place, vec2<f32>(cos(angle), sin(angle))) / corner * 0.5 + 0.5;
        }
        case 2u: { // plasma
            return clouds(uv * vec2<f32>(double.aspect, 1.0) * 2.0);
        }
        case 3u: { // plasma2
            return clouds(uv * vec2<f32>(double.aspect, 1.0) * 5.0);
        }
        case 4u: { // plasma3
            return clouds(uv * vec2<f32>(double.aspect, 1.0) * 12.0);
        }
        case 5u: { // cercle
            // From the outside; in reverse from the inside.
            return 1.0 - radius;
        }
        case 6u: { // square
            return max(abs(place.x), abs(place.y)) / max(double.aspect, 1.0);
        }
        case 7u: { // snail
            return spiral(turn, radius, 1.0);
        }
        case 8u: { // snail2
            return spiral(turn, radius, 2.0);
        }
        case 9u: { // snail3
            return spiral(turn, radius, 3.0);
        }
        case 10u: { // triangle
            let side = max(abs(place.x) * 0.866 + place.y * 0.5, -place.y);
            return side / (corner * 0.9);
        }
        case 11u: { // donuts
            return abs(fract(radius * 3.0 + double.random.x) - 0.5) * 2.0;
        }
        case 12u: { // corner
            let from_left = select(1.0 - uv.x, uv.x, double.random.x < 0.5);
            let from_top = select(1.0 - uv.y, uv.y, double.random.y < 0.5);
            return length(vec2<f32>(from_left, from_top)) / 1.4142136;
        }
        case 13u: { // patches
            return late;
        }
        case 14u: { // checkerboard
            let odd = fract((floor(cells.x) + floor(cells.y)) * 0.5) * 2.0;
            return odd * 0.5 + max(abs(in_cell.x), abs(in_cell.y)) * 0.5;
        }
        case 15u: { // bubbles
            return length(in_cell) / 1.4142136 * 0.7 + late * 0.3;
        }
        case 16u: { // stars
            return star(place, 5.0) / (corner * 1.6);
        }
        case 17u: { // stars2
            return star(in_cell, 5.0) / 2.6 * 0.7 + late * 0.3;
        }
        case 18u: { // clock
            return fract(turn - 0.25);
        }
        case 19u: { // nuclear
            return abs(fract(turn * 3.0 + 0.25) - 0.5) * 2.0;
        }
        case 20u: { // arrow
            return (uv.x + abs(uv.y - 0.5)) / 1.5;
        }
        case 21u: { // cisor
            return abs(atan2(uv.y - 0.5, uv.x + 0.05)) / (TAU * 0.25);
        }
        case 22u: { // wave
            return uv.x * 0.8 + 0.1 + 0.1 * sin((uv.y * 2.0 + double.random.x) * TAU);
        }
        case 23u: { // curtain
            return abs(uv.x - 0.5) * 2.0;
        }
        case 24u: { // vertical
            return uv.x;
        }
        case 25u: { // horizontal
            return uv.y;
        }
        case 26u: { // linesvertical
            return fract(cells.x);
        }
        case 27u: { // lineshorizontal
            return fract(cells.y);
        }
        case 28u: { // cross
            return min(abs(place.x), abs(place.y));
        }
        case 29u: { // cross2
            return min(abs(uv.x - uv.y), abs(uv.x + uv.y - 1.0)) * 2.0;
        }
        default: {
            return 0.5;
        }
    }
}

@fragment
fn fs_double(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    var share = double.share;
    if double.pattern != 0u {
        let late = clamp(reached(uv), 0.0, 1.0);
        let last = select(late, 1.0 - late, double.reversed == 1u);
        share = clamp((double.share * (1.0 + EDGE) - last) / EDGE, 0.0, 1.0);
    }
    return vec4<f32>(mix(light_at(first, uv), light_at(second, uv), share), 1.0);
}
