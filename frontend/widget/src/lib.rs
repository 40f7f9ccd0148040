//! The wasm of the visitor's panel.
#![cfg(target_arch = "wasm32")]

// Names the app: without this the linker drops every island.
use porchlight_app as _;
use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page once the module is there; the islands follow one by one.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
