//! Formatting within a line of text.

use leptos::prelude::*;
use porchlight_domain::conversation::markup::{Span, spans};

/// A text with the formatting that authors may use. Everything in it is text or one of a few elements; no markup of HTML comes through.
#[component]
pub fn Markup(
    /// The text.
    text: String,
) -> impl IntoView {
    formatted(spans(&text))
}

fn formatted(spans: Vec<Span>) -> AnyView {
    spans
        .into_iter()
        .map(|span| match span {
            Span::Text(text) => text.into_any(),
            Span::Bold(inner) => view! { <strong>{formatted(inner)}</strong> }.into_any(),
            Span::Italic(inner) => view! { <em>{formatted(inner)}</em> }.into_any(),
            Span::Code(code) => view! { <code>{code}</code> }.into_any(),
            // A new tab: following a link must not lose the conversation.
            Span::Link { href, label } => {
                view! { <a href=href target="_blank" rel="noopener noreferrer">{formatted(label)}</a> }.into_any()
            }
        })
        .collect_view()
        .into_any()
}
