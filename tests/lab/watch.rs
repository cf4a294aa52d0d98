//! Eyes that stay open: how many instances there ever were at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::lab::{instances, labels};

/// How often the cloud is asked: several times within the shortest life of an instance.
const LOOK: Duration = Duration::from_millis(150);

/// Counts instances until it is asked for the result.
pub struct Watch {
    stop: Arc<AtomicBool>,
    counting: JoinHandle<(usize, String)>,
}

impl Watch {
    /// Begins to count.
    pub fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let counting = std::thread::spawn(move || {
            let mut most = (0, String::new());
            while !stopped.load(Ordering::Relaxed) {
                // A cloud that is told to fail for a while is looked at again.
                if let Ok(instances) = instances()
                    && most.0 < instances.len()
                {
                    most = (instances.len(), labels(&instances));
                }
                std::thread::sleep(LOOK);
            }
            most
        });
        Self { stop, counting }
    }

    /// Panics if there were ever more than `most` instances.
    pub fn assert_never_more_than(self, most: usize) {
        self.stop.store(true, Ordering::Relaxed);
        let (seen, labels) = self.counting.join().expect("the count ends");
        assert!(seen <= most, "{seen} instances at once, where {most} may be: {labels}");
        assert!(0 < seen, "the watch saw no instance at all");
    }
}
