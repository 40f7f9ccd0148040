//! Bodies and query strings, read so that an error names the field.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem};

/// A body of JSON, whatever its content type says: the loader sends `text/plain`, which needs no preflight request.
pub(super) struct Json<T>(pub(super) T);

/// A body as it is.
pub(super) struct Raw(pub(super) Vec<u8>);

/// A body of a form.
pub(super) struct Form<T>(pub(super) T);

/// A body of a form that holds two things at once, each of which takes the fields that are its own.
pub(super) struct Forms<A, B>(pub(super) A, pub(super) B);

/// A query string.
pub(super) struct Query<T>(pub(super) T);

async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
            Problem::new(Code::TooLarge, "the body is larger than is allowed here")
        } else {
            Problem::new(Code::Malformed, "the body could not be received")
        }
    })
}

fn at_fault<E: std::fmt::Display>(error: &serde_path_to_error::Error<E>) -> Problem {
    let problem = Problem::new(Code::Malformed, error.inner().to_string());
    match error.path().to_string().as_str() {
        // A missing field is told of the object around it; its name is in the words.
        "." => match error.inner().to_string().strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            Some(field) => problem.field(field),
            None => problem,
        },
        path => problem.field(path),
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        json(&bytes(request, state).await?).map(Self)
    }
}

/// Reads JSON.
pub(super) fn json<T: DeserializeOwned>(text: impl AsRef<[u8]>) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(text.as_ref());
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| at_fault(&error))?;
    deserializer.end().map_err(|error| Problem::new(Code::Malformed, error.to_string()))?;
    Ok(value)
}

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        bytes(request, state).await.map(|bytes| Self(bytes.to_vec()))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        urlencoded(&bytes(request, state).await?).map(Self)
    }
}

impl<A: DeserializeOwned, B: DeserializeOwned, S: Send + Sync> FromRequest<S> for Forms<A, B> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = bytes(request, state).await?;
        Ok(Self(urlencoded(&bytes)?, urlencoded(&bytes)?))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        urlencoded(parts.uri.query().unwrap_or_default().as_bytes()).map(Self)
    }
}

/// Stands between the values of a field that a form sends several times: ASCII's unit separator, which nobody types.
pub(super) const SEVERAL: char = '\u{1f}';

/// Reads a form.
pub(super) fn urlencoded<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(text) {
        match fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => {
                values.push(SEVERAL);
                values.push_str(&value);
            }
            None => fields.push((name.into_owned(), value.into_owned())),
        }
    }
    let folded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let deserializer = serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(folded.as_bytes()));
    serde_path_to_error::deserialize(deserializer).map_err(|error| at_fault(&error))
}
