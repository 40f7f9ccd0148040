//! Dates and numbers as their reader writes them, by what the browser knows of languages.

use js_sys::{Date, JSON};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element};

/// A day has no time zone: it is read and written in UTC, so that it stays the same day everywhere.
const DAY: &str = r#"{"dateStyle":"long","timeZone":"UTC"}"#;

/// The reader's language: of those their browser prefers the first that is the panel's, with its region; else the panel's.
fn reader(document: &Document) -> String {
    let panel = document.document_element().and_then(|root| root.get_attribute("lang")).unwrap_or_default();
    let main = |tag: &str| tag.split('-').next().unwrap_or_default().to_owned();
    let preferred = web_sys::window().map(|window| window.navigator().languages()).unwrap_or_default();
    preferred.iter().filter_map(|tag| tag.as_string()).find(|tag| main(tag) == main(&panel)).unwrap_or(panel)
}

/// Writes every date and number of the transcript that still is as the server sent it.
pub(super) fn write_as_read(document: &Document) {
    let Ok(found) = document.query_selector_all("#said [data-format]") else { return };
    let language = reader(document);
    for index in 0..found.length() {
        let Some(element) = found.get(index).and_then(|node| node.dyn_into::<Element>().ok()) else { continue };
        let raw = |name| element.get_attribute(name).unwrap_or_default();
        let written = match raw("data-format").as_str() {
            "date" => {
                let options = JSON::parse(DAY).unwrap_or_default();
                String::from(Date::new(&JsValue::from_str(&raw("datetime"))).to_locale_date_string(&language, &options))
            }
            _ => {
                let number = js_sys::Number::from(js_sys::parse_float(&raw("value")));
                String::from(number.to_locale_string(&language))
            }
        };
        element.set_text_content(Some(&written));
        let _ = element.remove_attribute("data-format");
    }
}
