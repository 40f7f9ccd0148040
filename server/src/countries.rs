//! The countries of the phone card.

use std::{collections::HashMap, sync::LazyLock};

use porchlight_app::{i18n::Locale, widget::Country};

use crate::{assets, phone};

/// Names of countries in each language, in the order of that language.
static NAMES: LazyLock<HashMap<String, Vec<(String, String)>>> = LazyLock::new(|| {
    assets::file("countries.json", false).and_then(|file| serde_json::from_slice(&file).ok()).unwrap_or_default()
});

/// The countries that have phone numbers, in the order of their names.
pub(crate) fn countries(locale: Locale) -> Vec<Country> {
    let calling: HashMap<&str, u16> = phone::regions().iter().map(|(code, _, calling)| (code.as_str(), *calling)).collect();
    let names = NAMES.get(locale.tag()).map(Vec::as_slice).unwrap_or_default();
    let named = names.iter().filter_map(|(code, name)| {
        let calling = *calling.get(code.as_str())?;
        Some(Country { code: code.clone(), name: name.clone(), calling })
    });
    named.collect()
}

/// The country to choose at first: the one of the visitor's language tag, if it names one, else the site's.
pub(crate) fn likely(language: &str, site: &str) -> String {
    let first = language.split([',', ';']).next().unwrap_or_default();
    let region = first.split(['-', '_']).skip(1).find(|part| part.len() == 2).map(str::to_ascii_uppercase);
    region.filter(|region| phone::regions().iter().any(|(code, _, _)| code == region)).unwrap_or_else(|| site.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_names_every_country_that_has_numbers() {
        for locale in Locale::ALL {
            assert!(countries(locale).len() > 200, "{}", locale.tag());
        }
        let germany = countries(Locale::De).into_iter().find(|country| country.code == "DE").unwrap();
        assert_eq!((germany.name.as_str(), germany.calling), ("Deutschland", 49));
    }

    #[test]
    fn the_language_tells_the_country_if_it_names_one() {
        assert_eq!(likely("de-AT,de;q=0.9", "US"), "AT");
        assert_eq!(likely("zh-Hant-TW", "US"), "TW");
        assert_eq!(likely("de", "US"), "US");
        assert_eq!(likely("de-XX", "US"), "US");
    }
}
