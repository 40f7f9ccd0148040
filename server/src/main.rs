//! `porchlight`: see `porchlight --help`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    porchlight_server::cli::run().await
}
