//! The agents' console: its pages, and what its desk asks and is told.

mod act;
mod agents;
mod availability;
mod chats;
mod desk;
mod feed;
mod invite;
mod join;
mod render;
mod responses;
mod session;
mod sign_in;
mod socket;
mod teams;
mod upload;

use axum::Router;

use super::App;

pub(crate) use invite::{Invite, first_administrator};
pub(crate) use sign_in::hash;

pub(super) fn routes(attachment_limit: usize) -> Router<App> {
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
}
