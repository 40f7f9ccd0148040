// The journeys of a visitor and of a customer's page, in Chromium, against the real binary. `npx playwright test -c end2end`

import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

const chromium = "/usr/bin/chromium";

export default defineConfig({
  testDir: "./specs",
  outputDir: "./results",
  fullyParallel: true,
  forbidOnly: !!process.env.CI,
  workers: 2,
  // A shared machine may stall for seconds. What passes only the second time is reported as flaky, and is to be mended.
  retries: process.env.CI ? 1 : 0,
  reporter: "list",
  timeout: 60_000,
  expect: { timeout: 10_000 },
  use: {
    headless: true,
    locale: "en-GB",
    viewport: { width: 1280, height: 800 },
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: existsSync(chromium) ? chromium : undefined,
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    },
  },
});
