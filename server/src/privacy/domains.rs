//! Providers whose e-mail addresses a site does not take.

use std::collections::BTreeSet;

use porchlight_domain::contact::{Email, EmailRules};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use url::Host;

/// The most domains that a site may block.
pub const BLOCKED_MAX: usize = 1000;

/// Domains whose addresses are not taken, and all domains below them. They are kept as the name system writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct BlockedDomains(BTreeSet<String>);

impl BlockedDomains {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl EmailRules for BlockedDomains {
    fn accepts(&self, email: &Email) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let domain = email.domain().trim_end_matches('.');
        let domain = name(domain).unwrap_or_else(|| domain.to_owned());
        let mut rest = domain.as_str();
        loop {
            if self.0.contains(rest) {
                return false;
            }
            match rest.split_once('.') {
                Some((_, above)) => rest = above,
                None => return true,
            }
        }
    }
}

/// A domain as the name system writes it: in lower case and in ASCII ([UTS 46](https://www.unicode.org/reports/tr46/)), so that it is the
/// same however it was typed.
fn name(domain: &str) -> Option<String> {
    let plain =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    match Host::parse(domain) {
        Ok(Host::Domain(name)) if name.contains('.') && name.split('.').all(plain) => Some(name),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for BlockedDomains {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Vec::<String>::deserialize(deserializer)?;
        if given.len() > BLOCKED_MAX {
            return Err(Error::custom(format!("blocked_email_domains: expected at most {BLOCKED_MAX}, got {}", given.len())));
        }
        let expected = |domain: &str| {
            let got: String = domain.chars().take(80).collect();
            Error::custom(format!("blocked_email_domains: expected a domain such as mailinator.com, got {got:?}"))
        };
        given.iter().map(|domain| name(domain).ok_or_else(|| expected(domain))).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked(domains: &[&str]) -> Result<BlockedDomains, serde_json::Error> {
        serde_json::from_value(serde_json::json!(domains))
    }

    #[test]
    fn a_domain_is_blocked_with_all_below_it_however_it_is_typed() {
        let rules = blocked(&["Mailinator.com", "bücher.example"]).unwrap();
        for bad in [
            "a@mailinator.com",
            "a@MAILINATOR.COM",
            "a@eu.mail.mailinator.com",
            "a@bücher.example",
            "a@BÜCHER.example",
            "a@xn--bcher-kva.example",
            "a@mail.xn--bcher-kva.example",
        ] {
            assert!(!rules.accepts(&bad.parse().unwrap()), "{bad}");
        }
        for good in ["a@example.com", "a@notmailinator.com", "a@mailinator.com.example.org", "mailinator.com@example.com"] {
            assert!(rules.accepts(&good.parse().unwrap()), "{good}");
        }
        assert!(BlockedDomains::default().accepts(&"a@mailinator.com".parse().unwrap()));
    }

    #[test]
    fn what_is_no_domain_is_told_and_there_are_not_too_many() {
        for bad in ["", "com", "a@mailinator.com", "*.mailinator.com", "10.0.0.1", ".com", "mailinator.com.", "a b.com"] {
            assert!(blocked(&[bad]).unwrap_err().to_string().contains("expected a domain such as"), "{bad}");
        }
        let many = |count: usize| (0..count).map(|number| format!("d{number}.example")).collect::<Vec<_>>();
        let of = |count: usize| blocked(&many(count).iter().map(String::as_str).collect::<Vec<_>>());
        assert!(of(BLOCKED_MAX).is_ok());
        assert!(of(BLOCKED_MAX + 1).unwrap_err().to_string().contains("expected at most 1000"));
    }
}
