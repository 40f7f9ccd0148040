// What the loader says to the server. See docs/widget-protocol.md.

import { attributes, granted, server } from "./attributes";
import { attempt } from "./dom";
import { type Envelope, tell } from "./listeners";
import type { Begun, Kept, Report, Told, Visit } from "./types";

export const key = "porchlight:" + attributes.site;

/** What the server has said of this load of the page. */
export let visit = {} as Visit;

let memory: Kept = {};

/** What is kept on the visitor's device; in memory where the page may not keep anything. */
export const keep = (change?: Kept): Kept => {
  if (!granted()) return {};
  memory = attempt(() => JSON.parse(localStorage.getItem(key) || "{}")) || memory;
  if (change) {
    memory = { ...memory, ...change };
    attempt(() => localStorage.setItem(key, JSON.stringify(memory)));
  }
  return memory;
};

const post = async <T>(path: string, body: unknown): Promise<T> => {
  // A string is sent as text/plain, which needs no preflight request; the token stays in the body.
  const response = await fetch(server + "/widget/v1/" + path, {
    method: "POST",
    body: JSON.stringify(body),
    // What is reported while the page goes away arrives all the same.
    keepalive: true,
  });
  const answer = await response.json();
  if (!response.ok) throw answer;
  return answer;
};

interface Problem {
  status?: number;
  detail?: string;
}

/** Whether the server will never take it, which the page's developer is told; else it may take it later. */
export const refused = ({ status = 500, detail }: Problem): boolean => {
  const never = status < 500 && status !== 429;
  if (never) console.error("Porchlight:", detail);
  return never;
};

/** The names of what is kept of this site, and of no other whose key begins with this one's: in order, so reports by their time. */
const named = (storage: Storage, part: string): string[] =>
  Object.keys(storage)
    .filter((name) => (name + ":").startsWith(key + part))
    .sort();

/** Asks what is offered here: when the page has loaded, and again within the same view when the answer may be another. */
export const start = (question: object): Promise<Begun> => {
  // What earlier loads of a page could not deliver, this one does. What another tab reports from now on is that tab's to deliver.
  if (!visit.view) attempt(() => (waiting = named(localStorage, ":q:").map((name) => JSON.parse(localStorage[name]))));
  return post("start", {
    ...question,
    ...here(),
    site: attributes.site,
    referrer: document.referrer,
    token: keep().token || null,
  });
};

/** Takes what `start` was answered. */
export const take = (begun: Begun): void => {
  if (begun.token) keep({ token: begun.token });
  // What this answer leaves out does not hold any more. It stays the same object: the stage holds on to it.
  Object.assign(visit, { contacts: undefined, live: undefined, token: keep().token }, begun);
  void flush();
};

/** Forgets the visitor. */
export const forget = (): void => {
  visit = {} as Visit;
  memory = {};
  waiting = [];
  attempt(() => {
    for (const storage of [localStorage, sessionStorage]) for (const name of named(storage, ":")) delete storage[name];
  });
};

/** Whether a panel was open before the page was loaded again. The first look into a storage costs a page some milliseconds. */
export const wasOpen = (): unknown => keep().opened && attempt(() => sessionStorage.getItem(key + ":open"));

const seen = new Set<string>();

const tellOnce = (event: Envelope): void => {
  if (seen.has(event.id)) return;
  seen.add(event.id);
  tell(event);
};

/** Takes what an answer brought, and tells the page what it has not been told. */
export const told = (answer: Told): void => {
  visit.session = answer.session;
  visit.cursor = Math.max(visit.cursor, answer.cursor);
  answer.events.forEach(tellOnce);
};

/** The time of the latest identifier. It has 11 digits from the year 2004 on: no clock that stands before is believed. */
let latest = 11e11;

/** An identifier that sorts by time, also among those of the same millisecond: UUIDv7, RFC 9562 §5.7 and §6.2, with 72 random bits. */
const uuid7 = (): string =>
  (
    "0" +
    (latest = Math.max(Date.now(), latest + 1)).toString(16) +
    Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => (byte + 256).toString(16).slice(1)).join("")
  ).replace(/(.{8})(.{4})(...)(...)/, "$1-$2-7$3-8$4-");

/** So many reports are kept until they are delivered: the newest. */
const KEPT = 100;
/** So many are sent when the page goes away: as many as a request may surely hold. The next page sends the others. */
const LAST = 20;

/**
 * What is to be delivered, oldest first. The device keeps each under a name of its own, so that no tab writes over what another keeps; where
 * nothing can be kept, it is here only.
 */
let waiting: Report[] = [];

const remove = (done: Report): void => {
  waiting = waiting.filter((other) => other !== done);
  attempt(() => delete localStorage[key + ":q:" + done.id]);
};

const here = (): { view: string; session: string; page: string } => ({ view: visit.view, session: visit.session, page: location.href });

/** Reports something that happened on the page. */
export const report = (type: string, fields: Record<string, unknown>, conversation: string | null): void => {
  // A visitor who was forgotten a moment ago has nothing to tell.
  if (!visit.view) return;
  const made: Report = { id: uuid7(), time: new Date().toISOString(), type, ...fields, ...here(), conversation };
  waiting.push(made);
  // Kept before it is sent: whatever becomes of this page, the next one has it.
  attempt(() => (localStorage[key + ":q:" + made.id] = JSON.stringify(made)));
  waiting.slice(0, -KEPT).forEach(remove);
  void flush();
};

/** Sends reports, and tells the page what it has not been told; with `after` null nothing. */
const send = async (reports: Report[] = [], after: number | null = visit.cursor): Promise<void> => {
  const now = visit;
  const answer = await post<Told>("events", { ...here(), token: now.token, after, reports });
  // Who is forgotten is told nothing.
  if (now === visit) told(answer);
};

/** The same, where it does not matter whether it succeeds. Without reports it asks for what this page has not been told. */
export const sync = (...what: Parameters<typeof send>): Promise<void> => send(...what).catch(() => {});

let flushing: Promise<void> | undefined;

/** While reports are under way: until they are delivered, or cannot be. */
export const reported = (): Promise<void> | undefined => flushing;

const flush = (): Promise<void> => (flushing ||= deliver());

/** Delivers what waits, oldest first: what earlier loads of a page could not deliver, and then what this one reports. */
const deliver = async (): Promise<void> => {
  // Not before it is noted that this runs.
  await 0;
  for (let next: Report; visit.view && (next = waiting[0]); remove(next)) {
    try {
      await send([next]);
    } catch (problem) {
      if (refused(problem as Problem)) continue;
      // The page is told what happened all the same; the server will be, later, under the same id.
      const { site = "" } = attributes;
      const { visitor } = visit;
      for (const { id, time, type, view, session, page, conversation, ...data } of waiting) {
        // What happened on an earlier page was told there.
        if (view === visit.view && type[0] === "w") tellOnce({ id, type, seq: null, time, site, visitor, session, conversation: null, page, data });
      }
      break;
    }
  }
  flushing = undefined;
};

addEventListener("online", flush);
// What is under way may not arrive, and what waits behind it was not sent: all of it goes, in its order. What is known already counts once.
addEventListener("pagehide", () => {
  if (visit.view && waiting[0]) void sync(waiting.slice(0, LAST), null);
});
