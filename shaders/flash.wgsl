// The flash limiter: what the crowd would see is counted as WCAG 2.2 and ISO 9241-391 define general and red flashes,
// and a picture that would flash more than three times a second is held back.
//
// Cells of 96 x 72 hold the mean light; a flash counts where a quarter of a window of 32 x 24 cells (10 degrees of
// sight) turns together. Two machines lie side by side in every image: light on the left, saturated red on the right.

// Twin of `FlashUniforms` in src/stage/pass/flash.rs.
struct Flash {
    // Seconds since the last frame.
    dt: f32,
    // 1 on the first frame: there is nothing to compare with.
    fresh: f32,
}

@group(0) @binding(1) var<uniform> flash: Flash;
@group(0) @binding(2) var first: texture_2d<f32>;
@group(0) @binding(3) var before: texture_2d<f32>;
@group(0) @binding(4) var shown: texture_2d<f32>;
@group(0) @binding(5) var verdict: texture_2d<f32>;

const CELLS = vec2<i32>(96, 72);
const WINDOW = vec2<i32>(32, 24);
const PLACES = vec2<i32>(65, 49);
// A quarter of a window's cells.
const QUARTER = 192.0;
// Change of relative luminance that counts; red is scaled so that the same number counts.
const STEP = 0.1;
// How near to a step a held cell may come: eight bits and half floats round.
const HELD_STEP = 0.09;
// Two bright states do not count.
const BRIGHT = 0.8;
// Turns this close together, in seconds, are one turn of the window. Ages sit on frames, so a hair is taken off.
const TOGETHER = 0.049;
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

// How far a saturated red is from white (CIE 1976 u'v'), halved so that the threshold of 0.2 becomes that of light.
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

// Mean light of one cell of the finished picture.
@fragment
fn fs_reduce(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let place = vec2<i32>(at.xy);
    let cell = vec2<i32>(place.x % CELLS.x, place.y);
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
    let value = select(redness(light), luma(light), place.x < CELLS.x);
    return vec4<f32>(value, 0.0, 0.0, 1.0);
}

// A cell's state: lowest and highest light since its last turn, and how long ago it last turned up and down.
struct Turn {
    up: bool,
    down: bool,
    low: f32,
    high: f32,
}

fn turn(state: vec4<f32>, value: f32) -> Turn {
    let low = min(state.x, value);
    let high = max(state.y, value);
    // The newer of both ages says which way the cell went last; equal ages say nothing.
    let up = value - low >= STEP && state.z >= state.w && low < BRIGHT;
    let down = high - value >= STEP && state.w >= state.z && value < BRIGHT && !up;
    return Turn(up, down, low, high);
}

fn advanced(state: vec4<f32>, value: f32) -> vec4<f32> {
    if flash.fresh > 0.0 {
        return vec4<f32>(value, value, LONG_AGO, LONG_AGO);
    }
    let change = turn(state, value);
    let ages = min(state.zw + flash.dt, vec2<f32>(LONG_AGO));
    if change.up {
        return vec4<f32>(value, value, 0.0, ages.y);
    }
    if change.down {
        return vec4<f32>(value, value, ages.x, 0.0);
    }
    return vec4<f32>(change.low, change.high, ages);
}

// The cells if the picture were shown as it is: `first` its light, `before` the cells.
@fragment
fn fs_trial(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let place = vec2<i32>(at.xy);
    return advanced(textureLoad(before, place, 0), textureLoad(first, place, 0).r);
}

fn share() -> f32 {
    return textureLoad(verdict, vec2<i32>(0), 0).r;
}

fn shown_light(place: vec2<i32>) -> f32 {
    let light = textureLoad(first, place, 0).r;
    return select(mix(textureLoad(shown, place, 0).r, light, share()), light, flash.fresh > 0.0);
}

// The cells as the picture was shown in the end.
@fragment
fn fs_commit(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let place = vec2<i32>(at.xy);
    return advanced(textureLoad(before, place, 0), shown_light(place));
}

// The light that was shown in the end.
@fragment
fn fs_shown(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    return vec4<f32>(shown_light(vec2<i32>(at.xy)), 0.0, 0.0, 1.0);
}

// Cells that just turned up and down in one row of a window; `first` the cells.
@fragment
fn fs_across(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let place = vec2<i32>(at.xy);
    let machine = place.x / PLACES.x;
    let from_cell = machine * CELLS.x + place.x % PLACES.x;
    var turned = vec2<f32>(0.0);
    for (var cell = 0; cell < WINDOW.x; cell++) {
        let ages = textureLoad(first, vec2<i32>(from_cell + cell, place.y), 0).zw;
        turned += select(vec2<f32>(0.0), vec2<f32>(1.0), ages < vec2<f32>(TOGETHER));
    }
    return vec4<f32>(turned, 0.0, 1.0);
}

// The windows: how long ago each turned, newest first, the last seven times. The left half of the image holds the first
// four ages, the right half three more and which way the window went last. `first` the counted rows, `before` the
// windows.
@fragment
fn fs_windows(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let place = vec2<i32>(at.xy);
    let half = PLACES.x * 2;
    let window = vec2<i32>(place.x % half, place.y);
    var newer = vec4<f32>(LONG_AGO);
    var older = vec4<f32>(LONG_AGO, LONG_AGO, LONG_AGO, 0.0);
    if flash.fresh == 0.0 {
        let long_ago = vec4<f32>(LONG_AGO);
        newer = min(textureLoad(before, window, 0) + flash.dt, long_ago);
        older = textureLoad(before, window + vec2<i32>(half, 0), 0);
        older = vec4<f32>(min(older.xyz + flash.dt, long_ago.xyz), older.w);
    }
    var turned = vec2<f32>(0.0);
    for (var row = 0; row < WINDOW.y; row++) {
        turned += textureLoad(first, window + vec2<i32>(0, row), 0).xy;
    }
    let up = turned.x >= QUARTER && older.w <= 0.0;
    let down = turned.y >= QUARTER && older.w >= 0.0 && !up;
    if up || down {
        older = vec4<f32>(newer.w, older.x, older.y, select(-1.0, 1.0, up));
        newer = vec4<f32>(0.0, newer.xyz);
    }
    return select(older, newer, vec4<bool>(place.x < half));
}

// One row of everything: whether a window would turn a seventh time within a second, and how much of the picture may
// be shown if so. `first` the light, `before` the cells, `shown` the light shown last, `verdict` the windows on trial.
@fragment
fn fs_row(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let row = i32(at.y);
    var most = 1.0;
    for (var x = 0; x < CELLS.x * 2; x++) {
        let place = vec2<i32>(x, row);
        let value = textureLoad(first, place, 0).r;
        let change = turn(textureLoad(before, place, 0), value);
        if change.up || change.down {
            let last = textureLoad(shown, place, 0).r;
            let limit = select(change.high - HELD_STEP, change.low + HELD_STEP, change.up);
            let way = value - last;
            let part = clamp((limit - last) / select(way, 1e-4, abs(way) < 1e-4), 0.0, 1.0);
            // Redness does not mix in a line; where red would turn, the picture stands still.
            most = min(most, select(0.0, part, x < CELLS.x));
        }
    }
    var over = 0.0;
    if row < PLACES.y {
        let half = PLACES.x * 2;
        for (var x = 0; x < half; x++) {
            let turns_now = textureLoad(verdict, vec2<i32>(x, row), 0).x == 0.0;
            let seventh = textureLoad(verdict, vec2<i32>(x + half, row), 0).z;
            over = select(over, 1.0, turns_now && seventh < SECOND);
        }
    }
    return vec4<f32>(most, over, 0.0, 1.0);
}

// How much of the new picture is shown: all of it, or as much as keeps every cell from turning. `first` the rows.
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

// The picture that is shown: `first` the finished one, `before` the one shown last. Mixed in linear light, as counted.
@fragment
fn fs_limit(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let place = vec2<i32>(at.xy);
    let light = textureLoad(first, place, 0).rgb;
    let part = share();
    if part >= 1.0 {
        return vec4<f32>(light, 1.0);
    }
    let last = linear(textureLoad(before, place, 0).rgb);
    return vec4<f32>(encoded(mix(last, linear(light), part)), 1.0);
}
