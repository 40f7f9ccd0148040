//! The way to one endpoint: what is under way to it, what waits, and what came of it.
//!
//! Each endpoint has a lane of its own, so that one that hangs or is gone holds up none of the others. Of one session, one event is under
//! way at a time: as long as all are accepted, they arrive in the order in which they happened.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use axum::http::{HeaderName, HeaderValue, Method, header};
use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{
    agent::Role,
    event::Event,
    id::{EndpointId, EventId, SessionId},
};
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
};
use url::Url;

use super::{
    Endpoint, EndpointState,
    schedule::{FAILING_AFTER, LONGEST, Schedule, retry_after},
};
use crate::{
    egress::{Answer, Egress, EgressError, Line, Request},
    mail::{Letter, Purpose},
    outside::Outside,
    store::{Attempt, Command, DueDelivery, Failure, Logged, Store, StoreError, Tx},
};

/// How many events of the log are taken up at a time.
const STRETCH: u32 = 256;
/// When so few wait, more are taken up.
const LOW: usize = 64;
/// The most that waits, where nothing of what waits can go because each belongs to a session of which an event is under way.
const MOST: usize = 4_096;
/// How long before an endpoint was known to fail that may have begun: longer than an answer may take.
const FAILS_UNNOTICED: SignedDuration = SignedDuration::from_mins(1);
/// The longest a lane sleeps.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// What all lanes share.
#[derive(Debug, Clone)]
pub(super) struct Ways {
    pub(super) store: Store,
    pub(super) outside: Outside,
    pub(super) egress: Egress,
    pub(super) schedule: Schedule,
    pub(super) concurrency: usize,
    /// Whether e-mail can be sent.
    pub(super) mails: bool,
    /// Where the console is, for letters.
    pub(super) console: String,
}

/// An event on its way: from the log, or once more.
#[derive(Debug, Clone)]
enum Job {
    New(Logged),
    Again(DueDelivery),
}

impl Job {
    const fn logged(&self) -> &Logged {
        match self {
            Self::New(logged) | Self::Again(DueDelivery { logged, .. }) => logged,
        }
    }
}

/// Something as it was read, and how many visitors had been erased by then: if it is more by now, it has to be read again.
#[derive(Debug, Clone)]
struct Read<T> {
    it: T,
    erasures: u64,
}

/// What came of an event.
enum Outcome {
    /// It was sent.
    Sent(Result<Answer, EgressError>),
    /// It is not in the log any more.
    Gone,
    /// It could not be read.
    Unread(StoreError),
}

/// What came of sending an event.
struct Sent {
    job: Job,
    /// Whether it was sent to an endpoint that fails, to see whether it is there again.
    probe: bool,
    line: Line,
    at: Timestamp,
    took: SignedDuration,
    outcome: Outcome,
}

/// The way to one endpoint.
pub(super) struct Lane {
    ways: Arc<Ways>,
    endpoint: Arc<Endpoint>,
    /// What was taken up from the log and has not come to an end, by its place.
    open: BTreeMap<i64, Read<Logged>>,
    /// Those of them that are not yet under way.
    waiting: VecDeque<i64>,
    /// Up to where the log was read, and whether that was its end.
    read_to: i64,
    at_end: bool,
    /// What is to be sent once more, and when to look for more of that.
    again: VecDeque<Read<DueDelivery>>,
    next_due: Option<Timestamp>,
    /// Whether it is the turn of something from the log.
    turn_of_new: bool,
    /// What is under way.
    events: HashSet<EventId>,
    sessions: HashSet<SessionId>,
    sends: JoinSet<Sent>,
    /// How many may be under way: more and more while all goes well, so that nobody is overrun who has just come back.
    pace: usize,
    /// Connections that can be used again.
    lines: Vec<Line>,
    /// Nothing is sent before this: the endpoint fails.
    probe_at: Option<Timestamp>,
    /// Nothing is sent any more.
    stopped: bool,
}

impl Lane {
    pub(super) fn new(ways: Arc<Ways>, endpoint: Endpoint) -> Self {
        Self {
            ways,
            open: BTreeMap::new(),
            waiting: VecDeque::new(),
            read_to: endpoint.position,
            at_end: false,
            again: VecDeque::new(),
            next_due: Some(Timestamp::MIN),
            turn_of_new: false,
            events: HashSet::new(),
            sessions: HashSet::new(),
            sends: JoinSet::new(),
            pace: 1,
            lines: Vec::new(),
            probe_at: None,
            stopped: false,
            endpoint: Arc::new(endpoint),
        }
    }

    /// Sends what is to be sent until nothing is to be sent now.
    pub(super) async fn drain(mut self) -> Result<(), StoreError> {
        loop {
            self.load().await?;
            self.start();
            let Some(sent) = self.sends.join_next().await else { break };
            self.note(sent).await?;
        }
        self.note_place().await
    }

    /// Sends what is to be sent, as it comes, until the endpoint is switched off. What it hears of the endpoint are changes by people.
    pub(super) async fn run(mut self, mut changes: watch::Receiver<Endpoint>) -> Result<(), StoreError> {
        let mut log = self.ways.store.hub().log_of(&self.endpoint.site);
        let mut now_and_then = tokio::time::interval(SLEEP_MAX);
        loop {
            // Noted before it is read: what comes while it is being read is told, too.
            if log.has_changed().unwrap_or(true) {
                log.mark_unchanged();
                self.at_end = false;
            }
            if !self.stopped {
                self.load().await?;
                self.start();
            }
            if self.stopped && self.sends.is_empty() {
                return Ok(());
            }
            let sleep = self.sleep();
            tokio::select! {
                Some(sent) = self.sends.join_next() => self.note(sent).await?,
                changed = changes.changed(), if !self.stopped => match changed {
                    Ok(()) => {
                        let changed = changes.borrow_and_update().clone();
                        self.take_over(changed);
                    }
                    // Whoever looks after the lanes has let this one go.
                    Err(_) => self.stopped = true,
                },
                // That it is gone means that the server stops.
                grown = log.changed(), if self.at_end && !self.stopped => match grown {
                    Ok(()) => self.at_end = false,
                    Err(_) => self.stopped = true,
                },
                // Something is due.
                () = pause(sleep), if !self.stopped => {}
                // So that after a restart it need not look through all that again, and old events need not be kept for it.
                _ = now_and_then.tick(), if !self.stopped => {
                    self.lines.clear();
                    self.note_place().await?;
                }
            }
        }
    }

    /// Takes over what people changed; and looks for what somebody may want sent again.
    fn take_over(&mut self, changed: Endpoint) {
        let known = Arc::make_mut(&mut self.endpoint);
        if known.changed_at != changed.changed_at {
            // It may do better now; so it begins anew.
            (known.failures, known.failing_since, self.probe_at) = (changed.failures.min(1), changed.failing_since, None);
        }
        (known.settings, known.secret, known.previous) = (changed.settings, changed.secret, changed.previous);
        known.changed_at = changed.changed_at;
        self.next_due = Some(Timestamp::MIN);
        // It is nobody but a person who sets it on further than it has come: what it has missed is not to be sent.
        if changed.position > self.place() {
            self.waiting.clear();
            self.again.clear();
            let under_way = &self.events;
            self.open.retain(|_, read| under_way.contains(&read.it.event.id));
            self.read_to = self.read_to.max(changed.position);
            self.at_end = false;
        }
    }

    /// How long there is nothing to do, if nothing comes.
    fn sleep(&self) -> Duration {
        let now = self.ways.outside.now();
        let next = match (self.probe_at, self.next_due) {
            (Some(probe), _) if probe > now => Some(probe),
            (_, due) => due.filter(|due| *due > now),
        };
        let wait = next.map(|next| Duration::try_from(next.duration_since(now)).unwrap_or_default());
        wait.map_or(SLEEP_MAX, |wait| wait.min(SLEEP_MAX))
    }

    /// Takes up more, if there is room and more may be there.
    async fn load(&mut self) -> Result<(), StoreError> {
        let now = self.ways.outside.now();
        let due = self.again.is_empty() && self.next_due.is_some_and(|due| due <= now);
        let room = self.waiting.len() < LOW || (self.waiting.len() < MOST && self.next_free().is_none());
        let more = !self.at_end && room;
        if !(due || more) || self.probe_at.is_some_and(|probe| probe > now) {
            return Ok(());
        }
        let limit = u32::try_from(self.ways.concurrency * 2).unwrap_or(u32::MAX);
        let load = Load { endpoint: self.endpoint.id, due: due.then_some((now, limit)), after: more.then_some(self.read_to) };
        // Counted before it is read: one that is erased meanwhile counts as erased since.
        let erasures = self.ways.store.hub().erasures();
        let loaded = self.ways.store.look(load).await.map_err(StoreError::from)?;
        self.stopped |= loaded.removed;
        if let Some(again) = loaded.again {
            // As many as there may be, and more than are under way: there may be further ones.
            let full = again.len() >= limit as usize;
            self.next_due = if full { Some(now) } else { loaded.next_due };
            let idle = again.into_iter().filter(|due| !self.events.contains(&due.logged.event.id));
            self.again.extend(idle.map(|it| Read { it, erasures }));
        }
        if let Some((events, read_to)) = loaded.stretch {
            self.at_end = events.len() < STRETCH as usize;
            self.read_to = read_to;
            for logged in events {
                self.waiting.push_back(logged.position);
                self.open.insert(logged.position, Read { it: logged, erasures });
            }
        }
        Ok(())
    }

    /// Sends what may be sent now.
    fn start(&mut self) {
        let now = self.ways.outside.now();
        while !self.stopped && self.sends.len() < self.pace && self.probe_at.is_none_or(|probe| probe <= now) {
            let Some(job) = self.next_job() else { break };
            let Read { it: job, erasures } = job;
            let event = &job.logged().event;
            self.events.insert(event.id);
            if matches!(job, Job::New(_)) {
                self.sessions.insert(event.session);
            }
            let line = self.lines.pop().unwrap_or_else(|| self.ways.egress.line());
            let probe = self.endpoint.failures >= FAILING_AFTER;
            self.sends.spawn(send(Arc::clone(&self.ways), Arc::clone(&self.endpoint), line, Read { it: job, erasures }, probe));
        }
    }

    /// What is sent next: what is new and what is sent once more by turns, so that neither holds up the other.
    fn next_job(&mut self) -> Option<Read<Job>> {
        self.turn_of_new = !self.turn_of_new;
        if self.turn_of_new {
            self.next_new().or_else(|| self.next_again())
        } else {
            self.next_again().or_else(|| self.next_new())
        }
    }

    fn next_again(&mut self) -> Option<Read<Job>> {
        while let Some(Read { it, erasures }) = self.again.pop_front() {
            // It may have gone out as one from the log in the meantime.
            if !self.events.contains(&it.logged.event.id) {
                return Some(Read { it: Job::Again(it), erasures });
            }
        }
        None
    }

    /// Which of those that wait is the first of a session of which none is under way.
    fn next_free(&self) -> Option<usize> {
        let free = |place: &i64| self.open.get(place).is_some_and(|read| !self.sessions.contains(&read.it.event.session));
        self.waiting.iter().position(free)
    }

    fn next_new(&mut self) -> Option<Read<Job>> {
        let index = self.next_free()?;
        let place = self.waiting.remove(index)?;
        self.open.get(&place).cloned().map(|Read { it, erasures }| Read { it: Job::New(it), erasures })
    }

    /// Notes what came of what has come to an end by now, in one transaction; meanwhile more is under way.
    async fn note(&mut self, first: Result<Sent, JoinError>) -> Result<(), StoreError> {
        let note = self.gather(first);
        self.start();
        self.commit(note).await
    }

    async fn commit(&mut self, note: Note) -> Result<(), StoreError> {
        self.stopped |= !self.ways.store.commit_in_turn(note).await.map_err(StoreError::from)?;
        Ok(())
    }

    /// What came of what has come to an end by now.
    fn gather(&mut self, first: Result<Sent, JoinError>) -> Note {
        let now = self.ways.outside.now();
        let (mut attempts, mut accepted, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        let (mut gone, mut hasten, mut asked_for) = (false, None, None);
        let mut next = Some(first);
        while let Some(sent) = next {
            next = self.sends.try_join_next();
            let Sent { job, probe, line, at, took, outcome } = match sent {
                Ok(sent) => sent,
                Err(error) => {
                    // A fault of ours: what the endpoint has not been sent is sent by a lane that begins anew.
                    tracing::error!(%error, endpoint = %self.endpoint.id, "an event was not sent");
                    self.stopped = true;
                    continue;
                }
            };
            let Logged { event, position } = job.logged();
            let (id, kind) = (event.id, Some(event.kind));
            self.events.remove(&id);
            if self.lines.len() < self.ways.concurrency {
                self.lines.push(line);
            }
            if matches!(job, Job::New(_)) {
                self.sessions.remove(&event.session);
            }
            let outcome = match outcome {
                Outcome::Sent(outcome) => outcome,
                Outcome::Gone => {
                    self.open.remove(position);
                    accepted.push(id);
                    continue;
                }
                Outcome::Unread(error) => {
                    tracing::error!(%error, endpoint = %self.endpoint.id, "an event could not be read");
                    self.stopped = true;
                    continue;
                }
            };
            self.open.remove(position);
            let (status, problem) = verdict(&outcome);
            let endpoint = Arc::make_mut(&mut self.endpoint);
            if let Some(problem) = &problem {
                let since = *endpoint.failing_since.get_or_insert(at);
                endpoint.problem = Some(problem.clone());
                if status.is_some_and(is_of_event) {
                    // It is there, and says that it does not want this one: others need not wait.
                    if endpoint.failures >= FAILING_AFTER {
                        hasten = since.checked_sub(FAILS_UNNOTICED).ok();
                    }
                    endpoint.failures = 0;
                } else {
                    // What was under way together with others fails with them, and says no more than they do.
                    if probe || endpoint.failures < FAILING_AFTER {
                        endpoint.failures = endpoint.failures.saturating_add(1);
                    }
                    self.pace = (self.pace / 2).max(1);
                }
                gone |= status == Some(410);
                let value = outcome.as_ref().ok().and_then(|answer| answer.headers.get(header::RETRY_AFTER)?.to_str().ok());
                let asked = value.and_then(|value| retry_after(value, now));
                asked_for = asked_for.max(asked);
                let (tries, first_at) = match &job {
                    Job::New(_) => (1, at),
                    Job::Again(due) => (due.tries.saturating_add(1), if due.tries == 0 { at } else { due.first_at }),
                };
                let due = self.ways.schedule.again(&format!("{} {id}", endpoint.id), tries, first_at, now, asked);
                // While it is the endpoint that fails, no event is given up.
                let due = due.or_else(|| probe.then(|| now.checked_add(LONGEST).ok()).flatten());
                self.next_due = [self.next_due, due].into_iter().flatten().min();
                failed.push((id, tries, first_at, due));
            } else {
                if endpoint.failures >= FAILING_AFTER {
                    // It is there again: what has failed with it is due now, what was refused before is not.
                    hasten = endpoint.failing_since.and_then(|since| since.checked_sub(FAILS_UNNOTICED).ok());
                }
                (endpoint.failures, endpoint.failing_since, endpoint.problem) = (0, None, None);
                self.pace = (self.pace * 2).min(self.ways.concurrency);
                accepted.push(id);
            }
            attempts.push(Attempt { id: 0, event: id, kind, at, took, status, problem });
        }
        if hasten.is_some() {
            (self.next_due, self.probe_at) = (Some(Timestamp::MIN), None);
        }
        let wait = self.ways.schedule.probe(&self.endpoint.id.to_string(), self.endpoint.failures, asked_for);
        // Who asked for time has it, though others are accepted meanwhile.
        self.probe_at = self.probe_at.max(wait.and_then(|wait| now.checked_add(wait).ok()));
        let too_long = self.endpoint.failing_since.is_some_and(|since| now.duration_since(since) >= self.ways.schedule.disable);
        let off = match (gone, too_long) {
            (true, _) => Some(EndpointState::Gone),
            (false, true) => Some(EndpointState::Failing),
            (false, false) => None,
        };
        let place = self.place();
        Arc::make_mut(&mut self.endpoint).position = place;
        // Nothing more goes to one that is about to be switched off.
        self.stopped |= off.is_some();
        Note { ways: Arc::clone(&self.ways), endpoint: Arc::clone(&self.endpoint), attempts, accepted, failed, hasten, off, now }
    }

    /// Up to where all of the log has come to an end, or stands among what is to be sent again.
    fn place(&self) -> i64 {
        self.open.keys().next().map_or(self.read_to, |first| first - 1)
    }

    /// Notes the place in the log if it has gone on since it was noted.
    async fn note_place(&mut self) -> Result<(), StoreError> {
        let place = self.place();
        if place <= self.endpoint.position {
            return Ok(());
        }
        Arc::make_mut(&mut self.endpoint).position = place;
        let note = Note {
            ways: Arc::clone(&self.ways),
            endpoint: Arc::clone(&self.endpoint),
            attempts: Vec::new(),
            accepted: Vec::new(),
            failed: Vec::new(),
            hasten: None,
            off: None,
            now: self.ways.outside.now(),
        };
        self.commit(note).await
    }
}

/// Waits. What there is to do then, and when, stands in the store.
#[expect(clippy::disallowed_methods, reason = "the due times are rows; a lane only looks again when the next of them has come")]
pub(super) async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}

/// Whether a status says that something is wrong with the event that was sent, and nothing with the endpoint: bad request, conflict, too large,
/// of no such type, not to be processed ([RFC 9110 §15.5](https://www.rfc-editor.org/rfc/rfc9110#section-15.5)).
const fn is_of_event(status: u16) -> bool {
    matches!(status, 400 | 409 | 413 | 415 | 422)
}

/// Whether an outcome is an acceptance: a status of 2xx. Else why it is none.
fn verdict(outcome: &Result<Answer, EgressError>) -> (Option<u16>, Option<String>) {
    match outcome {
        Ok(answer) if answer.status.is_success() => (Some(answer.status.as_u16()), None),
        Ok(answer) if answer.status.is_redirection() => (
            Some(answer.status.as_u16()),
            Some(format!("expected a status of 2xx, got {}; redirects are not followed", answer.status)),
        ),
        Ok(answer) => (Some(answer.status.as_u16()), Some(format!("expected a status of 2xx, got {}", answer.status))),
        Err(error) => (None, Some(error.to_string())),
    }
}

async fn send(ways: Arc<Ways>, endpoint: Arc<Endpoint>, mut line: Line, read: Read<Job>, probe: bool) -> Sent {
    let at = ways.outside.now();
    let Read { it: job, erasures } = read;
    let outcome = if ways.store.hub().erasures() == erasures {
        Outcome::Sent(exchange(&endpoint, &mut line, &job.logged().event, at).await)
    } else {
        // Whom it was about may have been erased since it was read.
        match ways.store.event(job.logged().event.id).await {
            Ok(Some(logged)) => Outcome::Sent(exchange(&endpoint, &mut line, &logged.event, at).await),
            Ok(None) => Outcome::Gone,
            Err(error) => Outcome::Unread(error),
        }
    };
    let took = ways.outside.now().duration_since(at);
    Sent { job, probe, line, at, took, outcome }
}

/// Sends an event that is not in the log, and says what came of it. Nothing is noted.
pub(super) async fn send_once(ways: &Ways, endpoint: &Endpoint, event: &Event) -> Attempt {
    let (at, mut line) = (ways.outside.now(), ways.egress.line());
    let outcome = exchange(endpoint, &mut line, event, at).await;
    let took = ways.outside.now().duration_since(at);
    let (status, problem) = verdict(&outcome);
    Attempt { id: 0, event: event.id, kind: Some(event.kind), at, took, status, problem }
}

async fn exchange(endpoint: &Endpoint, line: &mut Line, event: &Event, at: Timestamp) -> Result<Answer, EgressError> {
    let url = Url::parse(&endpoint.settings.url).map_err(|_| EgressError::Scheme)?;
    let outgoing = endpoint.settings.adapter.outgoing(&url, event);
    let mut headers = vec![
        (HeaderName::from_static("webhook-id"), event.id.to_string()),
        (HeaderName::from_static("webhook-timestamp"), at.as_second().to_string()),
        (HeaderName::from_static("webhook-signature"), endpoint.signer(at).sign(event.id, at, &outgoing.body)),
    ];
    headers.extend(outgoing.headers.into_iter().filter_map(|(name, value)| Some((name.parse().ok()?, value))));
    let request = Request {
        method: Method::POST,
        url: outgoing.url,
        headers: headers.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::try_from(value).ok()?))).collect(),
        basic: None,
        body: outgoing.body,
        content_type: Some("application/json"),
    };
    line.send(request).await
}

struct Load {
    endpoint: EndpointId,
    due: Option<(Timestamp, u32)>,
    after: Option<i64>,
}

struct Loaded {
    again: Option<Vec<DueDelivery>>,
    next_due: Option<Timestamp>,
    stretch: Option<(Vec<Logged>, i64)>,
    /// Whether the endpoint is not there any more.
    removed: bool,
}

impl Command for Load {
    type Done = Loaded;
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Loaded, Failure<Self::Refusal>> {
        let mut loaded = Loaded { again: None, next_due: None, stretch: None, removed: false };
        // As people want it at this very moment: what is read past is not sent.
        let Some(endpoint) = tx.endpoint(self.endpoint).await? else {
            loaded.removed = true;
            return Ok(loaded);
        };
        if let Some((now, limit)) = self.due {
            loaded.again = Some(tx.deliveries_due(self.endpoint, now, limit).await?);
            loaded.next_due = tx.next_delivery(self.endpoint, now).await?;
        }
        if let Some(after) = self.after {
            let stretch = tx.stretch(&endpoint.site, &endpoint.settings.types, after, STRETCH).await?;
            loaded.stretch = Some((stretch.events, stretch.read_to));
        }
        Ok(loaded)
    }
}

/// What came of an event that was not accepted: how often it was tried, when first, and when it is tried next.
type Refused = (EventId, u32, Timestamp, Option<Timestamp>);

/// Notes what came of some attempts, and where the endpoint is in the log.
struct Note {
    ways: Arc<Ways>,
    /// The endpoint as it is now.
    endpoint: Arc<Endpoint>,
    attempts: Vec<Attempt>,
    accepted: Vec<EventId>,
    failed: Vec<Refused>,
    /// Whether what was tried first since a moment is to be sent now: the endpoint is there again.
    hasten: Option<Timestamp>,
    off: Option<EndpointState>,
    now: Timestamp,
}

impl Command for Note {
    /// Whether the endpoint is still there and on.
    type Done = bool;
    type Refusal = std::convert::Infallible;

    async fn run(self, tx: &mut Tx<'_>) -> Result<bool, Failure<Self::Refusal>> {
        let Self { ways, endpoint, attempts, accepted, failed, hasten, off, now } = self;
        let Some(known) = tx.endpoint(endpoint.id).await? else { return Ok(false) };
        for attempt in &attempts {
            tx.add_attempt(endpoint.id, attempt).await?;
        }
        for event in accepted {
            tx.remove_delivery(endpoint.id, event).await?;
        }
        for (event, tries, first_at, due) in failed {
            tx.put_delivery(endpoint.id, event, tries, first_at, due).await?;
        }
        if let Some(since) = hasten {
            tx.hasten_deliveries(endpoint.id, since, now).await?;
        }
        let Endpoint { failing_since, failures, problem, .. } = &*endpoint;
        tx.endpoint_went_on(endpoint.id, endpoint.position, *failing_since, *failures, problem.as_deref()).await?;
        if known.state != EndpointState::On {
            return Ok(false);
        }
        let Some(off) = off else { return Ok(true) };
        tracing::warn!(endpoint = %endpoint.id, state = off.name(), "an endpoint of webhooks is sent nothing any more");
        tx.switch_endpoint(endpoint.id, off, now).await?;
        if ways.mails {
            tell_owner(tx, &ways, &endpoint, off, now).await?;
        }
        Ok(false)
    }
}

/// Writes to whoever looks after an endpoint that it is sent nothing any more.
async fn tell_owner(
    tx: &mut Tx<'_>,
    ways: &Ways,
    endpoint: &Endpoint,
    off: EndpointState,
    now: Timestamp,
) -> Result<(), StoreError> {
    let recipients = match &endpoint.settings.notify {
        Some(notify) => vec![notify.clone()],
        None => {
            let agents = tx.agents().await?.into_iter();
            agents
                .filter(|agent| agent.role == Role::Administrator && !agent.disabled)
                .map(|agent| agent.email.to_string())
                .collect()
        }
    };
    let why = if off == EndpointState::Gone {
        "It answered that it is gone (410).".to_owned()
    } else {
        let since = endpoint.failing_since.unwrap_or(now);
        format!("It has done nothing but fail since {since:.0}: {}.", endpoint.problem.as_deref().unwrap_or_default())
    };
    let body = format!(
        "Porchlight sends no more events to the webhook \"{}\" of the site \"{}\".\n\n{why}\n\nThe log keeps what it was not sent, \
         as long as the site keeps its events. You can have it go on from there when you switch it on again:\n{}/console/webhooks/{}\n",
        endpoint.settings.name, endpoint.site, ways.console, endpoint.id
    );
    for (index, recipient) in recipients.into_iter().enumerate() {
        let letter = Letter {
            id: format!("webhook-{}-{}-{index}", endpoint.id, now.as_millisecond()),
            purpose: Purpose::Webhook,
            recipient,
            subject: format!("The webhook \"{}\" is switched off", endpoint.settings.name),
            body: body.clone(),
            chat: None,
            calendar: None,
            visitor: None,
        };
        tx.add_mail(&letter, now).await?;
    }
    Ok(())
}
