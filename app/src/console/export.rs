//! The log as a file: the form, which is a plain download without script, and with it shows how far it is.

use leptos::{config::LeptosOptions, prelude::*};

use super::{ConsoleFrame, Me};

/// How far an export is.
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "on the server nothing is received"))]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Stage {
    /// None was asked for.
    #[default]
    Idle,
    /// It is being received.
    Running,
    /// It was saved.
    Saved,
    /// It was called off.
    Cancelled,
    /// It failed: why, in words.
    Failed(String),
}

/// An export, as the page shows it.
#[derive(Debug, Clone, Copy)]
struct Export {
    stage: RwSignal<Stage>,
    /// How many events have come.
    done: RwSignal<u64>,
    /// How many are to come, once that is known.
    total: RwSignal<Option<u64>>,
}

/// The page.
#[component]
pub fn ExportPage(
    /// The sites one may export.
    sites: Vec<String>,
    /// The types of events there are.
    kinds: Vec<String>,
    /// The agent.
    me: Me,
    /// The address of the style sheet.
    css: String,
    /// Where the script is.
    options: LeptosOptions,
) -> impl IntoView {
    view! {
        <ConsoleFrame title="Export".to_owned() me=Some(me) active="export" css script=options>
            <h1>"Export"</h1>
            <p class="hint mb-3">"The log of events as a file, contact details included. It is of the log as it is when you begin; days are those of your own time zone."</p>
            <ExportProgress sites kinds/>
        </ConsoleFrame>
    }
}

/// The form, and how far its export is.
#[island]
fn ExportProgress(
    /// The sites one may export.
    sites: Vec<String>,
    /// The types of events there are.
    kinds: Vec<String>,
) -> impl IntoView {
    let export = Export { stage: RwSignal::new(Stage::default()), done: RwSignal::new(0), total: RwSignal::new(None) };
    let is_running = move || export.stage.with(|stage| *stage == Stage::Running);
    let count = move || match export.total.get() {
        Some(total) => format!("{} of {total} events", export.done.get()),
        None => "Counting…".to_owned(),
    };
    let options = |values: Vec<String>| {
        values.into_iter().map(|value| view! { <option value=value.clone()>{value.clone()}</option> }).collect_view()
    };
    view! {
        <form class="card" action="/console/export/events" on:submit=move |event| live::begin(export, &event)>
            <div class="thirds">
                <label class="field"><span class="label">"Site"</span><select class="input" name="site"><option value="">"All"</option>{options(sites)}</select></label>
                <label class="field"><span class="label">"From"</span><input class="input" type="date" name="from"/></label>
                <label class="field"><span class="label">"To"</span><input class="input" type="date" name="to"/></label>
                <label class="field"><span class="label">"Format"</span><select class="input" name="format"><option value="csv">"Table (CSV)"</option><option value="ndjson">"Lines of JSON"</option></select></label>
                <label class="field"><span class="label">"Types"</span><select class="input" name="type" multiple=true size="6" aria-describedby="types-hint">{options(kinds)}</select><span class="hint" id="types-hint">"None chosen: all"</span></label>
            </div>
            <div class="buttons">
                <button class="button-primary" type="submit" disabled=is_running>"Export"</button>
                <button class="button" type="button" hidden=move || !is_running() on:click=move |_| live::cancel()>"Cancel"</button>
            </div>
            <div hidden=move || !is_running()>
                <progress class="w-full" aria-label="Export" max=move || export.total.get().unwrap_or(1).max(1).to_string() value=move || export.total.get().map(|_| export.done.get().to_string())></progress>
                <p class="hint" id="export-count">{count}</p>
            </div>
            <p role="status">{move || match export.stage.get() {
                Stage::Saved => format!("{} events were saved.", export.done.get_untracked()),
                Stage::Cancelled => "The export was cancelled; nothing was saved.".to_owned(),
                Stage::Idle | Stage::Running | Stage::Failed(_) => String::new(),
            }}</p>
            <p class="form-problem" role="alert">{move || match export.stage.get() {
                Stage::Failed(why) => why,
                Stage::Idle | Stage::Running | Stage::Saved | Stage::Cancelled => String::new(),
            }}</p>
        </form>
    }
}

#[cfg(not(feature = "hydrate"))]
mod live {
    //! On the server nothing is received.

    use leptos::ev::SubmitEvent;

    use super::Export;

    pub(super) fn begin(_: Export, _: &SubmitEvent) {}
    pub(super) fn cancel() {}
}

#[cfg(feature = "hydrate")]
mod live {
    //! Receives the file, counts its lines, and saves it.

    use std::cell::RefCell;

    use gloo_timers::future::TimeoutFuture;
    use js_sys::{Array, Reflect, Uint8Array};
    use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{
        AbortController, Blob, BlobPropertyBag, FormData, HtmlElement, HtmlFormElement, ReadableStreamDefaultReader, RequestInit,
        Response, Url, UrlSearchParams,
    };

    use super::{Export, Stage};

    thread_local! {
        /// What ends the export that is under way.
        static UNDER_WAY: RefCell<Option<AbortController>> = const { RefCell::new(None) };
    }

    /// How long a file that was saved stays in memory: a browser may take it from there after the click.
    const KEPT_MS: u32 = 60_000;
    /// What is said if the connection broke.
    const BROKEN: &str = "The export broke off; nothing was saved. Try again.";

    /// Receives the file, in the place of the plain download.
    pub(super) fn begin(export: Export, event: &SubmitEvent) {
        // Where something of it is missing, the browser downloads by itself.
        let Some((address, controller)) = address_of(event).zip(AbortController::new().ok()) else { return };
        event.prevent_default();
        export.done.set(0);
        export.total.set(None);
        export.stage.set(Stage::Running);
        UNDER_WAY.set(Some(controller.clone()));
        spawn_local(async move {
            let received = receive(export, &address, &controller).await;
            UNDER_WAY.set(None);
            export.stage.set(match received {
                Ok(None) => Stage::Saved,
                Ok(Some(why)) => Stage::Failed(why),
                Err(_) if controller.signal().aborted() => Stage::Cancelled,
                Err(_) => Stage::Failed(BROKEN.to_owned()),
            });
        });
    }

    /// Ends the export that is under way.
    pub(super) fn cancel() {
        if let Some(controller) = UNDER_WAY.take() {
            controller.abort();
        }
    }

    fn address_of(event: &SubmitEvent) -> Option<String> {
        let form: HtmlFormElement = event.target()?.dyn_into().ok()?;
        let fields = FormData::new_with_form(&form).ok()?;
        let query = UrlSearchParams::new_with_str_sequence_sequence(&Array::from(&fields)).ok()?;
        Some(format!("{}?{}", form.action(), query.to_string()))
    }

    /// Receives a file and saves it; or gives what the server said is wrong.
    async fn receive(export: Export, address: &str, controller: &AbortController) -> Result<Option<String>, JsValue> {
        let init = RequestInit::new();
        init.set_signal(Some(&controller.signal()));
        let window = web_sys::window().ok_or(JsValue::NULL)?;
        let response: Response = JsFuture::from(window.fetch_with_str_and_init(address, &init)).await?.dyn_into()?;
        let header = |name: &str| response.headers().get(name).ok().flatten();
        let Some(total) = header("porchlight-total").and_then(|total| total.parse::<u64>().ok()) else {
            if response.ok() {
                return Ok(Some("You are signed out; load this page again.".to_owned()));
            }
            let problem = JsFuture::from(response.json()?).await?;
            return Ok(Some(Reflect::get(&problem, &"detail".into())?.as_string().unwrap_or_else(|| BROKEN.to_owned())));
        };
        export.total.set(Some(total));
        let kind = header("content-type").unwrap_or_default();
        let name = header("content-disposition")
            .and_then(|how| Some(how.split_once("filename=\"")?.1.split('"').next()?.to_owned()))
            .unwrap_or_else(|| "porchlight-events".to_owned());
        let body = response.body().ok_or(JsValue::NULL)?;
        let reader: ReadableStreamDefaultReader = body.get_reader().dyn_into()?;
        let pieces = Array::new();
        // A table has a line more: its head.
        let mut lines = 0_u64;
        let heads = u64::from(kind.starts_with("text/csv"));
        loop {
            let read = JsFuture::from(reader.read()).await?;
            if Reflect::get(&read, &"done".into())?.is_truthy() {
                break;
            }
            let piece: Uint8Array = Reflect::get(&read, &"value".into())?.dyn_into()?;
            lines += piece.to_vec().iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
            export.done.set(lines.saturating_sub(heads));
            pieces.push(&piece);
        }
        save(&pieces, &kind, &name)?;
        Ok(None)
    }

    /// Has the browser save a file.
    fn save(pieces: &Array, kind: &str, name: &str) -> Result<(), JsValue> {
        let how = BlobPropertyBag::new();
        how.set_type(kind);
        let file = Blob::new_with_u8_array_sequence_and_options(pieces, &how)?;
        let address = Url::create_object_url_with_blob(&file)?;
        let document = web_sys::window().and_then(|window| window.document()).ok_or(JsValue::NULL)?;
        let link: HtmlElement = document.create_element("a")?.dyn_into()?;
        link.set_attribute("href", &address)?;
        link.set_attribute("download", name)?;
        link.click();
        spawn_local(async move {
            TimeoutFuture::new(KEPT_MS).await;
            let _ = Url::revoke_object_url(&address);
        });
        Ok(())
    }
}
