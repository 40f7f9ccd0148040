//! The description of the API as a page, made once from what programs read.

use std::fmt::Write;

use data_encoding::BASE64;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// How a table of answers begins.
const HEAD: &str = "<table><thead><tr><th>Status</th><th>What it is</th></tr></thead><tbody>";

/// How the page looks. It stands in the page, so that there is nothing else to load.
const STYLE: &str = include_str!("reference.css");

/// The methods, in the order in which they are told.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The page, and before it the hash of its style, as a policy names it.
pub(super) fn page(document: &Value) -> (String, String) {
    let style = format!("sha256-{}", BASE64.encode(&Sha256::digest(STYLE)));
    let reference = Reference { document };
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, \
         initial-scale=1\"><title>The API of Porchlight</title><style>{STYLE}</style></head><body>{}</body></html>\n",
        reference.body()
    );
    (style, html)
}

struct Reference<'d> {
    document: &'d Value,
}

/// An operation with where it is.
struct Operation<'d> {
    method: &'static str,
    path: &'d str,
    about: &'d Value,
}

impl Operation<'_> {
    /// Its name within the page.
    fn anchor(&self) -> String {
        escaped(text(&self.about["operationId"]))
    }
}

impl<'d> Reference<'d> {
    fn body(&self) -> String {
        let info = &self.document["info"];
        let mut html = format!(
            "<main><h1>The API of {} <small>{}</small></h1>{}<p>The same for programs: <a href=\"/api/openapi.json\">openapi.json</a> \
             (OpenAPI {}).</p><h2 id=\"keys\">Keys</h2>{}",
            escaped(text(&info["title"])),
            escaped(text(&info["version"])),
            prose(text(&info["description"])),
            escaped(text(&self.document["openapi"])),
            prose(text(&self.document["components"]["securitySchemes"]["key"]["description"])),
        );
        let groups: Vec<_> = list(&self.document["tags"]).iter().map(|tag| (tag, self.operations(text(&tag["name"])))).collect();
        html += "<nav aria-label=\"Operations\">";
        for (tag, operations) in groups.iter().filter(|(_, operations)| !operations.is_empty()) {
            let _ = write!(html, "<h2>{}</h2><ul>", escaped(text(&tag["name"])));
            for operation in operations {
                let (anchor, summary) = (operation.anchor(), escaped(text(&operation.about["summary"])));
                let _ = write!(html, "<li><a href=\"#{anchor}\">{summary}</a></li>");
            }
            html += "</ul>";
        }
        html += "</nav>";
        for (tag, operations) in groups.iter().filter(|(_, operations)| !operations.is_empty()) {
            let (name, about) = (escaped(text(&tag["name"])), prose(text(&tag["description"])));
            let _ = write!(html, "<section><h2>{name}</h2>{about}");
            for operation in operations {
                html += &self.operation(operation);
            }
            html += "</section>";
        }
        html += "<section><h2>Shapes</h2>";
        for (name, schema) in object(&self.document["components"]["schemas"]).into_iter().flatten() {
            let (name, about) = (escaped(name), prose(text(&schema["description"])));
            let _ = write!(html, "<article id=\"shape-{name}\"><h3>{name}</h3>{about}{}</article>", fields(schema));
        }
        html += "</section></main>";
        html
    }

    /// The operations of a tag.
    fn operations(&self, tag: &str) -> Vec<Operation<'d>> {
        let paths = object(&self.document["paths"]).into_iter().flatten();
        let all = paths.flat_map(|(path, item)| METHODS.map(|method| Operation { method, path, about: &item[method] }));
        all.filter(|operation| list(&operation.about["tags"]).iter().any(|known| known == tag)).collect()
    }

    fn operation(&self, operation: &Operation<'_>) -> String {
        let Operation { method, path, about } = operation;
        let mut html = format!(
            "<article id=\"{}\"><h3>{}</h3><p class=\"address\"><b>{}</b> <code>{}</code></p>",
            operation.anchor(),
            escaped(text(&about["summary"])),
            method.to_uppercase(),
            escaped(path)
        );
        html += &prose(text(&about["description"]));
        let scopes: Vec<String> =
            list(&about["security"][0]["key"]).iter().map(|scope| format!("<code>{}</code>", escaped(text(scope)))).collect();
        let _ = write!(html, "<p>Scope: {}</p>", scopes.join(", "));
        let parameters = list(&about["parameters"]);
        if !parameters.is_empty() {
            html += "<h4>Parameters</h4><table><thead><tr><th>Name</th><th>What it is</th></tr></thead><tbody>";
            for parameter in parameters {
                let mut notes = vec![format!("in the {}", escaped(text(&parameter["in"])))];
                if parameter["required"] == true {
                    notes.push("required".to_owned());
                }
                let _ = write!(
                    html,
                    "<tr><td><code>{}</code></td><td>{} <small>{}</small>{}</td></tr>",
                    escaped(text(&parameter["name"])),
                    kind(&parameter["schema"]),
                    notes.join(", "),
                    prose(text(&parameter["description"]))
                );
            }
            html += "</tbody></table>";
        }
        if let Some(content) = object(&about["requestBody"]["content"]) {
            let _ = write!(html, "<h4>What is sent</h4>{}", prose(text(&about["requestBody"]["description"])));
            html += &self.content(content);
        }
        let (mut good, mut statuses, mut problems) = (String::new(), String::new(), String::new());
        for (status, response) in object(&about["responses"]).into_iter().flatten() {
            let description = prose(text(&response["description"]));
            let content = object(&response["content"]);
            let shapes: Vec<String> = content
                .into_iter()
                .flatten()
                .map(|(media, content)| format!("<code>{}</code>: {}", escaped(media), kind(&content["schema"])))
                .collect();
            let of = if status.starts_with('2') { &mut statuses } else { &mut problems };
            let _ = write!(of, "<tr><td>{}</td><td>{description}{}</td></tr>", escaped(status), shapes.join("<br>"));
            if let Some(content) = content.filter(|_| status.starts_with('2')) {
                good += &self.content(content);
            }
        }
        let _ = write!(html, "<h4>What is answered</h4>{HEAD}{statuses}</tbody></table>{good}");
        // They are much the same everywhere, and so are out of the way.
        let _ = write!(html, "<details><summary>What may go wrong</summary>{HEAD}{problems}</tbody></table></details></article>");
        html
    }

    /// A body with its fields, in each media type it may have.
    fn content(&self, content: &Map<String, Value>) -> String {
        let mut html = String::new();
        for (media, content) in content {
            let schema = &content["schema"];
            let _ = write!(html, "<p><code>{}</code>: {}</p>", escaped(media), kind(schema));
            html += &fields(self.shape(schema));
        }
        html
    }

    /// What a reference leads to; anything else is itself.
    fn shape<'s>(&'s self, schema: &'s Value) -> &'s Value {
        match shape_name(schema) {
            Some(name) => &self.document["components"]["schemas"][name],
            None => schema,
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn object(value: &Value) -> Option<&Map<String, Value>> {
    value.as_object()
}

/// The name of the shape that a schema refers to.
fn shape_name(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

/// The fields of an object as a table; nothing, if it has none.
fn fields(schema: &Value) -> String {
    let Some(properties) = object(&schema["properties"]).filter(|properties| !properties.is_empty()) else {
        return String::new();
    };
    let mut html = "<table><thead><tr><th>Field</th><th>What it is</th></tr></thead><tbody>".to_owned();
    for (name, property) in properties {
        let optional =
            if list(&schema["required"]).iter().any(|known| known == name) { "" } else { " <small>may be missing</small>" };
        let _ = write!(
            html,
            "<tr><td><code>{}</code></td><td>{}{optional}{}</td></tr>",
            escaped(name),
            kind(property),
            prose(text(&property["description"]))
        );
    }
    html + "</tbody></table>"
}

/// What a value is, in a few words.
fn kind(schema: &Value) -> String {
    if let Some(name) = shape_name(schema) {
        let name = escaped(name);
        return format!("<a href=\"#shape-{name}\">{name}</a>");
    }
    for (several, between) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if let Some(schemas) = schema[several].as_array() {
            return schemas.iter().map(kind).collect::<Vec<_>>().join(between);
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> = values.iter().map(|value| format!("<code>{}</code>", escaped(&value.to_string()))).collect();
        return values.join(" or ");
    }
    let one = |name: &str| match name {
        "array" => format!("list of {}", kind(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("object whose values are {}", kind(&schema["additionalProperties"]))
        }
        name => escaped(name),
    };
    let mut words = match &schema["type"] {
        Value::String(name) => one(name),
        Value::Array(names) => names.iter().map(|name| one(text(name))).collect::<Vec<_>>().join(" or "),
        _ => "any value".to_owned(),
    };
    for (name, label) in [
        ("format", ""),
        ("pattern", "like "),
        ("minimum", "from "),
        ("maximum", "to "),
        ("minLength", "characters from "),
        ("maxLength", "characters to "),
        ("default", "default "),
    ] {
        match &schema[name] {
            Value::Null => {}
            Value::String(value) => {
                let _ = write!(words, ", {label}<code>{}</code>", escaped(value));
            }
            value => {
                let _ = write!(words, ", {label}{}", escaped(&value.to_string()));
            }
        }
    }
    words
}

/// Text that stands in HTML.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html += "&amp;",
            '<' => html += "&lt;",
            '>' => html += "&gt;",
            '"' => html += "&quot;",
            c => html.push(c),
        }
    }
    html
}

/// Paragraphs, lists and `code`, as descriptions have them.
fn prose(text: &str) -> String {
    let mut html = String::new();
    for block in text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
        if block.starts_with("- ") {
            let items: Vec<String> =
                format!("\n{block}").split("\n- ").skip(1).map(|item| format!("<li>{}</li>", spans(item))).collect();
            let _ = write!(html, "<ul>{}</ul>", items.concat());
        } else {
            let _ = write!(html, "<p>{}</p>", spans(block));
        }
    }
    html
}

/// A line with its `code`.
fn spans(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { format!("<code>{}</code>", escaped(part)) } else { escaped(part) }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_of_a_description_is_markup() {
        assert_eq!(prose("a <b> & `\"c\"`"), "<p>a &lt;b&gt; &amp; <code>&quot;c&quot;</code></p>");
        assert_eq!(prose("one\n\n- two\n- three\n"), "<p>one</p><ul><li>two</li><li>three</li></ul>");
    }

    #[test]
    fn kinds_are_told_in_words() {
        for (schema, words) in [
            (json!({ "type": "integer", "minimum": 1, "maximum": 9 }), "integer, from 1, to 9"),
            (json!({ "type": ["string", "null"] }), "string or null"),
            (json!({ "type": "array", "items": { "$ref": "#/components/schemas/X" } }), "list of <a href=\"#shape-X\">X</a>"),
            (json!({ "oneOf": [{ "type": "null" }, { "type": "boolean" }] }), "null or boolean"),
            (json!({ "enum": ["a", 1] }), "<code>&quot;a&quot;</code> or <code>1</code>"),
            (json!({}), "any value"),
        ] {
            assert_eq!(kind(&schema), words);
        }
    }
}
