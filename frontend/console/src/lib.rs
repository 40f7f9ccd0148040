//! The wasm of the agents' console.
#![cfg(target_arch = "wasm32")]

// Naming the app keeps its islands: without this the linker drops every one.
use porchlight_app::console::say_stopped;
use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page once the module is there; the islands follow one by one.
#[wasm_bindgen]
pub fn hydrate() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        say_stopped();
    }));
    leptos::mount::hydrate_islands();
}
