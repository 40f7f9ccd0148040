//! docs/settings.md is current; `make generate` writes it.

use std::{fs, path::Path};

use porchlight_server::settings::Settings;

#[test]
fn generated_files_are_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/settings.md");
    let expected = Settings::reference();
    if std::env::var_os("PORCHLIGHT_GENERATE").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == expected,
        "docs/settings.md is out of date: run `make generate` and commit it"
    );
}
