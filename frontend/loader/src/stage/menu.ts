// The ways of contact that the launcher offers, where there are several: to chat, to be called, to call.

import { create } from "../dom";
import type { Contact, Core } from "../types";

const LAUNCHER = { element: "porchlight", widget: "launcher" };

export interface Menu {
  isOpen(): boolean;
  /** Opens it, or does the one thing it could offer. */
  open(): void;
  shut(focus?: boolean): void;
}

export const menu = (core: Core, start: (contact: Contact) => void): Menu => {
  const { report, shadow, state, visit } = core;
  const launcher = shadow.querySelector("button") as HTMLButtonElement;
  let card: HTMLElement | undefined;

  const choose = (contact: Contact): void => {
    // The launcher has the focus, so that it comes back to it when what opens now is put away.
    shut(true);
    report("widget.clicked", { ...LAUNCHER, kind: contact.kind }, contact.conversation || state.conversation);
    start(contact);
  };

  const shut = (focus?: boolean): void => {
    if (!card) return;
    card.remove();
    card = undefined;
    launcher.ariaExpanded = "false";
    removeEventListener("pointerdown", outside, true);
    if (focus) launcher.focus();
  };

  /** A press beside it puts it away; one on the launcher is the launcher's own business. */
  const outside = (event: Event): void => {
    if (!event.composedPath().includes(shadow)) shut();
  };

  const open = (): void => {
    const { contacts = [], settings } = visit;
    if (card) return shut(true);
    if (contacts.length < 2) return contacts.forEach(choose);
    card = create("div", {
      className: "menu",
      onkeydown: (event) => {
        const items = [...card!.querySelectorAll("button")];
        const at = items.indexOf(shadow.activeElement as HTMLButtonElement);
        const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
        if (event.key === "Escape") shut(true);
        else if (to !== undefined) items.at(to % items.length)?.focus();
        else return;
        event.preventDefault();
        event.stopPropagation();
      },
    });
    card.setAttribute("role", "group");
    card.ariaLabel = settings.menu || settings.label;
    for (const contact of contacts) {
      create("button", { type: "button", className: "way", dir: "auto", textContent: contact.label, onclick: () => choose(contact) }, card).dataset.kind = contact.kind;
    }
    // Before the launcher, so that Tab leads from one to the other.
    launcher.before(card);
    launcher.ariaExpanded = "true";
    card.querySelector("button")?.focus();
    addEventListener("pointerdown", outside, true);
  };

  return { isOpen: () => !!card, open, shut };
};
