// The iframes that panels are loaded into, and the ports to their scripts. See docs/widget-protocol.md.

import { create } from "../dom";
import type { Core, Told } from "../types";
import { type Tabs, tabs } from "./tabs";

export interface Frame {
  readonly conversation: string;
  /** Whether its panel speaks: without script it never does, and it may not have come at all. */
  speaks(): boolean;
  focus(): void;
  remove(): void;
}

/** What a panel may say besides what an answer brought. */
interface Heard {
  /** Escape was pressed in it. */
  close?(): void;
  /** How high its content is, in px. */
  height?(px: number): void;
}

export interface Frames {
  /** Loads a conversation into an iframe in `parent`; with `anew`, one that has ended begins again. */
  make(parent: Element, conversation: string, heard: Heard, anew?: boolean): Frame;
  /** Loads those again that are another visitor's by now, or in another language, and tells the others which page this is. */
  refresh(): void;
  setTheme(): void;
  remove(): void;
}

interface Inner extends Frame {
  readonly number: number;
  /** Loads it again if its port cannot be asked for what is new. */
  refresh(): void;
  reload(): void;
  setTheme(): void;
  greet(source: MessageEventSource | null): void;
}

/** Where the stage came from is where the panels are. */
const server = new URL(import.meta.url).origin;

export const frames = (core: Core): Frames => {
  const { attributes, visit } = core;
  const all = new Set<Inner>();
  let inStep: Tabs | undefined;
  let loads = 0;

  const locale = (): string => attributes.locale || navigator.language;
  const theme = (): string => attributes.theme || visit.settings.mode;
  /** Whom a panel was loaded for, and in which language. */
  const stamp = (): string => visit.visitor + locale();

  const greet = ({ source, origin, data }: MessageEvent): void => {
    if (origin === server && data?.porchlight === "hello") for (const frame of all) frame.greet(source);
  };
  /** Elsewhere: in another tab, or in another frame of this one. */
  const wentOn = (conversation: string, where?: Frame): void => {
    for (const frame of all) if (frame.conversation === conversation && frame !== where) frame.refresh();
  };

  const make = (parent: Element, conversation: string, heard: Heard, anew?: boolean): Frame => {
    inStep ||= tabs("porchlight:" + attributes.site, wentOn);
    let element: HTMLIFrameElement | undefined;
    let port: MessagePort | undefined;
    let loadedFor: string;
    let number = 1;
    // Who cannot see them tells them apart by their titles.
    while ([...all].some((frame) => frame.number === number)) number += 1;

    /** Posts the visitor's token into the iframe: it is never in an address, and the transcript arrives rendered. */
    const load = async (): Promise<void> => {
      unload();
      loadedFor = stamp();
      const title = visit.settings.title + (number > 1 ? " " + number : "");
      const mine = (element = create("iframe", { title, name: "porchlight" + visit.view + ++loads }, parent));
      // The server hears first that the widget was shown, and then that the panel opens.
      await core.reported();
      if (mine !== element) return;
      const form = create("form", { method: "post", action: server + "/widget/panel", target: mine.name }, parent);
      const { token, view, cursor } = visit;
      const fields = { token, view, after: String(cursor), page: location.href, conversation, locale: locale(), theme: theme(), zone: Intl.DateTimeFormat().resolvedOptions().timeZone };
      for (const [name, value] of Object.entries(fields)) create("input", { type: "hidden", name, value }, form);
      if (anew) create("input", { type: "hidden", name: "anew", value: "true" }, form);
      anew = false;
      form.submit();
      form.remove();
      // Each load may have brought events that no script in the panel could tell. After the first the visitor has answered in it.
      let answered = false;
      mine.onload = () => {
        void core.sync();
        if (answered && !port) wentOnHere();
        answered = true;
      };
    };

    const wentOnHere = (): void => {
      inStep?.tell(conversation);
      wentOn(conversation, frame);
    };

    const unload = (): void => {
      port?.close();
      element?.remove();
      port = element = undefined;
    };

    const listen = ({ data }: MessageEvent<Told & { close?: boolean; height?: number; refreshed?: boolean }>): void => {
      if (data.close) heard.close?.();
      else if (data.height) heard.height?.(data.height);
      else if (data.events) {
        core.told(data);
        // What came from elsewhere is known there.
        if (!data.refreshed) wentOnHere();
      }
    };

    const frame: Inner = {
      conversation,
      number,
      speaks: () => !!port,
      focus: () => {
        element?.focus({ preventScroll: true });
        port?.postMessage({ focus: true });
      },
      refresh: () => {
        if (port) port.postMessage({ refresh: true });
        else void load();
      },
      reload: () => {
        if (loadedFor !== stamp()) void load();
        // What the visitor answers from now on, they answer on this page.
        else port?.postMessage({ page: location.href });
      },
      setTheme: () => port?.postMessage({ theme: theme() }),
      greet: (source) => {
        if (!element || source !== element.contentWindow) return;
        const { port1, port2 } = new MessageChannel();
        port = port1;
        port.onmessage = listen;
        element.contentWindow?.postMessage({ porchlight: "port" }, server, [port2]);
        if ((element.getRootNode() as ShadowRoot).activeElement === element) port.postMessage({ focus: true });
      },
      remove: () => {
        unload();
        all.delete(frame);
      },
    };
    all.add(frame);
    void load();
    return frame;
  };

  const setTheme = (): void => {
    (core.shadow.host as HTMLElement).style.setProperty("--scheme", theme() === "auto" ? "light dark" : theme());
    for (const frame of all) frame.setTheme();
  };

  addEventListener("message", greet);
  setTheme();
  return {
    make,
    refresh: () => all.forEach((frame) => frame.reload()),
    setTheme,
    remove: () => {
      removeEventListener("message", greet);
      for (const frame of all) frame.remove();
      inStep?.remove();
    },
  };
};
