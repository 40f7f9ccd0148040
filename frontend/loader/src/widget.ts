// The launcher and the panel around its iframe, in a shadow root: no style of the page reaches in, none of ours reaches out.

import css from "./widget.css";
import { type Conversation, type Settings, type Told, attributes, key, report, server, sync, told, visit } from "./server";

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
const BUBBLE = "M12 3.5c5 0 9 3.4 9 7.8s-4 7.8-9 7.8c-1 0-2-.1-2.9-.4L4.5 20.5l1-3.7C4 15.4 3 13.5 3 11.3c0-4.4 4-7.8 9-7.8Z";
const CROSS = "m6 6 12 12M18 6 6 18";

const create = <K extends keyof HTMLElementTagNameMap>(name: K, attributes: Record<string, string>, parent?: Node): HTMLElementTagNameMap[K] => {
  const element = document.createElement(name);
  for (const attribute in attributes) element.setAttribute(attribute, attributes[attribute]);
  parent?.appendChild(element);
  return element;
};

/** A button with an icon; built node by node, since a page's Trusted Types refuse markup in a string. */
const iconButton = (name: string, path: string, onclick: () => void): HTMLButtonElement => {
  const button = create("button", { type: "button", class: name });
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  icon.appendChild(document.createElementNS(icon.namespaceURI, "path")).setAttribute("d", path);
  button.appendChild(icon);
  button.onclick = onclick;
  return button;
};

/** Remembers over a load of the page whether the panel is open. */
const remember = (open: boolean): void => {
  try {
    if (open) sessionStorage.setItem(key + ":open", "1");
    else sessionStorage.removeItem(key + ":open");
  } catch {}
};

const wasOpen = (): boolean => {
  try {
    return !!sessionStorage.getItem(key + ":open");
  } catch {
    return false;
  }
};

/** Draws the widget of this page. Without a conversation there is no launcher, but the page may still open one by name. */
export const mount = (settings: Settings, offered: Conversation | null): Widget => {
  const host = create("div", { id: ELEMENT });
  const shadow = host.attachShadow({ mode: "open" });
  // A sheet made by script is not an inline style: the page's policy may forbid those.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  shadow.adoptedStyleSheets = [sheet];
  const launcher = iconButton("launcher", BUBBLE, () => toggle(true));
  const close = iconButton("close", CROSS, () => shut());
  const panel = create("div", { class: "panel", role: "dialog", hidden: "" });
  panel.append(close);
  shadow.append(panel, launcher);

  let frame: HTMLIFrameElement | undefined;
  let port: MessagePort | undefined;
  let conversation = offered?.id;
  let isOpen = false;

  const label = (): void => {
    host.dataset.corner = settings.corner;
    host.style.setProperty("--accent", settings.accent);
    host.style.setProperty("--on-accent", settings.onAccent);
    host.dir = settings.dir;
    panel.setAttribute("aria-label", settings.title);
    close.setAttribute("aria-label", settings.close);
    launcher.setAttribute("aria-label", isOpen ? settings.close : settings.label);
    launcher.setAttribute("aria-expanded", String(isOpen));
    (launcher.firstChild?.firstChild as Element).setAttribute("d", isOpen ? CROSS : BUBBLE);
  };

  const happened = (type: string, fields: Record<string, unknown> = {}): void =>
    report(type, { element: ELEMENT, widget: WIDGET, ...fields }, conversation || null);

  /** Posts the visitor's token into the iframe: it is never in an address, and the transcript arrives rendered. */
  const load = (): void => {
    port?.close();
    port = undefined;
    frame?.remove();
    frame = create("iframe", { title: settings.title, name: ELEMENT + visit.view }, panel);
    const form = create("form", { method: "post", action: server + "/widget/panel", target: frame.name, hidden: "" }, shadow);
    const { token, view, cursor } = visit;
    const { locale = navigator.language, theme = "auto" } = attributes;
    const fields = { token, view, after: String(cursor), page: location.href, conversation: conversation as string, locale, theme };
    for (const [name, value] of Object.entries(fields)) create("input", { type: "hidden", name, value }, form);
    form.submit();
    form.remove();
    // Each load may have brought events that no script in the panel could tell.
    frame.onload = () => void sync().catch(() => {});
  };

  const open = (focus: boolean, wanted?: string): void => {
    const other = wanted && wanted !== conversation;
    if (other) conversation = wanted;
    if (!conversation) {
      console.warn("Porchlight: no conversation is offered on this page");
      return;
    }
    isOpen = true;
    panel.hidden = false;
    host.hidden = false;
    if (!frame || other) load();
    label();
    remember(true);
    if (focus) {
      frame?.focus();
      port?.postMessage({ focus: true });
    }
  };

  const shut = (): void => {
    if (!isOpen) return;
    isOpen = false;
    panel.hidden = true;
    label();
    remember(false);
    launcher.focus();
    happened("conversation.closed");
  };

  const toggle = (clicked?: boolean): void => {
    if (isOpen) return shut();
    if (clicked) happened("widget.clicked", { kind: "Chat" });
    open(true);
  };

  const show = (): void => {
    if (isShown || !offered) return;
    isShown = true;
    host.hidden = false;
    happened("widget.shown");
  };

  const hide = (): void => {
    if (isOpen) shut();
    host.hidden = true;
    if (isShown) happened("widget.hidden");
    isShown = false;
  };

  const listen = ({ source, origin, data }: MessageEvent): void => {
    if (!frame || source !== frame.contentWindow || origin !== server || data?.porchlight !== "hello") return;
    const channel = new MessageChannel();
    port?.close();
    port = channel.port1;
    port.onmessage = ({ data }: MessageEvent<Told & { close?: boolean }>) => {
      if (data.close) shut();
      else told(data);
    };
    frame.contentWindow?.postMessage({ porchlight: "port" }, server, [channel.port2]);
    if (shadow.activeElement === frame) port.postMessage({ focus: true });
  };

  let isShown = false;
  host.hidden = true;
  panel.onkeydown = (event) => {
    if (event.key === "Escape") shut();
  };
  addEventListener("message", listen);
  label();
  document.body.appendChild(host);
  show();
  if (wasOpen() && conversation) open(false);

  return {
    open,
    close: shut,
    toggle,
    show,
    hide,
    setTheme: () => port?.postMessage({ theme: attributes.theme }),
    setLocale: () =>
      void sync(attributes.locale).then((answer) => {
        Object.assign(settings, answer.settings);
        label();
        if (frame) load();
      }),
    remove: () => {
      removeEventListener("message", listen);
      port?.close();
      host.remove();
    },
  };
};
