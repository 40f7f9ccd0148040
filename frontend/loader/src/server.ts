// What the loader says to the server. See docs/widget-protocol.md.

import { attributes, granted, server } from "./attributes";
import { attempt } from "./dom";
import { type Envelope, tell } from "./listeners";
import type { Begun, Kept, Report, Reported, Told, Visit } from "./types";

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

/** Asks what is offered here: when the page has loaded, and again within the same view when the answer may be another. */
export const start = (question: object): Promise<Begun> =>
  post("start", {
    ...question,
    site: attributes.site,
    page: location.href,
    referrer: document.referrer,
    token: keep().token || null,
    view: visit.view,
  });

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
    localStorage.removeItem(key);
    for (const part of [":open", ":seen"]) sessionStorage.removeItem(key + part);
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

/** An identifier that sorts by time: UUIDv7, RFC 9562 §5.7, with 72 random bits. */
const uuid7 = (): string => {
  const random = Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => (byte + 256).toString(16).slice(1)).join("");
  const time = Date.now().toString(16).padStart(12, "0");
  return (time + 7 + random.slice(0, 3) + 8 + random.slice(3)).replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
};

let waiting: Reported[] = [];

const here = (conversation: string | null, reports: Report[]): Reported => {
  const { view, session } = visit;
  return { view, session, page: location.href, conversation, reports };
};

/** Reports something that happened on the page. */
export const report = (type: string, fields: Record<string, unknown>, conversation: string | null): void => {
  // A visitor who was forgotten a moment ago has nothing to tell.
  if (!visit.view) return;
  waiting.push(here(conversation, [{ id: uuid7(), time: new Date().toISOString(), type, ...fields }]));
  void flush();
};

const send = async (reported: Reported): Promise<void> => {
  const now = visit;
  const { token, view, cursor } = now;
  const mine = reported.view === view;
  const answer = await post<Told>("events", { ...reported, token, after: mine ? cursor : null });
  // What an earlier load of the page could not deliver was told to it then, and who is forgotten is told nothing.
  if (mine && now === visit) told(answer);
};

/** Asks for what this page has not been told. */
export const sync = (): Promise<void> => send(here(null, [])).catch(() => {});

let flushing: Promise<void> | undefined;

/** While reports are under way: until they are delivered, or cannot be. */
export const reported = (): Promise<void> | undefined => flushing;

const flush = (): Promise<void> => (flushing ||= deliver());

/** Delivers what waits, oldest first: what earlier loads of a page could not deliver, and then what this one reports. */
const deliver = async (): Promise<void> => {
  // Not before it is noted that this runs.
  await 0;
  for (let next: Reported | undefined; visit.view && (next = keep().queue?.[0] || waiting[0]); ) {
    try {
      await send(next);
    } catch (problem) {
      if (!refused(problem as Problem)) {
        unreachable();
        break;
      }
    }
    const { id } = next.reports[0];
    const others = (list: Reported[]): Reported[] => list.filter(({ reports }) => reports[0].id !== id);
    waiting = others(waiting);
    const { queue } = keep();
    if (queue) keep({ queue: others(queue) });
  }
  flushing = undefined;
};

/** The page is told what happened all the same; the server will be, later, under the same id. */
const unreachable = (): void => {
  const { site = "" } = attributes;
  const { visitor } = visit;
  for (const { session, page, reports } of waiting) {
    const { id, time, type, ...data } = reports[0];
    if (type[0] === "w") tellOnce({ id, type, seq: null, time, site, visitor, session, conversation: null, page, data });
  }
  keep({ queue: [...(keep().queue || []), ...waiting] });
  waiting = [];
};

addEventListener("online", flush);
