// The launcher, in a shadow root: no style of the page reaches in, none of ours reaches out. What it opens is on the stage, which
// is brought when it is needed.

import css from "./launcher.css";
import { attributes, server } from "./attributes";
import { create, places, style } from "./dom";
import { on } from "./listeners";
import { keep, key, report, reported, sync, told, visit, wasOpen } from "./server";
import type { Core, Settings, Stage, State } from "./types";

/** The stage's file; written by build.mjs. */
declare const STAGE: string;

export interface Widget {
  /** The server has said, for the first time or anew, what is offered here. */
  begun(): void;
  show(): void;
  hide(): void;
  /** Has the stage do something, if it is there; `bring` makes it come. */
  ask(name: keyof Stage, bring?: boolean, ...args: unknown[]): Promise<void>;
  remove(): void;
}

const ELEMENT = "porchlight";
const WIDGET = { element: ELEMENT, widget: "launcher" };

// A browser may remember that a module could not be loaded: it is asked for under another name then.
let again = "";

/** Draws the widget of this page. Without a conversation there is no launcher, but the page may still open one by name. */
export const mount = (): Widget => {
  const host = create("div", { id: ELEMENT });
  const shadow = host.attachShadow({ mode: "open" });
  style(shadow, css);
  const bring = (): Promise<Stage | void> =>
    (stage ||= import(server + "/assets/" + STAGE + again).then(
      (module) => module.default(core),
      // The browser says why it is not there.
      () => {
        stage = undefined;
        again += "?";
      },
    ));
  const click = async (): Promise<void> => {
    // Not toggled: a second click, made before the stage was there, must not undo the first.
    if (state.expanded) return ask("close");
    if (visit.contacts) return ask("menu", true);
    happened("widget.clicked", { kind: "Chat" });
    await ask("open", true);
  };
  const launcher = create("button", { type: "button", hidden: true, onclick: click, onfocus: bring, onpointerenter: bring }, shadow);
  // For the eye: the launcher's name says it to everybody else.
  const text = create("span", { ariaHidden: "true" }, launcher);

  const state: State = { conversation: null, expanded: false, unread: false };
  let stage: Promise<Stage | void> | undefined;
  /** The page has hidden the launcher. */
  let hidden = false;

  const ask = async (name: keyof Stage, needed?: boolean, ...args: unknown[]): Promise<void> => {
    const there = await (needed ? bring() : stage);
    if (there && host.isConnected) (there[name] as (...args: unknown[]) => void)(...args);
  };

  const happened = (type: string, fields?: Record<string, unknown>): void => report(type, { ...WIDGET, ...fields }, state.conversation);

  const draw = (): void => {
    const { settings } = visit;
    const { expanded, unread } = state;
    const written = (!expanded && settings.text) || "";
    for (const name in settings) host.style.setProperty("--" + name, settings[name as keyof Settings] as string);
    // So "--end: 20px" or "--start: 20px".
    host.style.setProperty("--" + settings.corner, settings.x + "px");
    host.dir = settings.dir;
    text.textContent = written;
    launcher.className = written ? "launcher pill" : "launcher";
    launcher.ariaLabel = expanded ? settings.close : (written || settings.label) + (unread ? ", " + settings.unread : "");
    launcher.ariaExpanded = String(expanded);
  };

  const show = (anyway?: boolean): void => {
    if (anyway) hidden = false;
    if (hidden || !launcher.hidden || !(state.conversation || visit.contacts)) return;
    launcher.hidden = false;
    happened("widget.shown");
    void ask("shown");
  };

  const vanish = (): void => {
    if (!launcher.hidden) happened("widget.hidden");
    launcher.hidden = true;
  };

  const core: Core = { on, attributes, visit, state, shadow, draw, show, keep, report, reported, told, sync };
  // Not into the body, where it would be the last child of all that a page's style says of one.
  document.documentElement.appendChild(host);

  return {
    begun: () => {
      const { conversation: offered } = visit;
      const chatbot = offered && offered.uiType !== "popup" ? offered.id : null;
      const waits = offered?.trigger && offered.trigger.on !== "load" && !offered.goesOn;
      // A panel that is open stays.
      if (!state.expanded && (state.conversation !== chatbot || !(chatbot || visit.contacts))) {
        vanish();
        state.conversation = chatbot;
      }
      draw();
      if (!waits) show();
      const needed = stage || visit.live || wasOpen() || places().length || (offered && (waits || offered.poke || !chatbot));
      if (needed) void ask("begun", true);
    },
    show: () => show(true),
    hide: () => {
      hidden = true;
      vanish();
      void ask("hide");
    },
    ask,
    remove: () => {
      host.remove();
      void stage?.then((stage) => stage?.remove());
    },
  };
};
