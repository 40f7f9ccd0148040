// The launcher and the panel around its iframe, in a shadow root: no style of the page reaches in, none of ours reaches out.

import css from "./widget.css";
import { type Conversation, type Settings, type Told, attributes, flushing, report, server, remember, sync, told, visit, wasOpen } from "./server";

export interface Widget {
  open(focus: boolean, conversation?: string): void;
  close(): void;
  toggle(): void;
  show(): void;
  hide(): void;
  setTheme(): void;
  setLocale(): void;
  remove(): void;
}

const ELEMENT = "porchlight";
const WIDGET = "launcher";

const create = <K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]>,
  parent?: Node,
): HTMLElementTagNameMap[K] => {
  const element = Object.assign(document.createElement(name), properties);
  parent?.appendChild(element);
  return element;
};

/** Draws the widget of this page. Without a conversation there is no launcher, but the page may still open one by name. */
export const mount = (settings: Settings, offered: Conversation | null): Widget => {
  const host = create("div", { id: ELEMENT });
  const shadow = host.attachShadow({ mode: "open" });
  // A sheet made by script is not an inline style: the page's policy may forbid those.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  shadow.adoptedStyleSheets = [sheet];
  const panel = create("dialog", {}, shadow);
  const close = create("button", { type: "button", className: "close", onclick: () => shut() }, panel);
  const launcher = create("button", { type: "button", className: "launcher", onclick: () => toggle(true) }, shadow);

  let frame: HTMLIFrameElement | undefined;
  let port: MessagePort | undefined;
  let conversation = offered?.id;
  let isOpen = false;
  let isShown = false;

  const label = (): void => {
    host.dataset.corner = settings.corner;
    host.style.setProperty("--accent", settings.accent);
    host.style.setProperty("--on-accent", settings.onAccent);
    host.dir = settings.dir;
    panel.ariaLabel = settings.title;
    close.ariaLabel = settings.close;
    launcher.ariaLabel = isOpen ? settings.close : settings.label;
    launcher.ariaExpanded = String(isOpen);
  };

  const happened = (type: string, fields: Record<string, unknown> = {}): void =>
    report(type, { element: ELEMENT, widget: WIDGET, ...fields }, conversation || null);

  /** Posts the visitor's token into the iframe: it is never in an address, and the transcript arrives rendered. */
  const load = async (): Promise<void> => {
    port = undefined;
    frame?.remove();
    frame = create("iframe", { title: settings.title, name: ELEMENT + visit.view }, panel);
    const form = create("form", { method: "post", action: server + "/widget/panel", target: frame.name }, shadow);
    const { token, view, cursor } = visit;
    const { locale = navigator.language, theme = "auto" } = attributes;
    const fields = { token, view, after: String(cursor), page: location.href, conversation: conversation as string, locale, theme };
    for (const [name, value] of Object.entries(fields)) create("input", { name, value }, form);
    // The server hears first that the launcher was shown, and then that the panel opens.
    await flushing;
    form.submit();
    form.remove();
    // Each load may have brought events that no script in the panel could tell.
    frame.onload = () => void sync();
  };

  const open = (focus: boolean, wanted?: string): void => {
    // A panel that does not speak may not have come: it is asked for again. (Without script it never speaks.)
    const again = !isOpen && !port;
    const next = wanted || (again && offered?.id) || conversation;
    if (!next) {
      console.warn("Porchlight: no conversation");
      return;
    }
    const other = next !== conversation;
    conversation = next;
    if (!isOpen) {
      isOpen = true;
      // Where the panel covers the page, the focus must not go behind it.
      if (innerWidth < 481) panel.showModal();
      else panel.open = true;
    }
    show();
    if (again || other) void load();
    label();
    remember("1");
    if (focus) {
      frame?.focus();
      port?.postMessage({ focus: true });
    }
  };

  const shut = (byVisitor = true): void => {
    if (!isOpen) return;
    isOpen = false;
    // The focus comes back from within the panel, and is nobody else's to take.
    const focused = shadow.activeElement;
    panel.close();
    label();
    remember("");
    if (focused) launcher.focus();
    if (byVisitor) happened("conversation.closed");
  };

  const toggle = (clicked?: boolean): void => {
    if (isOpen) return shut();
    open(true);
    if (clicked) happened("widget.clicked", { kind: "Chat" });
  };

  const show = (): void => {
    if (isShown || !conversation) return;
    isShown = true;
    host.hidden = false;
    happened("widget.shown");
  };

  const hide = (): void => {
    shut(false);
    host.hidden = true;
    if (isShown) happened("widget.hidden");
    isShown = false;
  };

  const listen = ({ source, origin, data }: MessageEvent): void => {
    if (!frame || source !== frame.contentWindow || origin !== server || data?.porchlight !== "hello") return;
    const { port1, port2 } = new MessageChannel();
    port = port1;
    port.onmessage = ({ data }: MessageEvent<Told & { close?: boolean }>) => (data.close ? shut() : told(data));
    frame.contentWindow?.postMessage({ porchlight: "port" }, server, [port2]);
    if (shadow.activeElement === frame) port.postMessage({ focus: true });
  };

  host.hidden = true;
  panel.oncancel = () => shut();
  panel.onkeydown = ({ key }) => {
    if (key === "Escape") shut();
  };
  addEventListener("message", listen);
  label();
  // Not into the body, where it would be the last child of all that a page's style says of one.
  document.documentElement.appendChild(host);
  show();
  if (wasOpen() && conversation) open(false);

  return {
    open,
    close: () => shut(),
    toggle,
    show,
    hide,
    setTheme: () => port?.postMessage({ theme: attributes.theme }),
    setLocale: () =>
      void sync(attributes.locale).then((answer) => {
        Object.assign(settings, answer?.settings);
        label();
        if (frame) void load();
      }),
    remove: () => {
      removeEventListener("message", listen);
      host.remove();
    },
  };
};
