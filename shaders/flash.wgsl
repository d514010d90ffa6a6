// The flash limiter: counts general and red flashes as defined by WCAG 2.2 and ISO 9241-391, and attenuates a picture
// that would exceed three flashes per second.
//
// The picture is reduced to 96 x 72 cells. A transition counts if a quarter of a window of 32 x 24 cells (10 degrees of
// the visual field) changes at once; two opposite transitions are a flash. Each image holds two state machines side by
// side: luminance on the left, saturated red on the right.

// Matches `FlashUniforms` in src/stage/pass/flash.rs.
struct Flash {
    // Seconds since the previous frame.
    dt: f32,
    // 1 for the first frame, which has no history.
    fresh: f32,
}

@group(0) @binding(1) var<uniform> flash: Flash;
@group(0) @binding(2) var first: texture_2d<f32>;
@group(0) @binding(3) var before: texture_2d<f32>;
@group(0) @binding(4) var shown: texture_2d<f32>;
@group(0) @binding(5) var verdict: texture_2d<f32>;

const CELLS = vec2<i32>(96, 72);
const WINDOW = vec2<i32>(32, 24);
// Positions of a window.
const POSITIONS = vec2<i32>(65, 49);
// A quarter of the cells of a window.
const QUARTER = 192.0;
// Minimum change of relative luminance. Red is scaled to the same threshold.
const STEP = 0.1;
// Maximum change of an attenuated cell; below STEP because of rounding to 8 bits and half floats.
const HELD_STEP = 0.09;
// A transition counts only if its darker state is below this.
const BRIGHT = 0.8;
// Cells that change within this time, seconds, belong to the same transition of a window. 0.05 s minus a margin,
// because ages are multiples of the frame time.
const SIMULTANEOUS = 0.049;
const SECOND = 0.999;
const LONG_AGO = 99.0;

fn linear(light: vec3<f32>) -> vec3<f32> {
    let high = pow((light + 0.055) / 1.055, vec3<f32>(2.4));
    return select(high, light / 12.92, light <= vec3<f32>(0.04045));
}

fn encoded(light: vec3<f32>) -> vec3<f32> {
    let high = 1.055 * pow(max(light, vec3<f32>(0.0)), vec3<f32>(1.0 / 2.4)) - 0.055;
    return select(high, light * 12.92, light <= vec3<f32>(0.0031308));
}

// Distance of a saturated red from white (CIE 1976 u'v'), halved so that its threshold of 0.2 equals STEP.
fn redness(light: vec3<f32>) -> f32 {
    let sum = light.r + light.g + light.b;
    if sum < 0.02 || light.r < 0.8 * sum {
        return 0.0;
    }
    let x = dot(light, vec3<f32>(0.4124, 0.3576, 0.1805));
    let z = dot(light, vec3<f32>(0.0193, 0.1192, 0.9505));
    let y = luma(light);
    let color = vec2<f32>(4.0 * x, 9.0 * y) / max(x + 15.0 * y + 3.0 * z, 1e-6);
    return 0.5 * length(color - vec2<f32>(0.1978, 0.4683));
}

// Mean value of one cell of the picture.
@fragment
fn fs_reduce(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let pos = vec2<i32>(at.xy);
    let cell = vec2<i32>(pos.x % CELLS.x, pos.y);
    let size = vec2<i32>(textureDimensions(first));
    let from_pixel = cell * size / CELLS;
    let to_pixel = max((cell + 1) * size / CELLS, from_pixel + 1);
    var sum = vec3<f32>(0.0);
    for (var y = from_pixel.y; y < to_pixel.y; y++) {
        for (var x = from_pixel.x; x < to_pixel.x; x++) {
            sum += linear(textureLoad(first, vec2<i32>(x, y), 0).rgb);
        }
    }
    let area = to_pixel - from_pixel;
    let light = sum / f32(area.x * area.y);
    let value = select(redness(light), luma(light), pos.x < CELLS.x);
    return vec4<f32>(value, 0.0, 0.0, 1.0);
}

// Change of a cell. The state of a cell is (x, y) lowest and highest value since its last transition, and (z, w)
// seconds since the last transition up and down.
struct Transition {
    up: bool,
    down: bool,
    low: f32,
    high: f32,
}

fn transition(state: vec4<f32>, value: f32) -> Transition {
    let low = min(state.x, value);
    let high = max(state.y, value);
    // The smaller age is the direction of the last transition; if they are equal, there was none.
    let up = value - low >= STEP && state.z >= state.w && low < BRIGHT;
    let down = high - value >= STEP && state.w >= state.z && value < BRIGHT && !up;
    return Transition(up, down, low, high);
}

// Returns the next state of a cell.
fn advance(state: vec4<f32>, value: f32) -> vec4<f32> {
    if flash.fresh > 0.0 {
        return vec4<f32>(value, value, LONG_AGO, LONG_AGO);
    }
    let change = transition(state, value);
    let ages = min(state.zw + flash.dt, vec2<f32>(LONG_AGO));
    if change.up {
        return vec4<f32>(value, value, 0.0, ages.y);
    }
    if change.down {
        return vec4<f32>(value, value, ages.x, 0.0);
    }
    return vec4<f32>(change.low, change.high, ages);
}

// Trial state: the cells if the picture were shown unchanged. `first`: values; `before`: cells.
@fragment
fn fs_trial(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let pos = vec2<i32>(at.xy);
    return advance(textureLoad(before, pos, 0), textureLoad(first, pos, 0).r);
}

// Returns the strength of the new picture, from `verdict`.
fn share() -> f32 {
    return textureLoad(verdict, vec2<i32>(0), 0).r;
}

fn shown_light(pos: vec2<i32>) -> f32 {
    let light = textureLoad(first, pos, 0).r;
    return select(mix(textureLoad(shown, pos, 0).r, light, share()), light, flash.fresh > 0.0);
}

// State of the cells for the picture as shown.
@fragment
fn fs_commit(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let pos = vec2<i32>(at.xy);
    return advance(textureLoad(before, pos, 0), shown_light(pos));
}

// Values of the picture as shown.
@fragment
fn fs_shown(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    return vec4<f32>(shown_light(vec2<i32>(at.xy)), 0.0, 0.0, 1.0);
}

// Counts the cells in one row of a window that just changed up and down. `first`: cells.
@fragment
fn fs_across(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let pos = vec2<i32>(at.xy);
    let side = pos.x / POSITIONS.x;
    let from_cell = side * CELLS.x + pos.x % POSITIONS.x;
    var changed = vec2<f32>(0.0);
    for (var cell = 0; cell < WINDOW.x; cell++) {
        let ages = textureLoad(first, vec2<i32>(from_cell + cell, pos.y), 0).zw;
        changed += select(vec2<f32>(0.0), vec2<f32>(1.0), ages < vec2<f32>(SIMULTANEOUS));
    }
    return vec4<f32>(changed, 0.0, 1.0);
}

// State of the windows: ages of the last seven transitions, newest first. The left half of the image holds four ages,
// the right half three more and the direction of the last transition. `first`: row counts; `before`: windows.
@fragment
fn fs_windows(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let pos = vec2<i32>(at.xy);
    let half = POSITIONS.x * 2;
    let window = vec2<i32>(pos.x % half, pos.y);
    var newer = vec4<f32>(LONG_AGO);
    var older = vec4<f32>(LONG_AGO, LONG_AGO, LONG_AGO, 0.0);
    if flash.fresh == 0.0 {
        let long_ago = vec4<f32>(LONG_AGO);
        newer = min(textureLoad(before, window, 0) + flash.dt, long_ago);
        older = textureLoad(before, window + vec2<i32>(half, 0), 0);
        older = vec4<f32>(min(older.xyz + flash.dt, long_ago.xyz), older.w);
    }
    var changed = vec2<f32>(0.0);
    for (var row = 0; row < WINDOW.y; row++) {
        changed += textureLoad(first, window + vec2<i32>(0, row), 0).xy;
    }
    let up = changed.x >= QUARTER && older.w <= 0.0;
    let down = changed.y >= QUARTER && older.w >= 0.0 && !up;
    if up || down {
        older = vec4<f32>(newer.w, older.x, older.y, select(-1.0, 1.0, up));
        newer = vec4<f32>(0.0, newer.xyz);
    }
    return select(older, newer, vec4<bool>(pos.x < half));
}

// Reduces one row: whether a window has a seventh transition within a second, and the maximum strength of the new
// picture in that case. `first`: values; `before`: cells; `shown`: previous values as shown; `verdict`: trial
// windows.
@fragment
fn fs_row(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let row = i32(at.y);
    var most = 1.0;
    for (var x = 0; x < CELLS.x * 2; x++) {
        let pos = vec2<i32>(x, row);
        let value = textureLoad(first, pos, 0).r;
        let change = transition(textureLoad(before, pos, 0), value);
        if change.up || change.down {
            let last = textureLoad(shown, pos, 0).r;
            let limit = select(change.high - HELD_STEP, change.low + HELD_STEP, change.up);
            let change_now = value - last;
            let part = clamp((limit - last) / select(change_now, 1e-4, abs(change_now) < 1e-4), 0.0, 1.0);
            // Redness is not linear in the mix; the picture freezes where red would change.
            most = min(most, select(0.0, part, x < CELLS.x));
        }
    }
    var over = 0.0;
    if row < POSITIONS.y {
        let half = POSITIONS.x * 2;
        for (var x = 0; x < half; x++) {
            let changes_now = textureLoad(verdict, vec2<i32>(x, row), 0).x == 0.0;
            let seventh = textureLoad(verdict, vec2<i32>(x + half, row), 0).z;
            over = select(over, 1.0, changes_now && seventh < SECOND);
        }
    }
    return vec4<f32>(most, over, 0.0, 1.0);
}

// Reduces the rows to the strength of the new picture: 1, or the most that changes no cell. `first`: rows.
@fragment
fn fs_verdict() -> @location(0) vec4<f32> {
    var most = 1.0;
    var over = 0.0;
    for (var row = 0; row < CELLS.y; row++) {
        let part = textureLoad(first, vec2<i32>(0, row), 0).xy;
        most = min(most, part.x);
        over = max(over, part.y);
    }
    return vec4<f32>(select(1.0, most, over > 0.0 && flash.fresh == 0.0), 0.0, 0.0, 1.0);
}

// Mixes the output picture in linear light. `first`: new picture; `before`: previous output.
@fragment
fn fs_limit(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let pos = vec2<i32>(at.xy);
    let light = textureLoad(first, pos, 0).rgb;
    let part = share();
    if part >= 1.0 {
        return vec4<f32>(light, 1.0);
    }
    let last = linear(textureLoad(before, pos, 0).rgb);
    return vec4<f32>(encoded(mix(last, linear(light), part)), 1.0);
}
