//! Lists, a page at a time.

use std::str::FromStr;

use crate::http::problem::{Code, Problem};

/// How many entries a page holds if the caller does not say.
pub(super) const LIMIT_DEFAULT: u32 = 100;
/// The most entries a page may hold.
pub(super) const LIMIT_MAX: u32 = 1000;

/// How many entries are wanted.
pub(super) fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    let limit = asked.unwrap_or(LIMIT_DEFAULT);
    if (1..=LIMIT_MAX).contains(&limit) {
        Ok(limit)
    } else {
        Err(Problem::new(Code::Malformed, format!("expected a number from 1 to {LIMIT_MAX}")).field("limit"))
    }
}

/// The place to go on from, as an earlier page said it; none: from the beginning.
pub(super) fn cursor<T: FromStr>(asked: Option<&str>) -> Result<Option<T>, Problem> {
    match asked {
        None | Some("") => Ok(None),
        Some(cursor) => match cursor.parse() {
            Ok(place) => Ok(Some(place)),
            Err(_) => Err(Problem::new(Code::Malformed, "expected the `next` of an earlier page").field("after")),
        },
    }
}
