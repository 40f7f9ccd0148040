//! Makes the browser's module and its JavaScript glue from a compiled wasm: `porchlight-bindgen IN.wasm OUT_DIR NAME`.
//!
//! The `wasm-bindgen` command does the same; as a member of the workspace its version cannot drift from the library's.

use anyhow::{Context, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, out_dir, name] = arguments.as_slice() else { bail!("usage: porchlight-bindgen IN.wasm OUT_DIR NAME") };
    Bindgen::new()
        .input_path(input)
        .out_name(name)
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(out_dir)
        .with_context(|| format!("no bindings could be made from {input}"))
}
