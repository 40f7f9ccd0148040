//! What is written from the catalogue: the reference page, the loader's tables and the TypeScript types.
//!
//! The files are kept in the repository, so that a change shows in review; `make generate` writes them and a test fails
//! when one is out of date.

use std::{collections::BTreeSet, fmt::Write};

use super::{CATALOGUE, projection::ADOBE_USUAL};

type Pairs = &'static [(&'static str, &'static str)];

/// docs/events.md: every event, when it fires, its fields and its names in the other interfaces.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::from(
        "# Events\n\n\
         <!-- Written by `make generate` from domain/src/event/catalogue.rs; edit that. -->\n\n\
         Every event travels in the same envelope, in the browser and on the server:\n\n\
         ```json\n\
         { \"id\": \"UUIDv7\", \"type\": \"conversation.engaged\", \"seq\": 7, \"time\": \"2026-11-21T08:00:00.000Z\",\n  \
         \"site\": \"demo\", \"visitor\": \"UUIDv7\", \"session\": \"UUIDv7\", \"conversation\": \"welcome\",\n  \
         \"page\": \"https://shop.example/\", \"data\": {} }\n\
         ```\n\n\
         `id` is the same on the page and in the log. `seq` counts from 1 without gaps inside a session; it is `null` only in a\n\
         browser that could not reach the server. `conversation` is `null` where an event belongs to none.\n\n\
         | type | fires when | `AdobeDX.Enum.Events` | CTLive `type` |\n|---|---|---|---|\n",
    );
    for entry in CATALOGUE {
        let adobe = entry.adobe.as_ref().map_or("–".to_owned(), |adobe| format!("`{}`", adobe.name));
        let ctlive = entry.ctlive.as_ref().map_or("–".to_owned(), |ctlive| format!("`{}`", ctlive.name));
        let _ = writeln!(out, "| [`{}`](#{}) | {} | {adobe} | {ctlive} |", entry.name, entry.name.replace('.', ""), entry.when);
    }
    out.push_str(
        "\n`widget.loaded` is also told as the window event `adobedx.conversations.ready`, and `conversation.triggered` as\n\
         `adobedx.conversations.triggered`.\n\n\
         Fields marked † are contact details: the server's copy carries them; a browser's does not, unless the site switches that on.\n",
    );
    for entry in CATALOGUE {
        let _ =
            write!(out, "\n## {}\n\n{}\n\n| field of `data` | type | what it holds |\n|---|---|---|\n", entry.name, entry.when);
        for field in entry.fields {
            let mark = if field.contact { " †" } else { "" };
            let _ = writeln!(out, "| `{}`{mark} | `{}` | {} |", field.name, field.ts.replace('|', "\\|"), field.about);
        }
        if let Some(adobe) = &entry.adobe {
            let _ = write!(out, "\nAdobe `{}`, `event.data.payload`: ", adobe.name);
            out.push_str(&pairs_in_words(ADOBE_USUAL.iter().chain(adobe.extra)));
            out.push('\n');
        }
        if let Some(ctlive) = &entry.ctlive {
            let _ = write!(out, "\nCTLive `{}`, `object`: {}", ctlive.name, pairs_in_words(ctlive.object));
            if let Some(field) = ctlive.only_if {
                let _ = write!(out, "; only if `{field}`");
            }
            out.push('\n');
        }
    }
    out
}

fn pairs_in_words<'a>(pairs: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> String {
    pairs.into_iter().map(|(target, source)| format!("`{target}` ← `{source}`")).collect::<Vec<_>>().join(", ")
}

/// frontend/loader/src/catalogue.ts: what the loader needs to tell an event in the other interfaces, as small as can be.
#[must_use]
pub fn loader_tables() -> String {
    let mut shapes: Vec<String> = Vec::new();
    let mut shape = |pairs: &[Pairs]| -> usize {
        let list = pairs.concat().iter().map(|(target, source)| short(target, source)).collect::<Vec<_>>().join(" ");
        shapes.iter().position(|known| *known == list).unwrap_or_else(|| {
            shapes.push(list);
            shapes.len() - 1
        })
    };
    let mut adobe = String::new();
    let mut ctlive = String::new();
    for entry in CATALOGUE {
        if let Some(told) = &entry.adobe {
            let index = shape(&[ADOBE_USUAL, told.extra]);
            let name = told.name.trim_start_matches("CONVERSATION_");
            let name = if name == adobe_of(entry.name) { String::new() } else { format!(" {name}") };
            let _ = writeln!(adobe, "  \"{}\": \"{index}{name}\",", entry.name);
        }
        if let Some(told) = &entry.ctlive {
            let only_if = told.only_if.map_or(String::new(), |field| format!(" {}", short("", field).trim_start_matches('=')));
            let _ = writeln!(ctlive, "  \"{}\": \"{} {}{only_if}\",", entry.name, told.name, shape(&[told.object]));
        }
    }
    let shapes: String = shapes.iter().map(|list| format!("  \"{list}\",\n")).collect();
    format!(
        "// Written by `make generate` from domain/src/event/catalogue.rs; edit that.\n\n\
         /** Lists of fields that the tables below point at: target=source, or one word for both, in the envelope with its data laid over it. */\n\
         export const shapes: string[] = [\n{shapes}];\n\n\
         /** Adobe: the list of the payload's fields, and the name in Enum.Events without CONVERSATION_ if it is not the type's. */\n\
         export const adobe: Record<string, string> = {{\n{adobe}}};\n\n\
         /** CTLive: the message's type, the list of its fields, and the field that must be true for it to be told. */\n\
         export const ctlive: Record<string, string> = {{\n{ctlive}}};\n",
    )
}

/// The name at Adobe, without `CONVERSATION_`, that the loader makes of a type: `adobeOf` in frontend/loader/src/listeners.ts.
fn adobe_of(kind: &str) -> String {
    kind.replacen("conversation.", "", 1).replacen("chat.", "_chat_", 1).replacen('.', "_", 1).to_uppercase()
}

/// frontend/loader/src/analytics/contact.ts: what no program that measures a page may be told.
#[must_use]
pub fn contact_fields() -> String {
    let names: BTreeSet<_> =
        CATALOGUE.iter().flat_map(|entry| entry.fields).filter(|field| field.contact).map(|field| field.name).collect();
    let names = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    format!(
        "// Written by `make generate` from domain/src/event/catalogue.rs; edit that.\n\n\
         /** The fields of events that hold contact details. */\n\
         export const contact: string[] = [{names}];\n"
    )
}

/// A field for the loader, which lays the data over the envelope: no field of any data has the name of one of the envelope's that
/// is told (a test sees to that), and every byte counts there.
fn short(target: &str, source: &str) -> String {
    let source = source.strip_prefix("data.").unwrap_or(source);
    if source == target { target.to_owned() } else { format!("{target}={source}") }
}

/// frontend/loader/types/events.d.ts: the TypeScript types of the events and of what other interfaces are told.
#[must_use]
pub fn typescript() -> String {
    let mut out = String::from(
        "// Written by `make generate` from domain/src/event/catalogue.rs; edit that.\n\n\
         /** The fields of every event, by its type. */\n\
         export interface PorchlightEventData {\n",
    );
    for entry in CATALOGUE {
        let _ = writeln!(out, "  /** {} */\n  \"{}\": {{", entry.when, entry.name);
        for field in entry.fields {
            let _ = writeln!(
                out,
                "    /** {} */\n    {}{}: {};",
                field.about,
                field.name,
                if field.contact { "?" } else { "" },
                field.ts
            );
        }
        out.push_str("  };\n");
    }
    out.push_str("}\n\n/** The names under `AdobeDX.Enum.Events`. */\nexport type AdobeEventName =\n");
    let names: Vec<_> =
        CATALOGUE.iter().filter_map(|entry| entry.adobe.as_ref()).map(|adobe| format!("  | \"{}\"", adobe.name)).collect();
    let _ = write!(out, "{};\n\n/** The types of CTLive messages. */\nexport type CTLiveEventType =\n", names.join("\n"));
    let mut names: Vec<_> =
        CATALOGUE.iter().filter_map(|entry| entry.ctlive.as_ref()).map(|ctlive| format!("  | \"{}\"", ctlive.name)).collect();
    names.dedup();
    let _ = writeln!(out, "{};", names.join("\n"));
    out
}
