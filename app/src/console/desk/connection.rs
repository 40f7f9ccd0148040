//! The desk's connection, in the browser: a socket that comes again, and requests.

#[cfg(not(feature = "hydrate"))]
mod inert {
    //! On the server nothing is connected.

    use porchlight_domain::id::{AnswerId, ChatId};

    use super::super::state::State;
    use crate::console::wire::Ask;

    pub(in crate::console::desk) fn start(_: State) {}
    pub(in crate::console::desk) fn ask(_: State, _: Ask) -> u32 {
        0
    }
    pub(in crate::console::desk) fn open(_: State, _: ChatId) {}
    pub(in crate::console::desk) fn accept(_: State, _: ChatId) {}
    pub(in crate::console::desk) fn list(_: State, _: bool) {}
    pub(in crate::console::desk) fn note(_: State, _: ChatId, _: String) {}
    pub(in crate::console::desk) fn tags(_: ChatId, _: Vec<String>) {}
    pub(in crate::console::desk) fn mail_transcript(_: State, _: ChatId, _: String) {}
    pub(in crate::console::desk) fn send_files(_: State, _: ChatId, _: &leptos::web_sys::Event) {}
    pub(in crate::console::desk) fn new_message() -> Option<AnswerId> {
        None
    }
    pub(in crate::console::desk) fn now_ms() -> i64 {
        0
    }
    pub(in crate::console::desk) fn left(_: State) {}
    pub(in crate::console::desk) fn allow_notifications() {}
    pub(in crate::console::desk) fn scroll_down() {}
    pub(in crate::console::desk) fn focus(_: &str) {}
}

#[cfg(not(feature = "hydrate"))]
pub(super) use inert::*;
#[cfg(feature = "hydrate")]
pub(super) use live::*;

#[cfg(feature = "hydrate")]
mod live {
    use std::cell::{Cell, RefCell};

    use gloo_timers::future::TimeoutFuture;
    use leptos::{prelude::*, task::spawn_local};
    use porchlight_domain::id::{AnswerId, ChatId, uuid_v7};
    use wasm_bindgen::{JsCast, JsValue, closure::Closure};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{CloseEvent, MessageEvent, RequestInit, Response, WebSocket};

    use super::super::state::{Queue, State, say};
    use crate::console::wire::{Ask, Asked, ChatPage, Detail, Note, TYPING_FOR_MS, Told};

    thread_local! {
        static SOCKET: RefCell<Option<WebSocket>> = const { RefCell::new(None) };
        static NUMBER: Cell<u32> = const { Cell::new(0) };
        static FAILURES: Cell<u32> = const { Cell::new(0) };
        /// The stream of events, where sockets are blocked.
        static STREAM: RefCell<Option<web_sys::EventSource>> = const { RefCell::new(None) };
    }

    /// How often a socket may fail before the desk takes requests and a stream of events in its place.
    const FAILURES_MAX: u32 = 3;
    const KEPT: &str = "porchlight unsent";

    /// Connects, and keeps the desk going.
    pub(in crate::console::desk) fn start(state: State) {
        connect(state);
        spawn_local(async move {
            loop {
                TimeoutFuture::new(1000).await;
                state.seconds.set(now_ms() / 1000);
            }
        });
        Effect::new(move |before: Option<(u32, bool)>| {
            let (unread, offered) = (state.unread(), state.offered().is_some());
            let count = unread + u32::from(offered);
            if let Some(document) = window().document() {
                document.set_title(&if count > 0 {
                    format!("({count}) Inbox · Porchlight")
                } else {
                    "Inbox · Porchlight".to_owned()
                });
            }
            if before.is_some_and(|(were, was)| unread > were || (offered && !was)) {
                ring(offered);
            }
            (unread, offered)
        });
        Effect::new(move |_| {
            if state.typing.get().is_some() {
                spawn_local(async move {
                    TimeoutFuture::new(TYPING_FOR_MS).await;
                    state.typing.set(None);
                });
            }
        });
        Effect::new(move |_| {
            // What is unsent outlives the page.
            let texts = state
                .pending
                .with(|pending| pending.iter().map(|one| (one.chat, one.message, one.text.clone())).collect::<Vec<_>>());
            if let (Some(storage), Ok(json)) = (storage(), serde_json::to_string(&texts)) {
                let _ = storage.set_item(KEPT, &json);
            }
        });
        keys(state);
    }

    fn window() -> web_sys::Window {
        leptos::prelude::window()
    }

    fn storage() -> Option<web_sys::Storage> {
        window().local_storage().ok().flatten()
    }

    pub(in crate::console::desk) fn now_ms() -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "a number of milliseconds since 1970")]
        let now = js_sys::Date::now() as i64;
        now
    }

    fn connect(state: State) {
        if FAILURES.get() >= FAILURES_MAX {
            stream(state);
            return;
        }
        let location = window().location();
        let (Ok(protocol), Ok(host)) = (location.protocol(), location.host()) else { return };
        let scheme = if protocol == "https:" { "wss" } else { "ws" };
        let Ok(socket) = WebSocket::new(&format!("{scheme}://{host}/console/socket")) else {
            come_again(state);
            return;
        };
        let on_message = Closure::<dyn FnMut(_)>::new(move |event: MessageEvent| {
            FAILURES.set(0);
            if let Some(text) = event.data().as_string() {
                hear(state, &text);
            }
        });
        let on_close = Closure::<dyn FnMut(_)>::new(move |_: CloseEvent| {
            state.connected.set(false);
            SOCKET.take();
            come_again(state);
        });
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        // They live as long as the socket, which the browser holds.
        on_message.forget();
        on_close.forget();
        SOCKET.replace(Some(socket));
    }

    /// Where sockets are blocked: events come by a stream, and what is asked goes by requests.
    fn stream(state: State) {
        let Ok(source) = web_sys::EventSource::new("/console/events") else { return };
        let on_message = Closure::<dyn FnMut(_)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                hear(state, &text);
            }
        });
        let on_error = Closure::<dyn FnMut()>::new(move || state.connected.set(false));
        source.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        on_message.forget();
        on_error.forget();
        STREAM.replace(Some(source));
    }

    /// Connects again, ever later, and not all at once.
    fn come_again(state: State) {
        let failures = FAILURES.get() + 1;
        FAILURES.set(failures);
        let most = 500_u32.saturating_mul(1 << failures.min(6)).min(30_000);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between nothing and the most")]
        let wait = (f64::from(most) * (0.5 + js_sys::Math::random() / 2.0)) as u32;
        spawn_local(async move {
            TimeoutFuture::new(wait).await;
            connect(state);
        });
    }

    fn hear(state: State, text: &str) {
        let Ok(told) = serde_json::from_str::<Told>(text) else {
            leptos::logging::error!("the server said what this version of the desk does not know: {text}");
            return;
        };
        let begun = matches!(told, Told::Desk(_));
        if begun {
            state.connected.set(true);
        }
        let follows = matches!(&told, Told::Said { chat, .. } if state.selected() == Some(*chat));
        let accepted = match (&told, state.accepting.get_untracked()) {
            (Told::Done { id, .. }, Some((asked, chat))) if *id == asked => Some(chat),
            _ => None,
        };
        if let Some(chat) = state.take(told) {
            open(state, chat);
        }
        if let Some(chat) = accepted {
            state.accepting.set(None);
            show(state, chat, true);
        }
        if begun {
            send_again(state);
        }
        if follows {
            scroll_down();
            tell_seen(state);
        }
    }

    /// Sends what the server has not confirmed, what an earlier page left included: each under its own name, so that it is said once.
    fn send_again(state: State) {
        if state.pending.with_untracked(Vec::is_empty)
            && let Some(kept) = storage().and_then(|storage| storage.get_item(KEPT).ok().flatten())
            && let Ok(kept) = serde_json::from_str::<Vec<(ChatId, AnswerId, String)>>(&kept)
        {
            let pending = kept.into_iter().map(|(chat, message, text)| super::super::state::Pending {
                chat,
                message,
                text,
                refused: None,
                asked: 0,
            });
            state.pending.set(pending.collect());
        }
        for pending in state.pending.get_untracked().into_iter().filter(|one| one.refused.is_none()) {
            let asked = ask(state, say(&pending));
            state
                .pending
                .update(|all| all.iter_mut().filter(|one| one.message == pending.message).for_each(|one| one.asked = asked));
        }
    }

    /// Asks the server something, and gives the number the answer will name.
    pub(in crate::console::desk) fn ask(state: State, what: Ask) -> u32 {
        let id = NUMBER.get() + 1;
        NUMBER.set(id);
        let Ok(text) = serde_json::to_string(&Asked { id, what }) else { return id };
        let by_socket = SOCKET.with_borrow(|socket| {
            socket.as_ref().is_some_and(|socket| socket.ready_state() == WebSocket::OPEN && socket.send_with_str(&text).is_ok())
        });
        if !by_socket && STREAM.with_borrow(Option::is_some) {
            spawn_local(async move {
                if let Ok(told) = request("POST", "/console/api/do", Some(&text)).await {
                    hear(state, &told);
                }
            });
        }
        id
    }

    /// Why a request came to nothing.
    enum Failed {
        /// Nobody answered.
        Unreachable,
        /// The server says why.
        Refused(String),
    }

    /// Why, as the server says it.
    #[derive(serde::Deserialize)]
    struct Problem {
        detail: String,
    }

    impl Failed {
        fn in_words(&self) -> String {
            match self {
                Self::Unreachable => "the server could not be reached".to_owned(),
                Self::Refused(problem) => serde_json::from_str::<Problem>(problem)
                    .map_or_else(|_| "please try again".to_owned(), |problem| problem.detail),
            }
        }
    }

    impl From<JsValue> for Failed {
        fn from(_: JsValue) -> Self {
            Self::Unreachable
        }
    }

    async fn request(method: &str, path: &str, body: Option<&str>) -> Result<String, Failed> {
        send(method, path, body.map(JsValue::from).as_ref()).await
    }

    async fn send(method: &str, path: &str, body: Option<&JsValue>) -> Result<String, Failed> {
        let init = RequestInit::new();
        init.set_method(method);
        if let Some(body) = body {
            init.set_body(body);
        }
        let response: Response =
            JsFuture::from(window().fetch_with_str_and_init(path, &init)).await?.dyn_into().map_err(Failed::from)?;
        let text = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
        if response.ok() { Ok(text) } else { Err(Failed::Refused(text)) }
    }

    /// Takes a chat that is offered, and shows it once it is taken.
    pub(in crate::console::desk) fn accept(state: State, chat: ChatId) {
        let asked = ask(state, Ask::Accept { chat });
        state.accepting.set(Some((asked, chat)));
    }

    /// Shows a chat.
    pub(in crate::console::desk) fn open(state: State, chat: ChatId) {
        show(state, chat, false);
    }

    fn show(state: State, chat: ChatId, to_write: bool) {
        spawn_local(async move {
            match request("GET", &format!("/console/api/chats/{chat}"), None)
                .await
                .map(|text| serde_json::from_str::<Detail>(&text))
            {
                Ok(Ok(detail)) => {
                    let path = format!("/console/chats/{chat}");
                    let here = window().location().pathname().unwrap_or_default();
                    if here != path
                        && let Ok(history) = window().history()
                    {
                        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(&path));
                    }
                    let mut detail = detail;
                    // What was told while this was under way is newer.
                    if let Some(row) = state.desk.with_untracked(|desk| desk.chats.iter().find(|row| row.id == chat).cloned()) {
                        detail.row = row;
                    }
                    state.detail.set(Some(detail));
                    scroll_down();
                    tell_seen(state);
                    if to_write {
                        focus("composer");
                    }
                }
                _ => state.problem.set(Some("The chat could not be shown. Please try again.".to_owned())),
            }
        });
    }

    /// Leaves the chat that is shown.
    pub(in crate::console::desk) fn left(state: State) {
        state.detail.set(None);
        if let Ok(history) = window().history() {
            let _ = history.push_state_with_url(&JsValue::NULL, "", Some("/console"));
        }
    }

    fn tell_seen(state: State) {
        let seen = state.detail.with_untracked(|detail| {
            detail.as_ref().filter(|detail| detail.row.mine).and_then(|detail| Some((detail.row.id, detail.lines.last()?.number)))
        });
        if let Some((chat, number)) = seen {
            ask(state, Ask::Seen { chat, number });
            state.desk.update(|desk| desk.chats.iter_mut().filter(|row| row.id == chat).for_each(|row| row.unread = 0));
        }
    }

    /// Fetches the list that is shown; `more`: its next page.
    pub(in crate::console::desk) fn list(state: State, more: bool) {
        let after = state.next.get_untracked().filter(|_| more).unwrap_or_default();
        let (search, queue) = (state.search.get_untracked(), state.queue.get_untracked());
        let queue = Queue::ALL.iter().find(|(known, ..)| *known == queue).map_or("all", |(.., name)| name);
        let path =
            format!("/console/api/chats?queue={queue}&q={}&after={after}", String::from(js_sys::encode_uri_component(&search)));
        spawn_local(async move {
            let page = request("GET", &path, None).await.map(|text| serde_json::from_str::<ChatPage>(&text));
            match page {
                Ok(Ok(page)) if state.search.get_untracked() == search => {
                    state.fetched.update(|rows| {
                        if !more {
                            rows.clear();
                        }
                        rows.extend(page.chats);
                    });
                    state.next.set(page.next);
                    state.total.set(page.total);
                }
                Ok(Ok(_)) => {}
                _ => state.problem.set(Some("The list could not be read. Please try again.".to_owned())),
            }
        });
    }

    pub(in crate::console::desk) fn mail_transcript(state: State, chat: ChatId, to: String) {
        spawn_local(async move {
            let body = serde_json::json!({ "to": to }).to_string();
            let sent = request("POST", &format!("/console/api/chats/{chat}/transcript"), Some(&body)).await;
            state.mailed.set(Some(match sent {
                Ok(_) => format!("On its way to {to}."),
                Err(failed) => format!("Not sent: {}.", failed.in_words()),
            }));
        });
    }

    /// Sends the files that were chosen, or pasted.
    pub(in crate::console::desk) fn send_files(state: State, chat: ChatId, event: &web_sys::Event) {
        let field = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok());
        let files = match (&field, event.dyn_ref::<web_sys::ClipboardEvent>()) {
            (Some(field), _) => field.files(),
            (None, Some(pasted)) => pasted.clipboard_data().and_then(|data| data.files()),
            (None, None) => None,
        };
        let files: Vec<_> = files.iter().flat_map(|files| (0..files.length()).filter_map(|index| files.get(index))).collect();
        if files.is_empty() {
            return;
        }
        event.prevent_default();
        spawn_local(async move {
            for file in files {
                send_file(state, chat, &file).await;
            }
            state.uploading.set(None);
            if let Some(field) = field {
                // The same may be chosen again.
                field.set_value("");
            }
        });
    }

    async fn send_file(state: State, chat: ChatId, file: &web_sys::File) {
        let Some(message) = new_message() else { return };
        let name = file.name();
        state.uploading.set(Some(name.clone()));
        scroll_down();
        let encoded = String::from(js_sys::encode_uri_component(&name));
        let path = format!("/console/api/chats/{chat}/files?message={message}&name={encoded}");
        // A line comes of it as of any message. Sent again where the answer was lost, it is said once.
        for again in [true, false] {
            match send("POST", &path, Some(file)).await {
                Ok(_) => return,
                Err(Failed::Unreachable) if again => {}
                Err(refused) => {
                    state.problem.set(Some(format!("{name} was not sent: {}.", refused.in_words())));
                    return;
                }
            }
        }
    }

    pub(in crate::console::desk) fn note(state: State, chat: ChatId, text: String) {
        spawn_local(async move {
            let body = serde_json::json!({ "text": text }).to_string();
            match request("POST", &format!("/console/api/chats/{chat}/notes"), Some(&body))
                .await
                .map(|text| serde_json::from_str::<Note>(&text))
            {
                Ok(Ok(note)) => state.detail.update(|detail| {
                    if let Some(detail) = detail.as_mut().filter(|detail| detail.row.id == chat) {
                        detail.notes.push(note);
                    }
                }),
                _ => state.problem.set(Some("The note was not kept. Please try again.".to_owned())),
            }
        });
    }

    pub(in crate::console::desk) fn tags(chat: ChatId, tags: Vec<String>) {
        spawn_local(async move {
            let body = serde_json::json!({ "tags": tags }).to_string();
            let _ = request("PUT", &format!("/console/api/chats/{chat}/tags"), Some(&body)).await;
        });
    }

    /// A name for a message: a UUIDv7 made here, so that sending it again says it once.
    pub(in crate::console::desk) fn new_message() -> Option<AnswerId> {
        let mut random = [0; 10];
        window().crypto().ok()?.get_random_values_with_u8_array(&mut random).ok()?;
        Some(AnswerId::new(uuid_v7(u64::try_from(now_ms()).ok()?, &random)))
    }

    /// A short tone, made here: two for an offer.
    fn ring(offered: bool) {
        if offered && web_sys::Notification::permission() == web_sys::NotificationPermission::Granted {
            let _ = web_sys::Notification::new("A visitor is waiting for you");
        }
        crate::ui::ring(offered);
    }

    pub(in crate::console::desk) fn allow_notifications() {
        let _ = web_sys::Notification::request_permission();
    }

    /// Shows the newest line, once it is there.
    pub(in crate::console::desk) fn scroll_down() {
        spawn_local(async {
            TimeoutFuture::new(30).await;
            if let Some(log) = window().document().and_then(|document| document.get_element_by_id("log")) {
                log.set_scroll_top(log.scroll_height());
            }
        });
    }

    pub(in crate::console::desk) fn focus(id: &str) {
        let id = id.to_owned();
        spawn_local(async move {
            TimeoutFuture::new(30).await;
            let found = window().document().and_then(|document| document.get_element_by_id(&id));
            if let Some(element) = found.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
                let _ = element.focus();
            }
        });
    }

    /// The desk's keys, where nothing is being typed.
    fn keys(state: State) {
        let on_key = Closure::<dyn FnMut(_)>::new(move |event: web_sys::KeyboardEvent| {
            let typing = event
                .target()
                .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
                .is_some_and(|element| matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"));
            if event.key() == "Escape" && state.detail.with_untracked(Option::is_some) {
                left(state);
                focus("search");
            }
            if typing || event.ctrl_key() || event.meta_key() || event.alt_key() {
                return;
            }
            let offered = || state.offered().map(|row| row.id);
            let step = |by: isize| {
                let rows = state.rows();
                let at = state.selected().and_then(|id| rows.iter().position(|row| row.id == id));
                let next = at.map_or(0, |at| at.saturating_add_signed(by).min(rows.len().saturating_sub(1)));
                if let Some(row) = rows.get(next) {
                    open(state, row.id);
                }
            };
            match event.key().as_str() {
                "j" => step(1),
                "k" => step(-1),
                "a" => {
                    if let Some(chat) = offered() {
                        accept(state, chat);
                    }
                }
                "d" => {
                    if let Some(chat) = offered() {
                        ask(state, Ask::Decline { chat });
                    }
                }
                "r" => {
                    event.prevent_default();
                    focus("composer");
                }
                "s" => {
                    event.prevent_default();
                    focus("search");
                }
                "e" => focus("end"),
                "?" => {
                    let sheet = window().document().and_then(|document| document.get_element_by_id("keys"));
                    if let Some(show) =
                        sheet.and_then(|sheet| js_sys::Reflect::get(&sheet, &"showModal".into()).ok().map(|show| (sheet, show)))
                    {
                        let (sheet, show) = show;
                        let _ = show.unchecked_into::<js_sys::Function>().call0(&sheet);
                    }
                }
                _ => {}
            }
        });
        let _ = window().add_event_listener_with_callback("keydown", on_key.as_ref().unchecked_ref());
        on_key.forget();
    }
}
