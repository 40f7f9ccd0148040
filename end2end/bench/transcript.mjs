// How soon a long conversation is on the screen again: opened anew on a slowed-down processor, from the click to the newest line.

import { launcherOf, noteOf, open, visit } from "./page.mjs";
import { makeSite } from "./site.mjs";
import { figure, goal, median, milliseconds, number } from "./table.mjs";

const LINES = 500;
const RUNS = 9;
const SLOWER = 4;
const GOAL_MS = 500;
const SITE = "bench-long";

const card = (_, index) => ({ id: `m${index + 1}`, card: "message", text: `${index + 1}. **We lend you a bicycle** for as long as you want it, and service it at your door.` });
const ASK = { id: "ask", card: "question", text: "Shall we?", choices: [{ label: "Not yet", next: "ask" }, { label: "Yes" }] };

export async function transcript({ browser, host, server, say }) {
  // The question, an answer to it, and the question again are the last three lines: there are no more than 500 cards.
  await makeSite(server, SITE, [{ id: "long", cards: [...Array.from({ length: LINES - 3 }, card), ASK, { id: "end", card: "end" }] }]);
  const { context, page, problems } = await visit(browser);
  // Reached by the server's own name, the panel runs in the process of the host page: what slows down one slows down both.
  const address = `${host.replace("localhost", "127.0.0.1")}/with/${SITE}`;
  const session = await context.newCDPSession(page);
  const runs = [];
  for (let run = -1; run < RUNS; run++) {
    await page.goto(address);
    await launcherOf(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: run < 0 ? 1 : SLOWER });
    const panel = await open(page);
    const { clicked, hello } = await page.evaluate(() => window.bench);
    const { typable, newest } = await panel.evaluate(() => window.bench);
    await session.send("Emulation.setCPUThrottlingRate", { rate: 1 });
    if (run < 0) {
      // The first time they are said, one after the other; from then on they are there.
      await panel.locator(".choice").first().click();
      await panel.waitForFunction((wanted) => document.querySelectorAll("#said [data-author]").length === wanted, LINES);
    } else {
      const there = await panel.evaluate(() => document.querySelectorAll("#said [data-author]").length);
      if (there !== LINES) throw new Error(`${there} lines are there`);
      runs.push({ shown: Math.max(typable, newest) - clicked, hydrated: hello - clicked });
    }
    await page.locator("#porchlight .close").click();
    say(`run ${run + 1} of ${RUNS}`);
  }
  await context.close();
  const shown = runs.map((run) => run.shown);
  const hydrated = runs.map((run) => run.hydrated);
  const says = (values) => `${milliseconds(median(values), 0)} (at most ${number(Math.max(...values))})`;
  return {
    title: `A transcript of ${LINES} lines (${RUNS} times, processor ${SLOWER} times slower, files cached)`,
    rows: [
      goal("newest line and card on the screen after the click", says(shown), `≤ ${GOAL_MS} ms`, median(shown) <= GOAL_MS),
      figure("island has taken over", says(hydrated)),
    ],
    notes: noteOf(problems),
  };
}
