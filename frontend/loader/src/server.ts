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

/** Reports with what the server needs to know of the page they are from. */
interface Reported {
  view: string;
  session: string;
  page: string;
  conversation: string | null;
  reports: Report[];
}

interface Kept {
  token?: string;
  /** Whether the panel was ever opened here. */
  opened?: boolean;
  /** What has not reached the server. */
  queue?: Reported[];
}

export const key = "porchlight:" + attributes.site;
export const visit = {} as Begun & { token: string };

/** Does what a page's settings may forbid: then it is not done. */
export const attempt = <T>(action: () => T): T | undefined => {
  try {
    return action();
  } catch {}
};

let memory: Kept = {};

/** What is kept on the visitor's device; in memory where the page may not keep anything. */
const keep = (change?: Kept): Kept => {
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
  remember("");
  memory = {};
  attempt(() => localStorage.removeItem(key));
};

/** Remembers over a load of the page whether the panel is open. */
export const remember = (open: string): void => {
  keep({ opened: true });
  attempt(() => sessionStorage.setItem(key + ":open", open));
};

/** Asked only where the panel was ever opened: the first look into a storage costs a page some milliseconds. */
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

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, "0");

/** An identifier that sorts by time: UUIDv7, RFC 9562 §5.7, with 72 random bits. */
const uuid7 = (): string => {
  const time = hex(Date.now(), 12);
  const random = Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => hex(byte, 2)).join("");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6)}`;
};

let waiting: Reported[] = [];

const here = (conversation: string | null, reports: Report[]): Reported => {
  const { view, session } = visit;
  return { view, session, page: location.href, conversation, reports };
};

/** Reports something that happened on the page. */
export const report = (type: string, fields: Record<string, unknown>, conversation: string | null): void => {
  waiting.push(here(conversation, [{ id: uuid7(), time: new Date().toISOString(), type, ...fields }]));
  void flush();
};

const send = async (reported: Reported, locale?: string): Promise<Told> => {
  const mine = reported.view === visit.view;
  const { token, cursor } = visit;
  const answer = await post<Told>("events", { ...reported, token, after: mine ? cursor : null, locale });
  // What an earlier load of the page could not deliver was told to it then.
  if (mine) told(answer);
  return answer;
};

/** Asks for what this page has not been told, and for the settings in another language if one is named. */
export const sync = (locale?: string): Promise<Told | void> => send(here(null, []), locale).catch(() => {});

/** While reports are under way: until they are delivered, or cannot be. */
export let flushing: Promise<void> | undefined;

const flush = (): Promise<void> => (flushing ||= deliver());

/** Delivers what waits, oldest first: what earlier loads of a page could not deliver, and then what this one reports. */
const deliver = async (): Promise<void> => {
  // Not before it is noted that this runs.
  await 0;
  for (let next: Reported | undefined; (next = keep().queue?.[0] || waiting[0]); ) {
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
