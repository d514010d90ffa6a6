//! Injects faults into a rig, for the reliability tests.

use super::rig::Rig;
use crate::faults::{self, Fault, FaultSchedule};

impl Rig {
    /// Sets the faults to inject.
    pub fn set_faults(&mut self, plan: FaultSchedule) {
        self.faults = plan;
    }

    /// Advances the schedule by `dt` seconds and injects the next fault if it is due.
    pub(super) fn inject(&mut self, dt: f64) {
        let Some(fault) = self.faults.step(dt) else { return };
        log::warn!("injecting {fault:?}");
        let gpu = &self.stage.render_context().gpu;
        match fault {
            Fault::DeviceLost => gpu.lose(),
            Fault::OutOfMemory => gpu.fail_allocations(1),
            Fault::SurfaceLost => gpu.lose_surfaces(),
            Fault::Stall(length) => std::thread::sleep(length),
            #[expect(clippy::panic, reason = "the fault to inject")]
            Fault::Panic => panic!("injected"),
            Fault::Abort => std::process::abort(),
            Fault::Overflow => drop(faults::overflow(0)),
            Fault::Hang => loop {
                std::thread::park();
            },
            Fault::DiskFull => faults::fill_disk(),
        }
    }
}
