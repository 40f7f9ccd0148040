//! Bodies and query strings, read so that an error names the field.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Multipart, Request, multipart::MultipartError},
    http::{StatusCode, header, request::Parts},
};
use serde::de::DeserializeOwned;

use super::{
    App,
    problem::{Code, Problem},
};
use crate::files::Upload;

/// A body of JSON, whatever its content type says: the loader sends `text/plain`, which needs no preflight request.
pub(super) struct Json<T>(pub(super) T);

/// A body as it is.
pub(super) struct Raw(pub(super) Vec<u8>);

/// A body of a form.
pub(super) struct Form<T>(pub(super) T);

/// A body of a form that holds two things at once, each of which takes the fields that are its own.
pub(super) struct Forms<A, B>(pub(super) A, pub(super) B);

/// The same, with a file that may have been sent along in a field called `file`: as `multipart/form-data`, or without a file as any form.
/// Last come all fields as they were sent, for those whose names only the document knows.
pub(super) struct FormsAndFile<A, B>(pub(super) A, pub(super) B, pub(super) Option<Upload>, pub(super) Vec<(String, String)>);

/// A query string.
pub(super) struct Query<T>(pub(super) T);

async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| not_received(rejection.status()))
}

fn not_received(status: StatusCode) -> Problem {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        too_large()
    } else {
        Problem::new(Code::Malformed, "the body could not be received")
    }
}

fn too_large() -> Problem {
    Problem::new(Code::TooLarge, "the body is larger than is allowed here")
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

impl<A: DeserializeOwned, B: DeserializeOwned> FromRequest<App> for FormsAndFile<A, B> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let (fields, file) = if kind.starts_with("multipart/form-data") {
            parts(request, app).await?
        } else {
            // The route takes more, for files alone.
            let read = axum::body::to_bytes(request.into_body(), app.settings.body_limit_bytes).await;
            (read.map_err(|_| too_large())?.to_vec(), None)
        };
        let all = url::form_urlencoded::parse(&fields).into_owned().collect();
        Ok(Self(urlencoded(&fields)?, urlencoded(&fields)?, file, all))
    }
}

/// The fields of a form with files, as one without would send them, and the file. A field of a file that none was chosen for comes with an
/// empty name.
async fn parts(request: Request, app: &App) -> Result<(Vec<u8>, Option<Upload>), Problem> {
    let bad = |error: MultipartError| not_received(error.status());
    let mut form = Multipart::from_request(request, app).await.map_err(|rejection| not_received(rejection.status()))?;
    let (mut fields, mut file, mut room) = (Vec::new(), None, app.settings.body_limit_bytes);
    while let Some(part) = form.next_field().await.map_err(bad)? {
        let name = part.name().unwrap_or_default().to_owned();
        match part.file_name().map(str::to_owned) {
            Some(called) if name == "file" => {
                let content = part.bytes().await.map_err(bad)?.to_vec();
                if !called.is_empty() {
                    file = Some(Upload { name: called, content });
                }
            }
            Some(_) => return Err(Problem::new(Code::Malformed, "expected a file in the field \"file\" only").field(name)),
            None => {
                let text = part.text().await.map_err(bad)?;
                room = room.checked_sub(name.len() + text.len()).ok_or_else(too_large)?;
                fields.push((name, text));
            }
        }
    }
    Ok((url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes(), file))
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
