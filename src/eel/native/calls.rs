//! The context that machine code runs in, and the functions that the code calls.
//!
//! The numeric functions are the interpreter's own, so their results are identical.

use super::super::functions::{Binary, Move, Unary};
use super::super::machine::{Budget, Machine, Shared};
use super::super::memory::{BLOCKS, Memory};
use super::super::random::EelRandom;
use super::super::tree::Space;

/// State that machine code operates on.
#[repr(C)]
pub(super) struct NativeContext {
    pub vars: *mut f64,
    pub regs: *mut f64,
    pub inputs: *const f64,
    pub outputs: *mut f64,
    /// Remaining instructions; between calls, the code keeps the count in a register.
    pub fuel: i64,
    /// Pointers to the blocks of `megabuf`; null for unallocated blocks.
    pub local: [*mut f64; BLOCKS],
    /// Pointers to the blocks of `gmegabuf`; null for unallocated blocks.
    pub global: [*mut f64; BLOCKS],
    megabuf: *mut Memory,
    shared: *mut Shared,
    rng: *mut EelRandom,
    uses_local: bool,
    uses_global: bool,
}

impl NativeContext {
    /// Creates a context that is valid for as long as the references passed here.
    pub fn new(
        machine: &mut Machine,
        inputs: &[f64],
        outputs: &mut [f64],
        [uses_local, uses_global]: [bool; 2],
    ) -> Self {
        let shared: *mut Shared = machine.shared;
        let mut context = Self {
            vars: machine.vars.as_mut_ptr(),
            // SAFETY: `shared` was created from a reference above.
            regs: unsafe { (&raw mut (*shared).regs).cast() },
            inputs: inputs.as_ptr(),
            outputs: outputs.as_mut_ptr(),
            fuel: machine.budget.remaining,
            local: [std::ptr::null_mut(); BLOCKS],
            global: [std::ptr::null_mut(); BLOCKS],
            megabuf: machine.megabuf,
            shared,
            rng: machine.rng,
            uses_local,
            uses_global,
        };
        // SAFETY: all pointers come from exclusive borrows.
        unsafe { context.find_blocks() };
        context
    }

    /// Refreshes the block pointers.
    ///
    /// # Safety
    ///
    /// `megabuf` and `shared` must be valid.
    unsafe fn find_blocks(&mut self) {
        // SAFETY: guaranteed by the caller.
        unsafe {
            if self.uses_local {
                self.local = (*self.megabuf).block_pointers();
            }
            if self.uses_global {
                self.global = (*self.shared).gmegabuf.block_pointers();
            }
        }
    }

    /// Calls `action` with a [`Machine`] view of the context, then refreshes the block pointers.
    ///
    /// # Safety
    ///
    /// The pointers must be valid, and no reference to what they point to may be in use.
    unsafe fn with_machine<R>(&mut self, action: impl FnOnce(&mut Machine) -> R) -> R {
        let mut budget = Budget { remaining: self.fuel };
        // SAFETY: guaranteed by the caller. Each field is borrowed once.
        let result = unsafe {
            action(&mut Machine {
                vars: &mut [],
                megabuf: &mut *self.megabuf,
                shared: &mut *self.shared,
                rng: &mut *self.rng,
                budget: &mut budget,
            })
        };
        self.fuel = budget.remaining;
        // SAFETY: guaranteed by the caller.
        unsafe { self.find_blocks() };
        result
    }
}

/// Implements `rand`.
///
/// # Safety
///
/// Here and in the functions below, `context` must be the context that the calling machine code was run with.
pub(super) unsafe extern "C" fn random(context: *mut NativeContext, limit: f64) -> f64 {
    // SAFETY: guaranteed by the caller. Drawing a number moves no block.
    unsafe { (*(*context).rng).draw(limit) }
}

pub(super) unsafe extern "C" fn store_local(context: *mut NativeContext, index: f64, value: f64) {
    // SAFETY: guaranteed by the caller; see `random`.
    unsafe { (*context).with_machine(|machine| machine.store(Space::Local, index, value)) }
}

pub(super) unsafe extern "C" fn store_global(context: *mut NativeContext, index: f64, value: f64) {
    // SAFETY: guaranteed by the caller; see `random`.
    unsafe { (*context).with_machine(|machine| machine.store(Space::Global, index, value)) }
}

pub(super) unsafe extern "C" fn free(context: *mut NativeContext, index: f64) -> f64 {
    // SAFETY: guaranteed by the caller; see `random`.
    unsafe { (*context).with_machine(|machine| machine.free(index)) }
}

pub(super) unsafe extern "C" fn copy(context: *mut NativeContext, to: f64, from: f64, count: f64) -> f64 {
    // SAFETY: guaranteed by the caller; see `random`.
    unsafe { (*context).with_machine(|machine| machine.move_memory(Move::Copy, to, from, count)) }
}

pub(super) unsafe extern "C" fn set(context: *mut NativeContext, to: f64, value: f64, count: f64) -> f64 {
    // SAFETY: guaranteed by the caller; see `random`.
    unsafe { (*context).with_machine(|machine| machine.move_memory(Move::Set, to, value, count)) }
}

/// Defines numeric functions for machine code, and a function that returns the address of each.
macro_rules! functions {
    ($kind:ident $address:ident: $($name:ident($($argument:ident),+) $variant:ident)+) => {
        $(extern "C" fn $name($($argument: f64),+) -> f64 {
            $kind::$variant.apply($($argument),+)
        })+

        /// Returns the address of a function, or `None` if machine code computes it without a call.
        pub(super) fn $address(function: $kind) -> Option<usize> {
            Some(match function {
                $($kind::$variant => $name as *const () as usize,)+
                _ => return None,
            })
        }
    };
}

functions! {
    Unary unary:
    sin(x) Sin
    cos(x) Cos
    tan(x) Tan
    asin(x) Asin
    acos(x) Acos
    atan(x) Atan
    exp(x) Exp
    log(x) Log
    log10(x) Log10
    floor(x) Floor
    ceil(x) Ceil
}

functions! {
    Binary binary:
    power(x, y) Power
    atan2(x, y) Atan2
    sigmoid(x, y) Sigmoid
}
