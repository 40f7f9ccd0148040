//! What the loader draws the launcher from.

use porchlight_app::i18n::Locale;
use serde::Serialize;

use crate::site::{Colour, Corner, Font, Mode, Site};

/// The launcher's settings, in the visitor's language.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LauncherSettings {
    title: String,
    label: &'static str,
    close: &'static str,
    minimise: &'static str,
    dismiss: &'static str,
    unread: &'static str,
    /// Names the ways of contact, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    menu: Option<&'static str>,
    dir: &'static str,
    mode: Mode,
    corner: Corner,
    x: u16,
    y: u16,
    accent: Colour,
    on_accent: Colour,
    radius: u16,
    font: &'static str,
    /// What is written on the launcher.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    icon: &'static str,
}

impl LauncherSettings {
    /// `locale` is one that the site speaks.
    pub(super) fn of(site: &Site, locale: &str) -> Self {
        let language = Locale::best(locale);
        let texts = language.system();
        let launcher = &site.launcher;
        Self {
            title: site.title_in(locale).to_owned(),
            label: texts.open_chat,
            close: texts.close_chat,
            minimise: texts.minimise,
            dismiss: texts.dismiss,
            unread: texts.unread,
            menu: (site.contacts.len() > 1).then_some(language.panel().contact_menu),
            dir: language.dir(),
            mode: site.theme.mode,
            corner: launcher.corner,
            x: launcher.x.get(),
            y: launcher.y.get(),
            accent: site.accent,
            on_accent: site.accent.text_on(),
            radius: site.theme.radius.get(),
            font: Font::family(site.theme.font),
            text: launcher.label.as_ref().map(|label| label.in_locale(locale, site.main_locale()).to_owned()),
            icon: launcher.icon.shape(),
        }
    }
}
