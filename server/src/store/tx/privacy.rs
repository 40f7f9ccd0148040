//! What is known of a visitor as a whole; how it is forgotten, and what is too old.

use jiff::Timestamp;
use porchlight_domain::{
    event::Data,
    id::{ConversationId, EventId, SiteKey, VisitorId},
    meeting::Meeting,
};
use serde_json::{Value, json};
use sqlx::{Row, sqlite::SqliteRow};

use super::{Result, Tx, corrupt, logged, parse, time};
use crate::{
    secret::Secret,
    store::{ChatNews, News},
};

/// A visitor, with all who turned out to be them.
#[derive(Debug, Clone)]
pub struct Person {
    /// Who it is.
    pub id: VisitorId,
    /// Their site.
    pub site: SiteKey,
    /// Them first, then those who turned out to be them: parts of what they did stay with those.
    pub parts: Vec<VisitorId>,
    /// When they came first.
    pub created_at: Timestamp,
    /// The site's own name for them, if it ever identified them.
    pub identity: Option<String>,
}

/// What was forgotten with a visitor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// How many events were emptied.
    pub events: u64,
    /// How many chats were deleted.
    pub chats: u64,
    /// How many meetings.
    pub meetings: u64,
    /// How many call backs.
    pub callbacks: u64,
    /// How many forms.
    pub submissions: u64,
    /// The letters that were deleted: those written as files have to be removed.
    pub letters: Vec<String>,
}

/// What stays of an event: what says of which conversation it is.
const KEPT: [&str; 3] = ["name", "type", "uiType"];

/// Whether nothing has happened with the visitor `v` since `$2`, and nothing is under way or to come at `$3`.
macro_rules! idle {
    () => {
        "v.created_at < $2
         and not exists (select 1 from session s where s.visitor = v.id and s.active_at >= $2)
         and not exists (select 1 from chat c where c.visitor = v.id and c.phase <> 'ended')
         and not exists (select 1 from meeting m where m.visitor = v.id and m.phase in ('held', 'booked') and m.ends_at > $3)
         and not exists (select 1 from callback b where b.visitor = v.id and b.phase in ('waiting', 'claimed'))"
    };
}

/// A moment as it is told.
fn told(moment: Timestamp) -> Value {
    format!("{moment:.3}").into()
}

fn moment(row: &SqliteRow, column: &str) -> Result<Value> {
    let at: Option<i64> = row.try_get(column)?;
    Ok(at.map(Timestamp::from_millisecond).transpose().map_err(corrupt)?.map_or(Value::Null, told))
}

fn text(row: &SqliteRow, column: &str) -> Result<Value> {
    Ok(row.try_get::<Option<String>, _>(column)?.map_or(Value::Null, Value::from))
}

fn number(row: &SqliteRow, column: &str) -> Result<Value> {
    Ok(row.try_get::<i64, _>(column)?.into())
}

/// A column that holds JSON, as it is.
fn document(row: &SqliteRow, column: &str) -> Result<Value> {
    serde_json::from_str(&row.try_get::<String, _>(column)?).map_err(corrupt)
}

impl Tx<'_> {
    /// The person that a visitor is. Nobody is one who was erased.
    pub async fn person(&mut self, visitor: VisitorId) -> Result<Option<Person>> {
        let row = sqlx::query(
            "select main.id, main.site, main.created_at, main.identity from visitor v join visitor main on main.id = coalesce(v.joined, v.id)
             where v.id = $1 and main.erased_at is null",
        )
        .bind(visitor.to_string())
        .fetch_optional(&mut *self.connection)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let id: VisitorId = parse(&row, "id")?;
        let joined = sqlx::query("select id from visitor where joined = $1 order by id")
            .bind(id.to_string())
            .fetch_all(&mut *self.connection)
            .await?;
        let mut parts = vec![id];
        for row in &joined {
            parts.push(parse(row, "id")?);
        }
        Ok(Some(Person {
            id,
            site: parse(&row, "site")?,
            parts,
            created_at: time(&row, "created_at")?,
            identity: row.try_get("identity")?,
        }))
    }

    /// The visitors who are called so: by id, by the site's own name for them, by anything that is known of them (such as an address or a number), or by
    /// an address that a letter about them went to. `as_written` is the same as it would be kept. The latest first.
    pub async fn visitors_called(&mut self, typed: &str, as_written: &str, limit: u32) -> Result<Vec<VisitorId>> {
        let rows = sqlx::query(
            "select distinct coalesce(v.joined, v.id) as id from visitor v
             where v.erased_at is null and (v.id = $1 or v.identity in ($3, $4)
                 or v.id in (select visitor from attribute where value in ($1, $2))
                 or v.id in (select visitor from mail where recipient in ($1, $2) and visitor is not null))
             order by 1 desc limit $5",
        )
        .bind(typed)
        .bind(as_written)
        .bind(format!("id:{typed}"))
        .bind(format!("email:{}", as_written.to_lowercase()))
        .bind(limit)
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter().map(|row| parse(row, "id")).collect()
    }

    // What is known, as an export tells it.

    async fn known_rows(&mut self, query: &'static str, of: &str, tell: fn(&SqliteRow) -> Result<Value>) -> Result<Vec<Value>> {
        let rows = sqlx::query(query).bind(of).fetch_all(&mut *self.connection).await?;
        rows.iter().map(tell).collect()
    }

    /// With how many browsers a visitor has come.
    pub async fn known_browsers(&mut self, visitor: VisitorId) -> Result<u64> {
        let count: i64 = sqlx::query_scalar("select count(*) from token where visitor = $1")
            .bind(visitor.to_string())
            .fetch_one(&mut *self.connection)
            .await?;
        u64::try_from(count).map_err(corrupt)
    }

    /// What is known of a visitor by name.
    pub async fn known_attributes(&mut self, visitor: VisitorId) -> Result<Vec<Value>> {
        let query = "select name, value, changed_at from attribute where visitor = $1 order by name";
        self.known_rows(query, &visitor.to_string(), |row| {
            Ok(json!({ "name": text(row, "name")?, "value": text(row, "value")?, "changedAt": moment(row, "changed_at")? }))
        })
        .await
    }

    /// A visitor's sessions.
    pub async fn known_sessions(&mut self, visitor: VisitorId) -> Result<Vec<Value>> {
        let query = "select * from session where visitor = $1 order by started_at, id";
        self.known_rows(query, &visitor.to_string(), |row| {
            Ok(json!({
                "id": text(row, "id")?,
                "startedAt": moment(row, "started_at")?,
                "activeAt": moment(row, "active_at")?,
                "events": number(row, "seq")?,
                "referrer": text(row, "referrer")?,
                "device": text(row, "device")?,
            }))
        })
        .await
    }

    /// The events of a visitor's sessions, in the order of the log.
    pub async fn known_events(&mut self, visitor: VisitorId) -> Result<Vec<Value>> {
        let query =
            "select event.* from event join session on session.id = event.session where session.visitor = $1 order by position";
        self.known_rows(query, &visitor.to_string(), |row| serde_json::to_value(logged(row)?.event).map_err(corrupt)).await
    }

    /// How far a visitor has come in conversations, with all that was said, also what was taken back.
    pub async fn known_talks(&mut self, visitor: VisitorId) -> Result<Vec<Value>> {
        let query = "select * from progress where visitor = $1 order by conversation";
        let mut talks = self
            .known_rows(query, &visitor.to_string(), |row| {
                Ok(json!({
                    "conversation": text(row, "conversation")?,
                    "version": number(row, "version")?,
                    "standing": text(row, "standing")?,
                    "card": text(row, "card")?,
                    "completed": row.try_get::<i64, _>("completed")? != 0,
                    "changedAt": moment(row, "changed_at")?,
                }))
            })
            .await?;
        for talk in &mut talks {
            let conversation = talk["conversation"].as_str().unwrap_or_default().to_owned();
            let rows = sqlx::query("select * from entry where visitor = $1 and conversation = $2 order by number")
                .bind(visitor.to_string())
                .bind(conversation)
                .fetch_all(&mut *self.connection)
                .await?;
            let lines = rows.iter().map(|row| -> Result<Value> {
                Ok(json!({
                    "number": number(row, "number")?,
                    "author": text(row, "author")?,
                    "agent": text(row, "agent_name")?,
                    "card": text(row, "card")?,
                    "text": text(row, "text")?,
                    "format": text(row, "format")?,
                    "takenBack": row.try_get::<i64, _>("taken_back")? != 0,
                    "at": moment(row, "said_at")?,
                }))
            });
            talk["transcript"] = lines.collect::<Result<Vec<_>>>()?.into();
        }
        Ok(talks)
    }

    /// A visitor's chats, with what agents noted, and the files that were sent.
    pub async fn known_chats(&mut self, visitor: VisitorId) -> Result<Vec<Value>> {
        let query = "select chat.*, agent.name as agent_name from chat left join agent on agent.id = chat.agent
                     where chat.visitor = $1 order by requested_at, chat.id";
        let mut chats = self
            .known_rows(query, &visitor.to_string(), |row| {
                Ok(json!({
                    "id": text(row, "id")?,
                    "conversation": text(row, "conversation")?,
                    "session": text(row, "session")?,
                    "phase": text(row, "phase")?,
                    "agent": text(row, "agent_name")?,
                    "requestedAt": moment(row, "requested_at")?,
                    "acceptedAt": moment(row, "accepted_at")?,
                    "endedAt": moment(row, "ended_at")?,
                    "page": text(row, "page")?,
                    "locale": text(row, "locale")?,
                    "tags": document(row, "tags")?,
                }))
            })
            .await?;
        for chat in &mut chats {
            let id = chat["id"].as_str().unwrap_or_default().to_owned();
            let query = "select agent.name, note.text, note.written_at from note join agent on agent.id = note.agent
                         where note.chat = $1 order by note.written_at, note.id";
            let notes = self.known_rows(query, &id, |row| {
                Ok(json!({ "agent": text(row, "name")?, "text": text(row, "text")?, "at": moment(row, "written_at")? }))
            });
            chat["notes"] = notes.await?.into();
            let query = "select * from attachment where chat = $1 order by sent_at, id";
            let files = self.known_rows(query, &id, |row| {
                let content: Vec<u8> = row.try_get("content")?;
                Ok(json!({
                    "id": text(row, "id")?,
                    "name": text(row, "name")?,
                    "type": text(row, "type")?,
                    "bytes": content.len(),
                    "sentAt": moment(row, "sent_at")?,
                    "content": data_encoding::BASE64.encode(&content),
                }))
            });
            chat["attachments"] = files.await?.into();
        }
        Ok(chats)
    }

    /// The forms a visitor filled in.
    pub async fn known_submissions(&mut self, visitor: VisitorId) -> Result<Vec<Value>> {
        let query = "select * from submission where visitor = $1 order by submitted_at, id";
        self.known_rows(query, &visitor.to_string(), |row| {
            let answers: Vec<(String, String)> = serde_json::from_str(&row.try_get::<String, _>("answers")?).map_err(corrupt)?;
            let answers: Vec<_> = answers.into_iter().map(|(field, value)| json!({ "field": field, "value": value })).collect();
            Ok(json!({
                "id": text(row, "id")?,
                "purpose": text(row, "purpose")?,
                "conversation": text(row, "conversation")?,
                "version": number(row, "version")?,
                "card": text(row, "card")?,
                "chat": text(row, "chat")?,
                "answers": answers,
                "submittedAt": moment(row, "submitted_at")?,
            }))
        })
        .await
    }

    /// A visitor's meetings.
    pub async fn known_meetings(&mut self, visitor: VisitorId) -> Result<Vec<Value>> {
        let query = "select meeting.*, agent.name as agent_name from meeting join agent on agent.id = meeting.agent
                     where meeting.visitor = $1 order by starts_at, meeting.id";
        self.known_rows(query, &visitor.to_string(), |row| {
            let meeting: Meeting = serde_json::from_str(&row.try_get::<String, _>("state")?).map_err(corrupt)?;
            let guest = meeting.guest.as_ref().map(|guest| json!({ "name": guest.name, "email": guest.email }));
            Ok(json!({
                "id": meeting.id,
                "conversation": text(row, "conversation")?,
                "session": text(row, "session")?,
                "phase": text(row, "phase")?,
                "agent": text(row, "agent_name")?,
                "title": meeting.title,
                "location": meeting.location,
                "start": told(meeting.span.start),
                "end": told(meeting.span.end),
                "timeZone": meeting.time_zone,
                "locale": meeting.locale,
                "guest": guest,
                "page": text(row, "page")?,
                "madeAt": moment(row, "made_at")?,
                "changedAt": moment(row, "changed_at")?,
            }))
        })
        .await
    }

    /// A visitor's call backs.
    pub async fn known_callbacks(&mut self, visitor: VisitorId) -> Result<Vec<Value>> {
        let query = "select callback.*, agent.name as agent_name from callback left join agent on agent.id = callback.agent
                     where callback.visitor = $1 order by requested_at, callback.id";
        self.known_rows(query, &visitor.to_string(), |row| {
            let state = document(row, "state")?;
            Ok(json!({
                "id": text(row, "id")?,
                "conversation": text(row, "conversation")?,
                "session": text(row, "session")?,
                "phase": text(row, "phase")?,
                "agent": text(row, "agent_name")?,
                "phone": state["phone"],
                "attempts": state["attempts"],
                "callFrom": moment(row, "call_from")?,
                "page": text(row, "page")?,
                "note": text(row, "note")?,
                "requestedAt": moment(row, "requested_at")?,
                "changedAt": moment(row, "changed_at")?,
            }))
        })
        .await
    }

    /// The letters about a visitor. What they said is there until they are sent.
    pub async fn known_letters(&mut self, visitor: VisitorId) -> Result<Vec<Value>> {
        let query = "select * from mail where visitor = $1 order by made_at, id";
        self.known_rows(query, &visitor.to_string(), |row| {
            Ok(json!({
                "id": text(row, "id")?,
                "purpose": text(row, "purpose")?,
                "recipient": text(row, "recipient")?,
                "subject": text(row, "subject")?,
                "body": text(row, "body")?,
                "madeAt": moment(row, "made_at")?,
                "sentAt": moment(row, "sent_at")?,
            }))
        })
        .await
    }

    // Forgetting.

    async fn forget_by(&mut self, statement: &'static str, of: &str) -> Result<u64> {
        Ok(sqlx::query(statement).bind(of).execute(&mut *self.connection).await?.rows_affected())
    }

    async fn texts_of(&mut self, query: &'static str, of: &str) -> Result<Vec<String>> {
        Ok(sqlx::query_scalar(query).bind(of).fetch_all(&mut *self.connection).await?)
    }

    /// Forgets a person. The log keeps its places, and so does each session: of the events stay id, type, number, time, site, session and conversation;
    /// whom they happened to is now `nobody`. A meeting that is still to be taken out of an agent's calendar stays for that, without its guest.
    ///
    /// Chats under way are to be ended before, and meetings to come called off.
    pub async fn forget(&mut self, person: &Person, nobody: VisitorId, token: &Secret, now: Timestamp) -> Result<Forgotten> {
        self.tell(News::Erased);
        let mut forgotten = Forgotten::default();
        let mut events = Vec::new();
        for part in &person.parts {
            events.extend(self.empty_events(*part, nobody).await?);
        }
        self.forget_deliveries(&events).await?;
        forgotten.events = u64::try_from(events.len()).map_err(corrupt)?;

        // Who stands in for them, so that sessions belong to somebody. Nobody has the token.
        sqlx::query("insert into visitor (id, site, token_hash, created_at, erased_at) values ($1, $2, $3, $4, $4)")
            .bind(nobody.to_string())
            .bind(person.site.as_str())
            .bind(token.hash())
            .bind(now.as_millisecond())
            .execute(&mut *self.connection)
            .await?;
        let mut emails = Vec::new();
        for part in &person.parts {
            let query = "select value from attribute where visitor = $1 and value like '%@%'";
            emails.extend(self.texts_of(query, &part.to_string()).await?);
            for state in self.texts_of("select state from meeting where visitor = $1", &part.to_string()).await? {
                let meeting: Meeting = serde_json::from_str(&state).map_err(corrupt)?;
                emails.extend(meeting.guest.map(|guest| guest.email));
            }
        }
        for part in &person.parts {
            let id = part.to_string();
            forgotten.letters.extend(self.forget_letters(&id).await?);
            for statement in [
                "delete from idempotency where answer like '%' || $1 || '%'",
                "delete from note where chat in (select id from chat where visitor = $1)",
                "delete from attachment where chat in (select id from chat where visitor = $1)",
                "update submission set chat = null where chat in (select id from chat where visitor = $1)",
                "delete from entry where visitor = $1",
                "delete from progress where visitor = $1",
                "delete from attribute where visitor = $1",
                "delete from token where visitor = $1",
            ] {
                self.forget_by(statement, &id).await?;
            }
            forgotten.submissions += self.forget_by("delete from submission where visitor = $1", &id).await?;
            self.forget_chats(*part, &person.site).await?;
            forgotten.chats += self.forget_by("delete from chat where visitor = $1", &id).await?;
            forgotten.callbacks += self.forget_by("delete from callback where visitor = $1", &id).await?;
            forgotten.meetings += self.forget_meetings(&id, nobody).await?;
            sqlx::query("update session set visitor = $2, referrer = null, device = null where visitor = $1")
                .bind(&id)
                .bind(nobody.to_string())
                .execute(&mut *self.connection)
                .await?;
        }
        for email in emails {
            forgotten.letters.extend(self.forget_old_letters(&email).await?);
        }
        // Those who turned out to be them point at them.
        for part in person.parts.iter().rev() {
            self.forget_by("delete from visitor where id = $1", &part.to_string()).await?;
        }
        if forgotten.callbacks > 0 {
            self.tell(News::Callback { site: person.site.clone() });
        }
        self.tell(News::Calendar);
        Ok(forgotten)
    }

    /// Takes out of a visitor's events what they hold of the visitor, and gives which they are.
    async fn empty_events(&mut self, visitor: VisitorId, nobody: VisitorId) -> Result<Vec<EventId>> {
        let rows = sqlx::query(
            "select event.position, event.id, event.data from event join session on session.id = event.session where session.visitor = $1",
        )
        .bind(visitor.to_string())
        .fetch_all(&mut *self.connection)
        .await?;
        let mut ids = Vec::with_capacity(rows.len());
        for row in &rows {
            ids.push(parse(row, "id")?);
            let mut data: Data = serde_json::from_str(&row.try_get::<String, _>("data")?).map_err(corrupt)?;
            data.retain(|name, _| KEPT.contains(&name.as_str()));
            sqlx::query("update event set visitor = $2, view = '', page = '', data = $3 where position = $1")
                .bind(row.try_get::<i64, _>("position")?)
                .bind(nobody.to_string())
                .bind(serde_json::to_string(&data).map_err(corrupt)?)
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(ids)
    }

    /// The addresses of the pages on which a visitor was.
    pub async fn pages_of(&mut self, visitor: VisitorId) -> Result<Vec<String>> {
        let pages = sqlx::query_scalar("select distinct page from event where visitor = $1").bind(visitor.to_string());
        Ok(pages.fetch_all(&mut *self.connection).await?)
    }

    /// Who was on which page, of the events of a site after a place in the log.
    pub async fn pages_after(&mut self, site: &SiteKey, after: i64, limit: u32) -> Result<Vec<(i64, VisitorId, String)>> {
        let rows =
            sqlx::query("select position, visitor, page from event where site = $1 and position > $2 order by position limit $3")
                .bind(site.as_str())
                .bind(after)
                .bind(limit)
                .fetch_all(&mut *self.connection)
                .await?;
        rows.iter().map(|row| Ok((row.try_get("position")?, parse(row, "visitor")?, row.try_get("page")?))).collect()
    }

    /// Up to where the events of a site were told to whoever is to be told: counted, and taken up by each endpoint that is on.
    pub async fn told_to(&mut self, site: &SiteKey) -> Result<i64> {
        let counted: i64 = sqlx::query_scalar("select position from analytics_cursor").fetch_one(&mut *self.connection).await?;
        let sent: Option<i64> = sqlx::query_scalar("select min(position) from webhook_endpoint where site = $1 and state = 'on'")
            .bind(site.as_str())
            .fetch_one(&mut *self.connection)
            .await?;
        Ok(sent.map_or(counted, |sent| sent.min(counted)))
    }

    /// Forgets how events were delivered, and that they are to be: what was sent, and what was answered, may hold what they held.
    async fn forget_deliveries(&mut self, events: &[EventId]) -> Result<()> {
        for event in events {
            let id = event.to_string();
            self.forget_by("delete from webhook_attempt where event = $1", &id).await?;
            self.forget_by("delete from webhook_delivery where event = $1", &id).await?;
        }
        Ok(())
    }

    /// Deletes the letters about a visitor, and gives which they were.
    async fn forget_letters(&mut self, visitor: &str) -> Result<Vec<String>> {
        self.texts_of(
            "delete from mail where visitor = $1 or chat in (select id from chat where visitor = $1) returning id",
            visitor,
        )
        .await
    }

    /// The same of letters about meetings that were written before it was kept whom they are about: those to an address, and those that name it.
    async fn forget_old_letters(&mut self, email: &str) -> Result<Vec<String>> {
        let letters = sqlx::query_scalar(
            "delete from mail where visitor is null and chat is null and purpose = 'meeting'
                 and (recipient = $1 or body like $2 escape '\\') returning id",
        )
        .bind(email)
        .bind(format!("%<{}>%", email.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")));
        Ok(letters.fetch_all(&mut *self.connection).await?)
    }

    /// Tells consoles that show a visitor's chats, and panels, that these are going.
    async fn forget_chats(&mut self, visitor: VisitorId, site: &SiteKey) -> Result<()> {
        let rows = sqlx::query("select id, conversation from chat where visitor = $1")
            .bind(visitor.to_string())
            .fetch_all(&mut *self.connection)
            .await?;
        for row in &rows {
            let conversation: ConversationId = parse(row, "conversation")?;
            self.tell(News::Chat(Box::new(ChatNews {
                chat: parse(row, "id")?,
                site: site.clone(),
                visitor,
                conversation,
                agents: Vec::new(),
                changed: true,
                lines: Vec::new(),
                freed: false,
            })));
        }
        Ok(())
    }

    /// Deletes a visitor's meetings, but for those that an agent's calendar has yet to be told of: these lose their guest.
    async fn forget_meetings(&mut self, visitor: &str, nobody: VisitorId) -> Result<u64> {
        let deleted = self.forget_by("delete from meeting where visitor = $1 and push_at is null", visitor).await?;
        let rows = sqlx::query("select id, state from meeting where visitor = $1")
            .bind(visitor)
            .fetch_all(&mut *self.connection)
            .await?;
        for row in &rows {
            let meeting: Meeting = serde_json::from_str(&row.try_get::<String, _>("state")?).map_err(corrupt)?;
            let meeting = Meeting { guest: None, time_zone: "UTC".to_owned(), locale: "en".to_owned(), ..meeting };
            sqlx::query("update meeting set visitor = $2, state = $3, page = '', due_at = null where id = $1")
                .bind(row.try_get::<String, _>("id")?)
                .bind(nobody.to_string())
                .bind(serde_json::to_string(&meeting).map_err(corrupt)?)
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(deleted + u64::try_from(rows.len()).map_err(corrupt)?)
    }

    // What is too old.

    async fn remove_old(&mut self, statement: &'static str, site: &SiteKey, before: Timestamp, limit: u32) -> Result<u64> {
        let removed = sqlx::query(statement).bind(site.as_str()).bind(before.as_millisecond()).bind(limit);
        Ok(removed.execute(&mut *self.connection).await?.rows_affected())
    }

    /// The place in the log of a site's first event that is not older than a moment. What a page reported late is as old as what stands before it.
    pub async fn first_event_since(&mut self, site: &SiteKey, since: Timestamp) -> Result<Option<i64>> {
        let first = sqlx::query_scalar("select position from event where site = $1 and time >= $2 order by position limit 1")
            .bind(site.as_str())
            .bind(since.as_millisecond());
        Ok(first.fetch_optional(&mut *self.connection).await?)
    }

    /// Removes events of a site that stand before a place in the log, and not after another, up to which they were told to whoever is to be
    /// told; none that waits to be sent again to an endpoint that is on.
    pub async fn remove_events(&mut self, site: &SiteKey, before: i64, up_to: i64, limit: u32) -> Result<u64> {
        let removed: Vec<String> = sqlx::query_scalar(
            "delete from event where position in (
                 select position from event where site = $1 and position < $2 and position <= $3 and not exists (
                     select 1 from webhook_delivery d join webhook_endpoint e on e.id = d.endpoint and e.state = 'on'
                     where d.event = event.id and d.due_at is not null)
                 order by position limit $4) returning id",
        )
        .bind(site.as_str())
        .bind(before)
        .bind(up_to)
        .bind(limit)
        .fetch_all(&mut *self.connection)
        .await?;
        for id in &removed {
            // What was given up, or waits for an endpoint that is off, can not be sent any more.
            self.forget_by("delete from webhook_delivery where event = $1", id).await?;
        }
        Ok(u64::try_from(removed.len()).unwrap_or(u64::MAX))
    }

    /// The sessions of a site of which it is known how they were come to, and that ended before a moment.
    pub async fn old_sessions(&mut self, site: &SiteKey, before: Timestamp, limit: u32) -> Result<Vec<String>> {
        let ids = sqlx::query_scalar(
            "select s.id from session s join visitor v on v.id = s.visitor
             where v.site = $1 and s.active_at < $2 and (s.referrer is not null or s.device is not null) limit $3",
        )
        .bind(site.as_str())
        .bind(before.as_millisecond())
        .bind(limit);
        Ok(ids.fetch_all(&mut *self.connection).await?)
    }

    /// Forgets how sessions were come to.
    pub async fn empty_sessions(&mut self, sessions: &[String]) -> Result<()> {
        for session in sessions {
            self.forget_by("update session set referrer = null, device = null where id = $1", session).await?;
        }
        Ok(())
    }

    /// Removes the sessions of those who were erased once no event of them is left, and then who stood in for them.
    pub async fn remove_nobodies(&mut self, site: &SiteKey) -> Result<()> {
        self.forget_by(
            "delete from session where visitor in (select id from visitor where site = $1 and erased_at is not null)
                 and not exists (select 1 from event where event.session = session.id)
                 and not exists (select 1 from meeting where meeting.session = session.id)",
            site.as_str(),
        )
        .await?;
        self.forget_by(
            "delete from visitor where site = $1 and erased_at is not null
                 and not exists (select 1 from session where session.visitor = visitor.id)",
            site.as_str(),
        )
        .await?;
        Ok(())
    }

    /// Removes lines that were said before a moment, unless a chat goes on below them.
    pub async fn remove_lines(&mut self, site: &SiteKey, before: Timestamp, limit: u32) -> Result<u64> {
        self.remove_old(
            "delete from entry where (visitor, conversation, number) in (
                 select e.visitor, e.conversation, e.number from entry e join visitor v on v.id = e.visitor
                 where v.site = $1 and e.said_at < $2
                     and not exists (select 1 from chat c where c.visitor = e.visitor and c.conversation = e.conversation and c.phase <> 'ended')
                 order by e.said_at limit $3)",
            site,
            before,
            limit,
        )
        .await
    }

    /// The conversations that have waited for their visitors since before a moment, and of which no line is left.
    pub async fn old_talks(&mut self, site: &SiteKey, before: Timestamp, limit: u32) -> Result<Vec<(String, String)>> {
        let rows = sqlx::query(
            "select p.visitor, p.conversation from progress p join visitor v on v.id = p.visitor
             where v.site = $1 and p.standing = 'at' and p.changed_at < $2
                 and not exists (select 1 from entry e where e.visitor = p.visitor and e.conversation = p.conversation) limit $3",
        )
        .bind(site.as_str())
        .bind(before.as_millisecond())
        .bind(limit)
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter().map(|row| Ok((row.try_get("visitor")?, row.try_get("conversation")?))).collect()
    }

    /// Forgets where visitors stand in conversations that have not gone on since they were looked for: those begin anew.
    pub async fn remove_talks(&mut self, talks: &[(String, String)], before: Timestamp) -> Result<u64> {
        let mut removed = 0;
        for (visitor, conversation) in talks {
            let talk = sqlx::query(
                "delete from progress where visitor = $1 and conversation = $2 and standing = 'at' and changed_at < $3
                     and not exists (select 1 from entry e where e.visitor = $1 and e.conversation = $2)",
            )
            .bind(visitor)
            .bind(conversation)
            .bind(before.as_millisecond());
            removed += talk.execute(&mut *self.connection).await?.rows_affected();
        }
        Ok(removed)
    }

    /// Removes chats that ended before a moment, with notes, files and letters; gives how many, and which letters those were.
    pub async fn remove_chats(&mut self, site: &SiteKey, before: Timestamp, limit: u32) -> Result<(u64, Vec<String>)> {
        let chats: Vec<String> = sqlx::query_scalar(
            "select id from chat where site = $1 and phase = 'ended' and changed_at < $2 order by changed_at limit $3",
        )
        .bind(site.as_str())
        .bind(before.as_millisecond())
        .bind(limit)
        .fetch_all(&mut *self.connection)
        .await?;
        let mut letters = Vec::new();
        for chat in &chats {
            letters.extend(self.texts_of("delete from mail where chat = $1 returning id", chat).await?);
            for statement in [
                "delete from note where chat = $1",
                "delete from attachment where chat = $1",
                "update submission set chat = null where chat = $1",
                "update progress set chat = null where chat = $1 and visitor = (select visitor from chat where id = $1)",
                "delete from chat where id = $1",
            ] {
                self.forget_by(statement, chat).await?;
            }
        }
        Ok((u64::try_from(chats.len()).map_err(corrupt)?, letters))
    }

    /// Removes forms that were filled in before a moment.
    pub async fn remove_submissions(&mut self, site: &SiteKey, before: Timestamp, limit: u32) -> Result<u64> {
        self.remove_old(
            "delete from submission where id in (
                 select id from submission where site = $1 and purpose in ('contact', 'survey') and submitted_at < $2 limit $3)",
            site,
            before,
            limit,
        )
        .await
    }

    /// Removes meetings that were over before a moment.
    pub async fn remove_meetings(&mut self, site: &SiteKey, before: Timestamp, limit: u32) -> Result<u64> {
        self.remove_old(
            "delete from meeting where id in (
                 select id from meeting where site = $1 and starts_at < $2 and ends_at < $2 and phase <> 'held' and push_at is null
                 order by starts_at limit $3)",
            site,
            before,
            limit,
        )
        .await
    }

    /// Removes letters about meetings that were written before a moment and are not to be sent any more; gives which they were.
    pub async fn remove_meeting_letters(&mut self, site: &SiteKey, before: Timestamp, limit: u32) -> Result<Vec<String>> {
        let letters = sqlx::query_scalar(
            "delete from mail where id in (
                 select mail.id from mail join visitor v on v.id = mail.visitor
                 where v.site = $1 and mail.purpose = 'meeting' and mail.made_at < $2 and mail.due_at is null limit $3) returning id",
        )
        .bind(site.as_str())
        .bind(before.as_millisecond())
        .bind(limit);
        Ok(letters.fetch_all(&mut *self.connection).await?)
    }

    /// Removes call backs that were over before a moment, or whose time was never chosen.
    pub async fn remove_callbacks(&mut self, site: &SiteKey, before: Timestamp, limit: u32) -> Result<u64> {
        self.remove_old(
            "delete from callback where id in (
                 select id from callback where site = $1 and changed_at < $2 and phase in ('done', 'dropped', 'choosing') limit $3)",
            site,
            before,
            limit,
        )
        .await
    }

    /// Visitors of a site who have not come since a moment, and with whom nothing is under way or to come; from one on, in the order of their ids.
    pub async fn idle_visitors(
        &mut self,
        site: &SiteKey,
        before: Timestamp,
        now: Timestamp,
        after: Option<VisitorId>,
        limit: u32,
    ) -> Result<Vec<VisitorId>> {
        let rows = sqlx::query(concat!(
            "select v.id from visitor v where v.site = $1 and v.erased_at is null and v.joined is null and v.id > $4 and ",
            idle!(),
            " order by v.id limit $5"
        ))
        .bind(site.as_str())
        .bind(before.as_millisecond())
        .bind(now.as_millisecond())
        .bind(after.map(|after| after.to_string()).unwrap_or_default())
        .bind(limit)
        .fetch_all(&mut *self.connection)
        .await?;
        rows.iter().map(|row| parse(row, "id")).collect()
    }

    /// Whether that is so of a person.
    pub async fn is_idle(&mut self, person: &Person, before: Timestamp, now: Timestamp) -> Result<bool> {
        for part in &person.parts {
            let idle: Option<i64> = sqlx::query_scalar(concat!("select 1 from visitor v where v.id = $1 and ", idle!()))
                .bind(part.to_string())
                .bind(before.as_millisecond())
                .bind(now.as_millisecond())
                .fetch_optional(&mut *self.connection)
                .await?;
            if idle.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes entries of the audit log that were written before a moment.
    pub async fn remove_audited(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        let removed = sqlx::query(
            "delete from audit where position in (select position from audit where at < $1 order by position limit $2)",
        )
        .bind(before.as_millisecond())
        .bind(limit);
        Ok(removed.execute(&mut *self.connection).await?.rows_affected())
    }
}
