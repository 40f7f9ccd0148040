//! What people and their programs do with endpoints: one way, for the API and the console. Each is noted in the audit log, in the transaction of
//! what was done.

use jiff::{SignedDuration, Timestamp};
use porchlight_domain::{
    event::EventType,
    id::{EndpointId, EventId, SiteKey},
};
use serde_json::{Value, json};
use url::Url;

use super::{Endpoint, EndpointSettings, EndpointState, Hooks, WebhookSecret};
use crate::{
    http::{Code, Problem},
    settings::Settings,
    store::{Actor, Attempt, AttemptFilter, AuditEntry, Backlog, Command, Failure, Store, Tx},
};

type Done<T> = Result<T, Failure<Problem>>;

/// Room for a request that describes an endpoint, in bytes: a template is longer than other bodies may be, and a form writes it longer still.
pub(crate) const BODY_BYTES: usize = 131_072;

/// Who does it, where they may, and when.
#[derive(Debug, Clone)]
pub(crate) struct By {
    pub(crate) actor: Actor,
    /// The sites they may do it on; none named: all.
    pub(crate) sites: Option<Vec<SiteKey>>,
    pub(crate) now: Timestamp,
}

/// An endpoint, and how far it is behind.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) endpoint: Endpoint,
    pub(crate) backlog: Backlog,
}

impl Known {
    async fn of(tx: &mut Tx<'_>, endpoint: Endpoint) -> Done<Self> {
        let backlog = tx.backlog(&endpoint).await?;
        Ok(Self { endpoint, backlog })
    }
}

fn refuse<T>(problem: Problem) -> Done<T> {
    Err(Failure::Refused(problem))
}

/// That there is no such endpoint, or none that whoever asks may know of.
pub(crate) fn no_webhook(id: &str) -> Problem {
    let id: String = id.chars().take(80).collect();
    Problem::new(Code::UnknownWebhook, format!("there is no endpoint of webhooks with the id \"{id}\"")).field("id")
}

impl By {
    fn serves(&self, site: &SiteKey) -> bool {
        self.sites.as_ref().is_none_or(|sites| sites.contains(site))
    }

    async fn find(&self, tx: &mut Tx<'_>, id: EndpointId) -> Done<Endpoint> {
        let found = tx.endpoint(id).await?.filter(|endpoint| self.serves(&endpoint.site));
        found.ok_or_else(|| Failure::Refused(no_webhook(&id.to_string())))
    }

    async fn note(&self, tx: &mut Tx<'_>, action: &'static str, endpoint: &Endpoint, detail: Value) -> Done<()> {
        let subject = endpoint.id.to_string();
        let entry =
            AuditEntry { actor: &self.actor, action, site: Some(&endpoint.site), subject: &subject, detail, at: self.now };
        Ok(tx.audit(entry).await?)
    }
}

/// What the audit log says of an endpoint. Its address may hold a secret, so that only the host is named.
fn about(endpoint: &Endpoint) -> Value {
    let EndpointSettings { name, url, adapter, .. } = &endpoint.settings;
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    json!({ "name": name, "host": host, "adapter": adapter.kind() })
}

fn check(hooks: &Hooks, settings: &EndpointSettings) -> Done<()> {
    match hooks.check(settings) {
        Ok(()) => Ok(()),
        Err(error) => refuse(Problem::new(Code::Malformed, error.to_string()).field(error.field())),
    }
}

/// Reads an endpoint.
pub(crate) struct Show {
    pub(crate) by: By,
    pub(crate) id: EndpointId,
}

impl Command for Show {
    type Done = Known;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Done<Known> {
        let endpoint = self.by.find(tx, self.id).await?;
        Known::of(tx, endpoint).await
    }
}

/// Reads the endpoints of the sites one may touch, after one of them.
pub(crate) struct List {
    pub(crate) by: By,
    pub(crate) after: Option<EndpointId>,
    pub(crate) limit: u32,
}

impl Command for List {
    type Done = Vec<Known>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Done<Vec<Known>> {
        let mut list = Vec::new();
        for endpoint in tx.endpoints(self.by.sites.as_deref(), self.after, self.limit).await? {
            list.push(Known::of(tx, endpoint).await?);
        }
        Ok(list)
    }
}

/// Reads what came of attempts.
pub(crate) struct Attempts {
    pub(crate) by: By,
    pub(crate) id: EndpointId,
    pub(crate) filter: AttemptFilter,
}

impl Command for Attempts {
    type Done = Vec<Attempt>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Done<Vec<Attempt>> {
        let endpoint = self.by.find(tx, self.id).await?;
        Ok(tx.attempts(endpoint.id, &self.filter).await?)
    }
}

/// Makes an endpoint. It is sent what happens from now on.
pub(crate) struct Make {
    pub(crate) by: By,
    pub(crate) hooks: Hooks,
    pub(crate) id: EndpointId,
    pub(crate) site: SiteKey,
    pub(crate) settings: EndpointSettings,
    pub(crate) secret: WebhookSecret,
    /// The most endpoints of a site.
    pub(crate) most: u32,
}

impl Command for Make {
    type Done = Known;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Done<Known> {
        let Self { by, hooks, id, site, settings, secret, most } = self;
        if !by.serves(&site) || tx.site_revision(&site).await?.is_none() {
            let detail = format!("there is no site with the key \"{site}\"");
            return refuse(Problem::new(Code::UnknownSite, detail).field("site"));
        }
        let settings = settings.tidied();
        check(&hooks, &settings)?;
        if tx.count_endpoints(&site).await? >= most {
            let detail = format!("the site has {most} endpoints, which is as many as the setting webhooks_limit allows");
            return refuse(Problem::new(Code::TooManyWebhooks, detail).field("site"));
        }
        let endpoint = Endpoint {
            id,
            site,
            settings,
            secret,
            previous: None,
            position: tx.log_end().await?,
            state: EndpointState::On,
            failing_since: None,
            failures: 0,
            problem: None,
            created_at: by.now,
            changed_at: by.now,
        };
        tx.put_endpoint(&endpoint).await?;
        by.note(tx, "webhook.made", &endpoint, about(&endpoint)).await?;
        Known::of(tx, endpoint).await
    }
}

/// Puts other settings in the place of those before.
pub(crate) struct Change {
    pub(crate) by: By,
    pub(crate) hooks: Hooks,
    pub(crate) id: EndpointId,
    pub(crate) settings: EndpointSettings,
}

impl Command for Change {
    type Done = Known;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Done<Known> {
        let Self { by, hooks, id, settings } = self;
        let known = by.find(tx, id).await?;
        let settings = settings.tidied().with_secrets_of(&known.settings);
        check(&hooks, &settings)?;
        let changed = differences(&known.settings, &settings);
        if changed.is_empty() {
            return Known::of(tx, known).await;
        }
        let endpoint = Endpoint { settings, changed_at: by.now, ..known };
        tx.put_endpoint(&endpoint).await?;
        let mut detail = about(&endpoint);
        detail["fields"] = json!(changed);
        by.note(tx, "webhook.changed", &endpoint, detail).await?;
        Known::of(tx, endpoint).await
    }
}

/// The names of what is different.
fn differences(before: &EndpointSettings, now: &EndpointSettings) -> Vec<&'static str> {
    let fields = [
        ("name", before.name != now.name),
        ("url", before.url != now.url),
        ("types", before.types != now.types),
        ("adapter", before.adapter != now.adapter),
        ("notify", before.notify != now.notify),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// Removes an endpoint, with what it has yet to be sent.
pub(crate) struct Remove {
    pub(crate) by: By,
    pub(crate) id: EndpointId,
}

impl Command for Remove {
    type Done = ();
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Done<()> {
        let endpoint = self.by.find(tx, self.id).await?;
        tx.remove_endpoint(endpoint.id).await?;
        self.by.note(tx, "webhook.removed", &endpoint, about(&endpoint)).await
    }
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// On: from where it stopped, or from now, so that what was missed is not sent.
    On { skip: bool },
    /// Off.
    Off,
}

/// Switches an endpoint on or off. What is so already stays as it is.
pub(crate) struct Switch {
    pub(crate) by: By,
    pub(crate) id: EndpointId,
    pub(crate) turn: Turn,
}

impl Command for Switch {
    type Done = Known;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Done<Known> {
        let Self { by, id, turn } = self;
        let endpoint = by.find(tx, id).await?;
        match (turn, endpoint.state) {
            (Turn::On { skip: true }, EndpointState::On) => {
                let detail =
                    "expected an endpoint that is switched off: one that is on has its place in the log; switch it off first";
                return refuse(Problem::new(Code::SwitchedOn, detail).field("skip"));
            }
            (Turn::On { skip: false }, EndpointState::On) => {}
            (Turn::On { skip }, was) => {
                if skip {
                    tx.skip_endpoint(id).await?;
                }
                tx.switch_endpoint(id, EndpointState::On, by.now).await?;
                let detail = json!({ "name": endpoint.settings.name, "was": was.name(), "skip": skip });
                by.note(tx, "webhook.enabled", &endpoint, detail).await?;
            }
            (Turn::Off, EndpointState::On) => {
                tx.switch_endpoint(id, EndpointState::Person, by.now).await?;
                by.note(tx, "webhook.disabled", &endpoint, json!({ "name": endpoint.settings.name })).await?;
            }
            (Turn::Off, _) => {}
        }
        let endpoint = by.find(tx, id).await?;
        Known::of(tx, endpoint).await
    }
}

/// How long the secret before a new one is signed with.
pub(crate) fn overlap(settings: &Settings) -> SignedDuration {
    SignedDuration::from_hours(i64::try_from(settings.webhook_secret_overlap_hours).unwrap_or_default())
}

/// Gives an endpoint another secret. That before it is signed with, too, for a time.
pub(crate) struct Rotate {
    pub(crate) by: By,
    pub(crate) id: EndpointId,
    pub(crate) secret: WebhookSecret,
    /// How long.
    pub(crate) overlap: SignedDuration,
}

impl Command for Rotate {
    type Done = Endpoint;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Done<Endpoint> {
        let Self { by, id, secret, overlap } = self;
        let known = by.find(tx, id).await?;
        let until = by.now.checked_add(overlap).unwrap_or(Timestamp::MAX);
        let previous = (until > by.now).then_some((known.secret, until));
        let endpoint = Endpoint { secret, previous, changed_at: by.now, ..known };
        tx.put_endpoint(&endpoint).await?;
        let until = endpoint.previous.as_ref().map(|(_, until)| format!("{until:.3}"));
        let detail = json!({ "name": endpoint.settings.name, "previousUntil": until });
        by.note(tx, "webhook.secret_rotated", &endpoint, detail).await?;
        Ok(endpoint)
    }
}

/// Reads the secret of an endpoint, with the one before it as long as that is signed with. That they were read is noted.
pub(crate) struct ReadSecret {
    pub(crate) by: By,
    pub(crate) id: EndpointId,
}

impl Command for ReadSecret {
    type Done = Endpoint;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Done<Endpoint> {
        let mut endpoint = self.by.find(tx, self.id).await?;
        self.by.note(tx, "webhook.secret_read", &endpoint, json!({ "name": endpoint.settings.name })).await?;
        endpoint.previous = endpoint.previous.filter(|(_, until)| self.by.now < *until);
        Ok(endpoint)
    }
}

/// Which events are sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// One, whatever types the endpoint is sent otherwise.
    One(EventId),
    /// Those from a moment on and before another.
    Between(Timestamp, Timestamp),
    /// Those that were given up.
    Failed,
}

/// Has events sent to an endpoint again, and gives how many.
pub(crate) struct Replay {
    pub(crate) by: By,
    pub(crate) id: EndpointId,
    pub(crate) which: Which,
    /// The most at once.
    pub(crate) most: u32,
}

impl Command for Replay {
    type Done = u64;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Done<u64> {
        let Self { by, id, which, most } = self;
        let endpoint = by.find(tx, id).await?;
        if endpoint.state != EndpointState::On {
            return refuse(Problem::new(Code::SwitchedOff, "nothing is sent to the endpoint; switch it on first"));
        }
        let (count, asked) = match which {
            Which::One(event) => {
                if !tx.replay_one(&endpoint, event, by.now).await? {
                    let detail = format!("the log of the site \"{}\" has no event \"{event}\"", endpoint.site);
                    return refuse(Problem::new(Code::NotFound, detail).field("event"));
                }
                (1, json!({ "event": event }))
            }
            Which::Between(from, to) => {
                if to <= from {
                    return refuse(Problem::new(Code::Malformed, "expected a time after the one it begins with").field("to"));
                }
                if tx.count_between(&endpoint, from, to, most.saturating_add(1)).await? > most {
                    let detail =
                        format!("expected a time with at most {most} events, as the setting webhook_replay_limit has it");
                    return refuse(Problem::new(Code::Malformed, detail).field("to"));
                }
                let count = tx.replay_between(&endpoint, from, to, by.now).await?;
                (count, json!({ "from": format!("{from:.3}"), "to": format!("{to:.3}") }))
            }
            Which::Failed => (tx.replay_failed(id, by.now, most).await?, json!({ "failed": true })),
        };
        let detail = json!({ "name": endpoint.settings.name, "which": asked, "events": count });
        by.note(tx, "webhook.replayed", &endpoint, detail).await?;
        Ok(count)
    }
}

/// Notes that a made-up event was sent.
struct Tried {
    by: By,
    endpoint: Endpoint,
    attempt: Attempt,
}

impl Command for Tried {
    type Done = Attempt;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Done<Attempt> {
        let Self { by, endpoint, attempt } = self;
        let detail = json!({ "name": endpoint.settings.name, "event": attempt.event, "status": attempt.status });
        by.note(tx, "webhook.tested", &endpoint, detail).await?;
        Ok(attempt)
    }
}

/// Sends a made-up event of a type to an endpoint at once, also to one that is switched off, and says what came of it. Nobody waits for that
/// within a transaction.
pub(crate) async fn try_out(store: &Store, hooks: &Hooks, by: By, id: EndpointId, kind: EventType) -> Done<Attempt> {
    let Known { endpoint, .. } = store.look(Show { by: by.clone(), id }).await?;
    let attempt = hooks.try_out(&endpoint, kind).await;
    store.commit(Tried { by, endpoint, attempt }).await
}
