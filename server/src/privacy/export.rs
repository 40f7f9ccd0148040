//! All that is known of a visitor, as one JSON document.

use jiff::Timestamp;
use porchlight_domain::id::{SiteKey, VisitorId};
use serde_json::{Value, json};

use crate::store::{Actor, AuditEntry, Command, Failure, Person, Store, StoreError, Tx};

/// There is no such visitor, or not of these sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such visitor")]
pub(crate) struct NoVisitor;

/// All that is known of a visitor. That it was exported, and by whom, is in the audit log before it is given.
///
/// # Errors
/// If there is no such visitor of these sites (none named: all), or the store fails.
pub(crate) async fn export(
    store: &Store,
    actor: Actor,
    visitor: VisitorId,
    sites: Option<Vec<SiteKey>>,
    now: Timestamp,
) -> Result<Value, Failure<NoVisitor>> {
    // Read beside the writer: files make it large.
    let (person, document) = store.look(Read { visitor, sites, now }).await?;
    store.commit(Note { actor, person, now }).await?;
    Ok(document)
}

struct Read {
    visitor: VisitorId,
    sites: Option<Vec<SiteKey>>,
    now: Timestamp,
}

impl Command for Read {
    type Done = (Person, Value);
    type Refusal = NoVisitor;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<NoVisitor>> {
        let Self { visitor, sites, now } = self;
        let may = |person: &Person| sites.as_ref().is_none_or(|sites| sites.contains(&person.site));
        let person = tx.person(visitor).await?.filter(may).ok_or(Failure::Refused(NoVisitor))?;
        let mut browsers = 0;
        for part in &person.parts {
            browsers += tx.known_browsers(*part).await?;
        }
        let document = json!({
            "visitor": person.id,
            "site": person.site,
            "identity": person.identity,
            "visitors": person.parts,
            "createdAt": format!("{:.3}", person.created_at),
            "exportedAt": format!("{now:.3}"),
            "browsers": browsers,
            "attributes": attributes(tx, &person).await?,
            "sessions": sessions(tx, &person).await?,
            "events": events(tx, &person).await?,
            "conversations": talks(tx, &person).await?,
            "chats": chats(tx, &person).await?,
            "submissions": submissions(tx, &person).await?,
            "meetings": meetings(tx, &person).await?,
            "callbacks": callbacks(tx, &person).await?,
            "letters": letters(tx, &person).await?,
        });
        Ok((person, document))
    }
}

/// What is known of each part of a person, one after the other.
macro_rules! of_all_parts {
    ($($name:ident = $known:ident;)*) => {$(
        async fn $name(tx: &mut Tx<'_>, person: &Person) -> Result<Vec<Value>, StoreError> {
            let mut known = Vec::new();
            for part in &person.parts {
                known.extend(tx.$known(*part).await?);
            }
            Ok(known)
        }
    )*};
}

of_all_parts! {
    attributes = known_attributes;
    sessions = known_sessions;
    events = known_events;
    talks = known_talks;
    chats = known_chats;
    submissions = known_submissions;
    meetings = known_meetings;
    callbacks = known_callbacks;
    letters = known_letters;
}

struct Note {
    actor: Actor,
    person: Person,
    now: Timestamp,
}

impl Command for Note {
    type Done = ();
    type Refusal = NoVisitor;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<NoVisitor>> {
        let entry = AuditEntry {
            actor: &self.actor,
            action: "visitor.exported",
            site: Some(&self.person.site),
            subject: &self.person.id.to_string(),
            detail: json!({}),
            at: self.now,
        };
        Ok(tx.audit(entry).await?)
    }
}
