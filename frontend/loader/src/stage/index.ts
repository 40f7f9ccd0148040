// What the host page pays for once its visitor may want it: the panel, popups, inline conversations, and what announces them.
// The core lends what it has; nothing but that interface lies between the two.

import { style } from "../dom";
import type { Core, Stage } from "../types";
import { frames as makeFrames } from "./frames";
import { inlines } from "./inline";
import { menu as makeMenu } from "./menu";
import { panel as makePanel } from "./panel";
import { poke as makePoke } from "./poke";
import { popup as makePopup } from "./popup";
import { PANEL, POPUP, session as makeSession } from "./session";
import css from "./stage.css";
import { arm } from "./triggers";

export default (core: Core): Stage => {
  const { on, shadow, state, visit } = core;
  style(shadow, css);
  const session = makeSession(core);
  const frames = makeFrames(core);
  const panel = makePanel(core, frames, session);
  const popup = makePopup(core, frames, session);
  const inline = inlines(core, frames);
  const poke = makePoke(core, session);
  const launcher = shadow.querySelector("button") as HTMLButtonElement;
  let disarm: (forget?: boolean) => void = () => {};

  const openPanel = (focus: boolean, conversation?: string): void => {
    disarm();
    panel.open(focus, conversation);
    if (state.expanded) poke.done();
  };

  const open = (options?: { conversation?: string }): void => {
    const { conversation: offered } = visit;
    if (options?.conversation || state.conversation || offered?.uiType !== POPUP) return openPanel(true, options?.conversation);
    disarm();
    popup.open(offered.id, true);
  };

  const menu = makeMenu(core, ({ conversation }) => (conversation ? popup.open(conversation, true, true) : open()));

  const close = (): void => (popup.isOpen() ? popup : panel).shut();

  const stopListening = on("message.received", () => {
    if (!state.expanded && !popup.isOpen()) poke.count();
  });

  /** What was open before the page was loaded again is open. */
  const reopen = (): void => {
    const [what, conversation] = session.open();
    if (what === PANEL && !state.expanded && state.conversation) openPanel(false);
    if (what === POPUP && !popup.isOpen()) popup.open(conversation);
  };

  /** What is offered shows itself when its moment is there. */
  const wait = (): void => {
    const { conversation: offered } = visit;
    if (!offered || popup.isOpen()) return;
    const { id, goesOn, uiType } = offered;
    const trigger = goesOn ? null : offered.trigger;
    if (uiType !== POPUP) {
      if (launcher.hidden) disarm = arm(core, trigger, (clicked) => (clicked ? openPanel(true) : core.show()));
    } else if (!popup.wasShut(id)) disarm = arm(core, trigger, (clicked) => popup.isOpen() || popup.open(id, clicked));
  };

  return {
    begun: () => {
      disarm();
      frames.setTheme();
      frames.refresh();
      panel.label();
      popup.label();
      inline.find();
      reopen();
      // What an agent says is heard on every page of the chat.
      if (visit.live) panel.bring();
      wait();
      poke.look();
    },
    shown: poke.look,
    open,
    menu: menu.open,
    close,
    toggle: () => (popup.isOpen() || state.expanded ? close() : open()),
    hide: () => {
      menu.shut();
      popup.shut(false);
      panel.shut(false);
      poke.look();
    },
    start: (conversation) => {
      if (!conversation) console.warn("Porchlight: no conversation");
      else if (!inline.focus(conversation)) popup.open(conversation, true, true);
    },
    setTheme: frames.setTheme,
    remove: () => {
      disarm(true);
      menu.shut();
      stopListening();
      frames.remove();
      inline.remove();
    },
  };
};
