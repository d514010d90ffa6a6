// Regular patterns: finds stripes as `media::flash::pattern` does, and decides how far to soften them. Appended to
// flash_fields.wgsl; see docs/flash-safety.md.

// Number of samples per cell along the middle of a row or column of cells.
const PER_CELL = 4u;
// Number of rows and columns of cells.
const LINES = 168u;
// Number of samples on all rows; all columns have as many.
const SAMPLES = 27648u;
const ALL_SAMPLES = 55296u;
// Minimum number of stripes between the first and the last edge, and minimum width of a pair in samples.
const MIN_STRIPES = 10u;
const MIN_PAIR = 4u;
// Minimum relative luminance of a light stripe.
const LIGHT_ABOVE = 0.25;
// Number of cells above which a stationary pattern is harmful; for an unsteady one, it is `SCREEN_QUARTER`.
const STATIONARY = 2764u;
// Exposure to a pattern, in seconds, after which it is softened completely, and the rate at which exposure fades.
const FULL_EXPOSURE = 0.4;
const FADING = 0.25;
const TICKS = 7200.0;

// Movement of the stripes on a line; same as `Line` in src/media/flash/pattern.rs.
struct Line {
    rise: u32,
    direction: i32,
    gone: u32,
    steady: u32,
}

struct Pattern {
    lines: array<Line, LINES>,
    // Luminance along the middles of all rows of cells, then of all columns.
    light: array<f32, ALL_SAMPLES>,
    // For each cell: 1 if its row has stripes there, 2 if they are unsteady; then the same for columns.
    marks: array<u32, CELL_RECORDS>,
}

@group(0) @binding(7) var<storage, read_write> pattern: Pattern;

var<workgroup> sums: array<vec4<f32>, THREADS>;
var<workgroup> unsteady_sums: array<u32, THREADS>;
var<workgroup> shared_softness: f32;

// Measures a sample of a line of the picture.
@compute @workgroup_size(64)
fn sample_lines(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= ALL_SAMPLES {
        return;
    }
    let is_row = id.x < SAMPLES;
    let index = id.x % SAMPLES;
    let size = textureDimensions(picture);
    let parts = PER_CELL * select(HEIGHT, WIDTH, is_row);
    let lines = select(WIDTH, HEIGHT, is_row);
    let along = select(size.y, size.x, is_row);
    let across = select(size.x, size.y, is_row);
    let start = index % parts * along / parts;
    let end = max((index % parts + 1u) * along / parts, start + 1u);
    let near = (2u * (index / parts) + 1u) * across / (2u * lines);
    let far = min(near + 2u, across);
    var sum = 0.0;
    for (var a = start; a < end; a++) {
        for (var b = near; b < far; b++) {
            let place = select(vec2<u32>(b, a), vec2<u32>(a, b), is_row);
            sum += dot(linear(textureLoad(picture, place, 0).rgb), vec3<f32>(0.2126, 0.7152, 0.0722));
        }
    }
    pattern.light[id.x] = sum / f32((end - start) * (far - near));
}

// Regular stripes between two edges of a line: the edges, whether the first is a rise, the number of stripes, the
// widths of the last two and of the first one, and the width of the first pair.
struct Run {
    start: u32,
    last: u32,
    is_rise: bool,
    count: u32,
    newest: u32,
    older: u32,
    first: u32,
    pair: u32,
}

// Returns the line after a frame in which it has stripes.
fn moved(before: Line, run: Run) -> Line {
    let second = (flash.second + flash.frame / 2u) / flash.frame;
    let rise = run.start + select(run.first, 0u, run.is_rise);
    let pair = i32(run.pair);
    let shift = ((i32(rise) - i32(before.rise)) % pair + pair) % pair;
    let is_ahead = 2 * shift <= pair;
    let distance = select(pair - shift, shift, is_ahead);
    let direction = select(-1, 1, is_ahead);
    var line = before;
    if line.gone >= second {
        line.rise = rise;
        line.direction = 0;
    } else if line.gone > 0u || 8 * distance >= 3 * pair {
        line.rise = rise;
        line.direction = 0;
        line.steady = 0u;
    } else if 8 * distance >= pair {
        if line.direction == -direction {
            line.steady = 0u;
        }
        line.rise = rise;
        line.direction = direction;
    }
    line.gone = 0u;
    return line;
}

// Marks the cells of a line that have these stripes.
fn mark(run: Run, first: u32, stride: u32, length: u32, value: u32) {
    let margin = (run.last - run.start) / run.count + PER_CELL / 2u;
    let end = min((run.last + margin - 1u) / PER_CELL, length / PER_CELL);
    for (var cell = (max(run.start, margin) - margin + PER_CELL - 1u) / PER_CELL; cell < end; cell++) {
        pattern.marks[first + stride * cell] = value;
    }
}

// Finds the stripes on a line.
@compute @workgroup_size(64)
fn find_stripes(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= LINES {
        return;
    }
    let is_row = id.x < HEIGHT;
    let column = max(id.x, HEIGHT) - HEIGHT;
    let length = PER_CELL * select(HEIGHT, WIDTH, is_row);
    let first_sample = select(SAMPLES + column * length, id.x * length, is_row);
    let first_cell = select(CELLS + column, id.x * WIDTH, is_row);
    let stride = select(WIDTH, 1u, is_row);
    for (var cell = 0u; cell < length / PER_CELL; cell++) {
        pattern.marks[first_cell + stride * cell] = 0u;
    }
    let second = (flash.second + flash.frame / 2u) / flash.frame;
    var line = pattern.lines[id.x];
    if flash.fresh != 0u {
        line = Line(0u, 0, LONG_AGO, LONG_AGO);
    }
    line.steady = min(line.steady + flash.passed, LONG_AGO);
    if line.gone > 0u {
        line.gone = min(line.gone + flash.passed - 1u, LONG_AGO);
    }
    var found = false;
    var lowest = pattern.light[first_sample];
    var highest = lowest;
    var direction = 0;
    var run = Run(0u, 0u, false, 0u, 0u, 0u, 0u, 0u);
    // One step beyond the last sample closes the last run.
    for (var at = 0u; at <= length; at++) {
        let is_end = at == length;
        let now = pattern.light[first_sample + min(at, length - 1u)];
        lowest = min(lowest, now);
        highest = max(highest, now);
        let rises = direction <= 0 && now - lowest >= STEP.x && lowest < BRIGHT;
        let falls = direction >= 0 && highest - now >= STEP.x && now < BRIGHT && highest > LIGHT_ABOVE;
        if !is_end && !rises && !falls {
            continue;
        }
        let stripe = at - run.last;
        let width = stripe + run.newest;
        let before = run.newest + run.older;
        let difference = max(width, before) - min(width, before);
        let is_pair = 4u * min(stripe, run.newest) >= width && width >= MIN_PAIR;
        let is_regular = run.count == 0u || (is_pair && (run.count == 1u || 5u * difference <= max(before, 5u)));
        if is_end || !is_regular {
            if run.count >= MIN_STRIPES {
                if !found {
                    line = moved(line, run);
                    found = true;
                }
                mark(run, first_cell, stride, length, select(1u, 2u, line.steady < second));
            }
            run.start = run.last;
            run.is_rise = !rises;
            run.count = 0u;
            run.newest = 0u;
        }
        if direction == 0 {
            run.start = at;
            run.is_rise = rises;
        } else {
            if run.count == 0u {
                run.first = stripe;
            } else if run.count == 1u {
                run.pair = stripe + run.newest;
            }
            run.older = run.newest;
            run.newest = stripe;
            run.count++;
        }
        lowest = now;
        highest = now;
        direction = select(-1, 1, rises);
        run.last = at;
    }
    if !found {
        line.gone = min(line.gone + 1u, LONG_AGO);
    }
    pattern.lines[id.x] = line;
}

fn mark_of(cell: u32) -> u32 {
    return max(pattern.marks[cell], pattern.marks[CELLS + cell]);
}

fn exposed(exposure: f32, harmful: bool, seconds: f32) -> f32 {
    return clamp(exposure + select(-FADING, 1.0, harmful) * seconds, 0.0, FULL_EXPOSURE);
}

// Decides how far to soften the stripes of the picture: an unsteady pattern at once, others gradually.
@compute @workgroup_size(THREADS)
fn soften(@builtin(local_invocation_index) thread: u32) {
    var sum = vec4<f32>(0.0);
    var unsteady = 0u;
    for (var index = thread; index < CELLS; index += THREADS) {
        let found = mark_of(index);
        if found != 0u {
            sum += vec4<f32>(cells[verdict.current * CELLS + index].light, 1.0);
        }
        unsteady += u32(found == 2u);
    }
    sums[thread] = sum;
    unsteady_sums[thread] = unsteady;
    workgroupBarrier();
    if thread == 0u {
        for (var other = 1u; other < THREADS; other++) {
            sum += sums[other];
            unsteady += unsteady_sums[other];
        }
        let frame = f32(flash.frame) / TICKS;
        let was_harmful = verdict.harmful != 0u;
        var exposure = exposed(verdict.exposure, was_harmful, f32(flash.passed - 1u) * frame);
        if flash.fresh != 0u {
            exposure = 0.0;
        }
        let most = select(STATIONARY, SCREEN_QUARTER, exposure > 0.0);
        let is_unsteady = unsteady > SCREEN_QUARTER;
        let harmful = is_unsteady || sum.w > f32(most);
        exposure = select(exposed(exposure, harmful, frame), FULL_EXPOSURE, is_unsteady);
        let colour = sum.rgb / max(sum.w, 1.0);
        verdict.exposure = exposure;
        verdict.harmful = u32(harmful);
        verdict.softness = exposure / FULL_EXPOSURE;
        verdict.red = colour.r;
        verdict.green = colour.g;
        verdict.blue = colour.b;
        shared_softness = exposure;
    }
    if workgroupUniformLoad(&shared_softness) <= 0.0 {
        return;
    }
    for (var index = thread; index < CELLS; index += THREADS) {
        let x = index % WIDTH;
        let y = index / WIDTH;
        var found = 0u;
        for (var row = max(y, 1u) - 1u; row <= min(y + 1u, HEIGHT - 1u); row++) {
            for (var column = max(x, 1u) - 1u; column <= min(x + 1u, WIDTH - 1u); column++) {
                found |= mark_of(row * WIDTH + column);
            }
        }
        verdict.weights[index].y = select(0.0, 1.0, found != 0u);
    }
}
