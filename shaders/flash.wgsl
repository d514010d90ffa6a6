// The decision of the flash limiter. Appended to flash_cells.wgsl, flash_fields.wgsl and
// flash_pattern.wgsl; see docs/flash-safety.md.

// Decides whether the new picture is shown unchanged. If it is not, `verdict.weights` receives the largest blend
// weights of the new picture that change no cell in a field with too many transitions.
@compute @workgroup_size(THREADS)
fn decide(@builtin(local_invocation_index) thread: u32) {
    if flash.fresh != 0u {
        start(thread);
        return;
    }
    let calm = flash.now - verdict.limited >= flash.second;
    if !find_over(thread, select(ALLOWED_LIMITED, ALLOWED, calm)) {
        commit(thread);
        if thread == 0u {
            verdict.kind = 0u;
        }
        return;
    }
    for (var index = thread; index < OVER_COLUMNS; index += THREADS) {
        let x = index % WIDTH;
        let row = index / WIDTH * ACROSS;
        var over = scratch.over[SCREEN];
        for (var field = max(x, FIELD_WIDTH - 1u) + 1u - FIELD_WIDTH; field <= min(x, ACROSS - 1u); field++) {
            over |= scratch.over[row + field];
        }
        scratch.over_columns[index] = over;
    }
    storageBarrier();
    for (var index = thread; index < CELLS; index += THREADS) {
        scratch.shares[index] = share_of(index);
    }
    storageBarrier();
    for (var index = thread; index < CELLS; index += THREADS) {
        verdict.weights[index].x = smallest_around(index);
    }
    if thread == 0u {
        verdict.kind = 1u;
        verdict.limited = flash.now;
    }
}

// Initialises the state for the first picture, which is always shown.
fn start(thread: u32) {
    for (var record = thread; record < FIELD_RECORDS; record += THREADS) {
        fields[record].state = 0u;
        for (var i = 0u; i < ALLOWED; i++) {
            fields[record].times[i] = flash.now - LONG_AGO;
        }
    }
    if thread == 0u {
        verdict.kind = 0u;
        verdict.limited = flash.now - LONG_AGO;
        verdict.current = 1u - verdict.current;
        verdict.pending = 0u;
    }
}

// The largest blend weight of the new picture, in steps of 1/16, that does not change the cell; 1 if no field with
// too many transitions covers the cell.
fn share_of(index: u32) -> f32 {
    let x = index % WIDTH;
    let y = index / WIDTH;
    var over = 0u;
    for (var field = max(y, FIELD_HEIGHT - 1u) + 1u - FIELD_HEIGHT; field <= min(y, DOWN - 1u); field++) {
        over |= scratch.over_columns[field * WIDTH + x];
    }
    let cell = cells[verdict.current * CELLS + index];
    let rgb = cells[(1u - verdict.current) * CELLS + index].light;
    var share = 16u;
    if over != 0u {
        var change = change_of(cell, rgb, STEP);
        while share > 0u && any(change.up | change.down) {
            share--;
            change = change_of(cell, mix(cell.light, rgb, f32(share) / 16.0), HELD_STEP);
        }
    }
    return f32(share) / 16.0;
}

// The smallest blend weight of a cell and its neighbours, so that weights can be interpolated between cells.
fn smallest_around(index: u32) -> f32 {
    let x = index % WIDTH;
    let y = index / WIDTH;
    var share = 1.0;
    for (var row = max(y, 1u) - 1u; row <= min(y + 1u, HEIGHT - 1u); row++) {
        for (var column = max(x, 1u) - 1u; column <= min(x + 1u, WIDTH - 1u); column++) {
            share = min(share, scratch.shares[row * WIDTH + column]);
        }
    }
    return share;
}

// Verifies the mixed picture once it has been measured: shows it or, if it still has too many transitions, the
// previous one.
@compute @workgroup_size(THREADS)
fn verify(@builtin(local_invocation_index) thread: u32) {
    if thread == 0u {
        shared_value = verdict.kind;
    }
    if workgroupUniformLoad(&shared_value) != 1u {
        return;
    }
    if find_over(thread, ALLOWED) {
        commit_previous(thread);
        if thread == 0u {
            verdict.kind = 2u;
        }
    } else {
        commit(thread);
    }
}
