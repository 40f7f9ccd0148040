import { expect, test, heard } from "../fixtures";
import { makeSite } from "../support/site";
test("x", async ({ page, host, porchlight, widget }) => {
  const bad = (where: string): string => `<img src=x onerror="top.pwned=1;window.pwned=1">"'></textarea><script>pwned=1</script>&lt;b&gt;${where}`;
  const site = await makeSite(porchlight, [{ id: "talk", ui: "chatbot", type: "dialogue", typingDelay: 0, cards: [
            { id: "hello", card: "message", text: `${bad("hello")} [link](javascript:alert(1))` },
            { id: "ask", card: "question", text: bad("ask"), choices: [{ label: bad("choice"), value: bad("value").replaceAll(";", ",") }, { label: "Other" }] },
            { id: "wish", card: "capture", field: "text", attribute: "wish", text: "Wish?", label: bad("label") },
            { id: "end", card: "end", text: "**{{visitor.wish}}** {{page.url}}" },
  ] }]);
  page.on("response", async (r) => { if (r.url().includes("start")) console.log(r.status(), (await r.text()).slice(0, 3000)); });
  page.on("console", (m) => console.log(m.text()));
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await page.waitForTimeout(1500);
  console.log(await heard(page).types());
  await widget.launcher.click({ timeout: 3000 });
  await expect(widget.card).toBeVisible();
  for (const f of page.frames()) console.log(f.url(), f.parentFrame()?.url());
});
