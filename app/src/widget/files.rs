//! The visitor sends files.

use std::{cell::RefCell, collections::VecDeque};

use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, File, HtmlInputElement};

use super::send;

/// How long it takes until it is looked again whether an answer is still on its way, in milliseconds.
const LOOK_AGAIN: u32 = 50;

thread_local! {
    /// The files that were chosen and are not sent yet, in their order.
    static WAITING: RefCell<VecDeque<File>> = const { RefCell::new(VecDeque::new()) };
}

/// Has the visitor choose files, and sends them. The field for them is none of the card's, which may be another by the time they are chosen.
pub(super) fn choose(button: &Element, sending: RwSignal<bool>, unreachable: String) {
    let document = web_sys::window().and_then(|window| window.document());
    let made = document.and_then(|document| document.create_element("input").ok());
    let Some(field) = made.and_then(|field| field.dyn_into::<HtmlInputElement>().ok()) else { return };
    let said = |name: &str| button.get_attribute(name).unwrap_or_default();
    field.set_type("file");
    field.set_multiple(true);
    field.set_accept(&said("data-accept"));
    let (limit, too_large) = (said("data-limit").parse::<u32>().map_or(f64::INFINITY, f64::from), said("data-too-large"));
    let own = field.clone();
    let chosen = Closure::once_into_js(move || {
        let files = own.files();
        let files = files.iter().flat_map(|files| (0..files.length()).filter_map(|index| files.get(index)));
        // What is too large would travel in vain.
        let (good, large): (Vec<File>, Vec<File>) = files.partition(|file| file.size() <= limit);
        if !large.is_empty() {
            send::show_problem(&too_large, false);
        }
        let idle = WAITING.with_borrow(VecDeque::is_empty);
        WAITING.with_borrow_mut(|waiting| waiting.extend(good));
        if idle {
            spawn_local(send_all(sending, unreachable));
        }
    });
    field.set_onchange(Some(chosen.unchecked_ref()));
    field.click();
}

async fn send_all(sending: RwSignal<bool>, unreachable: String) {
    while let Some(file) = WAITING.with_borrow(|waiting| waiting.front().cloned()) {
        // Each answer has a name of its own, which comes with the answer before.
        while sending.get_untracked() {
            TimeoutFuture::new(LOOK_AGAIN).await;
        }
        if let Some((action, fields)) = send::with_file(&file) {
            sending.set(true);
            let sent = send::send(&action, &fields).await;
            sending.set(false);
            match sent {
                Ok(json) => send::show_beside(&json, &unreachable),
                Err(_) => send::show_problem(&unreachable, false),
            }
        }
        WAITING.with_borrow_mut(|waiting| drop(waiting.pop_front()));
    }
}
