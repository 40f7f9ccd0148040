// What this page hears from Porchlight, beside what Porchlight's server wrote down.
//
// A customer's page needs little of this: the three places marked (1), (2) and (3) are how one listens. The rest draws the list.
(() => {
  "use strict";

  const POLL_EVERY = 1000;
  const POLL_AFTER_ERROR = 3000;

  /** The events, by id: `page` and `server` are the two copies, `told` what the other two interfaces heard. */
  const rows = new Map();
  /** The sessions the list is about, each with the cursor of what was read of the server's log. */
  const sessions = new Map();
  /** Sessions of visitors before "start over"; what still arrives of them is dropped. */
  const forgotten = new Set();
  /** What AdobeDX and CTLive listeners heard before the event itself came. */
  let waiting = [];
  /** Counts the times the list was cleared, so that an answer under way at that moment is dropped. */
  let round = 0;

  // (1) Every event, as Porchlight tells it. The queue works before the script has loaded.
  window.Porchlight = window.Porchlight || [];
  window.Porchlight.push(["on", "*", heardOnPage]);

  // (2) As a page written for Adobe Dynamic Chat listens.
  window.addEventListener("adobedx.conversations.ready", () => {
    const { addListener, Enum } = window.AdobeDX;
    for (const name of Object.keys(Enum.Events)) {
      addListener(Enum.Events[name], (event) => {
        const { payload } = event.data;
        heardElsewhere("adobe", adobeTypes[name] || [], name, payload, (event) => event.session === payload.sid);
      });
    }
  });

  // (3) As a page written for CTLive listens, with the origin check of its sample.
  window.addEventListener("message", (event) => {
    if (event.target.location.origin !== document.location.origin) return;
    if (!event.data || event.data.name !== "CTLiveEvent") return;
    const { type, object } = event.data;
    heardElsewhere("ctlive", ctliveTypes[type] || [], type, object, (event) => !("userID" in object) || event.visitor === object.userID);
  });

  /** The other interfaces do not carry Porchlight's event id, so their messages are matched by type, in order. */
  const adobeTypes = {
    CONVERSATION_TRIGGERED: ["conversation.triggered"],
    CONVERSATION_ENGAGED: ["conversation.engaged"],
    CONVERSATION_COMPLETED: ["conversation.completed"],
    CONVERSATION_CLOSED: ["conversation.closed"],
    CONVERSATION_INPUT_PHONE: ["input.phone"],
    CONVERSATION_INPUT_EMAIL: ["input.email"],
    CONVERSATION_MEETING_BOOKED: ["meeting.booked"],
    CONVERSATION_LIVE_CHAT_REQUESTED: ["livechat.requested"],
    CONVERSATION_LIVE_CHAT_INITIATED: ["livechat.initiated"],
    CONVERSATION_LIVE_CHAT_ENDED: ["livechat.ended"],
    CONVERSATION_LIVE_CHAT_REQUEST_TIMEOUT: ["livechat.timeout"],
  };
  const ctliveTypes = {
    Loaded: ["widget.loaded"],
    WidgetShown: ["widget.shown"],
    WidgetHidden: ["widget.hidden"],
    WidgetClicked: ["widget.clicked"],
    ChatStarted: ["livechat.requested"],
    ChatOnline: ["livechat.initiated"],
    ChatFinished: ["livechat.ended", "livechat.timeout"],
    DatacollectionStarted: ["datacollection.started"],
    DatacollectionSubmitted: ["datacollection.submitted"],
    SurveyStarted: ["survey.started"],
    SurveySubmitted: ["survey.submitted"],
  };

  // What was heard.

  function rowOf(event) {
    let row = rows.get(event.id);
    if (!row) {
      row = { id: event.id, type: event.type, page: null, server: null, told: {}, order: rows.size };
      rows.set(event.id, row);
    }
    return row;
  }

  function heardOnPage(event) {
    if (forgotten.has(event.session)) return;
    if (event.session && !sessions.has(event.session)) sessions.set(event.session, null);
    const row = rowOf(event);
    row.page = event;
    const fits = (message) => message.types.includes(event.type) && message.isOf(event) && !row.told[message.by];
    for (const by of ["adobe", "ctlive"]) {
      const message = waiting.find((message) => message.by === by && fits(message));
      if (message) {
        row.told[by] = message;
        waiting = waiting.filter((other) => other !== message);
      }
    }
    draw(row);
    poll();
  }

  function heardElsewhere(by, types, name, object, isOf) {
    const message = { by, types, name, object, isOf };
    const row = [...rows.values()].find((row) => row.page && !row.told[by] && types.includes(row.type) && isOf(row.page));
    if (!row) {
      waiting.push(message);
      return;
    }
    row.told[by] = message;
    draw(row);
  }

  // The server's log. Reading it needs Porchlight's API key, so the shop's own server asks for us, as a customer's would.

  let timer;
  let polling = false;
  let pollAgain = false;

  async function poll() {
    if (polling) {
      pollAgain = true;
      return;
    }
    clearTimeout(timer);
    if (document.hidden || sessions.size === 0) return;
    polling = true;
    const began = round;
    const latest = [...sessions.keys()].pop();
    // An older session is only asked for while something of it is missing.
    const missing = new Set([...rows.values()].filter((row) => row.page && !row.server).map((row) => row.page.session));
    let reached = true;
    for (const [session, after] of [...sessions]) {
      if (session !== latest && !missing.has(session)) continue;
      try {
        const query = new URLSearchParams(after === null ? { session } : { session, after });
        const answer = await fetch(`/server-events?${query}`, { cache: "no-store", signal: AbortSignal.timeout(5000) });
        if (!answer.ok) throw new Error(`status ${answer.status}`);
        const { events, next } = await answer.json();
        if (began !== round) break;
        sessions.set(session, next ?? after);
        for (const event of events) {
          const row = rowOf(event);
          row.server = event;
          draw(row);
        }
      } catch {
        reached = false;
      }
    }
    polling = false;
    if (began === round) showReached(reached);
    if (pollAgain && reached) {
      pollAgain = false;
      poll();
    } else {
      pollAgain = false;
      timer = setTimeout(poll, reached ? POLL_EVERY : POLL_AFTER_ERROR);
    }
  }

  document.addEventListener("visibilitychange", () => void poll());

  // The list.

  /** The page's elements; there are none before it is parsed. */
  let view = null;

  function ready() {
    view = {
      table: document.getElementById("event-table"),
      body: document.getElementById("event-rows"),
      empty: document.getElementById("event-empty"),
      summary: document.getElementById("event-summary"),
      state: document.getElementById("server-state"),
    };
    for (const button of document.querySelectorAll("[data-chat]")) {
      button.addEventListener("click", () => (button.dataset.chat === "reset" ? startOver() : window.Porchlight.push(["open"])));
    }
    drawAll();
  }

  function startOver() {
    round += 1;
    for (const session of sessions.keys()) forgotten.add(session);
    for (const row of rows.values()) remove(row);
    rows.clear();
    sessions.clear();
    waiting = [];
    drawAll();
    window.Porchlight.push(["reset"]);
  }

  function remove(row) {
    row.line?.remove();
    row.more?.remove();
  }

  function drawAll() {
    for (const row of rows.values()) draw(row);
    drawSummary();
  }

  const copyOf = (row) => row.server || row.page;
  const seqOf = (row) => copyOf(row).seq;

  /** First by session, in the order they came; then by number; what has none yet, last. */
  function before(a, b) {
    const order = [...sessions.keys()];
    const place = (row) => [order.indexOf(copyOf(row).session), seqOf(row) ?? Infinity, row.order];
    const [x, y] = [place(a), place(b)];
    const at = x.findIndex((part, index) => part !== y[index]);
    return at >= 0 && x[at] < y[at];
  }

  function draw(row) {
    if (!view) return;
    if (!row.line) build(row);
    const event = copyOf(row);
    const sorted = row.line.dataset.seq === String(event.seq);
    row.line.dataset.seq = String(event.seq);
    row.line.dataset.page = String(row.page !== null);
    row.line.dataset.server = String(row.server !== null);
    row.line.dataset.adobe = row.told.adobe?.name ?? "";
    row.line.dataset.ctlive = row.told.ctlive?.name ?? "";
    row.parts.seq.textContent = event.seq ?? "–";
    row.parts.time.dateTime = event.time;
    row.parts.time.textContent = clock(event.time);
    mark(row.parts.page, row.page !== null, row.page ? "heard" : "not here");
    mark(row.parts.server, row.server !== null, row.server ? "logged" : "waiting");
    if (!sorted) place(row);
    if (!row.more.hidden) fill(row);
    drawSummary();
  }

  function place(row) {
    const others = [...rows.values()].filter((other) => other !== row && other.line?.isConnected);
    const following = others.filter((other) => before(row, other)).sort((a, b) => (before(a, b) ? -1 : 1))[0];
    view.body.insertBefore(row.line, following?.line ?? null);
    row.line.after(row.more);
  }

  function build(row) {
    const seq = element("td", { className: "seq" });
    // On a narrow screen a type may break after its dot.
    const [group, name] = row.type.split(/(?<=\.)/);
    const button = element("button", { type: "button", className: "type" }, group, element("wbr"), element("span", { className: "tail", textContent: name ?? "" }));
    button.setAttribute("aria-expanded", "false");
    const time = element("time");
    const id = element("code", { textContent: `…${row.id.slice(-8)}`, title: row.id });
    const what = element("th", { className: "what", scope: "row" }, button, element("span", { className: "sub" }, time, " ", id));
    const page = element("td", { className: "mark" });
    const server = element("td", { className: "mark" });
    row.parts = { seq, time, page, server };
    row.line = element("tr", { className: "event" }, seq, what, page, server);
    row.line.dataset.id = row.id;
    row.line.dataset.type = row.type;
    row.details = element("td", { colSpan: 4 });
    row.more = element("tr", { className: "more", id: `more-${row.id}`, hidden: true }, row.details);
    button.setAttribute("aria-controls", row.more.id);
    button.addEventListener("click", () => {
      row.more.hidden = !row.more.hidden;
      button.setAttribute("aria-expanded", String(!row.more.hidden));
      if (!row.more.hidden) fill(row);
    });
  }

  function mark(cell, seen, word) {
    if (cell.dataset.word === word) return;
    cell.dataset.word = word;
    cell.classList.toggle("seen", seen);
    const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    icon.setAttribute("aria-hidden", "true");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", seen ? "#tick" : "#wait");
    icon.append(use);
    cell.replaceChildren(icon, element("span", { className: "word", textContent: word }));
  }

  function fill(row) {
    const { page, server, told } = row;
    const parts = [];
    parts.push(page ? part("Heard on this page", page) : part("Heard on this page", null, "No: it happened before this page was loaded, or in another tab."));
    if (!server) {
      parts.push(part("In the server’s log", null, "Not yet."));
    } else if (page && canonical(page) === canonical(server)) {
      parts.push(part("In the server’s log", null, "The same, field for field."));
    } else {
      const more = page ? Object.keys(server.data).filter((field) => !(field in page.data)) : [];
      parts.push(part("In the server’s log", server, more.length ? `With ${more.join(", ")}, which a page is not told.` : ""));
    }
    parts.push(told.adobe ? part("An AdobeDX listener", told.adobe.object, told.adobe.name) : part("An AdobeDX listener", null, "Was told nothing."));
    parts.push(told.ctlive ? part("A CTLive listener", told.ctlive.object, told.ctlive.name) : part("A CTLive listener", null, "Was told nothing."));
    row.details.replaceChildren(element("dl", { className: "copies" }, ...parts));
  }

  function part(title, json, note) {
    const box = element("div", {}, element("dt", { textContent: title }));
    if (note) box.append(element("dd", { textContent: note }));
    if (json) box.append(element("dd", {}, element("pre", { textContent: JSON.stringify(json, null, 2) })));
    return box;
  }

  function drawSummary() {
    if (!view) return;
    const all = [...rows.values()];
    view.table.hidden = all.length === 0;
    view.empty.hidden = all.length > 0;
    if (all.length === 0) {
      view.summary.textContent = "";
      return;
    }
    const latest = [...sessions.keys()].pop();
    const session = all.filter((row) => copyOf(row).session === latest);
    const logged = session.filter((row) => row.server);
    const numbers = logged.map((row) => row.server.seq).sort((a, b) => a - b);
    const whole = numbers.length > 0 && numbers.every((number, index) => number === index + 1);
    const heard = session.filter((row) => row.page).length;
    const gaps = whole ? ` It is numbered 1 to ${numbers.length} without a gap.` : "";
    view.summary.textContent = `In this session the page has heard ${count(heard)}; the server’s log has ${logged.length}.${gaps}`;
  }

  function showReached(reached) {
    // A status is read out, so it is only touched when it changes.
    tell(reached ? "" : "The shop’s server cannot read Porchlight’s log just now. The page still hears its events; the server’s side follows.");
  }

  function tell(text) {
    if (!view || view.state.textContent === text) return;
    view.state.textContent = text;
  }

  // A script that does not load reports to its own element only; here we listen on the way down.
  window.addEventListener("error", (event) => {
    if (event.target instanceof HTMLScriptElement && event.target.dataset.site) {
      tell("Porchlight’s script did not load from {{porchlight}}. Is its server running?");
    }
  }, true);

  // Small tools.

  function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  function canonical(value) {
    const sorted = (_, part) => (part && typeof part === "object" && !Array.isArray(part) ? Object.fromEntries(Object.entries(part).sort()) : part);
    return JSON.stringify(value, sorted);
  }

  function clock(time) {
    return new Date(time).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
  }

  function count(number) {
    return number === 1 ? "1 event" : `${number} events`;
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
