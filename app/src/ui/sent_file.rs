//! A file that was sent in a chat.

use leptos::prelude::*;
use porchlight_domain::session::file_of;

use super::{Icon, IconName};

/// A link that keeps the file, with the picture where it is one. What it is called is text.
#[component]
pub fn SentFile(
    /// The file's id, a `/`, and its name.
    text: String,
) -> impl IntoView {
    let (id, name) = file_of(&text);
    let address = format!("/attachments/{id}");
    let ending = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let picture = matches!(ending.as_str(), "png" | "jpg" | "jpeg" | "gif" | "webp")
        // The name stands below it.
        .then(|| view! { <img src=address.clone() alt="" loading="lazy" class="picture"/> });
    view! {
        <a href=address download=name.to_owned() class="sent-file">
            {picture}
            <span class="file-name"><Icon name=IconName::Document class="size-4 shrink-0"/><bdi>{name.to_owned()}</bdi></span>
        </a>
    }
}
