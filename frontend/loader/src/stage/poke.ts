// A line beside the launcher that speaks to the visitor first, and the mark on the launcher that it is unread.

import { create } from "../dom";
import type { Core } from "../types";
import type { Session } from "./session";

/** How long the launcher stands alone, in ms. */
const AFTER = 2000;

export interface Poke {
  /** Comes, stays or goes, as it ought to by now. */
  look(): void;
  /** Something was said while nobody looked. */
  count(): void;
  /** The visitor has seen to it: it does not come again in this tab. */
  done(): void;
}

export const poke = (core: Core, session: Session): Poke => {
  const { shadow, state, visit } = core;
  const launcher = shadow.querySelector("button") as HTMLButtonElement;
  const badge = create("span", { className: "badge", textContent: "1", ariaHidden: "true" });
  let card: HTMLElement | undefined;
  /** What the card says, and of which conversation. */
  let [text, id] = ["", ""];
  let timer: number;

  const mark = (unread: boolean): void => {
    state.unread = unread;
    if (unread) launcher.append(badge);
    else badge.remove();
    core.draw();
  };

  let said = 0;

  const count = (): void => {
    badge.textContent = String(++said);
    mark(true);
  };

  const end = (): void => {
    clearTimeout(timer);
    card?.remove();
    card = undefined;
    text = "";
    mark(false);
  };

  const done = (): void => {
    if (visit.conversation) session.add("answered " + visit.conversation.id);
    const focused = card?.contains(shadow.activeElement);
    look();
    if (focused) launcher.focus();
  };

  const look = (): void => {
    const { conversation: offered } = visit;
    // Who is in mid-conversation need not be spoken to.
    const due = offered && offered.id === state.conversation && !offered.goesOn && !session.has("answered " + offered.id);
    if (state.expanded && said) {
      said = 0;
      badge.textContent = "1";
      mark(false);
    }
    const says = (due && !launcher.hidden && !state.expanded && offered.poke) || "";
    if (says === text && (!says || id === offered?.id)) return;
    end();
    if (!offered || !says) return;
    [text, id] = [says, offered.id];
    card = create("div", { className: "poke" });
    launcher.after(card);
    // There before it says something, so that it is read out when it does.
    const region = create("div", {}, card);
    region.setAttribute("role", "status");
    // Ignored on an earlier page, it is unread still.
    if (session.has("said " + id)) mark(true);
    timer = setTimeout(() => {
      if (!card) return;
      card.classList.add("on");
      // It is the launcher that speaks: a click is a click on it.
      create("button", { type: "button", className: "say", dir: "auto", textContent: says, onclick: () => launcher.click() }, region);
      create("button", { type: "button", className: "dismiss", ariaLabel: visit.settings.dismiss, onclick: done }, card);
      session.add("said " + id);
      mark(true);
    }, AFTER);
  };

  return { look, count, done };
};
