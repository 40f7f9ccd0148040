//! The one island of the panel: answers without a reload.

use leptos::{
    ev::{Event, KeyboardEvent, SubmitEvent},
    prelude::*,
    task::spawn_local,
};
use wasm_bindgen::JsCast;

use super::{bridge, grid, live, outbox, send};

/// Takes over the forms of what stands within it. Without wasm they are plain forms, and work.
#[island]
pub fn Answering(
    /// The origin of the host page; the only one the panel speaks to.
    host: String,
    /// What to say when the server cannot be reached.
    unreachable: String,
    /// The transcript and the card that waits.
    children: Children,
) -> impl IntoView {
    let sending = RwSignal::new(false);
    Effect::new(move || {
        bridge::connect(&host);
        live::look();
    });
    // Enter in the field for the transcript's address sends that, not what the form is for otherwise; Enter sends a message; Shift and Enter begin a new line.
    let on_key = move |event: KeyboardEvent| {
        if grid::on_key(&event) {
            event.prevent_default();
            return;
        }
        if event.key() == "Enter" && !event.is_composing() && asks_for_transcript(&event).is_some() {
            event.prevent_default();
            return;
        }
        let Some(field) = composer(&event).filter(|_| event.key() == "Enter" && !event.shift_key() && !event.is_composing())
        else {
            return;
        };
        event.prevent_default();
        if let Ok(Some(form)) = field.closest("form")
            && !field.value().trim().is_empty()
        {
            // As if the button were pressed, so that it goes the way of every answer.
            let _ = form.unchecked_into::<web_sys::HtmlFormElement>().request_submit();
        }
    };
    let on_input = move |event: Event| {
        if composer(&event).is_some() {
            live::types();
        }
    };
    let on_click = move |event: leptos::ev::MouseEvent| {
        let pressed = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let within = |selector: &str| pressed.as_ref().and_then(|pressed| pressed.closest(selector).ok().flatten());
        if within("[data-sound]").is_some() {
            live::switch_sound();
        } else if let Some(button) = within("[data-choose]") {
            outbox::choose(&button);
        }
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(field) = message_of(&event) {
            outbox::say(field.value());
            field.set_value("");
            return;
        }
        let Some((action, answer)) = send::answer_of(&event).filter(|_| !sending.get_untracked()) else { return };
        let unreachable = unreachable.clone();
        let beside = answer.get("do").as_deref() == Some("transcript");
        sending.set(true);
        spawn_local(async move {
            let sent = send::send(&action, &answer).await;
            sending.set(false);
            match sent {
                // What is being written is for the agent.
                Ok(json) if beside => send::show_beside(&json, &unreachable),
                Ok(json) => send::show(&json, &unreachable, false),
                Err(_) => send::show_problem(&unreachable, false),
            }
        });
    };
    view! {
        <div class="answering" class:sending=move || sending.get() aria-busy=move || sending.get().to_string() on:submit=submit on:keydown=on_key on:input=on_input on:click=on_click>
            {children()}
        </div>
    }
}

/// Gives the forms back to the browser: called when the wasm has stopped. A copy of the island has everything but its listeners,
/// what was typed included, so the plain forms take over.
pub fn give_up() {
    let islands =
        web_sys::window().and_then(|window| window.document()).map(|document| document.get_elements_by_tag_name("leptos-island"));
    for index in 0..islands.as_ref().map_or(0, web_sys::HtmlCollection::length) {
        if let Some(island) = islands.as_ref().and_then(|islands| islands.item(index))
            && let Ok(copy) = island.clone_node_with_deep(true)
        {
            // If it is gone from the page there is nothing to give back.
            let _ = island.replace_with_with_node_1(&copy);
        }
    }
}

/// Presses the button beside the field for the transcript's address, if it is that field.
fn asks_for_transcript(event: &Event) -> Option<()> {
    let field: web_sys::HtmlElement = event.target()?.dyn_into().ok()?;
    field.get_attribute("data-enter")?;
    field.next_element_sibling()?.dyn_into::<web_sys::HtmlElement>().ok()?.click();
    Some(())
}

/// The field of the message that is being sent to an agent, if that is what the form is sent for.
fn message_of(event: &SubmitEvent) -> Option<web_sys::HtmlTextAreaElement> {
    if event.submitter().is_some_and(|button| button.has_attribute("value")) {
        return None;
    }
    let form: web_sys::Element = event.target()?.dyn_into().ok()?;
    let field: web_sys::HtmlTextAreaElement = form.query_selector("[data-composer]").ok()??.dyn_into().ok()?;
    Some(field).filter(|field| !field.value().trim().is_empty())
}

fn composer(event: &Event) -> Option<web_sys::HtmlTextAreaElement> {
    let field: web_sys::HtmlTextAreaElement = event.target()?.dyn_into().ok()?;
    field.has_attribute("data-composer").then_some(field)
}
