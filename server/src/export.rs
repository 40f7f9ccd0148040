//! The log, or a part of it, as a file: one event a line.

use std::fmt;

use porchlight_domain::event::Event;
use serde::Deserialize;

use crate::{
    csv::cell,
    store::{EventFilter, Store, StoreError},
};

/// How many events are read at once: what an export costs in memory, however long the log is.
const PAGE: u32 = 500;
/// The columns of the table: the envelope's members.
const HEAD: &str = "id,type,seq,time,site,visitor,session,conversation,page,data\r\n";

/// How the file is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExportFormat {
    /// A line of JSON an event, as the API tells it.
    #[default]
    Ndjson,
    /// Comma-separated values ([RFC 4180](https://www.rfc-editor.org/rfc/rfc4180)).
    Csv,
}

impl ExportFormat {
    /// Its name, and the ending of its files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }

    /// Its media type.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    fn line(self, event: &Event) -> Result<String, serde_json::Error> {
        match self {
            Self::Ndjson => Ok(serde_json::to_string(event)? + "\n"),
            Self::Csv => {
                let cells = [
                    event.id.to_string(),
                    event.kind.to_string(),
                    event.seq.to_string(),
                    format!("{:.3}", event.time),
                    event.site.to_string(),
                    event.visitor.to_string(),
                    event.session.to_string(),
                    event.conversation.as_ref().map(ToString::to_string).unwrap_or_default(),
                    event.page.clone(),
                    serde_json::to_string(&event.data)?,
                ];
                Ok(cells.map(|text| cell(&text)).join(",") + "\r\n")
            }
        }
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An export under way. It is of the log as it was when it began: what happens meanwhile is not in it.
#[derive(Debug)]
pub(crate) struct EventExport {
    store: Store,
    filter: EventFilter,
    format: ExportFormat,
    /// How many events there are to come.
    pub(crate) total: u64,
    has_begun: bool,
    is_over: bool,
}

impl EventExport {
    /// Begins an export of what is wanted, but for the filter's limits.
    pub(crate) async fn begin(store: &Store, filter: EventFilter, format: ExportFormat) -> Result<Self, StoreError> {
        let filter = EventFilter { after: 0, until: Some(store.end_of_log().await?), limit: PAGE, ..filter };
        let total = store.count_events(&filter).await?;
        Ok(Self { store: store.clone(), filter, format, total, has_begun: false, is_over: false })
    }

    /// The next piece of the file, with how many events are in it; none at its end.
    pub(crate) async fn next(&mut self) -> Result<Option<(String, u64)>, StoreError> {
        let begins = !std::mem::replace(&mut self.has_begun, true);
        if begins && self.format == ExportFormat::Csv {
            return Ok(Some((HEAD.to_owned(), 0)));
        }
        if self.is_over {
            return Ok(None);
        }
        let page = self.store.events(&self.filter).await?;
        self.filter.after = page.next;
        let count = u32::try_from(page.events.len()).unwrap_or(u32::MAX);
        self.is_over = count < PAGE;
        if count == 0 {
            return Ok(None);
        }
        let lines = page.events.iter().map(|logged| self.format.line(&logged.event)).collect::<Result<String, _>>();
        let lines = lines.map_err(|error| StoreError::Corrupt(error.to_string()))?;
        Ok(Some((lines, u64::from(count))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_event_whatever_is_in_it() {
        let event: Event = serde_json::from_value(serde_json::json!({
            "id": "018bcfe5-6800-7707-8707-070707070707", "type": "input.captured", "seq": 7, "time": "2026-11-21T08:00:00Z",
            "site": "demo", "visitor": "018bcfe5-6800-7707-8707-070707070708", "session": "018bcfe5-6800-7707-8707-070707070709",
            "conversation": null, "page": "https://shop.example/?a=1,2", "data": { "field": "to\np\"ic" }
        }))
        .unwrap();
        let line = ExportFormat::Ndjson.line(&event).unwrap();
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
        let line = ExportFormat::Csv.line(&event).unwrap();
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        let read = crate::csv::read(&format!("{HEAD}{line}")).unwrap();
        let (head, cells) = (&read[0].1, &read[1].1);
        assert_eq!(head.len(), cells.len());
        assert_eq!((cells[3].as_str(), cells[8].as_str()), ("2026-11-21T08:00:00.000Z", "https://shop.example/?a=1,2"));
        assert_eq!(cells[9], r#"{"field":"to\np\"ic"}"#);
    }
}
