//! What people see: Leptos components, the same on the server and in the browser.
//!
//! The visitor's panel ([`widget`]) is rendered on the server and works by plain forms. Where wasm runs, its island takes the
//! forms over and answers without a reload.

// The types of large views nest deeply.
#![recursion_limit = "512"]

#[cfg(feature = "console")]
pub mod console;
pub mod i18n;
pub mod ui;
pub mod widget;
