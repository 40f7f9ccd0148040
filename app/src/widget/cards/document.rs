//! A document to read and to download.

use leptos::prelude::*;

use crate::{
    i18n::PanelTexts,
    ui::{Icon, IconName},
};

/// The document with what can be done with it, and the button that goes on.
#[component]
pub(super) fn DocumentCard(title: String, address: String, open: bool, texts: &'static PanelTexts) -> impl IntoView {
    let viewer = open.then(|| view! { <iframe src=address title=title.clone() class="viewer"></iframe> });
    let toggle = if open {
        view! {
            <button type="submit" name="do" value="refresh" class="choice"><Icon name=IconName::Close class="size-4"/>{texts.close_document}</button>
        }
        .into_any()
    } else {
        view! {
            <button type="submit" name="do" value="opened" class="choice"><Icon name=IconName::Document class="size-4"/>{texts.open_document}</button>
        }
        .into_any()
    };
    view! {
        <div class="document" class:open=open>
            <p class="document-title" dir="auto"><Icon name=IconName::Document class="size-5 shrink-0"/><span>{title}</span></p>
            {viewer}
            <div class="choices">
                {toggle}
                <button type="submit" name="do" value="downloaded" class="choice">
                    <Icon name=IconName::Download class="size-4"/>
                    {texts.download}
                </button>
                <button type="submit" name="value" value=texts.go_on class="go-on">{texts.go_on}</button>
            </div>
        </div>
    }
}
