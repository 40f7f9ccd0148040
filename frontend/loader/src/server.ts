// What the loader says to the server. See docs/widget-protocol.md.

import { attributes, server } from "./attributes";
import { type Envelope, tell } from "./listeners";

export { attributes, server };

export interface Settings {
  title: string;
  label: string;
  close: string;
  dir: string;
  corner: string;
  accent: string;
  onAccent: string;
}

export interface Conversation {
  id: string;
  name: string;
  type: string;
  uiType: string;
}

/** What every answer of the server carries. */
export interface Told {
  session: string;
  cursor: number;
  events: Envelope[];
  settings?: Settings;
}

export interface Begun extends Told {
  visitor: string;
  token?: string;
  view: string;
  settings: Settings;
  conversation: Conversation | null;
}

interface Report {
  id: string;
  time: string;
  type: string;
  [field: string]: unknown;
}

/** A report that has not reached the server, with the page view it belongs to. */
interface Waiting {
  view: string;
  session: string;
  page: string;
  conversation: string | null;
  report: Report;
}

interface Kept {
  token?: string;
  queue?: Waiting[];
}

export const key = "porchlight:" + attributes.site;
export const visit = {} as Begun & { token: string };

let memory: Kept = {};

/** What is kept on the visitor's device; in memory where the page may not keep anything. */
const keep = (change?: Kept): Kept => {
  try {
    memory = JSON.parse(localStorage.getItem(key) || "{}");
  } catch {}
  if (change) {
    memory = { ...memory, ...change };
    try {
      localStorage.setItem(key, JSON.stringify(memory));
    } catch {}
  }
  return memory;
};

const post = async <T>(path: string, body: unknown): Promise<T> => {
  // A string is sent as text/plain, which needs no preflight request; the token stays in the body.
  const response = await fetch(server + "/widget/v1/" + path, {
    method: "POST",
    body: JSON.stringify(body),
    credentials: "omit",
    keepalive: true,
  });
  const answer = await response.json();
  if (!response.ok) throw answer;
  return answer;
};

/** Begins this load of the page. */
export const start = async (): Promise<Begun> => {
  const { site, locale } = attributes;
  const begun = await post<Begun>("start", { site, page: location.href, token: keep().token || null, locale: locale || navigator.language });
  Object.assign(visit, begun);
  if (begun.token) keep({ token: begun.token });
  else visit.token = keep().token as string;
  void flush();
  return begun;
};

/** Forgets the visitor. */
export const forget = (): void => {
  memory = {};
  try {
    localStorage.removeItem(key);
    sessionStorage.removeItem(key + ":open");
  } catch {}
};

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

/** An identifier that sorts by time: UUIDv7, RFC 9562 §5.7. */
const uuid7 = (): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let time = Date.now();
  for (let index = 5; index >= 0; index--) {
    bytes[index] = time % 256;
    time = Math.floor(time / 256);
  }
  bytes[6] = (bytes[6] & 15) | 112;
  bytes[8] = (bytes[8] & 63) | 128;
  return Array.from(bytes, (byte, index) => ([4, 6, 8, 10].includes(index) ? "-" : "") + byte.toString(16).padStart(2, "0")).join("");
};

const waiting: Waiting[] = [];

const here = () => ({ view: visit.view, session: visit.session, page: location.href });

/** Reports something that happened on the page. */
export const report = (type: string, fields: Record<string, unknown>, conversation: string | null): void => {
  const time = new Date().toISOString();
  waiting.push({ ...here(), conversation, report: { id: uuid7(), time, type, ...fields } });
  void flush();
};

/** Asks for what this page has not been told, and for the settings in another language if one is named. */
export const sync = (locale?: string): Promise<Told> => send([], { ...here(), conversation: null }, locale);

const send = async (reports: Report[], about: Omit<Waiting, "report">, locale?: string): Promise<Told> => {
  const mine = about.view === visit.view;
  const { token, cursor } = visit;
  const { view, session, page, conversation } = about;
  const answer = await post<Told>("events", { token, view, session, after: mine ? cursor : null, page, conversation, reports, locale });
  // What an earlier load of the page could not deliver was told to it then.
  if (mine) told(answer);
  return answer;
};

let flushing = false;

/** Delivers what waits, oldest first: of this page, and what earlier ones could not deliver. */
const flush = async (): Promise<void> => {
  if (flushing) return;
  flushing = true;
  try {
    for (;;) {
      const queue = [...(keep().queue || []), ...waiting];
      const first = queue[0];
      if (!first) break;
      const batch = queue.filter((item) => item.view === first.view && item.conversation === first.conversation && item.page === first.page).slice(0, 50);
      const reports = batch.map((item) => item.report);
      try {
        await send(reports, first);
      } catch (problem) {
        const refused = (problem as { status?: number }).status as number;
        if (!(refused < 500 && refused !== 429)) {
          unreachable();
          break;
        }
        console.error(`Porchlight: ${(problem as { detail: string }).detail}`);
      }
      const done = new Set(reports.map((report) => report.id));
      waiting.splice(0, waiting.length, ...waiting.filter((item) => !done.has(item.report.id)));
      const kept = keep().queue;
      if (kept) keep({ queue: kept.filter((item) => !done.has(item.report.id)) });
    }
  } finally {
    flushing = false;
  }
};

/** The page is told what happened all the same; the server will be, later, under the same id. */
const unreachable = (): void => {
  const { site } = attributes;
  for (const { report, page } of waiting) {
    const { id, time, type, ...data } = report;
    if (type.startsWith("widget."))
      tellOnce({ id, type, seq: null, time, site: site as string, visitor: visit.visitor, session: visit.session, conversation: null, page, data });
  }
  keep({ queue: [...(keep().queue || []), ...waiting.splice(0)] });
};

addEventListener("online", () => void flush());
