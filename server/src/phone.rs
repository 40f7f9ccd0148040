//! The world's numbering plans.

use std::sync::OnceLock;

use porchlight_domain::contact::{BadPhone, Phone, PhoneRules};
use rlibphonenumber::{PHONE_NUMBER_UTIL, ParseError, PhoneNumberFormat, Region, ValidationError};

/// Google's numbering plans, as rlibphonenumber carries them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NumberingPlans;

impl PhoneRules for NumberingPlans {
    fn parse(&self, text: &str, country: Option<&str>) -> Result<Phone, BadPhone> {
        let region = match country.map(str::trim).filter(|country| !country.is_empty()) {
            Some(country) => Some(region(country).ok_or(BadPhone::UnknownCountry)?),
            None => None,
        };
        let number = PHONE_NUMBER_UTIL.parse(text.trim(), region).map_err(|error| match error {
            ParseError::TooShortAfterIdd | ParseError::TooShortNsn => BadPhone::TooShort,
            ParseError::TooLongNsn => BadPhone::TooLong,
            ParseError::InvalidCountryCode | ParseError::NotANumber(_) => BadPhone::NotANumber,
        })?;
        if !PHONE_NUMBER_UTIL.is_valid_number(&number) {
            return Err(match PHONE_NUMBER_UTIL.is_possible_number_with_reason(&number) {
                Err(ValidationError::TooShort) => BadPhone::TooShort,
                Err(ValidationError::TooLong) => BadPhone::TooLong,
                _ => BadPhone::NotANumber,
            });
        }
        Phone::from_e164(&PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164)).ok_or(BadPhone::NotANumber)
    }
}

fn region(country: &str) -> Option<Region> {
    regions().iter().find(|(code, _, _)| code.eq_ignore_ascii_case(country)).map(|(_, region, _)| *region)
}

/// The countries that have phone numbers: two letters, the library's name for them, and the number to dial before.
pub(crate) fn regions() -> &'static [(String, Region, u16)] {
    static REGIONS: OnceLock<Vec<(String, Region, u16)>> = OnceLock::new();
    REGIONS.get_or_init(|| {
        PHONE_NUMBER_UTIL
            .get_supported_regions()
            .filter_map(|region| {
                let calling = PHONE_NUMBER_UTIL.get_country_code_for_region(region)?;
                Some((region.as_region_str().to_string(), region, u16::try_from(calling).ok()?))
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, country: &str) -> Result<String, BadPhone> {
        NumberingPlans.parse(text, Some(country)).map(|phone| phone.to_string())
    }

    #[test]
    fn numbers_become_e164() {
        assert_eq!(parse("030 901820", "DE"), Ok("+4930901820".into()));
        assert_eq!(parse("+44 20 7946 0958", "DE"), Ok("+442079460958".into()));
        assert_eq!(parse("(212) 555-2368", "us"), Ok("+12125552368".into()));
        assert_eq!(NumberingPlans.parse("+4930901820", None).map(|phone| phone.to_string()), Ok("+4930901820".into()));
        assert_eq!(parse("٠٣٠ ٩٠١٨٢٠", "DE"), Ok("+4930901820".into()));
    }

    #[test]
    fn what_is_no_number_is_told_why() {
        assert_eq!(parse("", "DE"), Err(BadPhone::NotANumber));
        assert_eq!(parse("hello", "DE"), Err(BadPhone::NotANumber));
        assert_eq!(parse("0", "DE"), Err(BadPhone::NotANumber));
        assert_eq!(parse("030 9018201234567890", "DE"), Err(BadPhone::TooLong));
        assert_eq!(parse("212 55", "US"), Err(BadPhone::TooShort));
        assert_eq!(parse("212 555 2368 99", "US"), Err(BadPhone::TooLong));
        assert_eq!(parse("030 901820", "XX"), Err(BadPhone::UnknownCountry));
        assert_eq!(NumberingPlans.parse("030 901820", None), Err(BadPhone::NotANumber));
    }

    #[test]
    fn countries_have_calling_codes() {
        assert!(regions().len() > 200);
        assert!(regions().iter().any(|(code, _, calling)| code == "DE" && *calling == 49));
    }
}
