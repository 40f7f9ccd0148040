//! The panel's connection while a live chat is under way.
//!
//! The server tells it what an answer would bring, so what is new is shown as after an answer. What the visitor writes goes by the form, which
//! is confirmed when it is kept; the connection carries what need not be kept: who types, and what was seen.

use std::cell::{Cell, RefCell};

use gloo_timers::future::TimeoutFuture;
use js_sys::Reflect;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Document, FormData, HtmlFormElement, MessageEvent, WebSocket};

use super::{
    grid, outbox,
    send::{self, find},
};

thread_local! {
    static SOCKET: RefCell<Option<WebSocket>> = const { RefCell::new(None) };
    static FAILURES: Cell<u32> = const { Cell::new(0) };
    static TOLD: Cell<f64> = const { Cell::new(0.0) };
    static TYPING: Cell<u32> = const { Cell::new(0) };
}

/// How often the server is told that the visitor is typing, in milliseconds.
const TYPING_EVERY: f64 = 3000.0;
/// How long the agent counts as typing after they were last heard of, in milliseconds.
const TYPING_FOR: u32 = 6000;
/// How often a panel without a connection asks what is new, in milliseconds.
const ASK_EVERY: u32 = 3000;
/// After so many failures the panel asks, and goes on trying to connect.
const FAILURES_MAX: u32 = 3;

fn document() -> Option<Document> {
    web_sys::window()?.document()
}

fn card() -> Option<HtmlFormElement> {
    find(&document()?, "#card form[data-live]")?.dyn_into().ok()
}

/// Connects if a live chat is under way and there is no connection; lets go of one that is of no use any more.
pub(super) fn look() {
    if let Some(document) = document() {
        grid::prepare(&document);
    }
    let connected = SOCKET.with_borrow(Option::is_some);
    match card() {
        Some(form) => {
            show_switch();
            show_tools();
            outbox::restore();
            if !connected {
                connect(&form);
            }
        }
        None => {
            if let Some(socket) = SOCKET.take() {
                socket.set_onclose(None);
                let _ = socket.close();
            }
            status("");
        }
    }
}

fn connect(form: &HtmlFormElement) {
    let Some(location) = web_sys::window().map(|window| window.location()) else { return };
    let (Ok(protocol), Ok(host), Ok(fields)) = (location.protocol(), location.host(), FormData::new_with_form(form)) else {
        return;
    };
    let hello = js_sys::Object::new();
    for name in ["token", "view", "after", "page", "conversation", "locale", "zone", "have"] {
        let _ = Reflect::set(&hello, &name.into(), &fields.get(name));
    }
    let Some(hello) = js_sys::JSON::stringify(&hello).ok().and_then(|hello| hello.as_string()) else { return };
    let scheme = if protocol == "https:" { "wss" } else { "ws" };
    let Ok(socket) = WebSocket::new(&format!("{scheme}://{host}/widget/v1/socket")) else { return come_again() };
    let own = socket.clone();
    let on_open = Closure::<dyn FnMut()>::new(move || drop(own.send_with_str(&hello)));
    let on_message = Closure::<dyn FnMut(_)>::new(|event: MessageEvent| {
        if let Some(told) = event.data().as_string().and_then(|text| js_sys::JSON::parse(&text).ok()) {
            hear(&told);
        }
    });
    let on_close = Closure::<dyn FnMut()>::new(|| {
        SOCKET.take();
        come_again();
    });
    socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
    socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
    // They live as long as the socket, which the browser holds.
    on_open.forget();
    on_message.forget();
    on_close.forget();
    SOCKET.replace(Some(socket));
}

/// Connects again, ever later, and not all panels at once; meanwhile what is new is asked for.
fn come_again() {
    if card().is_none() {
        return;
    }
    let failures = FAILURES.get() + 1;
    FAILURES.set(failures);
    if let Some(text) = document().and_then(|document| find(&document, "#live")?.get_attribute("data-reconnecting")) {
        status(&text);
    }
    let most = 500_u32.saturating_mul(1 << failures.min(6)).min(30_000);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between nothing and the most")]
    let mut wait = (f64::from(most) * (0.5 + js_sys::Math::random() / 2.0)) as u32;
    spawn_local(async move {
        while failures >= FAILURES_MAX && wait > ASK_EVERY {
            TimeoutFuture::new(ASK_EVERY).await;
            send::refresh().await;
            wait -= ASK_EVERY;
        }
        TimeoutFuture::new(wait).await;
        look();
    });
}

fn hear(told: &JsValue) {
    FAILURES.set(0);
    outbox::connected();
    let part = |name: &str| Reflect::get(told, &name.into()).ok().filter(|part| !part.is_undefined());
    if let Some(update) = part("update") {
        status("");
        send::show_news(&update);
        if by_agent(&update) && sounds() && document().is_some_and(|document| !document.has_focus().unwrap_or(true)) {
            crate::ui::ring(false);
        }
        seen();
    }
    if part("typing").is_some() {
        typing();
    }
    if let (Some(number), Some(document)) = (part("seen").and_then(|number| number.as_f64()), document()) {
        let _ = find(&document, "#said").map(|log| log.set_attribute("data-seen", &number.to_string()));
        if let Some(mark) = find(&document, "#seen") {
            let _ = mark.remove_attribute("hidden");
        }
    }
    if part("bad").is_some() {
        // What is here is of another time: the server says how it is now.
        spawn_local(send::refresh());
    }
}

/// Whether an agent has said something in it.
fn by_agent(update: &JsValue) -> bool {
    let said = Reflect::get(update, &"said".into()).ok().and_then(|said| said.as_string());
    said.is_some_and(|said| said.contains(r#"data-author="agent""#))
}

const SILENT: &str = "porchlight silent";

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}

/// Whether what an agent says is heard, too.
fn sounds() -> bool {
    storage().and_then(|storage| storage.get_item(SILENT).ok().flatten()).is_none()
}

/// Shows whether it is.
fn show_switch() {
    if let Some(switch) = document().and_then(|document| find(&document, "#card [data-sound]")) {
        let _ = switch.set_attribute("aria-pressed", if sounds() { "true" } else { "false" });
    }
}

/// Shows what works with this script only.
fn show_tools() {
    for selector in ["#card [data-sound]", "#card [data-choose]"] {
        if let Some(tool) = document().and_then(|document| find(&document, selector)) {
            let _ = tool.remove_attribute("hidden");
        }
    }
}

/// Switches the sound on or off, for this visitor's browser.
pub(super) fn switch_sound() {
    if let Some(storage) = storage() {
        let _ = if sounds() { storage.set_item(SILENT, "1") } else { storage.remove_item(SILENT) };
    }
    show_switch();
}

/// Tells the agent what the visitor has seen, if they can see it.
pub(super) fn seen() {
    let Some(document) = document().filter(|document| !document.hidden()) else { return };
    if let Some(have) = find(&document, "#card [name=have]").and_then(|field| field.get_attribute("value")) {
        say(&format!(r#"{{"seen":{have}}}"#));
    }
}

/// Tells the agent that the visitor is typing.
pub(super) fn types() {
    let now = js_sys::Date::now();
    if now - TOLD.get() > TYPING_EVERY {
        TOLD.set(now);
        say(r#"{"typing":true}"#);
    }
}

fn say(text: &str) {
    SOCKET.with_borrow(|socket| {
        if let Some(socket) = socket.as_ref().filter(|socket| socket.ready_state() == WebSocket::OPEN) {
            // What is lost here is of no weight.
            let _ = socket.send_with_str(text);
        }
    });
}

fn typing() {
    let Some(text) = document().and_then(|document| find(&document, "#card form")?.get_attribute("data-typing")) else { return };
    status(&text);
    let mine = TYPING.get() + 1;
    TYPING.set(mine);
    spawn_local(async move {
        TimeoutFuture::new(TYPING_FOR).await;
        if TYPING.get() == mine {
            status("");
        }
    });
}

fn status(text: &str) {
    if let Some(line) = document().and_then(|document| find(&document, "#live")) {
        line.set_text_content(Some(text));
    }
}
