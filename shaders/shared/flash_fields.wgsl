// Transitions of fields: what happens if the measured picture is shown and then stays on screen. Appended to
// flash_cells.wgsl. These steps run in one workgroup.

const THREADS = 256u;
// Number of transitions allowed within a second: three and a half flashes, or three during the second after a
// picture was limited.
const ALLOWED = 7u;
const ALLOWED_LIMITED = 6u;

var<workgroup> any_over: atomic<u32>;
var<workgroup> any_set: atomic<u32>;
var<workgroup> any_pending: atomic<u32>;
var<workgroup> shared_value: u32;

// One byte per kind of change in a measured cell: 1 if the last change is at most `max_age` frames old.
fn recent(cell: u32, max_age: u32) -> u32 {
    let state = cells[(1u - verdict.current) * CELLS + cell].state;
    let ages = (state & 15u) | (state & 0xf0u) << 4u | (state & 0xf00u) << 8u | (state & 0xf000u) << 12u;
    return (((max_age + 16u) * 0x01010101u - ages) >> 4u) & 0x01010101u;
}

fn row_sums(coming: u32, row: u32, x: u32) -> vec4<u32> {
    let sums = scratch.rows[(coming * HEIGHT + row) * ROW_SUMS + x];
    return (vec4<u32>(sums) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u);
}

// Computes `scratch.sets` for each number of frames ahead from `first` to `end - 1`.
fn count_changes(thread: u32, first: u32, end: u32) {
    for (var index = first * HEIGHT + thread; index < end * HEIGHT; index += THREADS) {
        let row = index % HEIGHT;
        let max_age = flash.together - 1u - index / HEIGHT;
        var sum = 0u;
        var whole = 0u;
        for (var x = 0u; x < WIDTH; x++) {
            let here = recent(row * WIDTH + x, max_age);
            sum += here;
            whole += here;
            if x >= FIELD_WIDTH {
                sum -= recent(row * WIDTH + x - FIELD_WIDTH, max_age);
            }
            if x + 1u >= FIELD_WIDTH {
                scratch.rows[index * ROW_SUMS + x + 1u - FIELD_WIDTH] = sum;
            }
        }
        scratch.rows[index * ROW_SUMS + ACROSS] = whole;
    }
    storageBarrier();
    var any = 0u;
    for (var index = first * ROW_SUMS + thread; index < end * ROW_SUMS; index += THREADS) {
        let coming = index / ROW_SUMS;
        let x = index % ROW_SUMS;
        let screen = x == ACROSS;
        let height = select(FIELD_HEIGHT, HEIGHT, screen);
        let quarter = vec4<u32>(select(QUARTER, SCREEN_QUARTER, screen));
        var sum = vec4<u32>(0u);
        for (var y = 0u; y < HEIGHT; y++) {
            sum += row_sums(coming, y, x);
            if y >= height {
                sum -= row_sums(coming, y - height, x);
            }
            if y + 1u >= height {
                let bits = select(vec4<u32>(0u), vec4<u32>(1u, 2u, 4u, 8u), sum >= quarter);
                let sets = bits.x | bits.y | bits.z | bits.w;
                let field = select((y + 1u - height) * ACROSS + x, SCREEN, screen);
                scratch.sets[coming * FIELDS + field] = sets;
                // The fifth bit: enough cells have changed in both directions, in luminance or in red.
                any |= sets | select(0u, 16u, (sets & 3u) == 3u || (sets & 12u) == 12u);
            }
        }
    }
    if any != 0u {
        atomicOr(&any_set, any);
    }
    storageBarrier();
}

struct Events {
    // Number of transitions in the frames in which the previous picture was shown again.
    before: u32,
    // Whether there is a transition in the frame of the measured picture.
    now: bool,
    // Number of transitions that follow while the picture stays on screen.
    after: u32,
    // Direction of the last transition up to and including that frame.
    direction: u32,
    // Whether a transition in that frame or later exceeds the number allowed.
    over: bool,
}

// What happens in a field if the measured picture is shown and then stays on screen. While it stays, the sets of
// recent changes only shrink, so further transitions need changes in both directions and occur in consecutive
// frames.
fn events_of(record: u32, allowed: u32) -> Events {
    let state = fields[record].state;
    let before = min(state >> 4u & 255u, flash.passed - 1u);
    var events = Events(before, false, 0u, state & 3u, false);
    if (before & 1u) == 1u {
        events.direction = 3u - events.direction;
    }
    var direction = events.direction;
    for (var coming = 0u; coming < flash.together; coming++) {
        let sets = scratch.sets[coming * FIELDS + record / 2u] >> (record % 2u * 2u) & 3u;
        if (sets & UPWARDS) != 0u && direction != UPWARDS {
            direction = UPWARDS;
        } else if (sets & DOWNWARDS) != 0u && direction != DOWNWARDS {
            direction = DOWNWARDS;
        } else {
            break;
        }
        if coming == 0u {
            events.now = true;
            events.direction = direction;
        } else {
            events.after++;
        }
        // The transition `allowed` places earlier must be at least a second old.
        let later = before + coming + ALLOWED - allowed;
        let time = fields[record].times[((state >> 16u) + later) % ALLOWED];
        let age = flash.now + coming * flash.frame - time;
        events.over = events.over || later >= ALLOWED || age < flash.second;
        if sets != 3u {
            break;
        }
    }
    return events;
}

fn commit_field(record: u32, before: u32, now: bool, after: u32, direction: u32) {
    let state = fields[record].state;
    var oldest = state >> 16u;
    for (var frame = 1u; frame <= before; frame++) {
        fields[record].times[oldest] = flash.now - (flash.passed - frame) * flash.frame;
        oldest = (oldest + 1u) % ALLOWED;
    }
    if now {
        fields[record].times[oldest] = flash.now;
        oldest = (oldest + 1u) % ALLOWED;
    }
    let next = direction | after << 4u | oldest << 16u;
    if next != state {
        fields[record].state = next;
    }
    if after != 0u {
        atomicStore(&any_pending, 1u);
    }
}

// Marks the fields with more transitions than allowed, and returns whether there are any.
fn find_over(thread: u32, allowed: u32) -> bool {
    if thread == 0u {
        atomicStore(&any_over, 0u);
        atomicStore(&any_set, 0u);
        atomicStore(&any_pending, 0u);
    }
    workgroupBarrier();
    count_changes(thread, 0u, 1u);
    if thread == 0u {
        shared_value = atomicLoad(&any_set);
    }
    let sets = workgroupUniformLoad(&shared_value);
    if sets >= 16u {
        count_changes(thread, 1u, flash.together);
    }
    if sets == 0u {
        return false;
    }
    for (var field = thread; field < FIELDS; field += THREADS) {
        var over = false;
        if scratch.sets[field] != 0u {
            over = events_of(field * 2u, allowed).over || events_of(field * 2u + 1u, allowed).over;
        }
        scratch.over[field] = u32(over);
        if over {
            atomicStore(&any_over, 1u);
        }
    }
    storageBarrier();
    workgroupBarrier();
    if thread == 0u {
        shared_value = atomicLoad(&any_over);
    }
    return workgroupUniformLoad(&shared_value) != 0u;
}

// Commits the measured picture as the one shown.
fn commit(thread: u32) {
    for (var field = thread; field < FIELDS; field += THREADS) {
        if scratch.sets[field] != 0u || verdict.pending != 0u {
            for (var record = field * 2u; record < field * 2u + 2u; record++) {
                let events = events_of(record, ALLOWED);
                commit_field(record, events.before, events.now, events.after, events.direction);
            }
        }
    }
    close(thread, 1u - verdict.current);
}

// Commits the previous picture, which is shown again.
fn commit_previous(thread: u32) {
    for (var index = thread; index < CELLS; index += THREADS) {
        let state = cells[verdict.current * CELLS + index].state;
        let aged = state & ~UNCHANGED | packed_ages(ages_of(state) + flash.passed);
        cells[verdict.current * CELLS + index].state = aged;
    }
    for (var record = thread; record < FIELD_RECORDS; record += THREADS) {
        let state = fields[record].state;
        let after = state >> 4u & 255u;
        let happened = min(after, flash.passed);
        let direction = select(state & 3u, 3u - (state & 3u), (happened & 1u) == 1u);
        commit_field(record, happened, false, after - happened, direction);
    }
    close(thread, verdict.current);
}

// Ends the commit; `current` is the half of `cells` that describes the picture shown.
fn close(thread: u32, current: u32) {
    storageBarrier();
    workgroupBarrier();
    if thread == 0u {
        verdict.current = current;
        verdict.pending = atomicLoad(&any_pending);
    }
}
