//! Sends a form of the panel, and shows what comes back.
//!
//! The answer holds what was said since, and the card that waits now, as the server renders them for a page too. It is put in
//! place as it comes; the events of the answer pass through to the host page unread.

use js_sys::{Array, Reflect};
use leptos::ev::SubmitEvent;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, Element, FormData, HtmlFormElement, RequestInit, Response, UrlSearchParams};

use super::{bridge, format, live};

/// The fields of the form that is being sent, with the button that sends it.
pub(super) fn answer_of(event: &SubmitEvent) -> Option<(String, UrlSearchParams)> {
    let form: HtmlFormElement = event.target()?.dyn_into().ok()?;
    let fields = FormData::new_with_form(&form).ok()?;
    let answer = UrlSearchParams::new_with_str_sequence_sequence(&Array::from(&fields)).ok()?;
    // A button's own name and value are not among the fields of its form.
    if let Some((name, value)) =
        event.submitter().and_then(|button| Some((button.get_attribute("name")?, button.get_attribute("value")?)))
    {
        // Beside what was ticked, where several may be.
        answer.append(&name, &value);
    }
    Some((form.action(), answer))
}

/// The fields of the form that waits, as a wish to be told what is new.
fn wish() -> Option<(String, UrlSearchParams)> {
    let form: HtmlFormElement = find(&document()?, "#card form")?.dyn_into().ok()?;
    let fields = FormData::new_with_form(&form).ok()?;
    // What is typed there is not sent.
    fields.delete("value");
    let wish = UrlSearchParams::new_with_str_sequence_sequence(&Array::from(&fields)).ok()?;
    wish.set("do", "refresh");
    Some((form.action(), wish))
}

/// Shows what was said in another tab.
pub(super) async fn refresh() {
    let Some(wish) = wish() else { return };
    if let Ok(json) = send(&wish.0, &wish.1).await {
        show(&json, "", true);
    }
}

/// Shows what the server tells of its own accord: what is there already is left out, and where something is missing all is asked for.
pub(super) fn show_news(json: &JsValue) {
    let have = have();
    match number_of(json, "from") {
        None => show(json, "", true),
        Some(from) if from == have + 1 => show(json, "", true),
        Some(_) if text(json, "have").and_then(|last| last.parse().ok()) <= Some(have) => bridge::pass_on(json),
        Some(_) => leptos::task::spawn_local(refresh()),
    }
}

/// The number of the last line that is shown.
fn have() -> u32 {
    let field = document().and_then(|document| find(&document, "#card [name=have]"));
    field.and_then(|field| field.get_attribute("value")?.parse().ok()).unwrap_or_default()
}

/// The number of a line, in what the server says.
fn number_of(json: &JsValue, name: &str) -> Option<u32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number of a line")]
    let number = Reflect::get(json, &name.into()).ok()?.as_f64()? as u32;
    Some(number)
}

/// Shows what the server said to something that was sent while the visitor goes on writing.
pub(super) fn show_beside(json: &JsValue, otherwise: &str) {
    let typed = document().and_then(|document| composer(&document)).map(|field| field.value());
    show(json, otherwise, false);
    if let (Some(typed), Some(field)) = (typed, document().and_then(|document| composer(&document))) {
        field.set_value(&typed);
    }
}

fn composer(document: &Document) -> Option<web_sys::HtmlTextAreaElement> {
    find(document, "#card textarea[data-composer]")?.dyn_into().ok()
}

/// Sends an answer, and gives what the server says to it.
pub(super) async fn send(action: &str, answer: &JsValue) -> Result<JsValue, JsValue> {
    let headers = js_sys::Object::new();
    Reflect::set(&headers, &"accept".into(), &"application/json".into())?;
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_headers(&headers);
    init.set_body(answer);
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    let response: Response = JsFuture::from(window.fetch_with_str_and_init(action, &init)).await?.dyn_into()?;
    JsFuture::from(response.json()?).await
}

/// Shows what the server said: the conversation goes on, or what was wrong with the answer. If nobody sent it from here, what is being
/// typed stays, and the focus where it is.
pub(super) fn show(json: &JsValue, otherwise: &str, unasked: bool) {
    let Some(document) = document() else { return };
    let part = |id| document.get_element_by_id(id);
    if let (Some(card), Some(log), Some(said), Some(next)) = (part("card"), part("said"), text(json, "said"), text(json, "card"))
    {
        // Rendered by our own server, which escapes what people write; and the policy of the page lets no script in.
        if is(json, "anew") {
            log.set_inner_html("");
        }
        let (have, first, last) = (have(), number_of(json, "from"), text(json, "have").and_then(|last| last.parse().ok()));
        // What was told meanwhile is there already: an answer knows only what the panel had when it was asked.
        let known = !is(json, "anew") && first.is_some_and(|first| first <= have);
        if !known {
            let _ = log.insert_adjacent_html("beforeend", &said);
        } else if last > Some(have) {
            leptos::task::spawn_local(refresh());
        }
        bridge::pass_on(json);
        format::write_as_read(&document);
        // The question is the same; the end has none.
        let same = find(&document, "#card form").and_then(|form| form.get_attribute("data-state")) == text(json, "state");
        if unasked && same {
            if let (Some(have), Some(number)) = (find(&document, "#card [name=have]"), text(json, "have")) {
                let _ = have.set_attribute("value", &number);
            }
        } else {
            let typed = composer(&document).filter(|_| unasked).map(|field| field.value());
            card.set_inner_html(&next);
            // The answer's card knows as little as the answer.
            if let Some(field) = find(&document, "#card [name=have]").filter(|_| known && last < Some(have)) {
                let _ = field.set_attribute("value", &have.to_string());
            }
            // What is being written stays, also when somebody comes to read it.
            if let (Some(typed), Some(field)) = (typed, composer(&document)) {
                field.set_value(&typed);
            }
            if !unasked {
                bridge::focus_card(true);
            }
        }
        if let Some(mark) = find(&document, "#seen") {
            let _ = mark.set_attribute("hidden", "");
        }
        live::look();
        // A file to download leaves the panel as it is.
        if let (Some(location), Some(window)) = (text(json, "location"), web_sys::window()) {
            let _ = window.location().assign(&location);
        }
    } else {
        // Of what the server says only this is about the field.
        let wrong = text(json, "code").as_deref() == Some("invalid_answer");
        show_problem(&text(json, "message").unwrap_or_else(|| otherwise.to_owned()), wrong);
    }
}

/// Says what the matter is, and whether it is with the field.
pub(super) fn show_problem(problem: &str, wrong: bool) {
    let Some(document) = document() else { return };
    if let Some(slot) = document.get_element_by_id("problem") {
        slot.set_text_content(Some(problem));
    }
    if let Some(input) = find(&document, "#value") {
        let _ = input.set_attribute("aria-invalid", if wrong { "true" } else { "false" });
    }
    bridge::focus_card(true);
}

fn document() -> Option<Document> {
    web_sys::window()?.document()
}

pub(super) fn find(document: &Document, selector: &str) -> Option<Element> {
    document.query_selector(selector).ok().flatten()
}

pub(super) fn text(json: &JsValue, name: &str) -> Option<String> {
    Reflect::get(json, &name.into()).ok()?.as_string()
}

fn is(json: &JsValue, name: &str) -> bool {
    Reflect::get(json, &name.into()).is_ok_and(|value| value.is_truthy())
}
