//! Compiles programs to machine code with Cranelift.
//!
//! This is the only part of `eel` with unsafe code: it calls machine code, which calls back through the functions
//! in `calls`. Why this is sound:
//!
//! * The code only accesses memory through its [`NativeContext`]. Slots of variables, registers, inputs and
//!   outputs are constants of the program, and [`Native::run`] checks their bounds before each call. The code
//!   itself checks indexes into `megabuf` and `gmegabuf` against their size, and block pointers against null.
//! * Operations that can move a block (allocating, freeing) are calls, after which the code reloads the block pointers.
//! * Memory is writable or executable, never both: `cranelift-jit` writes the code, then changes the protection.
//! * The code terminates: every loop iteration and every item is charged to the budget, and the run ends when the
//!   budget is used up.

mod calls;
mod translate;

use std::sync::{Mutex, OnceLock};

use cranelift::codegen::isa::OwnedTargetIsa;
use cranelift::codegen::settings::{self, Configurable};
use cranelift::frontend::FunctionBuilderContext;
use cranelift::jit::{JITBuilder, JITModule};
use cranelift::module::{FuncId, Module, ModuleError, default_libcall_names};

use self::calls::NativeContext;
use super::flat::Flat;
use super::machine::Machine;
use super::tree::{Home, Space};

/// Machine code of one program.
pub(super) struct Native {
    entry: Entry,
    /// Minimum length of [`Machine::vars`].
    variables: usize,
    /// Owns the code; `None` only while the value is being dropped.
    module: Mutex<Option<JITModule>>,
}

/// Runs the code on `items` items, at least one; returns how many of them finished.
type Entry = unsafe extern "C" fn(context: *mut NativeContext, items: u64) -> u64;

impl Native {
    /// Compiles `flat`; returns `None` if the processor is not supported or compilation fails, for example
    /// because the platform forbids new executable memory.
    pub fn new(flat: &Flat) -> Option<Self> {
        let mut module = JITModule::new(JITBuilder::with_isa(isa()?, default_libcall_names()));
        let id = match define(&mut module, flat) {
            Ok(id) => id,
            Err(error) => {
                tracing::warn!("could not compile preset code to machine code ({error}); interpreting it");
                // SAFETY: no function of the module was ever called.
                unsafe { module.free_memory() };
                return None;
            }
        };
        let code = module.get_finalized_function(id);
        // SAFETY: `translate` gave the function the signature of `Entry`, in the platform's C calling convention.
        let entry = unsafe { std::mem::transmute::<*const u8, Entry>(code) };
        Some(Self { entry, variables: variables(flat), module: Mutex::new(Some(module)) })
    }

    /// Runs the program; see [`super::interpret::run`]. `flat` must be the program that was compiled.
    pub fn run(
        &self,
        flat: &Flat,
        machine: &mut Machine,
        inputs: &[f64],
        outputs: &mut [f64],
        items: usize,
    ) -> usize {
        assert!(machine.vars.len() >= self.variables, "too few variables");
        assert!(inputs.len() >= items * flat.inputs as usize, "too few inputs");
        assert!(outputs.len() >= items * flat.outputs as usize, "too few outputs");
        if items == 0 {
            return 0;
        }
        let uses = [flat.uses_memory(Space::Local), flat.uses_memory(Space::Global)];
        let mut context = NativeContext::new(machine, inputs, outputs, uses);
        // SAFETY: the code is alive as long as `self`. All slots are in bounds by the assertions above, and the context
        // is built from exclusive borrows that outlive the call.
        let finished = unsafe { (self.entry)(&raw mut context, items as u64) };
        let fuel = context.fuel;
        machine.budget.remaining = fuel;
        finished as usize
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        let module = self.module.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(module) = module {
            // SAFETY: `entry` is private and only called by `run`, which borrows `self`, so no call is in progress.
            unsafe { module.free_memory() };
        }
    }
}

impl std::fmt::Debug for Native {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Native").finish_non_exhaustive()
    }
}

/// Compiles `flat` and makes the code executable.
fn define(module: &mut JITModule, flat: &Flat) -> Result<FuncId, Box<ModuleError>> {
    let mut context = module.make_context();
    translate::translate(flat, module.isa(), &mut context.func, &mut FunctionBuilderContext::new());
    let id = module.declare_anonymous_function(&context.func.signature)?;
    module.define_function(id, &mut context)?;
    module.finalize_definitions()?;
    Ok(id)
}

/// Returns the minimum length of [`Machine::vars`] for a program: one more than the highest slot it accesses.
fn variables(flat: &Flat) -> usize {
    let homes =
        flat.places.iter().filter_map(|place| place.home).chain(flat.once.iter().filter_map(|step| {
            match step.op {
                super::flat::Op::Initial(home) => Some(home),
                _ => None,
            }
        }));
    let slots = homes.map(|home| match home {
        Home::Variable(slot) => slot as usize + 1,
        Home::Register(_) => 0,
    });
    slots.max().unwrap_or(0)
}

/// Returns the instruction set of this processor, or `None` if Cranelift does not support it or it is not
/// 64-bit.
fn isa() -> Option<OwnedTargetIsa> {
    static ISA: OnceLock<Option<OwnedTargetIsa>> = OnceLock::new();
    let describe = || {
        let mut flags = settings::builder();
        for (name, value) in [
            ("opt_level", "speed"),
            ("is_pic", "false"),
            ("use_colocated_libcalls", "false"),
            ("enable_verifier", "false"),
            ("unwind_info", "false"),
        ] {
            flags.set(name, value).ok()?;
        }
        let isa = cranelift::native::builder().ok()?.finish(settings::Flags::new(flags)).ok()?;
        (isa.pointer_bits() == 64).then_some(isa)
    };
    ISA.get_or_init(describe).clone()
}
