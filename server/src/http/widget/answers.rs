//! `POST /widget/v1/answers`: the visitor answers, by a plain form or by the panel's script.
//!
//! Both send the same form. Who accepts JSON gets what was said since and the next card, as fragments; who does not gets the
//! whole panel as a page.

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use jiff::Timestamp;
use porchlight_app::{
    i18n::{Locale, megabytes, named},
    widget::MailTo,
};
use porchlight_domain::{
    contact::{BadPhone, Email, EmailRules},
    conversation::{Body, Conversation},
    id::{AnswerId, CardId},
    livechat::{BadMessage, ChatCommand},
    meeting::MeetingCommand,
    session::{self, Answer, DocumentUse, Input, InvalidInput, Refusal},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    admit,
    booking::{Look, Wanted},
    offer::begin_anew,
    refused, render,
    shown::{PanelSent, Shown},
};
use crate::{
    files::Upload,
    http::{
        App,
        body::{FormsAndFile, SEVERAL},
        page::Caller,
        problem::{Code, Problem},
    },
    sites::SiteNow,
    store::{ChatRecord, Command, Failure, Tx, VisitorRow},
    visit::{About, Engine},
};

pub(super) fn routes(attachment_limit: usize) -> Router<App> {
    // Room for the fields beside the file; the reader holds them to their own limit.
    let limit = DefaultBodyLimit::max(attachment_limit.saturating_add(BESIDE_FILE));
    Router::new().route("/widget/v1/answers", post(answers).layer(limit))
}

/// How many of a visitor's chats are looked through for the one whose transcript is asked for.
const CHATS_LOOKED_AT: u32 = 20;
/// How much may stand beside a file in a form, in bytes: the fields, and what separates them.
const BESIDE_FILE: usize = 1_100_000;

/// What an answer sends besides.
#[derive(Debug, Clone, Deserialize)]
struct Answered {
    /// Names the submission.
    id: AnswerId,
    turn: u32,
    /// The card that is answered; nothing waits once the conversation has ended.
    card: Option<CardId>,
    /// What was typed or chosen; several values stand between separators.
    #[serde(default)]
    value: String,
    country: Option<String>,
    /// Where the transcript is to be sent.
    #[serde(default)]
    email: String,
    #[serde(default, rename = "do")]
    act: Act,
    /// A day whose times are to be shown.
    day: Option<String>,
    /// A month whose days are.
    month: Option<String>,
    /// What was shown before.
    #[serde(default)]
    shown: String,
    /// Who comes to a meeting.
    guest_name: Option<String>,
    guest_email: Option<String>,
}

/// What stands before the name of a form's field, so that it is no name of our own.
const OF_FORM: &str = "f.";

/// What the visitor does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Act {
    /// Answers.
    #[default]
    Answer,
    /// Goes on without answering.
    Skip,
    /// Goes back to the question before.
    Back,
    /// Begins again.
    Restart,
    /// Opens the document in the panel.
    Opened,
    /// Downloads the document.
    Downloaded,
    /// Looks at what is there now.
    Refresh,
    /// Ends the live chat, or the waiting for one.
    End,
    /// Asks for the transcript by e-mail.
    Transcript,
    /// Looks at other days, or in another time zone.
    Look,
    /// Lets a time go that is held.
    Release,
}

impl Act {
    /// Whether what was shown before may be out of date, so that all of it is shown again.
    const fn shows_all(self) -> bool {
        matches!(self, Self::Back | Self::Restart | Self::Refresh)
    }
}

type Sent = Result<FormsAndFile<PanelSent, Answered>, Problem>;

async fn answers(State(app): State<App>, caller: Caller, headers: HeaderMap, sent: Sent) -> Response {
    let by_script = headers.get_all(header::ACCEPT).iter().any(|value| value.as_bytes().starts_with(b"application/json"));
    let accepted = || headers.get(header::ACCEPT_LANGUAGE).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
    let locale = sent.as_ref().map_or_else(|_| Locale::best(accepted()), |FormsAndFile(sent, ..)| sent.locale());
    let limit = app.settings.attachment_limit_bytes;
    match answer(app, caller, sent, by_script).await {
        Ok((outcome, _)) if by_script => by_fragments(&outcome),
        Ok((outcome, host)) => by_page(outcome, host).await,
        Err(problem) if by_script => {
            let message = match problem.code {
                Code::TooLarge => named(locale.panel().file_too_large, &megabytes(limit)),
                _ => locale.system().failed.to_owned(),
            };
            problem.with("message", message).into_response()
        }
        Err(problem) => render::unavailable(problem.code.status(), locale).await,
    }
}

async fn answer(app: App, caller: Caller, sent: Sent, by_script: bool) -> Result<(Outcome, String), Problem> {
    let FormsAndFile(mut sent, mut answered, file, all) = sent?;
    // A day or a month that is pressed is looked at; nothing is answered by that.
    let pressed = answered.day.as_deref().or(answered.month.as_deref());
    if answered.act == Act::Answer && pressed.is_some() && answered.value.is_empty() {
        answered.act = Act::Look;
    }
    sent.wanted = Wanted { chosen: pressed.and_then(Look::read), before: Look::read(&answered.shown) };
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in all {
        if let Some(name) = name.strip_prefix(OF_FORM) {
            fields.entry(name.to_owned()).or_default().push(value);
        }
    }
    app.limits.command(&sent.token)?;
    let host = sent.page.origin();
    if !by_script {
        // A page has the whole transcript.
        sent.have = 0;
    }
    let outcome = app.store.commit(Take { engine: app.engine, caller, sent, answered, file, fields }).await?;
    Ok((outcome, host))
}

/// What came of an answer. A refusal is no failure: the panel goes on from where it stands, and says what was wrong.
struct Outcome {
    act: Act,
    refusal: Option<Refusal>,
    shown: Shown,
}

struct Take {
    engine: Engine,
    caller: Caller,
    sent: PanelSent,
    answered: Answered,
    file: Option<Upload>,
    /// What was filled in, if it is a form of several fields.
    fields: BTreeMap<String, Vec<String>>,
}

impl Command for Take {
    type Done = Outcome;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Outcome, Failure<Problem>> {
        let Self { engine, caller, mut sent, answered, file, fields } = self;
        let (visitor, site) = admit(tx, &engine, &sent.token, &sent.page, &caller).await?;
        let now = engine.outside.now();
        engine.heard(tx, visitor.id, &sent.conversation, sent.view).await?;
        let mut session = engine.session_at(tx, &visitor, now).await?;
        let Some((document, progress)) = engine.talk(tx, &visitor, &sent.conversation).await? else {
            return Err(Failure::Refused(refused(&Refusal::NoConversation)));
        };
        // Sent by script, the answer says what is shown already; and if it is sent twice, it is shown in the same way twice.
        let typed_after = if sent.have == 0 || answered.act.shows_all() { progress.entries } else { sent.have };
        let (mut refusal, mut chat, mut mailed) = (None, None, None);
        // Sent twice, answered once: the second time only shows what the first led to.
        if !tx.was_answered(visitor.id, &sent.conversation, answered.id).await? {
            let command = match (answered.act, &answered.card) {
                (Act::Refresh | Act::Look, _) => None,
                (Act::Transcript, _) => {
                    match answered.mail_transcript(tx, &engine, &visitor, &sent, &site).await {
                        Ok(address) => mailed = Some(address),
                        Err(Failure::Refused(refused)) => refusal = Some(refused),
                        Err(Failure::Store(error)) => return Err(Failure::Store(error)),
                    }
                    None
                }
                (Act::Restart, _) if answered.turn != progress.turn => {
                    refusal = Some(Refusal::NotCurrent { given: answered.turn, current: progress.turn });
                    None
                }
                (Act::Restart, _) if !progress.may_restart(&document) => {
                    refusal = Some(Refusal::NotAllowed);
                    None
                }
                (Act::Restart, _) => {
                    let version = site.published(&sent.conversation).map_or(progress.version, |(version, _)| *version);
                    begin_anew(tx, &engine, &visitor, progress, version).await?;
                    Some(session::Command::Open)
                }
                // What is written while a live chat is under way is for the agent.
                (Act::Answer | Act::End, _) if progress.is_live(&document) => {
                    // What happens in a chat belongs to the session in which it was asked for.
                    if let Some(record) = tx.chat_under_way(visitor.id, &sent.conversation).await? {
                        session = engine.session_of(tx, &record).await?.0;
                        chat = Some(record.chat.id).filter(|_| answered.act == Act::Answer);
                    }
                    match answered.act {
                        Act::End => Some(session::Command::Chat(ChatCommand::End)),
                        _ if file.is_some() && answered.value.trim().is_empty() => None,
                        _ => Some(session::Command::Chat(ChatCommand::Say { id: answered.id, text: answered.value.clone() })),
                    }
                }
                (Act::Answer | Act::Release, Some(card)) if is_of(&document, card, &|body| matches!(body, Body::Meeting(_))) => {
                    let held = tx.meeting_held(visitor.id, &sent.conversation).await?;
                    match answered
                        .about_meeting(held.filter(|held| held.meeting.is_held(now)).map(|held| held.meeting.span.start))
                    {
                        Ok(command) => command,
                        Err(refused) => {
                            refusal = Some(refused);
                            None
                        }
                    }
                }
                (Act::Answer, Some(card)) if is_of(&document, card, &|body| matches!(body, Body::Form(_))) => {
                    let input = Input::Form(fields.clone());
                    Some(session::Command::Answer(Answer { id: answered.id, turn: answered.turn, card: card.clone(), input }))
                }
                (act, Some(card)) => Some(answered.command(act, card)),
                (_, None) => {
                    refusal = Some(Refusal::NotWaiting);
                    None
                }
            };
            let locale = site.site.language(&sent.locale);
            let mut steps: Vec<_> = command.map(|command| (command, answered.id)).into_iter().collect();
            if let (Some(file), Some(chat)) = (file, chat) {
                // What was written beside it is a message of its own, and is said first.
                let id = if steps.is_empty() { answered.id } else { AnswerId::new(engine.outside.new_id()) };
                match engine.attach(tx, chat, file).await {
                    Ok(file) => steps.push((session::Command::Chat(ChatCommand::SendFile { id, file }), id)),
                    Err(Failure::Refused(refused)) => refusal = Some(refused),
                    Err(Failure::Store(error)) => return Err(Failure::Store(error)),
                }
            }
            for (command, id) in steps {
                let about = sent.about(&visitor, &locale, now);
                match take_time(tx, &engine, session.clone(), about, command, id).await {
                    Ok(stepped) => session = stepped,
                    Err(Failure::Refused(refused)) => refusal = Some(refused),
                    Err(Failure::Store(error)) => return Err(Failure::Store(error)),
                }
            }
        }
        // What is wrong is the answer, or that it comes too late.
        let stale = refusal.as_ref().is_some_and(is_stale);
        if answered.act.shows_all() || stale {
            sent.have = 0;
        }
        let mut shown = Shown::read(tx, &engine, site, &visitor, session.id, sent, typed_after).await?;
        shown.standing.said = mailed.map(|address| named(shown.locale().panel().transcript_sent, &address));
        if let Some(asked) = &mut shown.standing.asked {
            asked.open = answered.act == Act::Opened && refusal.is_none();
        }
        if let Some(refusal) = &refusal {
            shown.standing.problem = Some(in_words(refusal, shown.locale()));
            if answered.act == Act::Transcript {
                if let Some(transcript) = &mut shown.standing.transcript {
                    *transcript = MailTo { address: answered.email.clone(), open: true };
                }
                if *refusal == Refusal::NotAllowed {
                    shown.standing.problem = Some(shown.locale().system().no_more.to_owned());
                }
            } else if let Refusal::BadForm(wrong) = refusal {
                let form = answered.card.as_ref().and_then(|card| document.card(card)).map(|card| &card.body);
                let says = |field: &str| match form {
                    Some(Body::Form(form)) => {
                        form.fields.iter().find(|known| known.name.as_str() == field)?.pattern_message.as_ref()
                    }
                    _ => None,
                };
                let of_author = |field: &str| says(field).map(|text| document.say(text, &shown.language).to_owned());
                shown.standing.wrong_fields = wrong
                    .iter()
                    .map(|(field, why)| {
                        let own = of_author(field).filter(|_| *why == InvalidInput::NoMatch);
                        (field.clone(), own.unwrap_or_else(|| in_words(&Refusal::Invalid(*why), shown.locale())))
                    })
                    .collect();
                let typed = fields.into_iter().filter_map(|(name, values)| Some((name, values.into_iter().next()?)));
                let guest = [("name", &answered.guest_name), ("email", &answered.guest_email)];
                let guest = guest.into_iter().filter_map(|(name, typed)| Some((name.to_owned(), typed.clone()?)));
                shown.standing.filled = typed.chain(guest).collect();
            } else if matches!(refusal, Refusal::Invalid(_)) {
                shown.standing.typed = several(&answered.value);
                shown.standing.wrong = true;
                if let (Some(asked), Some(country)) = (&mut shown.standing.asked, answered.country) {
                    asked.country = country;
                }
            }
        }
        Ok(Outcome { act: answered.act, refusal, shown })
    }
}

fn is_of(document: &Conversation, card: &CardId, wanted: &dyn Fn(&Body) -> bool) -> bool {
    document.card(card).is_some_and(|card| wanted(&card.body))
}

/// Whether what the panel shows is out of date: else only what was sent is wrong.
const fn is_stale(refusal: &Refusal) -> bool {
    !matches!(
        refusal,
        Refusal::Invalid(_) | Refusal::BadMessage(_) | Refusal::BadForm(_) | Refusal::SlotTaken { .. } | Refusal::HoldLapsed
    )
}

/// The most agents who are asked for a time, one after the other.
const ASKED_MAX: usize = 100;

/// Does a command. A time that somebody else has taken of one agent is asked of the next who is free then.
async fn take_time(
    tx: &mut Tx<'_>,
    engine: &Engine,
    session: session::Session,
    about: About<'_>,
    mut command: session::Command,
    id: AnswerId,
) -> Result<session::Session, Failure<Refusal>> {
    for _ in 0..ASKED_MAX {
        let failure = match engine.step(tx, session.clone(), about, command.clone(), Some(id)).await {
            Ok(session) => return Ok(session),
            Err(failure) => failure,
        };
        match (&mut command, failure) {
            (
                session::Command::Meeting(MeetingCommand::Hold { taken, .. }),
                Failure::Refused(Refusal::SlotTaken { agent: Some(agent) }),
            ) => taken.push(agent),
            (_, failure) => return Err(failure),
        }
    }
    Err(Failure::Refused(Refusal::SlotTaken { agent: None }))
}

fn several(value: &str) -> Vec<String> {
    value.split(SEVERAL).filter(|value| !value.is_empty()).map(str::to_owned).collect()
}

impl Answered {
    /// Sends the transcript of the visitor's last chat to the address that was typed, and gives it.
    async fn mail_transcript(
        &self,
        tx: &mut Tx<'_>,
        engine: &Engine,
        visitor: &VisitorRow,
        sent: &PanelSent,
        site: &SiteNow,
    ) -> Result<String, Failure<Refusal>> {
        let address: Email =
            self.email.parse().map_err(|error| Failure::Refused(Refusal::Invalid(InvalidInput::Email(error))))?;
        if !site.site.blocked_email_domains.accepts(&address) {
            return Err(Failure::Refused(Refusal::Invalid(InvalidInput::BlockedEmail)));
        }
        let answered = |record: &ChatRecord| record.conversation == sent.conversation && record.accepted_at.is_some();
        let record = tx.chats_of(visitor.id, CHATS_LOOKED_AT).await?.into_iter().find(answered);
        let record = record.ok_or(Failure::Refused(Refusal::NotAllowed))?;
        let language = site.site.language(&sent.locale);
        engine.mail_transcript(tx, &record, &language, address.to_string(), self.id.to_string()).await?;
        Ok(address.to_string())
    }

    /// What is done about the meeting that the card offers; nothing, if it is done already: the time is held that is asked for again.
    fn about_meeting(&self, held: Option<Timestamp>) -> Result<Option<session::Command>, Refusal> {
        let turn = self.turn;
        if self.act == Act::Release {
            return Ok(Some(session::Command::Meeting(MeetingCommand::Release { turn })));
        }
        if let Some(email) = &self.guest_email {
            let name = self.guest_name.clone().unwrap_or_default();
            return Ok(Some(session::Command::Meeting(MeetingCommand::Confirm { turn, name, email: email.clone() })));
        }
        let start: Timestamp = self.value.parse().map_err(|_| Refusal::Invalid(InvalidInput::Required))?;
        if held == Some(start) {
            return Ok(None);
        }
        Ok(Some(session::Command::Meeting(MeetingCommand::Hold { turn, start, taken: Vec::new() })))
    }

    /// What the domain is asked to decide.
    fn command(&self, act: Act, card: &CardId) -> session::Command {
        let turn = self.turn;
        match act {
            Act::Back => session::Command::Back { turn },
            Act::Opened => session::Command::Document { turn, what: DocumentUse::Opened },
            Act::Downloaded => session::Command::Document { turn, what: DocumentUse::Downloaded },
            Act::Answer | Act::Skip | Act::Restart | Act::Refresh | Act::End | Act::Transcript | Act::Look | Act::Release => {
                let given = || Input::Given { values: several(&self.value), country: self.country.clone() };
                let input = if act == Act::Skip { Input::Skipped } else { given() };
                session::Command::Answer(Answer { id: self.id, turn, card: card.clone(), input })
            }
        }
    }
}

fn in_words(refusal: &Refusal, locale: Locale) -> String {
    let texts = locale.system();
    let text = match refusal {
        Refusal::BadMessage(BadMessage::FileTooLarge(limit)) => return named(locale.panel().file_too_large, &megabytes(*limit)),
        Refusal::Invalid(invalid) => match invalid {
            InvalidInput::Email(_) => texts.bad_email,
            InvalidInput::BlockedEmail => texts.blocked_email,
            InvalidInput::Phone(BadPhone::NotANumber) => texts.bad_phone,
            InvalidInput::Phone(BadPhone::TooShort) => texts.phone_too_short,
            InvalidInput::Phone(BadPhone::TooLong) => texts.phone_too_long,
            InvalidInput::Phone(BadPhone::UnknownCountry) => texts.bad_country,
            InvalidInput::NotAChoice => texts.not_a_choice,
            InvalidInput::WrongCount => texts.wrong_count,
            InvalidInput::NotANumber => texts.bad_number,
            InvalidInput::NumberOutOfRange => texts.number_out_of_range,
            InvalidInput::NotADate => texts.bad_date,
            InvalidInput::DateOutOfRange => texts.date_out_of_range,
            InvalidInput::TooLong => texts.text_too_long,
            InvalidInput::Required => texts.required,
            InvalidInput::NoMatch => texts.no_match,
            InvalidInput::NoConsent => texts.no_consent,
            InvalidInput::NotOnTheScale => texts.not_on_scale,
        },
        Refusal::BadForm(_) => texts.check_fields,
        Refusal::SlotTaken { .. } => texts.slot_taken,
        Refusal::HoldLapsed => texts.hold_lapsed,
        Refusal::TooLate => texts.too_late,
        Refusal::NotBooked => texts.not_booked,
        Refusal::NotCurrent { .. } | Refusal::NotWaiting => texts.not_current,
        Refusal::BadMessage(BadMessage::Empty) => texts.required,
        Refusal::BadMessage(BadMessage::TooLong) => texts.text_too_long,
        Refusal::BadMessage(BadMessage::UnknownFile) => texts.bad_file,
        Refusal::BadMessage(BadMessage::TooManyFiles(_)) => texts.no_more,
        Refusal::NotOnline => texts.not_current,
        Refusal::NotAllowed
        | Refusal::NoConversation
        | Refusal::NotYours
        | Refusal::NotOffered
        | Refusal::NoSuchAgent
        | Refusal::NotCalled(_) => texts.failed,
    };
    text.to_owned()
}

/// Where a document that is downloaded is: sent as a file, it leaves the panel as it is.
fn download(outcome: &Outcome) -> Option<String> {
    let asked = outcome.shown.standing.asked.as_ref().filter(|_| outcome.act == Act::Downloaded && outcome.refusal.is_none())?;
    Some(format!("{}&download", asked.address))
}

async fn by_page(outcome: Outcome, host: String) -> Response {
    if let Some(location) = download(&outcome) {
        return Redirect::to(&location).into_response();
    }
    let status = outcome.refusal.map_or(StatusCode::OK, |refusal| refused(&refusal).code.status());
    render::page(status, outcome.shown, host).await
}

fn by_fragments(outcome: &Outcome) -> Response {
    let Outcome { act, refusal, shown } = outcome;
    let anew = act.shows_all() || refusal.as_ref().is_some_and(is_stale);
    let mut now = update(shown, anew, matches!(act, Act::Refresh | Act::Look));
    if let Some(location) = download(outcome) {
        now["location"] = location.into();
    }
    let Some(refusal) = refusal else { return Json(now).into_response() };
    let mut problem = refused(refusal).with("message", shown.standing.problem.clone().unwrap_or_default());
    match (refusal, now) {
        (Refusal::Invalid(InvalidInput::Phone(BadPhone::UnknownCountry)), _) => problem = problem.field("country"),
        (Refusal::Invalid(_), _) => {}
        // The panel is behind: this brings it up to date, and says so.
        (_, Value::Object(now)) => problem = now.into_iter().fold(problem, |problem, (name, value)| problem.with(&name, value)),
        _ => {}
    }
    problem.into_response()
}

/// What is new, as the panel's script takes it. `anew`: it is all there is, not only what was said since; `refreshed`: nobody answered
/// from this panel.
pub(super) fn update(shown: &Shown, anew: bool, refreshed: bool) -> Value {
    let (said, card) = render::fragments(shown);
    let told = &shown.told;
    // Numbers that go into fields are texts here, too.
    let turn = shown.standing.asked.as_ref().map_or(String::new(), |asked| asked.prompt.turn.to_string());
    let have = shown.ticket.have.to_string();
    json!({
        "session": told.session, "cursor": told.cursor, "events": told.events, "said": said, "card": card, "turn": turn, "state": shown.standing.state(), "have": have,
        "from": shown.entries.first().map(|entry| entry.number), "anew": anew, "refreshed": refreshed,
    })
}
