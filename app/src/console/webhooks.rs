//! Endpoints of webhooks: where events are sent, and what came of it.

use leptos::prelude::*;
use porchlight_domain::event::CATALOGUE;

use super::pages::{LabelledField, ProblemLine};
use crate::ui::as_content;

/// The forms that events are sent in: the name, what it is called, and what it is for.
const FORMS: [(&str, &str, &str); 4] = [
    ("standard", "As it is, signed", "JSON for a system of your own, as Standard Webhooks has it"),
    ("slack", "A line of text", "For Slack, Mattermost and Rocket.Chat"),
    ("ga4", "Google Analytics 4", "By the Measurement Protocol; contact details do not go there"),
    ("template", "JSON of your own", "For whatever else takes JSON"),
];

/// What a form is called.
#[must_use]
pub fn form_in_words(kind: &str) -> &'static str {
    FORMS.iter().find(|(name, ..)| *name == kind).map_or("", |(_, label, _)| label)
}

/// How an endpoint does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointHealth {
    /// It takes what it is sent.
    Well,
    /// It is sent events, and does not take them.
    Failing,
    /// Somebody has switched it off.
    Off,
    /// It has said that it is gone, so nothing is sent any more.
    Gone,
    /// It failed for so long that nothing is sent any more.
    GivenUp,
}

impl EndpointHealth {
    const fn words(self) -> &'static str {
        match self {
            Self::Well => "on",
            Self::Failing => "failing",
            Self::Off => "switched off",
            Self::Gone => "switched off: it said that it is gone",
            Self::GivenUp => "switched off: it failed for too long",
        }
    }

    const fn is_on(self) -> bool {
        matches!(self, Self::Well | Self::Failing)
    }
}

#[component]
fn Health(health: EndpointHealth) -> impl IntoView {
    let (well, bad) = (health == EndpointHealth::Well, !matches!(health, EndpointHealth::Well | EndpointHealth::Off));
    view! { <span class="chip" class:well=well class:late=bad>{health.words()}</span> }
}

/// An endpoint in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointLine {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Its site.
    pub site: String,
    /// Where it is.
    pub url: String,
    /// The form it is sent events in, by its name.
    pub kind: &'static str,
    /// How it does.
    pub health: EndpointHealth,
    /// What has not been sent, in words.
    pub open: Vec<String>,
}

/// What stands in the fields of an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointFields {
    /// The site.
    pub site: String,
    /// What it is called.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// The form, by its name.
    pub kind: String,
    /// The line of text.
    pub text: String,
    /// The data stream of Google Analytics.
    pub measurement_id: String,
    /// Its API secret.
    pub api_secret: String,
    /// The JSON.
    pub body: String,
    /// The headers, a line each.
    pub headers: String,
    /// The types of events that are chosen.
    pub types: Vec<String>,
    /// Who is told when it is switched off.
    pub notify: String,
}

/// The endpoints.
#[component]
pub fn WebhooksPage(
    /// Some of them.
    lines: Vec<EndpointLine>,
    /// Where there are more.
    more: Option<String>,
    /// The sites one works for.
    sites: Vec<String>,
    /// What stands in the fields of a new one.
    fields: EndpointFields,
    /// What was done.
    said: Option<&'static str>,
    /// What is wrong with the new one.
    problem: Option<String>,
) -> impl IntoView {
    let empty = lines.is_empty();
    let site = fields.site.clone();
    view! {
        <h1>"Webhooks"</h1>
        <p class="hint mb-3">"What happens on a site is sent to other systems, again and again until they take it."</p>
        {said.map(|said| view! { <p role="status" class="mb-3">{said}</p> })}
        {empty.then(|| view! { <p class="empty">"Nothing is sent anywhere yet."</p> })}
        <ul class="agent-list">
            {lines.into_iter().map(|line| {
                let href = format!("/console/webhooks/{}", line.id);
                let mut words = vec![form_in_words(line.kind).to_owned()];
                words.extend(line.open);
                view! {
                    <li class="card">
                        <p>
                            <a class="font-medium underline break-words" href=href dir="auto">{line.name}</a>
                            " " <span class="chip">{line.site}</span> " " <Health health=line.health/>
                        </p>
                        <p class="hint break-all">{line.url}</p>
                        <p class="hint">{words.join(" · ")}</p>
                    </li>
                }
            }).collect_view()}
        </ul>
        {more.map(|more| view! { <p class="mb-3"><a class="button" href=more>"More"</a></p> })}
        <form class="card" method="post" action="/console/webhooks">
            <h2>"A new endpoint"</h2>
            <ProblemLine problem/>
            <label class="field"><span class="label">"Site"</span>
                <select class="input" name="site">
                    {sites.into_iter().map(|one| {
                        let selected = one == site;
                        view! { <option value=one.clone() selected=selected>{one.clone()}</option> }
                    }).collect_view()}
                </select>
            </label>
            <EndpointInputs fields/>
            <button class="button-primary" type="submit">"Make it"</button>
        </form>
    }
}

/// The types of events, by what stands before the point.
fn groups() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for entry in CATALOGUE {
        let prefix = entry.name.split('.').next().unwrap_or_default();
        match groups.last_mut() {
            Some((last, kinds)) if *last == prefix => kinds.push(entry.name),
            _ => groups.push((prefix, vec![entry.name])),
        }
    }
    groups
}

#[component]
fn EndpointInputs(fields: EndpointFields) -> impl IntoView {
    let EndpointFields { name, url, kind, text, measurement_id, api_secret, body, headers, types, notify, .. } = fields;
    view! {
        <LabelledField name="name" label="Name" value=name hint="What it is for"/>
        <LabelledField name="url" label="Address" kind="url" value=url hint="Such as https://hooks.example.com/porchlight"/>
        <fieldset class="field adapter">
            <legend class="label">"Form"</legend>
            {FORMS.into_iter().map(|(value, label, hint)| {
                let checked = value == kind;
                view! {
                    <label class="check">
                        <input type="radio" name="kind" value=value checked=checked/>
                        <span>{label} " " <span class="hint">{hint}</span></span>
                    </label>
                }
            }).collect_view()}
            <div class="of-slack">
                <label class="field">
                    <span class="label">"Text"</span>
                    <textarea class="input" name="text" rows="2" dir="auto">{as_content(&text)}</textarea>
                    <span class="hint">"With placeholders such as {{type}}, {{page}} and {{data.name}}. Empty: a usual one."</span>
                </label>
            </div>
            <div class="of-ga4">
                <LabelledField name="measurement_id" label="Measurement ID" value=measurement_id optional=true hint="Of the data stream, such as G-ABC123. The address is https://www.google-analytics.com/mp/collect, or of the EU https://region1.google-analytics.com/mp/collect."/>
                <LabelledField name="api_secret" label="API secret" value=api_secret optional=true hint="Of the Measurement Protocol, for this data stream. What is kept is shown as …"/>
            </div>
            <div class="of-template">
                <label class="field">
                    <span class="label">"JSON"</span>
                    <textarea class="input font-mono" name="body" rows="6" spellcheck="false">{as_content(&body)}</textarea>
                    <span class="hint">"Texts in it may hold placeholders: {{id}}, {{type}}, {{seq}}, {{time}}, {{site}}, {{visitor}}, {{session}}, {{conversation}}, {{page}}, {{data}}, and {{data.}} with a field."</span>
                </label>
                <label class="field">
                    <span class="label">"Further headers"</span>
                    <textarea class="input font-mono" name="headers" rows="2" spellcheck="false">{as_content(&headers)}</textarea>
                    <span class="hint">"A line each, such as X-Api-Key: secret. What is kept is shown as …"</span>
                </label>
            </div>
        </fieldset>
        <fieldset class="field">
            <legend class="label">"Events"</legend>
            <div class="types">
                {groups().into_iter().map(|(prefix, kinds)| view! {
                    <fieldset>
                        <legend class="hint">{prefix}</legend>
                        {kinds.into_iter().map(|kind| {
                            let checked = types.iter().any(|chosen| chosen == kind);
                            view! { <label class="check"><input type="checkbox" name="type" value=kind checked=checked/>{kind}</label> }
                        }).collect_view()}
                    </fieldset>
                }).collect_view()}
            </div>
            <p class="hint">"Where all are chosen, those to come are sent, too."</p>
        </fieldset>
        <LabelledField name="notify" label="Tell by e-mail" kind="email" value=notify optional=true hint="When it was switched off because it failed. Empty: all administrators."/>
    }
}

/// What there is to know of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointFacts {
    /// Its id.
    pub id: String,
    /// Its site.
    pub site: String,
    /// What it is called.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// The form it is sent events in, by its name.
    pub kind: &'static str,
    /// The types of events it is sent, in words.
    pub types: String,
    /// How it does.
    pub health: EndpointHealth,
    /// Since when it has done nothing but fail, and how often.
    pub failing: Option<String>,
    /// The last failure.
    pub problem: Option<String>,
    /// How many events wait to be tried again.
    pub waiting: u32,
    /// How many were given up.
    pub given_up: u32,
    /// When the oldest happened that was not tried.
    pub behind: Option<String>,
    /// When it was made.
    pub made: String,
    /// When it was changed.
    pub changed: String,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptLine {
    /// When, in words.
    pub at: String,
    /// How long it took.
    pub took: String,
    /// The type of the event, if the log has it still.
    pub kind: &'static str,
    /// Its id.
    pub event: String,
    /// The status that was answered.
    pub status: Option<u16>,
    /// Why it counts as failed.
    pub problem: Option<String>,
}

/// The secrets that are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointSecrets {
    /// The one of now.
    pub secret: String,
    /// The one before it, and until when.
    pub previous: Option<(String, String)>,
}

/// All that is shown of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointView {
    /// What there is to know.
    pub facts: EndpointFacts,
    /// What stands in its fields.
    pub fields: EndpointFields,
    /// Whether they are open.
    pub editing: bool,
    /// Its secrets, if they are shown.
    pub secrets: Option<EndpointSecrets>,
    /// How many hours the secret before a new one is good.
    pub overlap: u64,
    /// The type of event that is sent as a test.
    pub test: &'static str,
    /// What came of a test.
    pub tried: Option<AttemptLine>,
    /// Attempts.
    pub attempts: Vec<AttemptLine>,
    /// Whether only those that failed are shown.
    pub failed: bool,
    /// Where older ones are.
    pub older: Option<String>,
    /// What was done just now.
    pub said: Option<String>,
    /// What was wrong.
    pub problem: Option<String>,
}

/// An endpoint.
#[component]
pub fn WebhookPage(
    /// What is shown.
    shown: EndpointView,
) -> impl IntoView {
    let EndpointView { facts, fields, editing, secrets, overlap, test, tried, attempts, failed, older, said, problem } = shown;
    let (id, on, given_up) = (facts.id.clone(), facts.health.is_on(), facts.given_up);
    let action = format!("/console/webhooks/{id}");
    let remove = format!("{action}/remove");
    view! {
        <p class="mb-2"><a class="underline" href="/console/webhooks">"All webhooks"</a></p>
        <h1 class="break-words" dir="auto">{facts.name.clone()}</h1>
        {said.map(|said| view! { <p role="status" class="mb-3">{said}</p> })}
        <ProblemLine problem/>
        <State facts action=action.clone()/>
        <Secret secrets overlap action=action.clone()/>
        <Test test tried action=action.clone()/>
        <Again on given_up action=action.clone()/>
        <details class="card" open=editing>
            <summary><h2 class="mb-0 underline underline-offset-4">"Change it"</h2></summary>
            <form method="post" action=action class="mt-3">
                <EndpointInputs fields/>
                <button class="button-primary" type="submit" name="do" value="save">"Save"</button>
            </form>
        </details>
        <Attempts attempts failed older id/>
        <p><a class="button" href=remove>"Remove it…"</a></p>
    }
}

#[component]
fn State(facts: EndpointFacts, action: String) -> impl IntoView {
    let EndpointFacts { site, url, kind, types, health, failing, problem, waiting, given_up, behind, made, changed, .. } = facts;
    let switch = if health.is_on() {
        view! { <form method="post" action=action class="buttons"><button class="button" type="submit" name="do" value="off">"Switch off"</button></form> }
            .into_any()
    } else {
        view! {
            <form method="post" action=action class="mt-3">
                <fieldset class="field">
                    <legend class="label">"Where does it go on?"</legend>
                    <label class="check"><input type="radio" name="begin" value="resume" checked=true/>"From where it stopped: what happened meanwhile is sent, too"</label>
                    <label class="check"><input type="radio" name="begin" value="skip"/>"From now on: what happened meanwhile is not sent"</label>
                </fieldset>
                <button class="button-primary" type="submit" name="do" value="on">"Switch on"</button>
            </form>
        }
        .into_any()
    };
    view! {
        <section class="card">
            <h2>"How it does " <Health health/></h2>
            <dl class="facts">
                {failing.map(|failing| view! { <dt>"Failing"</dt><dd>{failing}</dd> })}
                {problem.map(|problem| view! { <dt>"Last failure"</dt><dd class="failed">{problem}</dd> })}
                <dt>"Waiting"</dt><dd>{events(waiting, "to be tried again")}</dd>
                <dt>"Given up"</dt><dd>{events(given_up, "that nobody took in time")}</dd>
                {behind.map(|behind| view! { <dt>"Behind"</dt><dd>"Not sent yet: what has happened since " {behind}</dd> })}
                <dt>"Site"</dt><dd>{site}</dd>
                <dt>"Address"</dt><dd>{url}</dd>
                <dt>"Form"</dt><dd>{form_in_words(kind)}</dd>
                <dt>"Events"</dt><dd>{types}</dd>
                <dt>"Made"</dt><dd>{made}</dd>
                <dt>"Changed"</dt><dd>{changed}</dd>
            </dl>
            {switch}
        </section>
    }
}

/// A number of events, in words.
#[must_use]
pub fn events(count: u32, what: &str) -> String {
    match count {
        0 => "none".to_owned(),
        1 => format!("1 event {what}"),
        count => format!("{count} events {what}"),
    }
}

#[component]
fn Secret(secrets: Option<EndpointSecrets>, overlap: u64, action: String) -> impl IntoView {
    let rotate = action.clone();
    let shown = match secrets {
        Some(EndpointSecrets { secret, previous }) => view! {
            <div role="status">
                <p><code class="link-once">{secret}</code></p>
                {previous.map(|(secret, until)| view! {
                    <p class="hint">"Until " {until} " this one is signed with, too:"</p>
                    <p><code class="link-once">{secret}</code></p>
                })}
            </div>
        }
        .into_any(),
        None => view! {
            <form method="post" action=action><button class="button" type="submit" name="do" value="secret">"Show the secret"</button></form>
        }
        .into_any(),
    };
    let after = match overlap {
        0 => "The old one is signed with no longer, from this moment.".to_owned(),
        1 => "For an hour both are signed with, so that your receiver can go over to the new one without missing anything."
            .to_owned(),
        hours => {
            format!(
                "For {hours} hours both are signed with, so that your receiver can go over to the new one without missing anything."
            )
        }
    };
    view! {
        <section class="card">
            <h2>"Secret"</h2>
            <p class="hint mb-2">"By it your receiver sees that an event comes from here. That somebody read it is in the audit log."</p>
            {shown}
            <form method="post" action=rotate class="mt-3">
                <button class="button" type="submit" name="do" value="rotate">"Make a new secret"</button>
                <p class="hint">{after}</p>
            </form>
        </section>
    }
}

#[component]
fn Test(test: &'static str, tried: Option<AttemptLine>, action: String) -> impl IntoView {
    let outcome = tried.map(|AttemptLine { took, kind, event, status, problem, .. }| {
        let bad = problem.is_some();
        view! {
            <div role="status" class="mt-3">
                <p><Outcome status bad/> " " {kind} ", " {took}</p>
                {problem.map(|problem| view! { <p class="failed break-words">{problem}</p> })}
                <p class="hint break-all">{event}</p>
            </div>
        }
    });
    view! {
        <section class="card">
            <h2>"Try it"</h2>
            <form method="post" action=action>
                <label class="field"><span class="label">"Type of event"</span>
                    <select class="input" name="test">
                        {CATALOGUE.iter().map(|entry| view! { <option value=entry.name selected=entry.name == test>{entry.name}</option> }).collect_view()}
                    </select>
                    <span class="hint">"It is made up, with \"test\": true in its data, and stands in no log. It is sent once, now."</span>
                </label>
                <button class="button" type="submit" name="do" value="test">"Send a test event"</button>
            </form>
            {outcome}
        </section>
    }
}

#[component]
fn Outcome(status: Option<u16>, bad: bool) -> impl IntoView {
    let words = match (status, bad) {
        (Some(status), false) => format!("{status}, accepted"),
        (Some(status), true) => format!("{status}, failed"),
        (None, _) => "no answer".to_owned(),
    };
    let well = !bad;
    view! { <span class="chip" class:late=bad class:well=well>{words}</span> }
}

#[component]
fn Again(on: bool, given_up: u32, action: String) -> impl IntoView {
    let (failed, between, one) = (action.clone(), action.clone(), action);
    let ways = if on {
        view! {
            {(given_up > 0).then(|| view! {
                <form method="post" action=failed class="mb-3">
                    <button class="button" type="submit" name="do" value="replay-failed">{format!("Send what was given up: {}", events(given_up, "").trim_end())}</button>
                </form>
            })}
            <form method="post" action=between class="mb-3">
                <div class="thirds">
                    <label class="field"><span class="label">"From"</span><input class="input" type="datetime-local" name="from" required=true/></label>
                    <label class="field"><span class="label">"To"</span><input class="input" type="datetime-local" name="to" required=true/></label>
                    <div class="self-end mb-3"><button class="button min-h-10" type="submit" name="do" value="replay-between">"Send what happened"</button></div>
                </div>
            </form>
            <form method="post" action=one>
                <LabelledField name="event" label="The id of one event"/>
                <button class="button" type="submit" name="do" value="replay-one">"Send it"</button>
            </form>
        }
        .into_any()
    } else {
        view! { <p class="hint">"Switch it on first."</p> }.into_any()
    };
    view! {
        <section class="card">
            <h2>"Send again"</h2>
            <p class="hint mb-2">"Each event comes with the id that it has always had, so that your receiver can tell what it has already."</p>
            {ways}
        </section>
    }
}

#[component]
fn Attempts(attempts: Vec<AttemptLine>, failed: bool, older: Option<String>, id: String) -> impl IntoView {
    let (all, only) = (format!("/console/webhooks/{id}#attempts"), format!("/console/webhooks/{id}?outcome=failed#attempts"));
    let list = if attempts.is_empty() {
        view! { <p class="empty">{if failed { "Nothing has failed." } else { "Nothing has been sent yet." }}</p> }.into_any()
    } else {
        view! {
            <table class="attempts">
                <thead><tr><th scope="col">"When"</th><th scope="col">"Event"</th><th scope="col">"What came of it"</th></tr></thead>
                <tbody>
                    {attempts.into_iter().map(|attempt| {
                        let (status, bad) = (attempt.status, attempt.problem.is_some());
                        view! {
                            <tr>
                                <td>{attempt.at} <p class="hint">{attempt.took}</p></td>
                                <td>{attempt.kind} <p class="hint break-all">{attempt.event}</p></td>
                                <td><Outcome status bad/> {attempt.problem.map(|problem| view! { <p class="hint">{problem}</p> })}</td>
                            </tr>
                        }
                    }).collect_view()}
                </tbody>
            </table>
        }
        .into_any()
    };
    view! {
        <section class="card" id="attempts">
            <h2>"Attempts"</h2>
            <div class="buttons mb-3">
                <a class="button" href=all aria-current=(!failed).then_some("true")>"All"</a>
                <a class="button" href=only aria-current=failed.then_some("true")>"Failed"</a>
            </div>
            {list}
            {older.map(|older| view! { <p class="buttons"><a class="button" href=older>"Older"</a></p> })}
        </section>
    }
}

/// Whether an endpoint is really to be removed.
#[component]
pub fn RemoveWebhookPage(
    /// Its id.
    id: String,
    /// What it is called.
    name: String,
    /// Its site.
    site: String,
    /// How many events it has yet to be sent again.
    waiting: u32,
) -> impl IntoView {
    let action = format!("/console/webhooks/{id}");
    let back = action.clone();
    view! {
        <div class="card narrow">
            <h1>"Remove this endpoint?"</h1>
            <p class="break-words"><strong dir="auto">{name}</strong> " " <span class="chip">{site}</span></p>
            <p class="my-3">"Nothing is sent to it any more, its secret is gone, and so is what came of attempts."</p>
            {(waiting > 0).then(|| view! { <p class="failed mb-3">{format!("Not sent any more: {}.", events(waiting, "that wait to be tried again"))}</p> })}
            <form method="post" action=action class="buttons">
                <button class="button-primary" type="submit" name="do" value="remove">"Remove it"</button>
                <a class="button" href=back>"Keep it"</a>
            </form>
        </div>
    }
}
