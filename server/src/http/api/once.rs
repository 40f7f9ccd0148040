//! Writes that are done once, however often they are sent: the header `Idempotency-Key`.
//!
//! The answer is kept in the transaction of the write. So it is there exactly when the write was done.

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Authorized;
use crate::{
    carried::to_its_end,
    http::{
        App,
        problem::{Code, Problem},
    },
    store::{Command, Failure, StoreError, Tx},
};

/// The header in which the token comes.
pub(super) const HEADER: &str = "Idempotency-Key";
/// The header that says that an answer is one of earlier.
pub(super) const REPLAYED: &str = "Idempotency-Replayed";
/// The longest token, in characters.
pub(super) const TOKEN_MAX: usize = 255;
/// How many old answers a write forgets: more than it keeps, so that they do not gather, and few, so that no write waits long.
const FORGOTTEN_AT_ONCE: u32 = 100;

/// The token that a write came with, if any, and what was asked.
pub(super) struct OnceToken {
    token: Option<String>,
    method: String,
    path: String,
}

impl<S: Send + Sync> FromRequestParts<S> for OnceToken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let expected = || {
            Problem::new(Code::Malformed, format!("expected one header {HEADER} of 1 to {TOKEN_MAX} visible ASCII characters"))
                .field(HEADER)
        };
        let mut values = parts.headers.get_all(HEADER).iter();
        let token = match (values.next(), values.next()) {
            (None, _) => None,
            (Some(value), None) => {
                let token = value.to_str().map_err(|_| expected())?;
                if token.is_empty() || token.len() > TOKEN_MAX || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                    return Err(expected());
                }
                Some(token.to_owned())
            }
            (Some(_), Some(_)) => return Err(expected()),
        };
        Ok(Self { token, method: parts.method.to_string(), path: parts.uri.to_string() })
    }
}

impl OnceToken {
    /// Runs a write and answers with what it gave; nothing, where the status is 204. Where the same write came before, its answer is given
    /// again, and nothing is done.
    pub(super) async fn commit<C>(
        self,
        app: &App,
        key: &Authorized,
        request: &impl Serialize,
        status: StatusCode,
        command: C,
    ) -> Result<Response, Problem>
    where
        C: Command<Refusal = Problem>,
        C::Done: Serialize,
    {
        let Some(token) = &self.token else {
            let done = app.store.commit(command).await?;
            return Ok(Answer::of(status, &done)?.told(false));
        };
        let once = Once {
            command,
            earlier: Earlier { key: key.id().to_owned(), token: token.clone(), request: self.hash(request)?, since: since(app) },
            status,
            now: app.engine.outside.now(),
        };
        let (answer, replayed) = app.store.commit(once).await?;
        Ok(answer.told(replayed))
    }

    /// The same of what is no single transaction: what was done is kept after it, also if whoever asked has gone away. If the server stops in between, it
    /// is done again.
    pub(super) async fn around<T>(
        self,
        app: &App,
        key: &Authorized,
        request: impl Serialize + Send + Sync + 'static,
        status: StatusCode,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<Response, Problem>
    where
        T: Serialize + Send + 'static,
    {
        if let Some(token) = &self.token {
            let earlier =
                Earlier { key: key.id().to_owned(), token: token.clone(), request: self.hash(&request)?, since: since(app) };
            if let Some(answer) = app.store.look(earlier).await? {
                return Ok(answer.told(true));
            }
        }
        let (app, key) = (app.clone(), key.clone());
        let answered = to_its_end(async move {
            let done = work.await?;
            self.commit(&app, &key, &request, status, Done(done)).await
        });
        answered.await?
    }

    /// What tells this request from others.
    fn hash(&self, request: &impl Serialize) -> Result<Vec<u8>, Problem> {
        let request = serde_json::to_vec(request).map_err(StoreError::corrupt)?;
        let mut hash = Sha256::new();
        // No method and no address has a line break.
        hash.update(format!("{}\n{}\n", self.method, self.path));
        hash.update(request);
        Ok(hash.finalize().to_vec())
    }
}

/// What a write is answered.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    status: u16,
    body: Option<String>,
}

impl Answer {
    fn of(status: StatusCode, done: &impl Serialize) -> Result<Self, StoreError> {
        let body =
            if status == StatusCode::NO_CONTENT { None } else { Some(serde_json::to_string(done).map_err(StoreError::corrupt)?) };
        Ok(Self { status: status.as_u16(), body })
    }

    fn told(self, replayed: bool) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = match self.body {
            Some(body) => (status, [(header::CONTENT_TYPE, "application/json")], body).into_response(),
            None => status.into_response(),
        };
        if replayed {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// Answers from before this moment, or from it, are forgotten.
fn since(app: &App) -> Timestamp {
    let hours = i64::try_from(app.settings.idempotency_hours).unwrap_or(i64::MAX / 3600);
    app.engine.outside.now().checked_sub(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MIN)
}

/// What a write was answered that came before.
struct Earlier {
    key: String,
    token: String,
    request: Vec<u8>,
    since: Timestamp,
}

impl Earlier {
    async fn answer(&self, tx: &mut Tx<'_>) -> Result<Option<Answer>, Failure<Problem>> {
        let Some((asked, answer)) = tx.kept_answer(&self.key, &self.token, self.since).await? else { return Ok(None) };
        if asked != self.request {
            let detail = format!("the token of {HEADER} came with another request before; take a new one for each write");
            return Err(Failure::Refused(Problem::new(Code::IdempotencyMismatch, detail).field(HEADER)));
        }
        Ok(Some(serde_json::from_str(&answer).map_err(StoreError::corrupt)?))
    }
}

impl Command for Earlier {
    type Done = Option<Answer>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        self.answer(tx).await
    }
}

/// What is done already.
struct Done<T>(T);

impl<T: Send + 'static> Command for Done<T> {
    type Done = T;
    type Refusal = Problem;

    async fn run(self, _: &mut Tx<'_>) -> Result<T, Failure<Problem>> {
        Ok(self.0)
    }
}

/// A write that is done once.
struct Once<C> {
    command: C,
    earlier: Earlier,
    status: StatusCode,
    now: Timestamp,
}

impl<C> Command for Once<C>
where
    C: Command<Refusal = Problem>,
    C::Done: Serialize,
{
    type Done = (Answer, bool);
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        let Self { command, earlier, status, now } = self;
        tx.forget_answers(earlier.since, FORGOTTEN_AT_ONCE).await?;
        if let Some(answer) = earlier.answer(tx).await? {
            return Ok((answer, true));
        }
        let answer = Answer::of(status, &command.run(tx).await?)?;
        let kept = serde_json::to_string(&answer).map_err(StoreError::corrupt)?;
        tx.keep_answer(&earlier.key, &earlier.token, &earlier.request, &kept, now).await?;
        Ok((answer, false))
    }
}
