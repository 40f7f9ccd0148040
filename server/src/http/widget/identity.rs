//! Who a visitor is, as the site itself tells.

use hmac::{Hmac, Mac};
use porchlight_domain::{
    contact::Email,
    session::{self, Session},
};
use serde::Deserialize;
use sha2::Sha256;

use super::lift;
use crate::{
    http::problem::{Code, Problem},
    secret::Secret,
    store::{Failure, Tx, VisitorRow},
    visit::{About, Engine},
};

/// The longest id or name, in characters.
const LENGTH_MAX: usize = 200;

/// What `Porchlight.identify` was given.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Identity {
    /// The site's own name for the visitor.
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    name: Option<String>,
    /// HMAC-SHA256 of the id, or of the e-mail address if there is no id, with the site's secret; in hex.
    hash: Option<String>,
}

/// An identity that only the site can have told.
pub(super) struct Proven {
    /// What the visitor is known by.
    name_of_site: String,
    email: Option<Email>,
    name: Option<String>,
}

impl Identity {
    /// Checks that the site told it.
    pub(super) async fn prove(&self, tx: &mut Tx<'_>, visitor: &VisitorRow) -> Result<Proven, Failure<Problem>> {
        let wrong = |field: &str, detail: &str| {
            Failure::Refused(Problem::new(Code::Malformed, detail).field(format!("identity.{field}")))
        };
        for (field, text) in [("id", &self.id), ("email", &self.email), ("name", &self.name)] {
            let bad =
                |text: &String| text.trim().is_empty() || text.chars().count() > LENGTH_MAX || text.chars().any(char::is_control);
            if text.as_ref().is_some_and(bad) {
                return Err(wrong(field, &format!("expected 1 to {LENGTH_MAX} characters")));
            }
        }
        let told = self.id.as_ref().or(self.email.as_ref()).ok_or_else(|| wrong("id", "expected an id or an e-mail address"))?;
        let email =
            self.email.as_deref().map(str::parse::<Email>).transpose().map_err(|error| wrong("email", &error.to_string()))?;
        let secret = tx.site_secret(&visitor.site).await?.unwrap_or_default();
        let bad_hash = || {
            let detail = "expected the hex of HMAC-SHA256 of the id, or of the e-mail address if there is no id, with the site's secret, \
                          which `porchlight secret` tells";
            Failure::Refused(Problem::new(Code::BadHash, detail).field("identity.hash"))
        };
        let hash = self.hash.as_deref().and_then(|hash| data_encoding::HEXLOWER_PERMISSIVE.decode(hash.as_bytes()).ok());
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| bad_hash())?;
        mac.update(told.as_bytes());
        mac.verify_slice(&hash.unwrap_or_default()).map_err(|_| bad_hash())?;
        let kind = if self.id.is_some() { "id" } else { "email" };
        // An address is the same however it is written.
        let known_by = match (&self.id, &email) {
            (None, Some(email)) => email.to_string().to_lowercase(),
            _ => told.clone(),
        };
        Ok(Proven { name_of_site: format!("{kind}:{known_by}"), email, name: self.name.clone() })
    }
}

impl Proven {
    /// Gives the visitor that this is: this one, or the one the site identified so before. What an unknown visitor did is joined to them; but
    /// where a browser changes hands, only the browser is.
    pub(super) async fn join(
        &self,
        tx: &mut Tx<'_>,
        visitor: VisitorRow,
        token: &Secret,
    ) -> Result<VisitorRow, Failure<Problem>> {
        let own = tx.identity(visitor.id).await?;
        if own.as_ref() == Some(&self.name_of_site) {
            return Ok(visitor);
        }
        let known = tx.visitor_identified(&visitor.site, &self.name_of_site).await?;
        match (own, known) {
            (None, None) => {
                tx.put_identity(visitor.id, &self.name_of_site).await?;
                Ok(visitor)
            }
            (None, Some(known)) => {
                tx.join_visitors(visitor.id, known.id).await?;
                Ok(known)
            }
            (Some(_), Some(known)) => {
                tx.move_token(token, known.id).await?;
                Ok(known)
            }
            (Some(_), None) => Err(Failure::Refused(
                Problem::new(Code::Taken, "this browser's visitor is somebody else; call reset() when somebody logs out")
                    .field("identity"),
            )),
        }
    }

    /// Keeps what is now known.
    pub(super) async fn learn(
        self,
        tx: &mut Tx<'_>,
        engine: &Engine,
        session: Session,
        about: About<'_>,
    ) -> Result<Session, Failure<Problem>> {
        let command = session::Command::Identify { email: self.email, name: self.name };
        engine.step(tx, session, about, command, None).await.map_err(lift)
    }
}
