//! Icons, drawn as strokes on a 24 by 24 grid.

use leptos::prelude::*;

/// An icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IconName {
    /// A file to send.
    Attach,
    /// Back to what was before.
    Back,
    /// A day.
    Calendar,
    /// Done.
    Check,
    /// Close.
    Close,
    /// A document.
    Document,
    /// Download.
    Download,
    /// On to what comes next.
    Forward,
    /// A call.
    Phone,
    /// Begin again.
    Restart,
    /// Send.
    Send,
    /// Sound.
    Sound,
}

impl IconName {
    const fn path(self) -> &'static str {
        match self {
            Self::Attach => "m20 11-8.500 8.500a5 5 0 0 1-7-7L13 4a3.500 3.500 0 0 1 5 5l-8.500 8.500a2 2 0 0 1-3-3L14 7",
            Self::Back => "M19 12H5m6-6-6 6 6 6",
            Self::Calendar => {
                "M5 6h14a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1Zm-1 5h16M8.500 3.500V7M15.500 3.500V7"
            }
            Self::Forward => "M5 12h14m-6-6 6 6-6 6",
            Self::Phone => "M8 4H5a1 1 0 0 0-1 1c0 8.300 6.700 15 15 15a1 1 0 0 0 1-1v-3l-4.500-1.500-2 2a12 12 0 0 1-6-6l2-2Z",
            Self::Check => "m5 12.5 4.5 4.5L19 7.5",
            Self::Close => "M6 6l12 12M18 6 6 18",
            Self::Document => "M14 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8Zm0 0v5h5M9 13h6m-6 4h4",
            Self::Download => "M12 4v11m-5-5 5 5 5-5M5 20h14",
            Self::Restart => "M4 12a8 8 0 1 0 2.5-5.800M4 4v4.500h4.500",
            Self::Sound => "M4 9.500v5h3.500L12 19V5L7.500 9.500Zm11.500-1a5 5 0 0 1 0 7m2.500-10a9 9 0 0 1 0 13",
            Self::Send => "M12 19V5m-6 6 6-6 6 6",
        }
    }

    /// Whether it points along the line, and is turned where lines run from right to left.
    const fn points_along(self) -> bool {
        matches!(self, Self::Back | Self::Forward)
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
            class:along=name.points_along()
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
