//! The channel to the loader on the host page.
//!
//! The panel says hello to its parent, and takes the port it is answered with only from that parent and only from the origin
//! the server rendered into the panel: both by exact equality. From then on everything goes through the port.

use std::cell::RefCell;

use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

use super::{format, send};

const HELLO: &str = r#"{"porchlight":"hello"}"#;
const CLOSE: &str = r#"{"close":true}"#;

thread_local! {
    static PORT: RefCell<Option<web_sys::MessagePort>> = const { RefCell::new(None) };
}

/// Says hello to the host page, and does what the loader asks from then on.
pub(super) fn connect(host: &str) {
    let Some(window) = web_sys::window() else { return };
    let Ok(Some(parent)) = window.parent() else { return };
    let (own, origin) = (parent.clone(), host.to_owned());
    let on_message = Closure::<dyn FnMut(_)>::new(move |event: web_sys::MessageEvent| {
        let from_parent = event.source().is_some_and(|source| js_sys::Object::is(&source, &own));
        if !from_parent || event.origin() != origin || text_field(&event.data(), "porchlight").as_deref() != Some("port") {
            return;
        }
        let Ok(port) = event.ports().get(0).dyn_into::<web_sys::MessagePort>() else { return };
        let on_order = Closure::<dyn FnMut(_)>::new(|event: web_sys::MessageEvent| obey(&event.data()));
        port.set_onmessage(Some(on_order.as_ref().unchecked_ref()));
        // Both listeners live as long as the panel's document.
        on_order.forget();
        PORT.set(Some(port));
        tell_height();
    });
    let listening = window.add_event_listener_with_callback("message", on_message.as_ref().unchecked_ref());
    on_message.forget();
    let on_key = Closure::<dyn FnMut(_)>::new(|event: web_sys::KeyboardEvent| {
        if event.key() == "Escape" && !event.is_composing() {
            pass_on(&parse(CLOSE));
        }
    });
    let heard = window.add_event_listener_with_callback("keydown", on_key.as_ref().unchecked_ref());
    on_key.forget();
    if let Some(document) = window.document() {
        format::write_as_read(&document);
    }
    if listening.is_ok() && heard.is_ok() {
        // Without a host page to speak to, the panel works on its own.
        let _ = parent.post_message(&parse(HELLO), host);
    }
}

/// Passes a message on to the loader: an answer of the server, for the page's listeners.
pub(super) fn pass_on(message: &JsValue) {
    PORT.with_borrow(|port| {
        if let Some(port) = port {
            // A port that was closed has nobody behind it who could miss the message.
            let _ = port.post_message(message);
        }
    });
}

/// Tells the loader how high the panel is, now and whenever that changes, where it stands in the flow of the page.
fn tell_height() {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
    let root = document.document_element().filter(|root| root.get_attribute("data-ui").as_deref() == Some("inline"));
    let (Some(_), Ok(Some(panel))) = (root, document.query_selector(".panel")) else { return };
    let own = panel.clone();
    let on_change = Closure::<dyn FnMut()>::new(move || {
        let message = js_sys::Object::new();
        if js_sys::Reflect::set(&message, &"height".into(), &own.scroll_height().into()).is_ok() {
            pass_on(&message);
        }
    });
    if let Ok(observer) = web_sys::ResizeObserver::new(on_change.as_ref().unchecked_ref()) {
        // It tells once at the beginning, too.
        observer.observe(&panel);
    }
    on_change.forget();
}

fn obey(order: &JsValue) {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
    if js_sys::Reflect::get(order, &"refresh".into()).is_ok_and(|refresh| refresh.is_truthy()) {
        spawn_local(send::refresh());
    }
    if let (Some(page), Ok(Some(field))) = (text_field(order, "page"), document.query_selector("#card [name=page]")) {
        let _ = field.set_attribute("value", &page);
    }
    if let (Some(theme), Some(root)) = (text_field(order, "theme"), document.document_element()) {
        let _ = root.set_attribute("data-theme", &theme);
    }
    if js_sys::Reflect::get(order, &"focus".into()).is_ok_and(|focus| focus.is_truthy()) {
        focus_card(false);
    }
}

/// Puts the focus where the visitor goes on: on the field of the card, or else on its first button. Where typing brings up a
/// keyboard over the screen, only `anywhere` does, once the visitor is answering.
pub(super) fn focus_card(anywhere: bool) {
    const ANY: &str = "#card :is(a, button:enabled, input:not([type=hidden]), select, textarea, [tabindex])";
    let Some(window) = web_sys::window() else { return };
    let touch = window.match_media("(pointer: coarse)").ok().flatten().is_some_and(|query| query.matches());
    let control = window
        .document()
        .filter(|_| anywhere || !touch)
        // What the server marks is where the visitor goes on: the first time of the day that was pressed.
        .and_then(|document| {
            let turned = if anywhere { super::grid::turned_to(&document) } else { None };
            let marked = || document.query_selector("#card [data-focus]").ok().flatten().filter(|_| anywhere);
            // A group of ratings takes no focus itself.
            const WRONG: &str = "#card :is(input, select, textarea)[aria-invalid=true], #card fieldset[aria-invalid=true] input";
            let wrong = || document.query_selector(WRONG).ok().flatten().filter(|_| anywhere);
            let value = || document.get_element_by_id("value");
            let any = || document.query_selector(ANY).ok().flatten().filter(|_| anywhere);
            turned.or_else(marked).or_else(wrong).or_else(value).or_else(any)
        })
        .and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(control) = control {
        let _ = control.focus();
    }
}

fn text_field(value: &JsValue, name: &str) -> Option<String> {
    js_sys::Reflect::get(value, &name.into()).ok()?.as_string()
}

fn parse(json: &str) -> JsValue {
    js_sys::JSON::parse(json).unwrap_or_default()
}
