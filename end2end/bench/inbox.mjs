// How soon an agent has a long list of past chats before them: the list, its end, and what they search for.

import { makeSite } from "./site.mjs";
import { figure, median, milliseconds, number } from "./table.mjs";

const SITE = "inbox";
const CHATS = 10_000;
const AT_ONCE = 40;
const RUNS = 9;
const NEEDLE = "left-7777@example.com";

const TALK = {
  id: "talk",
  cards: [
    { id: "agent", card: "liveChat", fallbackText: "Nobody is there." },
    { id: "mail", card: "capture", field: "email", text: "Your address?" },
    { id: "end", card: "end", text: "Thank you." },
  ],
};

/** A visitor asks for an agent when nobody is there, and leaves an address. */
async function leave(server, number) {
  const page = "http://localhost:1/";
  const send = async (path, body, headers = {}) => {
    const answer = await fetch(server.address + path, { method: "POST", headers: { origin: "http://localhost:1", ...headers }, body });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  const { token, view } = await (await send("/widget/v1/start", JSON.stringify({ site: SITE, page, locale: "en" }))).json();
  const fields = { token, view, after: "0", page, conversation: "talk", locale: "en", theme: "auto" };
  const html = await (await send("/widget/panel", new URLSearchParams(fields))).text();
  const hidden = Object.fromEntries([...html.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  const answer = new URLSearchParams({ ...hidden, value: `left-${number}@example.com` });
  await send("/widget/v1/answers", answer, { accept: "application/json", origin: server.address });
}

export async function inbox({ browser, server, say }) {
  await makeSite(server, SITE, [TALK]);
  for (let made = 0; made < CHATS; made += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => leave(server, made + index)));
    if ((made + AT_ONCE) % 2000 === 0) say(`${made + AT_ONCE} chats`);
  }
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto(`${server.address}/console/sign-in`);
  await page.getByLabel("E-mail").fill("ada@example.com");
  await page.getByLabel("Password").fill("porchlight-demo");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator(".dot.on").first().waitFor();
  const rows = page.locator(".rows .row");
  const timed = async (act, there) => {
    const started = performance.now();
    await act();
    await there();
    return performance.now() - started;
  };
  const [opened, found, ended] = [[], [], []];
  let drawn = 0;
  for (let run = 0; run < RUNS; run++) {
    await page.getByRole("button", { name: "All" }).click();
    await rows.first().waitFor({ state: "detached" });
    opened.push(await timed(() => page.getByRole("button", { name: "Missed" }).click(), () => rows.first().waitFor()));
    // As fast as a hand can pull it, ten pages down.
    ended.push(
      await timed(
        async () => {
          for (let step = 0; step < 20; step++) {
            await page.locator(".rows").evaluate((list) => list.scrollBy(0, 1600));
            await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
          }
        },
        () => rows.first().waitFor(),
      ),
    );
    drawn = Math.max(drawn, await rows.count());
    await page.locator(".rows").evaluate((list) => list.scrollTo(0, 0));
    const search = page.getByLabel("Search");
    found.push(await timed(() => search.fill(NEEDLE), () => rows.filter({ hasText: NEEDLE }).first().waitFor()));
    await search.fill("");
    say(`run ${run + 1} of ${RUNS}`);
  }
  await context.close();
  const says = (values) => `${milliseconds(median(values), 0)} (at most ${number(Math.max(...values))})`;
  return {
    title: `The inbox with ${number(CHATS)} past chats (${RUNS} times)`,
    rows: [
      figure("the list is there after the click", says(opened)),
      figure("20 steps of 1,600 px down it, each drawn", says(ended)),
      figure("rows in the page at most", number(drawn)),
      figure("what is searched for is there", says(found)),
    ],
  };
}
