//! The log as a file: by the API, in the console, and on the command line.

use std::fs;

use jiff::SignedDuration;
use porchlight_domain::agent::Role;
use porchlight_server::access::Scope;
use reqwest::Response;
use serde_json::Value;
use tokio::process::Command;

use crate::{
    app::{TestApp, problem},
    sides::add_agent,
    stream::write_many,
};

async fn export(app: &TestApp, query: &str) -> Response {
    let response = app.get(&format!("/api/v1/events/export{query}")).bearer_auth(&app.key).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response
}

fn total(response: &Response) -> usize {
    response.headers()["porchlight-total"].to_str().unwrap().parse().unwrap()
}

/// The events of lines of JSON.
fn events(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn lines_of_json_are_the_log_to_the_letter() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    visitor.go_on(&form, "price").await;
    let log = app.log().await;
    let response = export(&app, "").await;
    let headers = response.headers();
    assert_eq!(headers["content-type"], "application/x-ndjson");
    assert_eq!(headers["content-disposition"], "attachment; filename=\"porchlight-events-2026-11-21.ndjson\"");
    assert_eq!(total(&response), log.len());
    assert_eq!(events(&response.text().await.unwrap()), log);
}

#[tokio::test]
async fn an_export_of_nothing_that_is_compressed_comes_to_its_end() {
    let app = TestApp::init().start().await;
    let path = "/api/v1/events/export?from=2000-01-01T00:00:00Z&to=2000-01-01T00:00:00Z";
    let response = app.get(path).bearer_auth(&app.key).header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!((response.status().as_u16(), total(&response)), (200, 0));
    response.bytes().await.unwrap();
}

#[tokio::test]
async fn a_table_has_the_envelopes_members_as_columns() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let (_, form) = visitor.open().await;
    visitor.go_on(&form, "price").await;
    let log = app.log().await;
    let response = export(&app, "?format=csv").await;
    assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
    assert_eq!(total(&response), log.len(), "the head is no event");
    let table = response.text().await.unwrap();
    let mut rows = table.split_terminator("\r\n");
    assert_eq!(rows.next(), Some("id,type,seq,time,site,visitor,session,conversation,page,data"));
    let rows: Vec<_> = rows.collect();
    assert_eq!(rows.len(), log.len());
    for (row, event) in rows.iter().zip(&log) {
        let cells: Vec<_> = row.splitn(10, ',').collect();
        for (cell, member) in cells.iter().zip(["id", "type", "seq", "time", "site", "visitor", "session"]) {
            let expected = event[member].as_str().map_or_else(|| event[member].to_string(), str::to_owned);
            assert_eq!(*cell, expected, "{row}");
        }
        assert_eq!(cells[7], event["conversation"].as_str().unwrap_or_default());
        assert_eq!(cells[8], event["page"].as_str().unwrap());
        let data = cells[9].strip_prefix('"').and_then(|cell| cell.strip_suffix('"')).unwrap_or(cells[9]).replace("\"\"", "\"");
        assert_eq!(serde_json::from_str::<Value>(&data).unwrap(), event["data"], "{row}");
    }
}

#[tokio::test]
async fn an_export_is_of_the_log_as_it_was_when_it_began() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    // More than is read at once.
    write_many(&visitor, 21).await;
    let response = export(&app, "").await;
    let expected = total(&response);
    assert!(expected > 1000, "{expected}");
    write_many(&visitor, 2).await;
    let found = events(&response.text().await.unwrap());
    assert_eq!(found.len(), expected);
    let seqs: Vec<_> = found.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=u64::try_from(expected).unwrap()).collect::<Vec<_>>(), "all of one session, without a gap");
    // Nothing is a file, too.
    for wanted in ["?format=csv&type=input.email", "?type=input.email"] {
        let response = export(&app, wanted).await;
        assert_eq!(total(&response), 0);
        assert_eq!(response.text().await.unwrap().lines().count(), usize::from(wanted.contains("csv")));
    }
}

#[tokio::test]
async fn a_part_of_the_log_is_exported() {
    let app = TestApp::init().start().await;
    app.visitor().await.tell("widget.shown").await;
    app.pass(SignedDuration::from_hours(24));
    let noon = app.now();
    app.visitor().await.tell("widget.shown").await;
    app.pass(SignedDuration::from_hours(24));
    app.visitor().await.tell("widget.shown").await;
    let after = noon + SignedDuration::from_millis(1);
    for (query, wanted) in [
        ("?site=shop".to_owned(), 9),
        ("?site=nowhere".to_owned(), 0),
        ("?type=widget.shown".to_owned(), 3),
        ("?type=widget.shown,widget.loaded&site=shop".to_owned(), 6),
        (format!("?from={noon}"), 6),
        (format!("?from={noon}&to={after}"), 3),
        (format!("?to={noon}"), 3),
        (format!("?from={after}&type=widget.loaded"), 1),
    ] {
        let response = export(&app, &query).await;
        assert_eq!(total(&response), wanted, "{query}");
        assert_eq!(response.text().await.unwrap().lines().count(), wanted, "{query}");
    }
    for (query, field) in [("?format=xml", "format"), ("?from=yesterday", "from"), ("?type=x", "type"), ("?limit=1", "limit")] {
        let response = app.get(&format!("/api/v1/events/export{query}")).bearer_auth(&app.key).send().await.unwrap();
        assert_eq!(problem(response, 400, "malformed").await["field"], field);
    }
    let other = app.key("other", Some(&[Scope::SitesRead]), None).await;
    problem(app.get("/api/v1/events/export").bearer_auth(&other).send().await.unwrap(), 403, "forbidden").await;
}

#[tokio::test]
async fn the_console_exports_the_same_without_script() {
    let app = TestApp::init().start().await;
    app.visitor().await.tell("widget.shown").await;
    app.pass(SignedDuration::from_hours(1));
    let admin = add_agent(&app, 1, Role::Administrator).await;
    let get = |path: &'static str| app.get(path).header("cookie", &admin.cookie).send();
    // Leptos marks where one text ends and the next begins.
    let page = get("/console/export").await.unwrap().text().await.unwrap().replace("<!>", "");
    for part in ["action=\"/console/export/events\"", "name=\"format\"", ">shop</option>", ">conversation.engaged</option>"] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let file = get("/console/export/events?format=ndjson&site=&from=&to=").await.unwrap();
    assert_eq!(file.text().await.unwrap(), export(&app, "").await.text().await.unwrap());
    for (path, wanted) in [
        ("/console/export/events?format=ndjson&site=shop&from=2026-11-21&to=2026-11-21", 3),
        ("/console/export/events?format=ndjson&site=shop&from=&to=2026-11-20", 0),
        ("/console/export/events?format=ndjson&site=shop&from=2026-11-22&to=", 0),
        ("/console/export/events?format=ndjson&site=&from=&to=&type=widget.shown&type=widget.loaded", 2),
    ] {
        let response = get(path).await.unwrap();
        assert_eq!(total(&response), wanted, "{path}");
        assert_eq!(response.text().await.unwrap().lines().count(), wanted, "{path}");
    }
    for (path, field) in [
        ("/console/export/events?format=ndjson&from=yesterday", "from"),
        ("/console/export/events?format=ndjson&to=2026-02-30", "to"),
        ("/console/export/events?format=ndjson&site=a%20b", "site"),
        ("/console/export/events?format=ndjson&type=x", "type"),
        ("/console/export/events?format=xml", "format"),
    ] {
        assert_eq!(problem(get(path).await.unwrap(), 400, "malformed").await["field"], field);
    }
}

#[tokio::test]
async fn the_command_line_writes_whole_files() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    write_many(&visitor, 11).await;
    let (data, folder) = (app.folder.path().to_str().unwrap(), tempfile::tempdir().unwrap());
    let out = folder.path().join("events.csv");
    let run = |more: Vec<&'static str>| {
        let mut arguments = vec!["events", "--data-dir", data];
        arguments.extend(more);
        let mut process = Command::new(env!("CARGO_BIN_EXE_porchlight"));
        process.args(arguments).current_dir(folder.path()).env_remove("PORCHLIGHT_CONFIG");
        async move { process.output().await.unwrap() }
    };
    let words = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let expected = export(&app, "?format=csv").await;
    let count = total(&expected);
    let expected = expected.text().await.unwrap();
    fs::write(&out, "what was there before").unwrap();
    let done = run(vec!["--format", "csv", "--out", "events.csv"]).await;
    assert!(done.status.success(), "{}", words(&done.stderr));
    assert_eq!(words(&done.stderr), format!("{count} of {count} events (100 %)\n"), "one line, where nobody watches");
    assert_eq!(fs::read_to_string(&out).unwrap(), expected);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");

    let done = run(vec!["--out", "-", "--site", "shop", "--type", "widget.loaded,widget.shown"]).await;
    assert_eq!(events(&words(&done.stdout)).len(), 1);
    let done = run(vec!["--out", "-", "--from", "2026-11-22T00:00:00Z"]).await;
    assert_eq!((words(&done.stdout), words(&done.stderr)), (String::new(), "0 of 0 events (100 %)\n".to_owned()));
    for (more, told) in [
        (vec!["--out", "-", "--type", "conversation.opened"], "is no event type"),
        (vec!["--out", "-", "--from", "yesterday"], "--from"),
        (vec!["--out", "-", "--format", "xml"], "--format"),
        (vec!["--out", "nowhere/events.csv"], "nowhere/events.csv could not be written"),
        (vec![], "--out"),
    ] {
        let done = run(more).await;
        assert!(!done.status.success() && words(&done.stderr).contains(told), "{}", words(&done.stderr));
    }
}
