//! The command line, as a person uses it.

use std::{
    fs,
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    time::timeout,
};

async fn porchlight(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_porchlight")).args(arguments).env_remove("PORCHLIGHT_CONFIG").output().await.unwrap()
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn site(folder: &Path, conversation: &str) {
    fs::create_dir_all(folder.join("conversations")).unwrap();
    fs::write(folder.join("site.toml"), "key = \"shop\"\ntitle = \"Shop\"\norigins = [\"https://shop.example\"]\n").unwrap();
    fs::write(folder.join("conversations/welcome.json"), conversation).unwrap();
}

const GOOD: &str = r#"{ "id": "welcome", "name": "Welcome", "cards": [{ "id": "end", "card": "end" }] }"#;

#[tokio::test]
async fn check_reports_every_problem_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (folder.path().join("good.json"), folder.path().join("bad.json"));
    fs::write(&good, GOOD).unwrap();
    fs::write(&bad, "{ \"id\": \"x\",\n  \"cards\": [{ \"id\": \"a\", \"card\": \"jump\", \"to\": \"b\" }] }").unwrap();
    let output = porchlight(&["check", good.to_str().unwrap()]).await;
    assert!(output.status.success() && words(&output.stdout).contains("good, 1 cards"));
    let output = porchlight(&["check", good.to_str().unwrap(), bad.to_str().unwrap(), "nowhere.json"]).await;
    assert_eq!(output.status.code(), Some(1));
    let errors = words(&output.stderr);
    assert!(errors.contains("bad.json:1:1: \"name\" is missing") && errors.contains("nowhere.json: "), "{errors}");
}

#[tokio::test]
async fn import_loads_all_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let arguments = ["import", folder.path().to_str().unwrap(), "--data-dir", data.to_str().unwrap()];
    site(folder.path(), "{}");
    let output = porchlight(&arguments).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        words(&output.stderr).contains("nothing was imported") && words(&output.stderr).contains("welcome.json:1:1"),
        "{}",
        words(&output.stderr)
    );
    site(folder.path(), GOOD);
    assert_eq!(words(&porchlight(&arguments).await.stdout), "site shop: welcome published as version 1\n");
    assert_eq!(words(&porchlight(&arguments).await.stdout), "site shop: welcome published as version 1\n", "unchanged");
    site(folder.path(), &GOOD.replace("Welcome", "Hello"));
    assert_eq!(words(&porchlight(&arguments).await.stdout), "site shop: welcome published as version 2\n");
    fs::remove_file(folder.path().join("conversations/welcome.json")).unwrap();
    assert_eq!(words(&porchlight(&arguments).await.stdout), "site shop: welcome unpublished\n");
}

#[tokio::test]
async fn keys_are_made_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let made = porchlight(&["key", "create", "--name", "crm", "--data-dir", data]).await;
    assert!(words(&made.stdout).starts_with("plk_"), "{}", words(&made.stderr));
    assert_eq!(words(&porchlight(&["key", "revoke", "--name", "crm", "--data-dir", data]).await.stdout), "1 taken back\n");
    let output = porchlight(&["key", "revoke", "--name", "crm", "--data-dir", data]).await;
    assert!(!output.status.success() && words(&output.stderr).contains("there is no key named \"crm\""));
}

#[tokio::test]
async fn keys_have_scopes_and_sites_and_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let (from, data) = (folder.path().join("from"), folder.path().join("data"));
    let data = data.to_str().unwrap();
    site(&from, GOOD);
    assert!(porchlight(&["import", from.to_str().unwrap(), "--data-dir", data]).await.status.success());
    let create = ["key", "create", "--data-dir", data, "--name", "crm"];
    for (more, told) in [
        (["--scope", "events:write"], "expected a scope such as events:read, got \"events:write\""),
        (["--site", "nowhere"], "there is no site \"nowhere\""),
        (["--site", "no where"], "--site"),
    ] {
        let refused = porchlight(&[&create[..], &more].concat()).await;
        assert!(!refused.status.success() && words(&refused.stderr).contains(told), "{}", words(&refused.stderr));
    }
    let limits = ["--scope", "events:read", "--scope", "audit:read", "--site", "shop"];
    let made = porchlight(&[&create[..], &limits].concat()).await;
    assert!(made.status.success(), "{}", words(&made.stderr));
    assert!(porchlight(&create).await.status.success());
    let listed = words(&porchlight(&["key", "list", "--data-dir", data]).await.stdout);
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 2, "nothing that was refused is there: {listed}");
    let ending = words(&made.stdout).trim().chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect::<String>();
    assert!(lines[0].contains(&format!("…{ending}  \"crm\"  scopes events:read,audit:read  sites shop  made ")), "{listed}");
    assert!(lines[1].contains("scopes all  sites all") && lines[1].ends_with("used never"), "{listed}");
    let id = lines[0].split_whitespace().next().unwrap();
    assert_eq!(words(&porchlight(&["key", "revoke", "--id", id, "--data-dir", data]).await.stdout), "1 taken back\n");
    assert!(!porchlight(&["key", "revoke", "--id", id, "--data-dir", data]).await.status.success());
    assert_eq!(words(&porchlight(&["key", "list", "--data-dir", data]).await.stdout).lines().count(), 1);
    assert!(!porchlight(&["key", "revoke", "--data-dir", data]).await.status.success(), "of what?");
    let scopes = words(&porchlight(&["key", "scopes"]).await.stdout);
    assert!(scopes.contains("events:read ") && scopes.contains("audit:read "), "{scopes}");
}

#[tokio::test]
async fn serve_stops_cleanly_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_porchlight"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", folder.path().to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let address = line.rsplit("http://").next().unwrap().to_owned();
    // A connection that is kept open, and idle, does not hold it up.
    let client = reqwest::Client::new();
    assert!(client.get(format!("http://{address}/readyz")).send().await.unwrap().status().is_success());
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    let status = timeout(Duration::from_secs(9), child.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
    // The log was closed as it should be: nothing is left to recover.
    assert!(!folder.path().join("porchlight.db-wal").exists());
}

#[tokio::test]
async fn wrong_settings_are_named() {
    for (arguments, told) in [
        (["serve", "--listen", "nowhere"], "--listen"),
        (["serve", "--session-timeout-minutes", "0"], "session_timeout_minutes"),
        (["serve", "--config", "nowhere.toml"], "nowhere.toml"),
        (["serve", "--log", "a=b=c"], "setting log"),
    ] {
        let output = porchlight(&arguments).await;
        assert!(!output.status.success());
        assert!(words(&output.stderr).contains(told), "{}", words(&output.stderr));
    }
    let output = Command::new(env!("CARGO_BIN_EXE_porchlight"))
        .arg("serve")
        .env("PORCHLIGHT_COMMIT_BATCH", "many")
        .output()
        .await
        .unwrap();
    assert!(
        words(&output.stderr).contains("commit_batch") || words(&output.stderr).contains("COMMIT_BATCH"),
        "{}",
        words(&output.stderr)
    );
}

#[tokio::test]
async fn what_is_exported_is_what_was_imported_to_the_letter() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to, data) = (folder.path().join("from"), folder.path().join("to"), folder.path().join("data"));
    let data = data.to_str().unwrap();
    site(&from, &GOOD.replace('{', "{ \n "));
    fs::create_dir_all(from.join("files")).unwrap();
    fs::write(from.join("files/guide.pdf"), "%PDF-1.7").unwrap();
    let imported = porchlight(&["import", "--draft", from.to_str().unwrap(), "--data-dir", data]).await;
    assert_eq!(words(&imported.stdout), "site shop: 1 drafts\n", "{}", words(&imported.stderr));
    let export = ["export", to.to_str().unwrap(), "--site", "shop", "--data-dir", data];
    let exported = porchlight(&export).await;
    assert!(exported.status.success(), "{}", words(&exported.stderr));
    for file in ["site.toml", "conversations/welcome.json", "files/guide.pdf"] {
        assert_eq!(fs::read(from.join(file)).unwrap(), fs::read(to.join(file)).unwrap(), "{file}");
    }
    let again = porchlight(&export).await;
    assert!(!again.status.success() && words(&again.stderr).contains("--overwrite"), "{}", words(&again.stderr));
    assert!(porchlight(&[&export[..], &["--overwrite"]].concat()).await.status.success());

    let publish =
        |what: &'static str, id: &'static str| async move { porchlight(&[what, "--site", "shop", id, "--data-dir", data]).await };
    assert_eq!(words(&publish("publish", "welcome").await.stdout), "site shop: welcome published as version 1\n");
    assert_eq!(words(&publish("unpublish", "welcome").await.stdout), "site shop: welcome unpublished\n");
    assert!(words(&publish("publish", "nothing").await.stderr).contains("there is no conversation \"nothing\""));
    let secret = porchlight(&["secret", "--site", "shop", "--data-dir", data]).await;
    let same = porchlight(&["secret", "--site", "shop", "--data-dir", data]).await;
    let other = porchlight(&["secret", "--site", "shop", "--rotate", "--data-dir", data]).await;
    assert!(secret.stdout.len() > 40 && secret.stdout == same.stdout && secret.stdout != other.stdout);
    let nowhere = porchlight(&["export", to.to_str().unwrap(), "--overwrite", "--site", "nowhere", "--data-dir", data]).await;
    assert!(words(&nowhere.stderr).contains("there is no site with the key \"nowhere\""));
}

#[tokio::test]
async fn check_sees_how_the_files_of_a_site_fit_together() {
    let folder = tempfile::tempdir().unwrap();
    let sub = GOOD.replace(
        "{ \"id\": \"end\"",
        "{ \"id\": \"sub\", \"card\": \"subFlow\", \"conversation\": \"other\" }, { \"id\": \"end\"",
    );
    site(folder.path(), &sub);
    let path = folder.path().to_str().unwrap();
    let errors = words(&porchlight(&["check", path]).await.stderr);
    assert!(errors.contains("welcome.json:1:") && errors.contains("there is no conversation \"other\" in this site"), "{errors}");
    fs::write(folder.path().join("conversations/other.json"), GOOD.replace("\"welcome\"", "\"other\"")).unwrap();
    let good = porchlight(&["check", path]).await;
    assert!(words(&good.stdout).contains("good, site shop with 2 conversations"), "{}", words(&good.stderr));
}
