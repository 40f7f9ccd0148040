//! What kind of device a visitor uses, from what their browser says of itself.

use axum::http::{HeaderMap, header};
use porchlight_domain::conversation::Device;

/// The kind of device. Phones say "Mobi" ([MDN](https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/Browser_detection_using_the_user_agent));
/// an iPad of today says that it is a Mac, and counts as a desktop.
pub(super) fn of(headers: &HeaderMap) -> Device {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    if agent.contains("iPad") || agent.contains("Tablet") || (agent.contains("Android") && !agent.contains("Mobi")) {
        Device::Tablet
    } else if agent.contains("Mobi") {
        Device::Phone
    } else {
        Device::Desktop
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_say_what_they_run_on() {
        let of = |agent: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::USER_AGENT, agent.parse().unwrap());
            of(&headers)
        };
        let phone =
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36";
        assert_eq!(of(phone), Device::Phone);
        assert_eq!(of(&phone.replace("Mobile ", "")), Device::Tablet);
        assert_eq!(
            of("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"),
            Device::Phone
        );
        assert_eq!(of("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"), Device::Desktop);
        assert_eq!(super::of(&HeaderMap::new()), Device::Desktop);
    }
}
