//! Icons, drawn as strokes on a 24 by 24 grid.

use leptos::prelude::*;

/// An icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IconName {
    /// Done.
    Check,
    /// Send.
    Send,
}

impl IconName {
    const fn path(self) -> &'static str {
        match self {
            Self::Check => "m5 12.5 4.5 4.5L19 7.5",
            Self::Send => "M12 19V5m-6 6 6-6 6 6",
        }
    }
}

/// An icon beside, or in the place of, a text that says the same; screen readers pass it over.
#[component]
pub fn Icon(
    /// Which.
    name: IconName,
    /// Its size and place.
    #[prop(optional)]
    class: &'static str,
) -> impl IntoView {
    view! {
        <svg
            class=class
            viewBox="0 0 24 24"
            fill="none"
            stroke="currentColor"
            stroke-width="2"
            stroke-linecap="round"
            stroke-linejoin="round"
            aria-hidden="true"
        >
            <path d=name.path()></path>
        </svg>
    }
}
