//! The files written from the catalogue and the document types are current.
//!
//! `make generate` runs this test with `PORCHLIGHT_GENERATE=1`, which writes them.

use std::{fs, path::Path};

use porchlight_domain::{conversation::schema, event::reference};

#[test]
fn generated_files_are_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let files = [
        ("docs/events.md", reference::markdown()),
        ("docs/conversation.schema.json", schema::json()),
        ("frontend/loader/src/catalogue.ts", reference::loader_tables()),
        ("frontend/loader/src/analytics/contact.ts", reference::contact_fields()),
        ("frontend/loader/types/events.d.ts", reference::typescript()),
    ];
    for (file, expected) in files {
        let path = root.join(file);
        if std::env::var_os("PORCHLIGHT_GENERATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &expected).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(found == expected, "{file} is out of date: run `make generate` and commit it");
    }
}
