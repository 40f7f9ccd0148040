//! The grid of days, by keyboard: one of its days takes part in the order of Tab, and the arrow keys lead from one to another, as the ARIA pattern has it
//! ([Date grid](https://www.w3.org/WAI/ARIA/apg/patterns/grid/)). Without the panel's script every day is in the order of Tab.

use std::cell::Cell;

use leptos::ev::KeyboardEvent;
use wasm_bindgen::JsCast;
use web_sys::{Document, Element, HtmlElement};

/// How many days a week has, and columns the grid.
const WEEK: usize = 7;

fn days(grid: &Element) -> Vec<Option<HtmlElement>> {
    let Ok(cells) = grid.query_selector_all("td") else { return Vec::new() };
    (0..cells.length())
        .map(|index| {
            let cell: Element = cells.get(index)?.dyn_into().ok()?;
            cell.query_selector("button").ok()??.dyn_into().ok()
        })
        .collect()
}

/// Leaves one of its days in the order of Tab: the one that is chosen, else the first.
pub(super) fn prepare(document: &Document) {
    let Ok(Some(grid)) = document.query_selector("#card [data-grid]") else { return };
    let days: Vec<HtmlElement> = days(&grid).into_iter().flatten().collect();
    let chosen = days.iter().position(|day| day.get_attribute("aria-pressed").as_deref() == Some("true")).unwrap_or(0);
    for (index, day) in days.iter().enumerate() {
        day.set_tab_index(if index == chosen { 0 } else { -1 });
    }
}

thread_local! {
    /// Another month was asked for by a key: the focus goes to one of its days.
    static TURNED: Cell<bool> = const { Cell::new(false) };
}

/// The day that has the focus after another month was asked for by a key.
pub(super) fn turned_to(document: &Document) -> Option<Element> {
    if !TURNED.take() {
        return None;
    }
    let find = |selector| document.query_selector(selector).ok().flatten();
    find("#card [data-grid] [aria-pressed=true]").or_else(|| find("#card [data-grid] button"))
}

/// Moves among the days, if that is what a key is for; whether it was.
pub(super) fn on_key(event: &KeyboardEvent) -> bool {
    let target: Option<Element> = event.target().and_then(|target| target.dyn_into().ok());
    let Some((day, grid)) = target.and_then(|day| Some((day.clone(), day.closest("[data-grid]").ok()??))) else { return false };
    let days = days(&grid);
    let is_day = |at: &Option<HtmlElement>| at.as_ref().is_some_and(|at| at.is_same_node(Some(day.as_ref())));
    let Some(at) = days.iter().position(is_day) else { return false };
    if event.alt_key() || event.ctrl_key() || event.meta_key() {
        return false;
    }
    let rtl = grid.closest("[dir=rtl]").is_ok_and(|found| found.is_some());
    let (next, previous) = if rtl { ("ArrowLeft", "ArrowRight") } else { ("ArrowRight", "ArrowLeft") };
    let row = at / WEEK * WEEK;
    // Days without free times are passed over.
    let to = match event.key().as_str() {
        key if key == next => (at + 1..days.len()).find(|index| days[*index].is_some()),
        key if key == previous => (0..at).rev().find(|index| days[*index].is_some()),
        "ArrowDown" => (at + WEEK..days.len()).step_by(WEEK).find(|index| days[*index].is_some()),
        "ArrowUp" => (0..at).rev().skip(WEEK - 1).step_by(WEEK).find(|index| days[*index].is_some()),
        "Home" => (row..at).find(|index| days[*index].is_some()),
        "End" => (at..(row + WEEK).min(days.len())).rev().find(|index| days[*index].is_some()),
        key @ ("PageUp" | "PageDown") => {
            let turns =
                event.target().and_then(|target| target.dyn_into::<Element>().ok()).and_then(|day| day.closest("form").ok()?);
            let turns = turns.and_then(|form| form.query_selector_all("button.turn").ok());
            let turn = turns.and_then(|turns| turns.get(u32::from(key == "PageDown")));
            let turn = turn.and_then(|turn| turn.dyn_into::<HtmlElement>().ok());
            if let Some(turn) = turn.filter(|turn| !turn.has_attribute("disabled")) {
                TURNED.set(true);
                turn.click();
            }
            return true;
        }
        _ => return false,
    };
    if let Some(day) = to.and_then(|to| days[to].as_ref()) {
        for other in days.iter().flatten() {
            other.set_tab_index(-1);
        }
        day.set_tab_index(0);
        let _ = day.focus();
    }
    true
}
