//! Phone numbers.

use std::fmt;

/// A phone number in E.164: `+`, country code and number, digits only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone(String);

impl Phone {
    /// Takes a number that is known to be E.164: a `+` and 7 to 15 digits
    /// ([ITU-T E.164](https://www.itu.int/rec/T-REC-E.164) §6.2.1 allows 15).
    #[must_use]
    pub fn from_e164(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let plain = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPhone {
    /// It is no number of any country's plan.
    #[error("expected a phone number, with its country chosen or beginning with + and the country's code")]
    NotANumber,
    /// Too few digits for its country.
    #[error("the phone number is too short")]
    TooShort,
    /// Too many digits for its country.
    #[error("the phone number is too long")]
    TooLong,
    /// The country is not an ISO 3166 code that has phone numbers.
    #[error("expected a country as its two letters, such as DE")]
    UnknownCountry,
}

/// The world's numbering plans. They are large, so the server brings them.
pub trait PhoneRules {
    /// Reads a number as a person wrote it; `country` is where it is dialled, for numbers without a country code.
    ///
    /// # Errors
    /// Why it is no valid number.
    fn parse(&self, text: &str, country: Option<&str>) -> Result<Phone, BadPhone>;
}
