//! How many streams a key has open: each is a connection that has no end of its own.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::problem::{Code, Problem};

/// The streams that are open.
pub(crate) struct Streams {
    most: usize,
    open: Arc<Mutex<HashMap<String, usize>>>,
}

/// The place of a stream; dropping it makes room for another.
pub(super) struct Slot {
    open: Arc<Mutex<HashMap<String, usize>>>,
    key: String,
}

fn locked(open: &Mutex<HashMap<String, usize>>) -> MutexGuard<'_, HashMap<String, usize>> {
    // Nothing that could panic holds the lock.
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Streams {
    /// With so many for each key at most.
    pub(super) fn new(most: usize) -> Self {
        Self { most, open: Arc::default() }
    }

    /// Counts a stream of a key.
    pub(super) fn begin(&self, key: &str) -> Result<Slot, Problem> {
        let mut open = locked(&self.open);
        let count = open.entry(key.to_owned()).or_default();
        if *count >= self.most {
            let detail = format!("the key has {count} streams open, as many as streams_limit allows; end one first");
            return Err(Problem::new(Code::TooMany, detail));
        }
        *count += 1;
        Ok(Slot { open: Arc::clone(&self.open), key: key.to_owned() })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = locked(&self.open);
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
    }
}
