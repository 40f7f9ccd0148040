//! The Porchlight server: HTTP, store and command line.
//!
//! One path leads to every change: a request becomes a [`store::Command`], the command runs in one transaction, within it the
//! domain decides, and what it decided is committed together with its events. Nothing else writes state or makes an event.

pub mod access;
pub mod analytics;
pub mod assets;
pub mod calendar;
mod carried;
pub mod cli;
mod countries;
mod csv;
pub mod demo;
pub mod egress;
mod export;
pub mod files;
pub mod http;
mod links;
pub mod mail;
mod meetings;
pub mod outside;
mod phone;
pub mod privacy;
pub mod publish;
pub mod realtime;
pub mod secret;
pub mod settings;
pub mod site;
pub mod site_files;
mod sites;
pub mod store;
mod transcript;
mod visit;
pub mod webhooks;
mod when;
pub mod workers;
