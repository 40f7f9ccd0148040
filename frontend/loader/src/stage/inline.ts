// Conversations that stand in the page, in elements of its own.

import { attempt, create, places, style, wanted } from "../dom";
import type { Core } from "../types";
import type { Frame, Frames } from "./frames";
import css from "./stage.css";

/** How far below or above the window a conversation is loaded, in px. */
const NEAR = 300;
const [LOWEST, HIGHEST] = [120, 4000];

interface Inline {
  conversation: string;
  /** Loads it, if that is not done, and takes the focus there. */
  focus(): void;
  /** Leaves the element as the page wrote it. */
  remove(): void;
}

export interface Inlines {
  /** Mounts what has come to the page, and lets go of what has left it. */
  find(): void;
  /** Goes to the element of a conversation, if there is one. */
  focus(conversation: string): boolean;
  remove(): void;
}

/** A shadow root cannot be taken away: the next time it is used again. */
const roots = new WeakMap<Element, ShadowRoot>();
const warned = new WeakSet<Element>();
let made = 0;

export const inlines = (core: Core, frames: Frames): Inlines => {
  const mounted = new Map<HTMLElement, Inline>();

  const mount = (element: HTMLElement, conversation: string): Inline | undefined => {
    const root = roots.get(element) || attempt(() => element.attachShadow({ mode: "open" }));
    if (!root) return;
    if (!roots.has(element)) style(root, css);
    roots.set(element, root);
    root.replaceChildren();
    element.id ||= "porchlight-inline-" + ++made;
    const box = create("div", { className: "inline" }, root);
    box.style.setProperty("--radius", String(core.visit.settings.radius));
    let frame: Frame | undefined;
    let isShown = false;

    const height = (px: number): void => {
      box.classList.add("told");
      box.style.height = Math.min(Math.max(px, LOWEST), HIGHEST) + "px";
    };
    const load = (): Frame => (frame ||= frames.make(box, conversation, { height }));
    const happened = (type: string): void => core.report(type, { element: element.id, widget: conversation }, conversation);
    /** Does something once: when the box comes as near to the window as `rootMargin`, and by `threshold` into it. */
    const when = (action: () => void, options: IntersectionObserverInit): IntersectionObserver => {
      const observer = new IntersectionObserver((entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        observer.disconnect();
        action();
      }, options);
      observer.observe(box);
      return observer;
    };
    const show = (): void => {
      isShown = true;
      happened("widget.shown");
    };
    // Touching the window's edge is not being visible. Where both are so at once, it is shown first.
    const observers = [when(show, { threshold: 0.01 }), when(load, { rootMargin: NEAR + "px" })];

    return {
      conversation,
      focus: () => {
        box.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth" });
        load().focus();
      },
      remove: () => {
        for (const observer of observers) observer.disconnect();
        frame?.remove();
        mounted.delete(element);
        root.replaceChildren(create("slot", {}));
        if (isShown) happened("widget.hidden");
      },
    };
  };

  const find = (): void => {
    const elements = places();
    for (const [element, inline] of mounted) if (!elements.includes(element) || wanted(element) !== inline.conversation) inline.remove();
    for (const element of elements) {
      if (mounted.has(element)) continue;
      const conversation = wanted(element);
      const isThere = core.visit.placed[conversation];
      const inline = isThere && mount(element, conversation);
      if (inline) mounted.set(element, inline);
      else if (!warned.has(element)) {
        warned.add(element);
        console.warn(`Porchlight: ${isThere ? "no shadow root for" : "no inline conversation"} "${conversation}"`, element);
      }
    }
  };

  return {
    find,
    focus: (conversation) => {
      const inline = [...mounted.values()].find((inline) => inline.conversation === conversation);
      inline?.focus();
      return !!inline;
    },
    remove: () => mounted.forEach((inline) => inline.remove()),
  };
};
