//! Sends a form of the panel, and shows what comes back.
//!
//! The answer holds what was said since, and the card that waits now, as the server renders them for a page too. It is put in
//! place as it comes; the events of the answer pass through to the host page unread.

use js_sys::{Array, Reflect};
use leptos::ev::SubmitEvent;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, Element, FormData, HtmlFormElement, RequestInit, Response, UrlSearchParams};

use super::bridge;

/// The fields of the form that is being sent, with the button that sends it.
pub(super) fn answer_of(event: &SubmitEvent) -> Option<(String, UrlSearchParams)> {
    let form: HtmlFormElement = event.target()?.dyn_into().ok()?;
    let fields = FormData::new_with_form(&form).ok()?;
    let answer = UrlSearchParams::new_with_str_sequence_sequence(&Array::from(&fields)).ok()?;
    // A button's own name and value are not among the fields of its form.
    if let Some((name, value)) =
        event.submitter().and_then(|button| Some((button.get_attribute("name")?, button.get_attribute("value")?)))
    {
        answer.set(&name, &value);
    }
    Some((form.action(), answer))
}

/// Sends an answer, and gives what the server says to it.
pub(super) async fn send((action, answer): &(String, UrlSearchParams)) -> Result<JsValue, JsValue> {
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

/// Shows what the server said: the conversation goes on, or what was wrong with the answer.
pub(super) fn show(json: &JsValue, otherwise: &str) {
    let Some(document) = document() else { return };
    let card = document.get_element_by_id("card");
    let typing = document.get_element_by_id("typing");
    if let (Some(card), Some(typing), Some(said), Some(next)) = (card, typing, text(json, "said"), text(json, "card")) {
        // Rendered by our own server, which escapes what people write; and the policy of the page lets no script in.
        let _ = typing.insert_adjacent_html("beforebegin", &said);
        card.set_inner_html(&next);
        bridge::pass_on(json);
        bridge::focus_card(true);
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

fn find(document: &Document, selector: &str) -> Option<Element> {
    document.query_selector(selector).ok().flatten()
}

fn text(json: &JsValue, name: &str) -> Option<String> {
    Reflect::get(json, &name.into()).ok()?.as_string()
}
