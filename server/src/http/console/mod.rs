//! The agents' console: its pages, and what its desk asks and is told.

mod accounts;
mod act;
mod agents;
mod analytics;
mod availability;
mod booking;
mod calendar;
mod callbacks;
mod chats;
mod desk;
mod export;
mod feed;
mod invite;
mod join;
mod keys;
mod meetings;
mod render;
mod responses;
mod session;
mod sign_in;
mod socket;
mod surveys;
mod teams;
mod upload;
mod webhooks;

use axum::Router;

use super::App;

pub(crate) use invite::{Invite, first_administrator};
pub(crate) use keys::{CreateKey, RevokeKeys, Which};
pub(crate) use sign_in::hash;

pub(super) fn routes(attachment_limit: usize, accounts_limit: usize) -> Router<App> {
    Router::new()
        .merge(desk::routes())
        .merge(socket::routes())
        .merge(upload::routes(attachment_limit))
        .merge(chats::routes())
        .merge(sign_in::routes())
        .merge(join::routes())
        .merge(agents::routes())
        .merge(teams::routes())
        .merge(responses::routes())
        .merge(availability::routes())
        .merge(booking::routes())
        .merge(calendar::routes())
        .merge(callbacks::routes())
        .merge(meetings::routes())
        .merge(surveys::routes())
        .merge(export::routes())
        .merge(analytics::routes())
        .merge(accounts::routes(accounts_limit))
        .merge(keys::routes())
        .merge(webhooks::routes())
}
