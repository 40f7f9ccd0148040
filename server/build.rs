//! Builds the server again when a migration or an asset was added: both are read by macros, which cargo does not see.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=../frontend/dist/manifest.json");
    println!("cargo::rerun-if-changed=../demo");
    println!("cargo::rerun-if-changed=../public");
}
