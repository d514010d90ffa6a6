// The flash limiter: counts flashes exactly as `media::flash` does. This file contains the limiter's state and the
// rules for cells. See docs/flash-safety.md.
//
// The picture is reduced to 96 x 72 cells. A field of 32 x 24 cells (10 degrees of the visual field) has a transition
// when a quarter of its cells change in one direction within 0.05 s; the last field is the whole screen. Each value is
// a pair: luminance and saturated red.

// Matches `FlashBlock` in src/stage/pass/flash/mod.rs. Times are in ticks.
struct Flash {
    // Time of this frame.
    now: u32,
    // Length of a frame.
    frame: u32,
    // Frames since the previous picture, at least 1; the previous picture was shown again in the frames in
    // between.
    passed: u32,
    // One second minus half a frame; a transition counts while it is younger than this.
    second: u32,
    // Number of frames within which changes of cells count together, 1 to 15.
    together: u32,
    // 1 for the first picture, which has no history.
    fresh: u32,
}

struct Cell {
    // Lowest and highest value since the last change.
    low: vec2<f32>,
    high: vec2<f32>,
    // Mean light.
    light: vec3<f32>,
    // Bits 0 to 15: frames since the last change, at most 15, in four bits each for luminance up, luminance
    // down, red up and red down. Bits 16 to 19: direction of the last change, in two bits each for luminance
    // and red. Bit 20: whether the cell has been saturated red since its red value was last below 0.1.
    state: u32,
}

// State of a field and the times of its last seven transitions. There are two records per field, for
// luminance and red.
struct Field {
    // Bits 0 and 1: direction of the last transition. Bits 4 to 11: number of transitions that follow, one per frame,
    // while the picture stays on screen. From bit 16: index of the oldest time.
    state: u32,
    times: array<u32, 7>,
}

struct Scratch {
    // For each number of frames ahead and row of cells: number of changed cells at each field position in the
    // row, then in the whole row; one byte per kind of change.
    rows: array<u32, MAX_ROWS>,
    // For each number of frames ahead and each field: one bit per kind of change, set if enough cells have
    // changed.
    sets: array<u32, MAX_SETS>,
    // For each field: whether it has too many transitions.
    over: array<u32, FIELDS>,
    // For each row of fields and each column of cells: whether the screen, or a field in the row that covers the
    // column, has too many transitions.
    over_columns: array<u32, OVER_COLUMNS>,
    // Blend weight of the new picture in each cell, before smoothing.
    shares: array<f32, CELLS>,
}

// The limiter's decision on the new picture.
struct Verdict {
    // What is shown. 0: the new picture. 1: the new picture mixed with the previous one by `weights`. 2: the previous
    // picture.
    kind: u32,
    // Time of the last picture that was not shown unchanged.
    limited: u32,
    // Half of `cells` that describes the picture as shown, 0 or 1; the other half receives the picture being
    // measured.
    current: u32,
    // Whether transitions follow in any field while the picture stays on screen.
    pending: u32,
    // Exposure to a harmful regular pattern, in seconds, and whether the newest picture has one.
    exposure: f32,
    harmful: u32,
    // How far the pattern is softened, from 0 to 1, and its mean light.
    softness: f32,
    red: f32,
    green: f32,
    blue: f32,
    // For each cell: blend weight of the new picture in a mix, and 1 if the cell is part of a pattern or next to one.
    weights: array<vec2<f32>, CELLS>,
}

@group(0) @binding(0) var<storage, read> flash: Flash;
@group(0) @binding(1) var picture: texture_2d<f32>;
// First pixel column of each column of cells, and the end of the last; then the same for rows.
@group(0) @binding(2) var<storage, read> edges: array<u32, EDGES>;
@group(0) @binding(3) var<storage, read_write> cells: array<Cell, CELL_RECORDS>;
@group(0) @binding(4) var<storage, read_write> fields: array<Field, FIELD_RECORDS>;
@group(0) @binding(5) var<storage, read_write> scratch: Scratch;
@group(0) @binding(6) var<storage, read_write> verdict: Verdict;

const WIDTH = 96u;
const HEIGHT = 72u;
const CELLS = 6912u;
const CELL_RECORDS = 13824u;
const EDGES = 170u;
// Size of a field, in cells, and number of field positions in each direction.
const FIELD_WIDTH = 32u;
const FIELD_HEIGHT = 24u;
const ACROSS = 65u;
const DOWN = 49u;
// Number of fields, and index of the whole screen.
const FIELDS = 3186u;
const SCREEN = 3185u;
const FIELD_RECORDS = 6372u;
// A quarter of the cells of a field, and of the screen.
const QUARTER = 192u;
const SCREEN_QUARTER = 1728u;
// Number of sums per row of cells: one per field position, and one for the whole row.
const ROW_SUMS = 66u;
// Array sizes for the largest `together`.
const MAX_ROWS = 71280u;
const MAX_SETS = 47790u;
const OVER_COLUMNS = 4704u;

// Smallest change that counts: of luminance, and of the distance from white towards red.
const STEP = vec2<f32>(0.1, 0.2);
// Like `STEP`, for mixed cells that must not change; smaller, because the mixed picture is rounded to 8 bits.
const HELD_STEP = vec2<f32>(0.08, 0.16);
// A change of luminance counts only if the darker of its two values is below this.
const BRIGHT = 0.8;
const LONG_AGO = 0x40000000u;

const UPWARDS = 1u;
const DOWNWARDS = 2u;
const WAS_RED = 0x100000u;
// State of a cell that has not changed.
const UNCHANGED = 0xffffu;

// Linear light of an 8-bit sRGB value, within 2e-6 (minimax polynomial).
fn linear(c: vec3<f32>) -> vec3<f32> {
    var high = c * 0.06074560 - 0.27216214;
    high = high * c + 0.53599536;
    high = high * c - 0.65671951;
    high = high * c + 0.80178237;
    high = high * c + 0.49489358;
    high = high * c + 0.03459356;
    high = high * c + 0.00087281;
    return select(high, c * 0.07739938, c < vec3<f32>(0.0412));
}

// Mean light of a cell of the picture.
fn mean_light(cell: u32) -> vec3<f32> {
    let column = cell % WIDTH;
    let row = cell / WIDTH;
    let left = edges[column];
    let right = max(edges[column + 1u], left + 1u);
    let top = edges[WIDTH + 1u + row];
    let bottom = max(edges[WIDTH + 2u + row], top + 1u);
    var sum = vec3<f32>(0.0);
    for (var y = top; y < bottom; y++) {
        for (var x = left; x < right; x++) {
            sum += linear(textureLoad(picture, vec2<u32>(x, y), 0).rgb);
        }
    }
    return sum / f32((right - left) * (bottom - top));
}

struct Change {
    value: vec2<f32>,
    low: vec2<f32>,
    high: vec2<f32>,
    up: vec2<bool>,
    down: vec2<bool>,
    was_red: bool,
}

// Luminance, and distance from white towards red in the CIE 1976 UCS diagram.
fn value_of(rgb: vec3<f32>) -> vec2<f32> {
    let x = dot(rgb, vec3<f32>(0.4124, 0.3576, 0.1805));
    let y = dot(rgb, vec3<f32>(0.2126, 0.7152, 0.0722));
    let z = dot(rgb, vec3<f32>(0.0193, 0.1192, 0.9505));
    let from_white = vec2<f32>(4.0 * x, 9.0 * y) / max(x + 15.0 * y + 3.0 * z, 1e-6) - vec2<f32>(0.1978, 0.4683);
    let coloured = rgb.r + rgb.g + rgb.b > 0.002 && from_white.x > 0.0;
    return vec2<f32>(y, select(0.0, length(from_white), coloured));
}

// How a cell changes if its light becomes `rgb`.
fn change_of(cell: Cell, rgb: vec3<f32>, step: vec2<f32>) -> Change {
    let value = value_of(rgb);
    let sum = rgb.r + rgb.g + rgb.b;
    let red = sum > 0.02 && rgb.r / max(sum, 1e-6) >= 0.8;
    let was_red = red || (cell.state & WAS_RED) != 0u;
    let low = min(cell.low, value);
    let high = max(cell.high, value);
    let direction = (vec2<u32>(cell.state) >> vec2<u32>(16u, 18u)) & vec2<u32>(3u);
    let up = (value - low >= step) & (direction != vec2<u32>(UPWARDS)) & vec2<bool>(low.x < BRIGHT, red);
    let may_fall = vec2<bool>(value.x < BRIGHT, was_red);
    let down = !up & (high - value >= step) & (direction != vec2<u32>(DOWNWARDS)) & may_fall;
    return Change(value, low, high, up, down, was_red && value.y >= 0.1);
}

// Frames since the last change of a cell, for each kind of change.
fn ages_of(state: u32) -> vec4<u32> {
    return (vec4<u32>(state) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<u32>(15u);
}

fn packed_ages(ages: vec4<u32>) -> u32 {
    let aged = min(ages, vec4<u32>(15u));
    return aged.x | aged.y << 4u | aged.z << 8u | aged.w << 12u;
}

// The state of a cell after a frame in which its light becomes `rgb`.
fn after(cell: Cell, rgb: vec3<f32>) -> Cell {
    let change = change_of(cell, rgb, STEP);
    let changed = change.up | change.down;
    let now = vec4<bool>(change.up.x, change.down.x, change.up.y, change.down.y);
    let ages = select(ages_of(cell.state) + flash.passed, vec4<u32>(0u), now);
    var direction = (vec2<u32>(cell.state) >> vec2<u32>(16u, 18u)) & vec2<u32>(3u);
    direction = select(select(direction, vec2<u32>(DOWNWARDS), change.down), vec2<u32>(UPWARDS), change.up);
    let state = packed_ages(ages) | direction.x << 16u | direction.y << 18u;
    return Cell(
        select(change.low, change.value, changed),
        select(change.high, change.value, changed),
        rgb,
        select(state, state | WAS_RED, change.was_red),
    );
}

// Measures a cell of the picture.
fn judge(index: u32) {
    var cell = cells[verdict.current * CELLS + index];
    if flash.fresh != 0u {
        cell = Cell(vec2<f32>(3.4e38), vec2<f32>(-3.4e38), vec3<f32>(0.0), UNCHANGED);
    }
    cells[(1u - verdict.current) * CELLS + index] = after(cell, mean_light(index));
}

@compute @workgroup_size(64)
fn measure(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < CELLS {
        judge(id.x);
    }
}

// Measures the mixed picture.
@compute @workgroup_size(64)
fn measure_limited(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < CELLS && verdict.kind == 1u {
        judge(id.x);
    }
}
