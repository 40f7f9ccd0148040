//! Asks for a day and a time.

use leptos::prelude::*;

use super::SkipButton;
use crate::{
    i18n::{PanelTexts, named},
    ui::{Icon, IconName},
    widget::state::{Booking, DayCell},
};

/// A month of days, of which those with free times can be chosen, and the times of the day that is chosen. Each is a button of the form, so it
/// works without script; with it, the days are moved among by the arrow keys, as the ARIA pattern of a grid has it.
#[component]
pub(in crate::widget) fn SlotsCard(booking: Booking, optional: bool, texts: &'static PanelTexts) -> impl IntoView {
    let Booking { month, previous, next, weekdays, weeks, day, times, zone, zones, shown, focus } = booking;
    let turn = move |to: Option<String>, label: &'static str, icon: IconName| {
        let here = to.is_some() && focus.as_ref() == to.as_ref();
        view! {
            <button type="submit" name="month" value=to.clone() class="turn" aria-label=label title=label disabled=to.is_none() data-focus=here.then_some("")>
                <Icon name=icon class="size-5"/>
            </button>
        }
    };
    let none = weeks.iter().flatten().flatten().all(|cell| !cell.free);
    let free = day.as_ref().map(|day| {
        let title = named(texts.times_on, &day.title);
        let empty = times.is_empty();
        view! {
            <div role="group" aria-label=title class="times">
                {empty.then(|| view! { <p class="hint">{texts.no_times}</p> })}
                {times
                    .into_iter()
                    .enumerate()
                    .map(|(index, time)| {
                        let first = (index == 0 && day.chosen).then_some("");
                        view! { <button type="submit" name="value" value=time.start class="choice time" data-focus=first><bdi>{time.label}</bdi></button> }
                    })
                    .collect_view()}
            </div>
        }
    });
    view! {
        <input type="hidden" name="shown" value=shown/>
        <div class="calendar">
            <div class="calendar-head">
                {turn.clone()(previous, texts.previous_month, IconName::Back)}
                <p id="month" class="month" aria-live="polite">{month}</p>
                {turn(next, texts.next_month, IconName::Forward)}
            </div>
            <table role="grid" aria-labelledby="month" aria-describedby="choose-time" data-grid>
                <caption id="choose-time" class="sr-only">{texts.choose_time}</caption>
                <thead>
                    <tr role="row">
                        {weekdays.into_iter().map(|(short, long)| view! { <th role="columnheader" scope="col"><abbr title=long>{short}</abbr></th> }).collect_view()}
                    </tr>
                </thead>
                <tbody>
                    {weeks
                        .into_iter()
                        .map(|week| view! { <tr role="row">{week.into_iter().map(|cell| view! { <Day cell/> }).collect_view()}</tr> })
                        .collect_view()}
                </tbody>
            </table>
            {none.then(|| view! { <p class="hint">{texts.no_times_month}</p> })}
        </div>
        {free}
        <details class="zone">
            <summary>{texts.time_zone} ": " <bdi>{zone.replace('_', " ")}</bdi></summary>
            <div class="field">
                <select name="zone" class="input" aria-label=texts.time_zone>
                    {zones.into_iter().map(|name| {
                        let selected = name == zone;
                        view! { <option value=name.clone() selected=selected>{name.replace('_', " ")}</option> }
                    }).collect_view()}
                </select>
                <button type="submit" name="do" value="look" class="choice">{texts.change_zone}</button>
            </div>
        </details>
        <SkipButton optional texts/>
    }
}

#[component]
fn Day(cell: Option<DayCell>) -> impl IntoView {
    let Some(DayCell { date, number, label, free, chosen, today }) = cell else {
        return view! { <td role="gridcell"></td> }.into_any();
    };
    if !free {
        return view! { <td role="gridcell"><span class="day" class:today=today aria-disabled="true"><span class="sr-only">{label}</span><span aria-hidden="true">{number}</span></span></td> }
            .into_any();
    }
    view! {
        <td role="gridcell" aria-selected=chosen.to_string()>
            <button type="submit" name="day" value=date class="day free" class:today=today class:chosen=chosen aria-label=label aria-pressed=chosen.to_string()>{number}</button>
        </td>
    }
    .into_any()
}
