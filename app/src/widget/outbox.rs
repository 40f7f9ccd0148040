//! What the visitor sends in a live chat: words and files, in their order, each until the server has it.
//!
//! Each has a name of its own, so that what is sent again is said once. What is not there yet stands below the transcript and says so; the
//! visitor goes on writing. Words outlive the page; files do not.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
};

use gloo_timers::future::TimeoutFuture;
use leptos::task::spawn_local;
use porchlight_domain::id::uuid_v7;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Document, Element, File, FormData, HtmlFormElement, HtmlInputElement};

use super::send::{self, find};

/// The first wait after a failure, in milliseconds; each further one is twice as long.
const FIRST_WAIT: u32 = 1000;
/// The longest.
const LONGEST_WAIT: u32 = 30_000;
/// How often it is looked whether the connection is back, in milliseconds.
const LOOK_AGAIN: u32 = 250;

/// What is sent.
#[derive(Clone)]
enum What {
    Words(String),
    File(File),
}

#[derive(Clone)]
struct Item {
    /// Names the message.
    id: String,
    what: What,
    bubble: Element,
}

thread_local! {
    static WAITING: RefCell<VecDeque<Item>> = const { RefCell::new(VecDeque::new()) };
    static SENDING: Cell<bool> = const { Cell::new(false) };
    /// The connection is there again: what waits need not wait longer.
    static AT_ONCE: Cell<bool> = const { Cell::new(false) };
}

fn document() -> Option<Document> {
    web_sys::window()?.document()
}

/// The form of the live chat, if one is under way.
fn form() -> Option<HtmlFormElement> {
    find(&document()?, "#card form[data-live]")?.dyn_into().ok()
}

fn new_id() -> Option<String> {
    let mut random = [0; 10];
    web_sys::window()?.crypto().ok()?.get_random_values_with_u8_array(&mut random).ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds since 1970")]
    let now = js_sys::Date::now() as u64;
    Some(uuid_v7(now, &random).to_string())
}

/// Sends words.
pub(super) fn say(words: String) {
    if let Some(id) = new_id() {
        add(id, What::Words(words));
    }
}

fn add(id: String, what: What) {
    let words = match &what {
        What::Words(words) => words.clone(),
        What::File(file) => file.name(),
    };
    let Some(bubble) = bubble(&words) else { return };
    WAITING.with_borrow_mut(|waiting| waiting.push_back(Item { id, what, bubble }));
    keep();
    if !SENDING.replace(true) {
        spawn_local(send_all());
    }
}

/// What is not there yet, as it will stand in the transcript. It is text, whatever it is.
fn bubble(words: &str) -> Option<Element> {
    let document = document()?;
    let unsent = document.get_element_by_id("unsent")?;
    let bubble = document.create_element("div").ok()?;
    bubble.set_class_name("bubble live self-end rounded-ee-sm bg-accent text-on-accent unsent");
    let said = document.create_element("span").ok()?;
    said.set_class_name("block");
    said.set_attribute("dir", "auto").ok()?;
    said.set_text_content(Some(words));
    bubble.append_child(&said).ok()?;
    unsent.append_child(&bubble).ok()?;
    Some(bubble)
}

async fn send_all() {
    let mut wait = FIRST_WAIT;
    while let Some(item) = WAITING.with_borrow(|waiting| waiting.front().cloned()) {
        let Some((action, fields)) = filled(&item) else {
            // The chat is over: nobody is there to read it.
            drop_all();
            break;
        };
        let answer = send::send(&action, &fields).await.ok();
        let code = answer.as_ref().and_then(|json| send::text(json, "code"));
        match (&answer, code.as_deref()) {
            // Later it may go.
            (None, _) | (_, Some("too_many_requests" | "unavailable" | "internal")) => {
                mark(&item.bubble);
                pause(wait).await;
                wait = wait.saturating_mul(2).min(LONGEST_WAIT);
                continue;
            }
            // It stands in the transcript, or is a file that is not taken, and the answer says why.
            (_, code) if code.is_none() || matches!(item.what, What::File(_)) => item.bubble.remove(),
            // Words that nobody will read any more stay to be copied.
            _ => mark(&item.bubble),
        }
        wait = FIRST_WAIT;
        WAITING.with_borrow_mut(|waiting| drop(waiting.pop_front()));
        keep();
        send::show_beside(&answer.unwrap_or_default(), "");
    }
    SENDING.set(false);
}

/// The form as it is now, with the message in it.
fn filled(item: &Item) -> Option<(String, FormData)> {
    let form = form()?;
    let fields = FormData::new_with_form(&form).ok()?;
    fields.set_with_str("id", &item.id).ok()?;
    match &item.what {
        What::Words(words) => fields.set_with_str("value", words).ok()?,
        What::File(file) => {
            fields.delete("value");
            fields.set_with_blob_and_filename("file", file, &file.name()).ok()?;
        }
    }
    Some((form.action(), fields))
}

/// Waits, not all panels equally long, or until the connection is back.
async fn pause(longest: u32) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between nothing and the longest")]
    let mut left = (f64::from(longest) * (0.5 + js_sys::Math::random() / 2.0)) as u32;
    AT_ONCE.set(false);
    while left > 0 && !AT_ONCE.get() {
        TimeoutFuture::new(left.min(LOOK_AGAIN)).await;
        left = left.saturating_sub(LOOK_AGAIN);
    }
}

/// The connection is there again.
pub(super) fn connected() {
    AT_ONCE.set(true);
}

fn mark(bubble: &Element) {
    let marked = || {
        let text = document()?.get_element_by_id("unsent")?.get_attribute("data-unsent")?;
        let mark = document()?.create_element("span").ok()?;
        mark.set_class_name("unsent-mark");
        // Said once by screen readers, too.
        mark.set_attribute("role", "status").ok()?;
        bubble.append_child(&mark).ok()?;
        mark.set_text_content(Some(&text));
        Some(())
    };
    if bubble.child_element_count() < 2 {
        // Without a mark it is still there, and sent again.
        let _ = marked();
    }
}

/// What can reach nobody any more stays where it is, marked: the visitor may copy it.
fn drop_all() {
    let waiting = WAITING.with_borrow_mut(std::mem::take);
    waiting.iter().for_each(|item| mark(&item.bubble));
    keep();
}

/// Where words are kept for the page's next load: those of one conversation.
fn place() -> Option<(web_sys::Storage, String)> {
    let conversation = find(&document()?, "#card [name=conversation]")?.get_attribute("value")?;
    Some((web_sys::window()?.session_storage().ok()??, format!("porchlight unsent {conversation}")))
}

fn keep() {
    let Some((storage, place)) = place() else { return };
    let kept = js_sys::Array::new();
    WAITING.with_borrow(|waiting| {
        for item in waiting {
            if let What::Words(words) = &item.what {
                kept.push(&js_sys::Array::of2(&item.id.as_str().into(), &words.as_str().into()));
            }
        }
    });
    let json = js_sys::JSON::stringify(&kept).ok().and_then(|json| json.as_string()).unwrap_or_default();
    // Where nothing can be kept, this load of the page has it all the same.
    let _ = if kept.length() == 0 { storage.remove_item(&place) } else { storage.set_item(&place, &json) };
}

/// Sends what an earlier load of the page has not.
pub(super) fn restore() {
    if form().is_none() || !WAITING.with_borrow(VecDeque::is_empty) {
        return;
    }
    let kept = place().and_then(|(storage, place)| storage.get_item(&place).ok().flatten());
    let Some(kept) = kept.and_then(|kept| js_sys::JSON::parse(&kept).ok()).filter(js_sys::Array::is_array) else { return };
    for pair in js_sys::Array::from(&kept).iter() {
        let pair = js_sys::Array::from(&pair);
        if let (Some(id), Some(words)) = (pair.get(0).as_string(), pair.get(1).as_string()) {
            add(id, What::Words(words));
        }
    }
}

/// Has the visitor choose files, and sends them. The field for them is none of the card's, which may be another by the time they are chosen.
pub(super) fn choose(button: &Element) {
    let made = document().and_then(|document| document.create_element("input").ok());
    let Some(field) = made.and_then(|field| field.dyn_into::<HtmlInputElement>().ok()) else { return };
    let said = |name: &str| button.get_attribute(name).unwrap_or_default();
    field.set_type("file");
    field.set_multiple(true);
    field.set_accept(&said("data-accept"));
    let (limit, too_large) = (said("data-limit").parse::<u32>().map_or(f64::INFINITY, f64::from), said("data-too-large"));
    let own = field.clone();
    let chosen: JsValue = Closure::once_into_js(move || {
        let files = own.files();
        for file in files.iter().flat_map(|files| (0..files.length()).filter_map(|index| files.get(index))) {
            if file.size() > limit {
                // It would travel in vain.
                send::show_problem(&too_large, false);
            } else if let Some(id) = new_id() {
                add(id, What::File(file));
            }
        }
    });
    field.set_onchange(Some(chosen.unchecked_ref()));
    field.click();
}
