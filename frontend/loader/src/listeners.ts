// Who is told of an event: Porchlight's own listeners, Adobe's, CTLive's, and the page's analytics. Which event is told where, and with
// which fields, is in the tables that are generated from the server's catalogue.

import { adobe, ctlive, shapes } from "./catalogue";
import { attributes, server } from "./attributes";

/** The analytics' file; written by build.mjs. */
declare const ANALYTICS: string;

export interface Envelope {
  id: string;
  type: string;
  seq: number | null;
  time: string;
  site: string;
  visitor: string;
  session: string;
  conversation: string | null;
  page: string;
  data: Record<string, unknown>;
}

type Listener = (event: never) => void;

const listeners = new Map<string, Set<Listener>>();

/** Adds a listener; the function it returns removes it. */
export const on = (key: string, listener: Listener): (() => void) => {
  let set = listeners.get(key);
  if (!set) listeners.set(key, (set = new Set()));
  set.add(listener);
  return () => void set.delete(listener);
};

/** Calls the listeners; one that throws reaches the page's error handler, and neither the widget nor the next listener. */
const call = (key: string, event: unknown): void => {
  for (const listener of [...(listeners.get(key) || [])]) {
    try {
      listener(event as never);
    } catch (error) {
      reportError(error);
    }
  }
};

/** Picks fields by a list of target=source; where both are the same it stands there once. */
const pick = (from: Record<string, unknown>, shape: string): Record<string, unknown> => {
  const picked: Record<string, unknown> = {};
  for (const pair of shapes[shape as unknown as number].split(" ")) {
    const [target, source = target] = pair.split("=");
    picked[target] = from[source] ?? null;
  }
  return picked;
};

/** An event's name in Enum.Events, and the list of its payload's fields. Most names are the type's in other letters. */
const adobeOf = (type: string): [name: string, shape: string] => {
  const [shape, name = type.replace("conversation.", "").replace("chat.", "_chat_").replace(".", "_").toUpperCase()] = adobe[type].split(" ");
  return ["CONVERSATION_" + name, shape];
};

let resolveReady: () => void;
const names: Record<string, string> = {};
for (const type in adobe) {
  const [name] = adobeOf(type);
  names[name] = name;
}

export const AdobeDX = {
  Enum: { Events: names },
  ready: new Promise<void>((resolve) => (resolveReady = resolve)),
  addListener: (name: string, listener: Listener): (() => void) => on("!" + name, listener),
  removeListener: (name: string, listener: Listener): void => void listeners.get("!" + name)?.delete(listener),
};

const dispatch = (name: string, detail?: unknown): void => void dispatchEvent(new CustomEvent("adobedx.conversations." + name, { detail }));

/** What analytics are told, if the tag names any: kept until the part that tells them has come, which takes over `push`. */
const measured: Envelope[] | false = (attributes.layer ?? attributes.analytics) != null && [];

/** Tells the page, once, that all is there. */
export let ready = (): void => {
  ready = () => {};
  // The browser says why it is not there.
  if (measured) import(server + "/assets/" + ANALYTICS).then((part) => part.default(measured, attributes), () => {});
  resolveReady();
  dispatch("ready");
};

/** Tells the page an event. */
export const tell = (event: Envelope): void => {
  const { type } = event;
  const flat = { ...event, ...event.data };
  call(type, event);
  call("*", event);
  if (adobe[type]) {
    const [name, shape] = adobeOf(type);
    const told = { type: name, data: { payload: pick(flat, shape) } };
    call("!" + name, told);
    if (type === "conversation.triggered") dispatch("triggered", told);
  }
  if (ctlive[type]) {
    const [name, shape, onlyIf] = ctlive[type].split(" ");
    // The page's own origin goes by "/", also where it has none that could be named (a file).
    if (!onlyIf || (flat as Record<string, unknown>)[onlyIf]) postMessage({ name: "CTLiveEvent", type: name, object: pick(flat, shape) }, "/");
  }
  if (measured) measured.push(event);
};
