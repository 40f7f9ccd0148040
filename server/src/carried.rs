//! What has begun and is to be ended, whether anybody waits for it or not.

use tracing::Instrument as _;

use crate::store::StoreError;

/// Does something to its end, even if whoever asked for it goes away, or is answered that it took too long: a request that is dropped stops where it waits.
///
/// # Errors
/// If it broke, or the server stops.
pub(crate) async fn to_its_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T, StoreError> {
    tokio::spawn(work.in_current_span()).await.map_err(|error| StoreError::Commit(error.to_string()))
}
