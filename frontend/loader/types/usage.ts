// Not shipped: shows the compiler that pages can be written against the types as the guides write them.

import type { AdobeDXEvent, CTLiveMessage, PorchlightEvent, PorchlightLayerEntry } from "../../dist/porchlight";

window.addEventListener("adobedx.conversations.ready", () => {
  const { addListener, Enum } = window.AdobeDX;
  const remove: () => void = addListener(Enum.Events.CONVERSATION_ENGAGED, (event: AdobeDXEvent) => {
    const { name, id, type, uiType, sid }: Record<string, unknown> = event.data.payload;
    console.log(name, id, type, uiType, sid);
  });
  remove();
});

window.addEventListener("adobedx.conversations.triggered", (event) => event.detail.data.payload.sid);

const stop: () => void = window.Porchlight.on("widget.clicked", (event) => event.data.kind === "Chat");
window.Porchlight.on("*", (event: PorchlightEvent) => event.seq);
window.Porchlight.push(["open", { conversation: "welcome" }], ["setTheme", "dark"], ["reset"], ["on", "*", (event: PorchlightEvent) => event.seq]);
window.Porchlight.push(["start", "demo-request"], ["identify", { id: "4711", email: "ada@example.com", hash: "9f86d081" }], ["consent", true]);
window.Porchlight.start("demo-request");
window.Porchlight.identify({ email: "ada@example.com", name: "Ada Lovelace", hash: "9f86d081" });
window.Porchlight.consent(false);
void window.Porchlight.ready.then(stop);

window.addEventListener("message", ({ data }: MessageEvent<CTLiveMessage>) => data.name === "CTLiveEvent" && data.type === "WidgetShown");

const { dataLayer } = window as unknown as { dataLayer: PorchlightLayerEntry<"goal.reached">[] };
dataLayer.filter(({ event }) => event === "goal.reached").map(({ porchlight }) => porchlight.data.goal);

// @ts-expect-error: there is no such event
window.Porchlight.on("conversation.opened", () => {});
// @ts-expect-error: there is no such theme
window.Porchlight.setTheme("blue");
// @ts-expect-error: nobody is who they are without a proof
window.Porchlight.identify({ email: "ada@example.com" });
// @ts-expect-error: a flow has an id
window.Porchlight.push(["start"]);
