//! The page of a meeting, as its guest opens it from a letter. It needs no script.

use leptos::prelude::*;

use super::{cards::SlotsCard, state::Booking};
use crate::{
    i18n::{Locale, PanelTexts},
    ui::{Icon, IconName, Plain},
};

/// Where a meeting stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeetingState {
    /// It takes place.
    Booked,
    /// It was called off.
    CalledOff,
    /// It has begun.
    Over,
}

/// A meeting, and what can be done about it.
#[component]
pub fn MeetingPage(
    /// The language.
    locale: Locale,
    /// What it is called.
    title: String,
    /// When it is, in words.
    when: String,
    /// With whom, in words.
    with: String,
    /// Where it is.
    location: Option<String>,
    /// Where it stands.
    state: MeetingState,
    /// The path of this page.
    path: String,
    /// The times it could be moved to, once they are asked for.
    booking: Option<Booking>,
    /// What was done just now.
    said: Option<&'static str>,
    /// Why something was not done.
    problem: Option<&'static str>,
    /// The address of the style sheet.
    css: String,
) -> impl IntoView {
    let texts = locale.panel();
    let heading = match state {
        MeetingState::Booked => texts.booked,
        MeetingState::CalledOff => texts.called_off,
        MeetingState::Over => texts.meeting_over,
    };
    let moves = booking.is_some();
    let action = path.clone();
    let ways = (state == MeetingState::Booked).then(|| {
        view! {
            <form method="post" action=action class="panel-form">
                {booking.map(|booking| view! { <SlotsCard booking optional=false texts/> })}
                <div class="choices">
                    {(!moves).then(|| view! { <button type="submit" name="do" value="look" class="go-on">{texts.move_meeting}</button> })}
                    {(!moves).then(|| view! { <Cancel texts/> })}
                    {moves.then(|| view! { <a href=path.clone() class="skip">{texts.keep_meeting}</a> })}
                </div>
            </form>
        }
    });
    view! {
        <Outline locale title=texts.your_meeting css>
            <h1 class="text-xl font-semibold">{texts.your_meeting}</h1>
            <p role="status" class="said-so">{said}</p>
            <p role="alert" class="problem">{problem}</p>
            <div class="bubble meeting-card">
                <span class="meeting">
                    <span class="meeting-head"><Icon name=IconName::Calendar class="size-4 shrink-0"/>{heading}</span>
                    <strong class="block" dir="auto">{title}</strong>
                    <span class="block" dir="auto">{when}</span>
                    <span class="block" dir="auto">{with}</span>
                    {location.map(|location| view! { <span class="block" dir="auto"><Plain text=location/></span> })}
                </span>
            </div>
            {ways}
        </Outline>
    }
}

/// Calling it off is asked twice, without a script: the second button is there once the first is pressed.
#[component]
fn Cancel(texts: &'static PanelTexts) -> impl IntoView {
    view! {
        <details class="asks">
            <summary class="skip">{texts.cancel_meeting}</summary>
            <button type="submit" name="do" value="cancel" class="choice">{texts.cancel_meeting}</button>
        </details>
    }
}

/// A link that leads to no meeting.
#[component]
pub fn BadLink(
    /// The language.
    locale: Locale,
    /// The address of the style sheet.
    css: String,
) -> impl IntoView {
    let texts = locale.panel();
    view! {
        <Outline locale title=texts.bad_link css>
            <h1 class="text-xl font-semibold">{texts.bad_link}</h1>
        </Outline>
    }
}

#[component]
fn Outline(locale: Locale, title: &'static str, css: String, children: Children) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang=locale.tag() dir=locale.dir() data-theme="auto">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="robots" content="noindex"/>
                <title>{title}</title>
                <link rel="stylesheet" href=css/>
            </head>
            <body class="letter">
                <main class="letter-page">{children()}</main>
            </body>
        </html>
    }
}
