//! E-mail addresses.

use std::{fmt, str::FromStr};

use email_address::{EmailAddress, Options};

/// An e-mail address that mail could be sent to ([RFC 5321](https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2)): with a
/// domain of at least two parts, and neither a display name nor an address in brackets. Its domain is in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

/// A text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an e-mail address such as ada@example.com")]
pub struct BadEmail;

impl FromStr for Email {
    type Err = BadEmail;

    fn from_str(text: &str) -> Result<Self, BadEmail> {
        let text = text.trim();
        let options = Options { minimum_sub_domains: 2, allow_domain_literal: false, allow_display_text: false };
        let address = EmailAddress::parse_with_options(text, options).map_err(|_| BadEmail)?;
        // RFC 5321 §4.5.3.1.3 allows 254 octets without the angle brackets.
        if text.len() > 254 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(BadEmail);
        }
        Ok(Self(format!("{}@{}", address.local_part(), address.domain().to_lowercase())))
    }
}

/// Which addresses a site takes, beyond what makes one an address.
pub trait EmailRules {
    /// Whether it takes this one.
    fn accepts(&self, email: &Email) -> bool;
}

/// Takes every address.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnyEmail;

impl EmailRules for AnyEmail {
    fn accepts(&self, _: &Email) -> bool {
        true
    }
}

impl Email {
    /// The part behind the `@`, in lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_trimmed_and_their_domain_lowered() {
        assert_eq!(" Ada.Lovelace+x@Example.COM ".parse::<Email>().unwrap().to_string(), "Ada.Lovelace+x@example.com");
        assert!("grüße@bücher.example".parse::<Email>().is_ok());
        assert_eq!("ada@Mail.Example.COM".parse::<Email>().unwrap().domain(), "mail.example.com");
    }

    #[test]
    fn what_mail_cannot_reach_is_refused() {
        for bad in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "a b@example.com",
            "Ada <ada@example.com>",
            "ada@[127.0.0.1]",
            "ada@example..com",
            "a@b.c\nBcc: d@e.f",
        ] {
            assert_eq!(bad.parse::<Email>(), Err(BadEmail), "{bad}");
        }
        let long =
            |length: usize| format!("a@{}.com", vec!["b".repeat(59); 4].join(".").chars().take(length - 6).collect::<String>());
        assert_eq!(long(200).len(), 200);
        assert!(long(200).parse::<Email>().is_ok());
        assert!(format!("{}@{}.example.com", "a".repeat(64), vec!["b".repeat(59); 3].join(".")).parse::<Email>().is_err());
    }
}
