//! What browsers load, and the addresses of an operator.

use crate::app::{TestApp, problem};

#[tokio::test]
async fn the_loader_is_served_compressed_and_asked_for_again() {
    let app = TestApp::init().start().await;
    let response = app.get("/porchlight.js").header("accept-encoding", "gzip, br").send().await.unwrap();
    let headers = response.headers().clone();
    assert_eq!(
        (headers["content-encoding"].to_str().unwrap(), headers["content-type"].to_str().unwrap()),
        ("br", "text/javascript; charset=utf-8")
    );
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert!(response.bytes().await.unwrap().len() <= 4096, "the loader's budget");
    let again = app.get("/porchlight.js").header("if-none-match", headers["etag"].clone()).send().await.unwrap();
    assert_eq!(again.status(), 304);
    let plain = app.get("/porchlight.js").send().await.unwrap();
    assert!(plain.headers().get("content-encoding").is_none());
    assert!(plain.text().await.unwrap().contains("AdobeDX"));
}

#[tokio::test]
async fn the_panels_files_may_be_kept_for_ever_and_name_the_island() {
    let app = TestApp::init().start().await;
    let visitor = app.visitor().await;
    let (html, _) = visitor.open().await;
    let css = html.split("href=\"").find_map(|rest| rest.split('"').next().filter(|path| path.ends_with(".css"))).unwrap();
    let response = app.get(css).send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "public, max-age=31536000, immutable");
    let glue = html.split('"').find(|part| part.starts_with("/assets/") && part.ends_with(".js")).unwrap();
    let glue = app.get(glue).send().await.unwrap().text().await.unwrap();
    // An island that the linker dropped would leave the page without script, silently.
    let island = html.split("data-component=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(glue.contains(island), "{island}");
    let wasm = html.split('"').find(|part| part.starts_with("/assets/") && part.ends_with(".wasm")).unwrap();
    assert_eq!(app.get(wasm).send().await.unwrap().headers()["content-type"], "application/wasm");
    problem(app.get("/assets/manifest.json").send().await.unwrap(), 404, "not_found").await;
    problem(app.get("/assets/..%2fsite.toml").send().await.unwrap(), 404, "not_found").await;
}

#[tokio::test]
async fn the_loaders_parts_may_be_kept_for_ever_and_read_by_any_page() {
    let app = TestApp::init().start().await;
    let loader = app.get("/porchlight.js").send().await.unwrap().text().await.unwrap();
    for part in ["/assets/stage.", "/assets/analytics."] {
        let name = loader.split('"').find(|text| text.starts_with(part)).unwrap();
        let response = app.get(name).send().await.unwrap();
        let headers = response.headers().clone();
        assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert_eq!(headers["content-type"], "text/javascript; charset=utf-8");
        let now = response.text().await.unwrap();
        // The loader of before an update asks for the part of that time, and gets this one's: not for ever.
        let before = app.get(&format!("{part}000000000000.js")).send().await.unwrap();
        assert_eq!(before.headers()["cache-control"], "public, max-age=300, stale-while-revalidate=86400");
        assert_eq!(before.text().await.unwrap(), now);
    }
}

#[tokio::test]
async fn operators_and_strangers_are_answered() {
    let app = TestApp::init().start().await;
    assert_eq!(app.get("/healthz").send().await.unwrap().text().await.unwrap(), "ok\n");
    assert_eq!(app.get("/readyz").send().await.unwrap().text().await.unwrap(), "ready\n");
    let icon = app.get("/favicon.svg").send().await.unwrap();
    assert_eq!(icon.headers()["content-type"], "image/svg+xml");
    assert!(app.get("/robots.txt").send().await.unwrap().text().await.unwrap().contains("Disallow: /"));
    problem(app.get("/nothing").send().await.unwrap(), 404, "not_found").await;
    problem(app.get("/widget/v1/start").send().await.unwrap(), 405, "method").await;
    let response = app.get("/healthz").send().await.unwrap();
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    app.store.close().await;
    problem(app.get("/readyz").send().await.unwrap(), 503, "unavailable").await;
    assert_eq!(app.get("/healthz").send().await.unwrap().status(), 200);
}
