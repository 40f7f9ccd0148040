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
    pub(in crate::console::desk) fn tags(_: State, _: ChatId, _: Vec<String>) {}
    pub(in crate::console::desk) fn mail_transcript(_: State, _: ChatId, _: String) {}
    pub(in crate::console::desk) fn send_files(_: State, _: ChatId, _: &leptos::web_sys::Event) {}
    pub(in crate::console::desk) fn new_message() -> Option<AnswerId> {
        None
    }
    pub(in crate::console::desk) fn now_ms() -> i64 {
        0
    }
    pub(in crate::console::desk) fn left(_: State) {}
    pub(in crate::console::desk) fn allow_notifications(_: State) {}
    pub(in crate::console::desk) fn show_keys() {}
    pub(in crate::console::desk) fn insert(_: State, _: &str) {}
    pub(in crate::console::desk) fn scroll_to(_: &str) {}
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
    use porchlight_domain::id::{AgentId, AnswerId, ChatId, uuid_v7};
    use wasm_bindgen::{JsCast, JsValue, closure::Closure};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{
        CloseEvent, Element, EventSource, HtmlElement, HtmlTextAreaElement, MessageEvent, Notification, NotificationPermission,
        RequestInit, Response, WebSocket,
    };

    use super::super::state::{Pending, Queue, State, keep, say};
    use crate::console::wire::{Ask, Asked, ChatPage, ChatRow, Detail, Note, TYPING_FOR_MS, Told};

    thread_local! {
        static SOCKET: RefCell<Option<WebSocket>> = const { RefCell::new(None) };
        static NUMBER: Cell<u32> = const { Cell::new(0) };
        static FAILURES: Cell<u32> = const { Cell::new(0) };
        /// The stream of events, where sockets are blocked.
        static STREAM: RefCell<Option<EventSource>> = const { RefCell::new(None) };
        /// The chat that was last asked for, shown or on its way.
        static WANTED: Cell<Option<ChatId>> = const { Cell::new(None) };
        /// How often a list was asked for anew: an answer to what was asked before comes too late.
        static LISTED: Cell<u32> = const { Cell::new(0) };
    }

    /// How often a socket may fail before the desk takes requests and a stream of events in its place.
    const FAILURES_MAX: u32 = 3;
    /// How long the stream serves until a socket is tried again, in milliseconds.
    const SOCKET_AGAIN_MS: u32 = 60_000;
    /// What names a message that is not sent yet, before its id: a key each, so that several windows of the desk do not overwrite
    /// each other's.
    const KEPT: &str = "porchlight unsent ";
    /// The address of a chat, before its id.
    const CHATS: &str = "/console/chats/";
    /// Where chats are asked for.
    const CHATS_API: &str = "/console/api/chats";
    /// How often a chat is read again because more was said in it meanwhile.
    const AGAIN_MAX: usize = 3;

    /// Connects, and keeps the desk going.
    pub(in crate::console::desk) fn start(state: State) {
        // First what was kept, since what is unsent is kept anew from then on.
        restore(state);
        keep_unsent(state);
        follow_eyes(state);
        follow_history(state);
        note_permission(state);
        if state.queue.get_untracked().is_past() {
            list(state, false);
        }
        connect(state);
        spawn_local(async move {
            loop {
                TimeoutFuture::new(1000).await;
                state.seconds.set(now_ms() / 1000);
            }
        });
        spawn_local(async move {
            loop {
                TimeoutFuture::new(SOCKET_AGAIN_MS).await;
                // Where the agent is now, sockets may pass.
                if STREAM.with_borrow(Option::is_some) && SOCKET.with_borrow(Option::is_none) {
                    open_socket(state);
                }
            }
        });
        Effect::new(move |before: Option<(u32, Vec<ChatId>)>| {
            let unread = state.unread();
            let offered: Vec<ChatId> = state.offers().iter().map(|row| row.id).collect();
            let count = offered.len() + usize::try_from(unread).unwrap_or_default();
            if let Some(document) = window().document() {
                document.set_title(&if count > 0 {
                    format!("({count}) Inbox · Porchlight")
                } else {
                    "Inbox · Porchlight".to_owned()
                });
            }
            if let Some((were, known)) = before {
                let is_new = offered.iter().any(|chat| !known.contains(chat));
                if is_new || unread > were {
                    ring(is_new);
                }
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
        keys(state);
    }

    fn me(state: State) -> Option<AgentId> {
        state.desk.with_untracked(|desk| desk.me.as_ref().map(|me| me.id))
    }

    /// Takes up what this agent could not send from an earlier page, in its order: the ids are made of the time.
    fn restore(state: State) {
        let (Some(storage), Some(me)) = (storage(), me(state)) else { return };
        let keys = (0..storage.length().unwrap_or_default()).filter_map(|index| storage.key(index).ok().flatten());
        let kept = keys.filter_map(|key| {
            let message = key.strip_prefix(KEPT)?.parse::<AnswerId>().ok()?;
            let (agent, chat, text) = serde_json::from_str::<(AgentId, ChatId, String)>(&storage.get_item(&key).ok()??).ok()?;
            (agent == me).then_some(Pending { chat, message, text, refused: None, asked: 0 })
        });
        let mut kept: Vec<Pending> = kept.collect();
        kept.sort_by_key(|one| one.message);
        if !kept.is_empty() {
            state.pending.set(kept);
        }
    }

    /// What is unsent outlives the page, until it is sent or discarded.
    fn keep_unsent(state: State) {
        Effect::new(move |before: Option<Vec<AnswerId>>| {
            let before = before.unwrap_or_default();
            state.pending.with(|pending| {
                if let (Some(storage), Some(me)) = (storage(), me(state)) {
                    for one in pending.iter().filter(|one| !before.contains(&one.message)) {
                        if let Ok(json) = serde_json::to_string(&(me, one.chat, &one.text)) {
                            let _ = storage.set_item(&format!("{KEPT}{}", one.message), &json);
                        }
                    }
                    for gone in before.iter().filter(|gone| !pending.iter().any(|one| one.message == **gone)) {
                        let _ = storage.remove_item(&format!("{KEPT}{gone}"));
                    }
                }
                pending.iter().map(|one| one.message).collect::<Vec<_>>()
            })
        });
    }

    /// Notes whether anybody can see the page: what comes while nobody can is unread, and read once somebody can.
    fn follow_eyes(state: State) {
        let Some(document) = window().document() else { return };
        state.hidden.set(document.hidden());
        let page = document.clone();
        let on_change = Closure::<dyn FnMut()>::new(move || {
            state.hidden.set(page.hidden());
            tell_seen(state);
        });
        let _ = document.add_event_listener_with_callback("visibilitychange", on_change.as_ref().unchecked_ref());
        on_change.forget();
    }

    /// Shows what the address says when the agent goes back or forward.
    fn follow_history(state: State) {
        let on_pop = Closure::<dyn FnMut()>::new(move || {
            let path = window().location().pathname().unwrap_or_default();
            match path.strip_prefix(CHATS).and_then(|id| id.parse::<ChatId>().ok()) {
                Some(chat) if WANTED.get().or_else(|| state.selected()) == Some(chat) => {}
                Some(chat) => open(state, chat),
                None => leave(state),
            }
        });
        let _ = window().add_event_listener_with_callback("popstate", on_pop.as_ref().unchecked_ref());
        on_pop.forget();
    }

    /// Puts an address into the browser's history, if it is another than the one that is there.
    fn go_to(path: &str) {
        if window().location().pathname().unwrap_or_default() != path
            && let Ok(history) = window().history()
        {
            let _ = history.push_state_with_url(&JsValue::NULL, "", Some(path));
        }
    }

    fn window() -> web_sys::Window {
        leptos::prelude::window()
    }

    fn element(id: &str) -> Option<Element> {
        window().document()?.get_element_by_id(id)
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
        // Another try may have come through meanwhile; one that is under way comes here again if it fails.
        if SOCKET.with_borrow(Option::is_some) || STREAM.with_borrow(Option::is_some) {
            return;
        }
        if FAILURES.get() >= FAILURES_MAX {
            open_stream(state);
        } else {
            open_socket(state);
        }
    }

    fn open_socket(state: State) {
        let location = window().location();
        let (Ok(protocol), Ok(host)) = (location.protocol(), location.host()) else { return };
        let scheme = if protocol == "https:" { "wss" } else { "ws" };
        // While a stream serves, this is but a try.
        let failed = move || {
            if STREAM.with_borrow(Option::is_none) {
                state.connected.set(false);
                come_again(state);
            }
        };
        let Ok(socket) = WebSocket::new(&format!("{scheme}://{host}/console/socket")) else {
            failed();
            return;
        };
        let on_message = Closure::<dyn FnMut(_)>::new(move |event: MessageEvent| {
            FAILURES.set(0);
            if let Some(stream) = STREAM.take() {
                stream.close();
            }
            if let Some(text) = event.data().as_string() {
                hear(state, &text);
            }
        });
        let on_close = Closure::<dyn FnMut(_)>::new(move |_: CloseEvent| {
            SOCKET.take();
            failed();
        });
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        // They live as long as the socket, which the browser holds.
        on_message.forget();
        on_close.forget();
        SOCKET.replace(Some(socket));
    }

    /// Where sockets are blocked: events come by a stream, and what is asked goes by requests.
    fn open_stream(state: State) {
        let Ok(source) = EventSource::new("/console/events") else {
            come_again(state);
            return;
        };
        let on_message = Closure::<dyn FnMut(_)>::new(move |event: MessageEvent| {
            // It passes: the next failure is the first again.
            FAILURES.set(FAILURES_MAX);
            if let Some(text) = event.data().as_string() {
                hear(state, &text);
            }
        });
        let on_error = Closure::<dyn FnMut()>::new(move || {
            state.connected.set(false);
            // Most often the browser comes again by itself. What it has closed it has given up.
            let is_closed =
                STREAM.with_borrow(|source| source.as_ref().is_some_and(|source| source.ready_state() == EventSource::CLOSED));
            if is_closed {
                STREAM.take();
                come_again(state);
            }
        });
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
        if let Some(chat) = state.take(told)
            // Unless the agent has asked for another, which is on its way.
            && WANTED.get().is_none_or(|wanted| wanted == chat)
        {
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

    fn row_of(state: State, chat: ChatId) -> Option<ChatRow> {
        state.desk.with_untracked(|desk| desk.chats.iter().find(|row| row.id == chat).cloned())
    }

    /// Reads a chat, and again if more was said in it meanwhile than was read.
    async fn read(state: State, chat: ChatId) -> Option<Detail> {
        let path = format!("{CHATS_API}/{chat}");
        let mut detail = None;
        for _ in 0..AGAIN_MAX {
            let read = request("GET", &path, None).await.ok().and_then(|text| serde_json::from_str::<Detail>(&text).ok());
            let Some(read) = read else { break };
            let last = read.lines.last().map_or(0, |line| line.number);
            detail = Some(read);
            if row_of(state, chat).is_none_or(|row| row.lines <= last) {
                break;
            }
        }
        detail
    }

    fn show(state: State, chat: ChatId, to_write: bool) {
        WANTED.set(Some(chat));
        let known = row_of(state, chat);
        spawn_local(async move {
            let read = read(state, chat).await;
            let shown = state.detail.with_untracked(|detail| detail.as_ref().map(|detail| detail.row.id));
            // The agent has gone on meanwhile.
            if WANTED.get() != Some(chat) {
                return;
            }
            let Some(mut detail) = read else {
                WANTED.set(shown);
                state.problem.set(Some("The chat could not be shown. Please try again.".to_owned()));
                return;
            };
            go_to(&format!("{CHATS}{chat}"));
            // What was told while this was under way is newer; what was told before is older.
            let now = row_of(state, chat);
            if now != known
                && let Some(row) = now
            {
                detail.row = row;
            }
            if shown != Some(chat) {
                state.about.set(false);
                state.mailed.set(None);
            }
            state.detail.set(Some(detail));
            scroll_down();
            tell_seen(state);
            if to_write {
                focus("composer");
            }
        });
    }

    /// Leaves the chat that is shown.
    pub(in crate::console::desk) fn left(state: State) {
        leave(state);
        go_to("/console");
    }

    fn leave(state: State) {
        WANTED.set(None);
        state.detail.set(None);
        state.about.set(false);
        state.mailed.set(None);
    }

    /// Tells the visitor how far the chat that is shown was seen, if it is.
    fn tell_seen(state: State) {
        if state.hidden.get_untracked() {
            return;
        }
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
        let next = state.next.get_untracked().filter(|_| more);
        let (search, queue) = (state.search.get_untracked(), state.queue.get_untracked());
        let queue = Queue::ALL.iter().find(|(known, ..)| *known == queue).map_or("all", |(.., name)| name);
        let (search, after) = (String::from(js_sys::encode_uri_component(&search)), next.clone().unwrap_or_default());
        let path = format!("{CHATS_API}?queue={queue}&q={search}&after={after}");
        if !more {
            LISTED.set(LISTED.get() + 1);
            state.listing.set(true);
        }
        let listed = LISTED.get();
        spawn_local(async move {
            let page = request("GET", &path, None).await.ok().and_then(|text| serde_json::from_str::<ChatPage>(&text).ok());
            // Another list was asked for since.
            if LISTED.get() != listed {
                return;
            }
            state.listing.set(false);
            let Some(page) = page else {
                // It can be asked for once more.
                if more {
                    state.next.set(next);
                }
                state.problem.set(Some("The list could not be read. Please try again.".to_owned()));
                return;
            };
            state.fetched.update(|rows| {
                if !more {
                    rows.clear();
                }
                rows.extend(page.chats);
            });
            state.next.set(page.next);
            state.total.set(page.total);
        });
    }

    pub(in crate::console::desk) fn mail_transcript(state: State, chat: ChatId, to: String) {
        spawn_local(async move {
            let body = serde_json::json!({ "to": to }).to_string();
            let sent = request("POST", &format!("{CHATS_API}/{chat}/transcript"), Some(&body)).await;
            let became = match sent {
                Ok(_) => format!("On its way to {to}."),
                Err(failed) => format!("Not sent: {}.", failed.in_words()),
            };
            state.mailed.set(Some((chat, became)));
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
        let path = format!("{CHATS_API}/{chat}/files?message={message}&name={encoded}");
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
            let noted = request("POST", &format!("{CHATS_API}/{chat}/notes"), Some(&body)).await;
            match noted.and_then(|note| serde_json::from_str::<Note>(&note).map_err(|_| Failed::Unreachable)) {
                Ok(note) => state.detail.update(|detail| {
                    if let Some(detail) = detail.as_mut().filter(|detail| detail.row.id == chat) {
                        detail.notes.push(note);
                    }
                }),
                Err(failed) => {
                    // Unless the agent has begun another.
                    if state.notes.with_untracked(|notes| !notes.contains_key(&chat)) {
                        keep(state.notes, chat, text);
                    }
                    state.problem.set(Some(format!("The note was not kept: {}.", failed.in_words())));
                }
            }
        });
    }

    pub(in crate::console::desk) fn tags(state: State, chat: ChatId, tags: Vec<String>) {
        spawn_local(async move {
            let body = serde_json::json!({ "tags": tags }).to_string();
            match request("PUT", &format!("{CHATS_API}/{chat}/tags"), Some(&body)).await {
                Ok(_) => state.filed(chat, &tags),
                Err(failed) => state.problem.set(Some(format!("The tags were not kept: {}.", failed.in_words()))),
            }
        });
    }

    /// A name for a message: a UUIDv7 made here, so that sending it again says it once.
    pub(in crate::console::desk) fn new_message() -> Option<AnswerId> {
        let mut random = [0; 10];
        window().crypto().ok()?.get_random_values_with_u8_array(&mut random).ok()?;
        Some(AnswerId::new(uuid_v7(u64::try_from(now_ms()).ok()?, &random)))
    }

    /// A short tone, made here: two for an offer, which the browser tells of, too, if it may.
    fn ring(offered: bool) {
        if offered && permission() == Some(NotificationPermission::Granted) {
            notify("A visitor is waiting for you");
        }
        crate::ui::ring(offered);
    }

    /// Has the browser tell something, and brings this window to the front when that is clicked.
    fn notify(what: &str) {
        let Ok(notification) = Notification::new(what) else { return };
        let shown = notification.clone();
        let on_click = Closure::<dyn FnMut()>::new(move || {
            let _ = window().focus();
            shown.close();
        });
        notification.set_onclick(Some(on_click.as_ref().unchecked_ref()));
        on_click.forget();
    }

    /// What the browser was told about notifications; nothing if it knows none.
    fn permission() -> Option<NotificationPermission> {
        let knows = js_sys::Reflect::has(&window(), &"Notification".into()).unwrap_or(false);
        knows.then(Notification::permission)
    }

    fn note_permission(state: State) {
        state.notify.set(match permission() {
            Some(NotificationPermission::Default) => Some(true),
            Some(NotificationPermission::Denied) => Some(false),
            _ => None,
        });
    }

    pub(in crate::console::desk) fn allow_notifications(state: State) {
        let Ok(asked) = Notification::request_permission() else { return };
        spawn_local(async move {
            // Whatever the agent said, the browser knows it.
            let _ = JsFuture::from(asked).await;
            note_permission(state);
        });
    }

    /// Puts something where the cursor is in the message that is being written.
    pub(in crate::console::desk) fn insert(state: State, what: &str) {
        let field = element("composer").and_then(|field| field.dyn_into::<HtmlTextAreaElement>().ok());
        let (Some(field), Some(chat)) = (field, state.selected()) else { return };
        let at = field.selection_start().ok().flatten().unwrap_or_default();
        if field.set_range_text(what).is_err() {
            return;
        }
        keep(state.drafts, chat, field.value());
        // Browsers count in units of UTF-16.
        let after = at + u32::try_from(what.encode_utf16().count()).unwrap_or_default();
        let _ = field.focus();
        let _ = field.set_selection_range(after, after);
    }

    /// Shows the sheet of keys.
    pub(in crate::console::desk) fn show_keys() {
        let Some(sheet) = element("keys") else { return };
        if let Ok(show) = js_sys::Reflect::get(&sheet, &"showModal".into()) {
            let _ = show.unchecked_into::<js_sys::Function>().call0(&sheet);
        }
    }

    /// Scrolls the list that something is a part of, so that it is in sight.
    pub(in crate::console::desk) fn scroll_to(id: &str) {
        let part = element(id).and_then(|part| part.dyn_into::<HtmlElement>().ok());
        if let Some((part, list)) = part.and_then(|part| part.parent_element().map(|list| (part, list))) {
            list.set_scroll_top(part.offset_top() - list.client_height() / 2);
        }
    }

    /// Shows the newest line, once it is there.
    pub(in crate::console::desk) fn scroll_down() {
        spawn_local(async {
            TimeoutFuture::new(30).await;
            if let Some(log) = element("log") {
                log.set_scroll_top(log.scroll_height());
            }
        });
    }

    pub(in crate::console::desk) fn focus(id: &str) {
        let id = id.to_owned();
        spawn_local(async move {
            TimeoutFuture::new(30).await;
            if let Some(found) = element(&id).and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
                let _ = found.focus();
            }
        });
    }

    fn is_sheet_open() -> bool {
        let document = window().document();
        document.and_then(|document| document.query_selector("dialog[open]").ok().flatten()).is_some()
    }

    /// The desk's keys, where nothing is being typed.
    fn keys(state: State) {
        let on_key = Closure::<dyn FnMut(_)>::new(move |event: web_sys::KeyboardEvent| {
            // What was meant for a list that is open, or for the sheet of keys, is not meant for the desk.
            if event.default_prevented() || event.is_composing() || is_sheet_open() {
                return;
            }
            let typing = event
                .target()
                .and_then(|target| target.dyn_into::<Element>().ok())
                .is_some_and(|element| matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"));
            if event.key() == "Escape" && state.about.get_untracked() {
                state.about.set(false);
                focus("about");
            } else if event.key() == "Escape" && state.detail.with_untracked(Option::is_some) {
                left(state);
                focus("search");
            }
            if typing || event.ctrl_key() || event.meta_key() || event.alt_key() {
                return;
            }
            let offered = || state.offers().first().map(|row| row.id);
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
                "?" => show_keys(),
                _ => {}
            }
        });
        let _ = window().add_event_listener_with_callback("keydown", on_key.as_ref().unchecked_ref());
        on_key.forget();
    }
}
