//! What the loader draws the launcher from.

use porchlight_app::i18n::Locale;
use serde::Serialize;

use crate::site::{Colour, Corner, Site};

/// The launcher's settings, in the visitor's language.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LauncherSettings {
    title: String,
    label: &'static str,
    close: &'static str,
    dir: &'static str,
    corner: Corner,
    accent: Colour,
    on_accent: Colour,
}

impl LauncherSettings {
    pub(super) fn of(site: &Site, language: &str) -> Self {
        let locale = Locale::best(language);
        let texts = locale.system();
        Self {
            title: site.title.to_string(),
            label: texts.open_chat,
            close: texts.close_chat,
            dir: locale.dir(),
            corner: site.corner,
            accent: site.accent,
            on_accent: site.accent.text_on(),
        }
    }
}
