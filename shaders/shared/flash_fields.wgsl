// Transitions of fields: what happens if a picture is shown and then stays. Follows flash_cells.wgsl.

// Frames since a change, at most 15.
fn ages(time: vec2<u32>, now: vec2<bool>) -> vec2<u32> {
    let age = (flash.now - time + flash.frame / 2u) / flash.frame;
    return select(min(age, vec2<u32>(15u)), vec2<u32>(0u), now);
}

// Computes `scratch.sets` for the case that the measured picture is shown and then stays.
fn try_picture(thread: u32) {
    for (var index = thread; index < CELLS; index += THREADS) {
        let cell = cells[index];
        let change = change_of(cell, light[index].rgb, STEP);
        let up = ages(cell.rose, change.up);
        let down = ages(cell.fell, change.down);
        scratch.ages[index] = up.x | down.x << 8u | up.y << 16u | down.y << 24u;
    }
    storageBarrier();
    for (var index = thread; index < flash.together * HEIGHT; index += THREADS) {
        let row = index % HEIGHT;
        let youngest = flash.together - 1u - index / HEIGHT;
        var sum = 0u;
        for (var x = 0u; x < WIDTH; x++) {
            sum += recent(row * WIDTH + x, youngest);
            if x >= FIELD_WIDTH {
                sum -= recent(row * WIDTH + x - FIELD_WIDTH, youngest);
            }
            if x + 1u >= FIELD_WIDTH {
                scratch.rows[index * ACROSS + x + 1u - FIELD_WIDTH] = sum;
            }
        }
    }
    storageBarrier();
    for (var index = thread; index < flash.together * ACROSS; index += THREADS) {
        let coming = index / ACROSS;
        let x = index % ACROSS;
        var sum = vec4<u32>(0u);
        for (var y = 0u; y < HEIGHT; y++) {
            sum += row_sums(coming, y, x);
            if y >= FIELD_HEIGHT {
                sum -= row_sums(coming, y - FIELD_HEIGHT, x);
            }
            if y + 1u >= FIELD_HEIGHT {
                let bits = select(vec4<u32>(0u), vec4<u32>(1u, 2u, 4u, 8u), sum >= vec4<u32>(QUARTER));
                let at = coming * FIELDS + (y + 1u - FIELD_HEIGHT) * ACROSS + x;
                scratch.sets[at] = bits.x | bits.y | bits.z | bits.w;
            }
        }
    }
    storageBarrier();
}

// A byte per kind of change: 1 if it is at most `youngest` frames old.
fn recent(cell: u32, youngest: u32) -> u32 {
    return (((youngest + 16u) * 0x01010101u - scratch.ages[cell]) >> 4u) & 0x01010101u;
}

fn row_sums(coming: u32, row: u32, x: u32) -> vec4<u32> {
    return (vec4<u32>(scratch.rows[(coming * HEIGHT + row) * ACROSS + x]) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u);
}

struct Events {
    // Transitions of the frames in which the previous picture was shown again.
    before: u32,
    // Whether there is a transition now.
    now: bool,
    // Transitions that follow while the picture stays.
    after: u32,
    // Direction of the last transition up to now.
    direction: u32,
    // Whether one of those now and after is more than allowed.
    over: bool,
}

// What happens in a field if the picture of `scratch.sets` is shown and then stays. With a smaller set of recent changes
// only fewer transitions can happen, so they follow in consecutive frames.
fn events_of(record: u32, allowed: u32) -> Events {
    let state = fields[record].state;
    let before = min(state >> 4u & 255u, flash.passed - 1u);
    var events = Events(before, false, 0u, state & 3u, false);
    if (before & 1u) == 1u {
        events.direction = 3u - events.direction;
    }
    let oldest = (state >> 16u) + before + ALLOWED - allowed;
    var direction = events.direction;
    for (var coming = 0u; coming < flash.together; coming++) {
        let sets = scratch.sets[coming * FIELDS + record / 2u] >> (record % 2u * 2u);
        if (sets & UP) != 0u && direction != UP {
            direction = UP;
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
        // The transition `allowed` earlier must be older than a second.
        let among = before + coming + ALLOWED - allowed;
        let time = fields[record].times[(oldest + coming) % ALLOWED];
        let age = flash.now + coming * flash.frame - time;
        events.over = events.over || among >= ALLOWED || age < flash.second;
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
}

// The measured picture is shown.
fn commit(thread: u32) {
    for (var index = thread; index < CELLS; index += THREADS) {
        commit_cell(index);
    }
    for (var record = thread; record < FIELD_RECORDS; record += THREADS) {
        let events = events_of(record, ALLOWED);
        commit_field(record, events.before, events.now, events.after, events.direction);
    }
}

// The previous picture is shown again.
fn commit_previous(thread: u32) {
    for (var record = thread; record < FIELD_RECORDS; record += THREADS) {
        let state = fields[record].state;
        let after = state >> 4u & 255u;
        let happened = min(after, flash.passed);
        let direction = select(state & 3u, 3u - (state & 3u), (happened & 1u) == 1u);
        commit_field(record, happened, false, after - happened, direction);
    }
}

fn start(thread: u32) {
    for (var index = thread; index < CELLS; index += THREADS) {
        commit_cell(index);
    }
    for (var record = thread; record < FIELD_RECORDS; record += THREADS) {
        fields[record].state = 0u;
        for (var i = 0u; i < ALLOWED; i++) {
            fields[record].times[i] = flash.now - LONG_AGO;
        }
    }
}
