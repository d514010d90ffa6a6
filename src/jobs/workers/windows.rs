//! Worker processes on Windows: they exit with their supervisor, as do all processes that they have started; they run
//! at low priority, and crash without a dialog.

use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::process::Child;
use std::thread;

use win32job::{ExtendedLimitInfo, Job, JobError};

use windows_sys::Win32::System::Diagnostics::Debug::{
    SEM_FAILCRITICALERRORS, SEM_NOGPFAULTERRORBOX, SetErrorMode,
};
use windows_sys::Win32::System::Threading::{
    BELOW_NORMAL_PRIORITY_CLASS, GetCurrentProcess, INFINITE, OpenProcess, PROCESS_SYNCHRONIZE,
    SetPriorityClass, TerminateProcess, WaitForSingleObject,
};

/// Puts a worker into a job object of its own. When the job is dropped, or when this process ends, Windows terminates
/// the worker and all processes that it has started. `None` if the system does not allow it.
pub(super) fn job_of(worker: &Child) -> Option<Job> {
    let contain = || -> Result<Job, JobError> {
        let mut limits = ExtendedLimitInfo::new();
        limits.limit_kill_on_job_close();
        let job = Job::create_with_limit_info(&limits)?;
        job.assign_process(worker.as_raw_handle() as isize)?;
        Ok(job)
    };
    contain().inspect_err(|error| log::debug!("could not create a job object for a worker: {error}")).ok()
}

/// Terminates this process when process `supervisor` exits, even if this process is stuck in an endless loop.
/// Returns `false` if the supervisor has already exited.
pub(super) fn end_with(supervisor: u32) -> bool {
    // SAFETY: the call touches no memory; its handle is checked before use and has no other owner.
    let supervisor = unsafe {
        let handle = OpenProcess(PROCESS_SYNCHRONIZE, 0, supervisor);
        if handle.is_null() {
            return false;
        }
        OwnedHandle::from_raw_handle(handle)
    };
    // SAFETY: the thread owns the handle it waits for. Unlike a normal exit, `TerminateProcess` does not
    // wait for drivers.
    let wait = move || unsafe {
        WaitForSingleObject(supervisor.as_raw_handle(), INFINITE);
        TerminateProcess(GetCurrentProcess(), 0);
    };
    thread::Builder::new().name("supervisor watch".into()).spawn(wait).is_ok()
}

/// Lowers the priority of this process and of everything it starts from now on.
pub(super) fn lower_priority() {
    // SAFETY: the call touches no memory; this process may always change its own priority.
    unsafe { SetPriorityClass(GetCurrentProcess(), BELOW_NORMAL_PRIORITY_CLASS) };
}

/// Prevents a crash of this process from opening a dialog, which would block the bake.
pub(super) fn crash_without_dialog() {
    // SAFETY: the call takes flags and touches no memory.
    unsafe { SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX) };
}
