//! The log as a file: for the API and for the console.

use axum::{
    body::Body,
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream};

use super::{App, problem::Problem};
use crate::{
    export::{EventExport, ExportFormat},
    store::EventFilter,
};

/// An export of what is wanted. It is read as fast as it is taken. If it cannot be read to its end, the connection is cut: a file that is
/// not whole is never taken for one that is.
pub(super) async fn file(app: &App, filter: EventFilter, format: ExportFormat) -> Result<Response, Problem> {
    let export = EventExport::begin(&app.store, filter, format).await?;
    let name = format!("porchlight-events-{}.{format}", app.engine.outside.now().strftime("%Y-%m-%d"));
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        // How many events are to come.
        (HeaderName::from_static("porchlight-total"), export.total.to_string()),
    ];
    let pieces = stream::unfold(Some(export), |export| async move {
        let mut export = export?;
        match export.next().await.transpose()? {
            Ok((piece, _)) => Some((Ok(piece), Some(export))),
            Err(error) => {
                tracing::error!(%error, "an export was cut off");
                Some((Err(error), None))
            }
        }
    });
    // Whoever compresses it asks for more after its end.
    Ok((headers, Body::from_stream(pieces.fuse())).into_response())
}
