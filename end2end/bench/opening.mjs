// What a visitor feels: whether the page moves, and how soon the panel can be used.

import { wait } from "./ending.mjs";
import { launcherOf, noteOf, open, visit } from "./page.mjs";
import { figure, goal, median, milliseconds, number } from "./table.mjs";

const RUNS = 15;
const TYPABLE_MS = 300;

const moved = (frame) => frame.evaluate(() => window.bench.shifts.reduce((sum, value) => sum + value, 0));

export async function shift({ browser, host }) {
  const rows = [];
  const problems = [];
  for (const [width, height] of [
    [1280, 720],
    [375, 667],
  ]) {
    const visitor = await visit(browser, { width, height });
    const { context, page } = visitor;
    await page.goto(`${host}/with`);
    await launcherOf(page);
    await wait(500);
    const launcher = await moved(page);
    const panel = await open(page);
    await wait(1000);
    const opened = await moved(page);
    const inside = await moved(panel);
    rows.push(goal(`${width} px: with the launcher`, number(launcher, 4), "0", launcher === 0));
    rows.push(goal(`${width} px: after opening`, number(opened, 4), "0", opened === 0));
    rows.push(figure(`${width} px: within the panel`, number(inside, 4)));
    problems.push(...visitor.problems);
    await context.close();
  }
  return { title: "Layout shift of the host page", rows, notes: noteOf(problems) };
}

export async function typable({ browser, host }) {
  const runs = [];
  const problems = [];
  for (let run = 0; run <= RUNS; run++) {
    const visitor = await visit(browser);
    const { context, page } = visitor;
    await page.goto(`${host}/with`);
    await launcherOf(page);
    // A visitor does not click in the frame in which the launcher appears.
    await wait(300);
    const panel = await open(page);
    const { clicked, hello } = await page.evaluate(() => window.bench);
    const { typable } = await panel.evaluate(() => window.bench);
    // The first panel of a new browser pays for it.
    if (run) runs.push({ typable: typable - clicked, hydrated: hello - clicked });
    problems.push(...visitor.problems);
    await context.close();
  }
  const typable = runs.map((run) => run.typable);
  const hydrated = runs.map((run) => run.hydrated);
  const says = (values) => `${milliseconds(median(values), 0)} (at most ${number(Math.max(...values))})`;
  return {
    title: `From the click to the panel (${RUNS} visitors, nothing cached)`,
    rows: [
      goal("first control can be used", says(typable), `≤ ${TYPABLE_MS} ms`, median(typable) <= TYPABLE_MS),
      figure("island has taken over", says(hydrated)),
    ],
    notes: noteOf(problems),
  };
}
