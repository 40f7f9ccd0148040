//! docs/settings.md and docs/openapi.json are current; `make generate` writes them.

use std::{fs, path::Path};

use porchlight_server::{http, settings::Settings};

#[test]
fn generated_files_are_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (file, expected) in [("docs/settings.md", Settings::reference()), ("docs/openapi.json", http::openapi())] {
        let path = root.join(file);
        if std::env::var_os("PORCHLIGHT_GENERATE").is_some() {
            fs::write(&path, &expected).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(found == expected, "{file} is out of date: run `make generate` and commit it");
    }
}
