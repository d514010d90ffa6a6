//! Frees large objects on a dedicated thread, because freeing them may take longer than a frame.

use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

/// Frees objects on another thread, or on the calling thread if none could be started.
#[derive(Default)]
pub struct Retirement {
    objects: Option<Sender<Box<dyn Send>>>,
    thread: Option<JoinHandle<()>>,
}

impl Retirement {
    /// Starts a thread named "retire" that frees the objects.
    pub fn thread() -> Self {
        let (objects, retired) = mpsc::channel::<Box<dyn Send>>();
        let work = move || retired.into_iter().for_each(drop);
        match thread::Builder::new().name("retire".into()).spawn(work) {
            Ok(thread) => Self { objects: Some(objects), thread: Some(thread) },
            Err(error) => {
                log::debug!("freeing large objects on the calling thread: {error}");
                Self::default()
            }
        }
    }

    /// Frees an object. Does not block if the thread is running.
    pub fn retire(&self, object: Box<dyn Send>) {
        if let Some(objects) = &self.objects {
            objects.send(object).ok(); // If the thread has ended, the error frees the object here.
        }
    }
}

impl Drop for Retirement {
    /// Waits until all retired objects are freed.
    fn drop(&mut self) {
        self.objects = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // Fails if a destructor panicked, which is ignored.
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An object that reports which thread drops it.
    struct Object(mpsc::Sender<thread::ThreadId>);

    impl Drop for Object {
        fn drop(&mut self) {
            self.0.send(thread::current().id()).ok();
        }
    }

    #[test]
    fn objects_are_freed_on_the_thread_if_there_is_one() {
        let (freed, on) = mpsc::channel();
        Retirement::thread().retire(Box::new(Object(freed.clone())));
        assert_ne!(on.try_recv().expect("freed before the thread has ended"), thread::current().id());
        Retirement::default().retire(Box::new(Object(freed)));
        assert_eq!(on.try_recv(), Ok(thread::current().id()));
    }
}
