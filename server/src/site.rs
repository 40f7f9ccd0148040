//! A site: the settings a customer writes in `site.toml`.

use std::{fmt, net::IpAddr, str::FromStr};

use porchlight_domain::id::SiteKey;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// A site's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its public key, as in `data-site`.
    pub key: SiteKey,
    /// The title of the panel.
    pub title: Title,
    /// The origins its pages are on.
    pub origins: Vec<Origin>,
    /// Its colour.
    #[serde(default)]
    pub accent: Colour,
    /// The corner the launcher stands in.
    #[serde(default)]
    pub corner: Corner,
    /// The country of phone numbers that name none, as two letters.
    #[serde(default = "default_country")]
    pub country: String,
    /// Whether pages are told e-mail addresses and phone numbers, too.
    #[serde(default)]
    pub contact_details_in_browser: bool,
}

fn default_country() -> String {
    "US".to_owned()
}

impl Site {
    /// Reads `site.toml`.
    ///
    /// # Errors
    /// What is wrong, with its line.
    pub fn read(source: &str) -> Result<Self, toml::de::Error> {
        let site: Self = toml::from_str(source)?;
        if !crate::phone::regions().iter().any(|(code, _, _)| *code == site.country) {
            let message = format!("country: expected two capital letters of a country, such as DE, got {:?}", site.country);
            return Err(serde::de::Error::custom(message));
        }
        Ok(site)
    }

    /// Whether a page of this origin is one of the site's.
    #[must_use]
    pub fn allows(&self, origin: &url::Origin) -> bool {
        self.origins.iter().any(|allowed| allowed.includes(origin))
    }
}

macro_rules! text_serde {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// The longest title, in characters.
pub const TITLE_MAX: usize = 60;

/// A short line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title(String);

impl FromStr for Title {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > TITLE_MAX || text.chars().any(char::is_control) {
            return Err(format!("title: expected a line of 1 to {TITLE_MAX} characters"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_serde!(Title);

/// An origin that pages of a site may be on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Exactly this one.
    Exactly(url::Origin),
    /// Any on this machine; for development and the demo.
    Loopback,
}

impl Origin {
    fn includes(&self, origin: &url::Origin) -> bool {
        match (self, origin) {
            (Self::Exactly(exactly), _) => exactly == origin,
            (Self::Loopback, url::Origin::Tuple(scheme, host, _)) => {
                let local = match host {
                    Host::Domain(name) => name == "localhost",
                    Host::Ipv4(address) => IpAddr::V4(*address).is_loopback(),
                    Host::Ipv6(address) => IpAddr::V6(*address).is_loopback(),
                };
                local && (scheme == "http" || scheme == "https")
            }
            (Self::Loopback, url::Origin::Opaque(_)) => false,
        }
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "loopback" {
            return Ok(Self::Loopback);
        }
        let expected = || format!("origins: expected an origin such as https://shop.example, or \"loopback\", got {text:?}");
        let url = Url::parse(text).map_err(|_| expected())?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        match url.origin() {
            origin @ url::Origin::Tuple(..) if bare && matches!(url.scheme(), "http" | "https") => Ok(Self::Exactly(origin)),
            _ => Err(expected()),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(origin) => f.write_str(&origin.ascii_serialization()),
            Self::Loopback => f.write_str("loopback"),
        }
    }
}

text_serde!(Origin);

/// The corner the launcher stands in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Corner {
    /// Where a line ends: on the right in languages written from left to right.
    #[default]
    End,
    /// Where a line begins.
    Start,
}

/// A colour, as `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

impl Default for Colour {
    fn default() -> Self {
        Self([0x4f, 0x3d, 0xd9])
    }
}

impl FromStr for Colour {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("accent: expected a colour such as #4f3dd9, got {text:?}");
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or_else(expected)?;
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).map_err(|_| expected())?;
        bytes.try_into().map(Self).map_err(|_| expected())
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

text_serde!(Colour);

impl Colour {
    const BLACK: Self = Self([0, 0, 0]);
    const WHITE: Self = Self([255, 255, 255]);

    /// Black or white, whichever is read better on this colour. One of them always has a contrast of at least 4.5 to 1, since
    /// black and white are 21 to 1 apart and 4.5² < 21.
    #[must_use]
    pub fn text_on(self) -> Self {
        // White is preferred as long as it reads well: most eyes expect it on a saturated colour.
        if self.contrast(Self::WHITE) >= 4.5 { Self::WHITE } else { Self::BLACK }
    }

    /// The contrast ratio of two colours ([WCAG 2.2](https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)), from 1 to 21.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "key = \"demo\"\ntitle = \"Marlow Bikes\"\norigins = [\"https://shop.example\", \"loopback\"]\n";

    fn origin(text: &str) -> url::Origin {
        Url::parse(text).unwrap().origin()
    }

    #[test]
    fn origins_are_held_exactly() {
        let site = Site::read(GOOD).unwrap();
        for good in ["https://shop.example/a?b", "http://127.0.0.1:4000/", "http://localhost/", "http://[::1]:1/"] {
            assert!(site.allows(&origin(good)), "{good}");
        }
        for bad in [
            "http://shop.example/",
            "https://shop.example:8443/",
            "https://shop.example.evil.example/",
            "http://127.0.0.1.evil.example/",
            "file:///etc/passwd",
            "data:text/html,x",
        ] {
            assert!(!site.allows(&origin(bad)), "{bad}");
        }
    }

    #[test]
    fn mistakes_are_told_with_their_field() {
        for (from, to, told) in [
            ("demo", "de mo", "expected 1 to 64 letters"),
            ("Marlow Bikes", "", "title: expected"),
            ("https://shop.example", "shop.example", "origins: expected"),
            ("https://shop.example", "https://shop.example/path", "origins: expected"),
            ("key =", "kee = \"x\"\nkey =", "kee"),
        ] {
            let error = Site::read(&GOOD.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        for (line, told) in [
            ("accent = \"red\"", "accent: expected"),
            ("country = \"Germany\"", "country: expected"),
            ("corner = \"top\"", "corner"),
        ] {
            let error = Site::read(&format!("{GOOD}{line}\n")).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        let title = |length: usize| Site::read(&GOOD.replace("Marlow Bikes", &"ä".repeat(length)));
        assert!(title(TITLE_MAX).is_ok());
        assert!(title(TITLE_MAX + 1).is_err());
    }

    proptest! {
        #[test]
        fn text_is_readable_on_any_colour(channels in any::<[u8; 3]>()) {
            let colour = Colour(channels);
            prop_assert!(colour.contrast(colour.text_on()) >= 4.5);
            prop_assert_eq!(colour.to_string().parse::<Colour>().unwrap(), colour);
        }
    }
}
