//! What browsers load, inside the binary: built by frontend/build.mjs, compressed there once and for all.

use std::{borrow::Cow, sync::LazyLock};

use rust_embed::RustEmbed;
use serde::Deserialize;

/// The files of frontend/dist.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../frontend/dist"]
struct Dist;

/// The files of public/, which are served as they are.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../public"]
struct Public;

/// The static files: name and content.
pub fn public() -> impl Iterator<Item = (String, Cow<'static, [u8]>)> {
    Public::iter().filter_map(|name| Some((name.to_string(), Public::get(&name)?.data)))
}

/// The names that carry a hash.
#[derive(Debug, Clone, Deserialize)]
pub struct Manifest {
    /// Glue and wasm of the panel, without their endings.
    pub widget: String,
    /// The panel's style.
    pub css: String,
    /// Glue and wasm of the console, without their endings.
    pub console: String,
    /// The console's style.
    pub console_css: String,
    /// The part of the loader that is loaded when it is needed.
    pub stage: String,
    /// The part that tells a page's analytics, where its tag names any.
    pub analytics: String,
}

/// Names of this build's files.
#[must_use]
pub fn manifest() -> &'static Manifest {
    #[expect(clippy::expect_used, reason = "a binary without its own assets cannot serve anything; the build makes them first")]
    static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
        let file = Dist::get("manifest.json").expect("frontend/dist was not built: run `make build`");
        serde_json::from_slice(&file.data).expect("frontend/dist/manifest.json is not as frontend/build.mjs writes it")
    });
    &MANIFEST
}

/// A file, or its brotli form if the browser takes that.
#[must_use]
pub fn file(name: &str, brotli: bool) -> Option<Cow<'static, [u8]>> {
    let name = if brotli { format!("{name}.br") } else { name.to_owned() };
    Dist::get(&name).map(|file| file.data)
}

/// A strong validator for a file: the beginning of its hash.
#[must_use]
pub fn etag(name: &str) -> Option<String> {
    let hash = Dist::get(name)?.metadata.sha256_hash();
    Some(format!("\"{}\"", data_encoding::HEXLOWER.encode(&hash[..12])))
}
