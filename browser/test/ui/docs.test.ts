// The pages of the documents, each opened in a browser and used as it says.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, beforeEach, test } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { json, problem, type FakeRequest } from "../fake.ts";
import { FakeServer } from "../server.ts";
import { launch, open, startSite, until, type Site } from "./site.ts";

const UNTIL_WARNING = 780_000;

/** The pages of a document, by their order. */
function pagesOf(name: string): string[] {
  return [...readFileSync(name, "utf8").matchAll(/^```html\n([^]*?)^```$/gm)].map(([, code]) => code ?? "");
}
const guide = pagesOf("../docs/browser.md");
const recipes = pagesOf("../docs/recipes.md");
const readme = pagesOf("README.md");
const tried = new Set<string>();

let site: Site;
let browser: Browser;
let context: BrowserContext;

before(async () => {
  site = await startSite();
  site.policy = ""; // the scripts of the documents stand in the page
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});
beforeEach(async () => {
  await context?.close();
  context = await browser.newContext({ locale: "en-US" });
  site.session = new FakeServer();
  site.session.expiresInMs = 900_000;
  // A user, and devices: what the fake does not know of itself.
  let devices = [device("handle-1", true), device("handle-2", false)];
  const { serve } = site.session;
  Object.assign(site.session, {
    serve: async (request: FakeRequest) => {
      const { path, method } = request;
      if (path.startsWith("/devices")) {
        if (method === "DELETE") devices = devices.filter(({ id }) => !path.endsWith(id));
        return (await site.session.before(request)) ?? (method === "GET" ? json({ devices }) : new Response(null, { status: 204 }));
      }
      const answer = await serve(request);
      if (!/status|extend/.test(path) || !answer.ok) return answer;
      const status = (await answer.json()) as { state: string };
      return json(status.state === "active" ? { ...status, u: "user-1" } : status);
    },
  });
  site.asked.length = 0;
});

const device = (id: string, current: boolean) => ({
  id, current, label: current ? "Firefox on Linux" : "Safari on iPhone", user_agent: "", ip: "", created_ms_ago: 1, last_seen_ms_ago: 300_000, expires_in_ms: 1, persistent: false,
});

/** Tries the page that holds `mark`. */
function page(pages: string[], mark: string, use: (page: Page) => Promise<void>): void {
  test(`"${mark}"`, { timeout: 30_000 }, async () => {
    const found = pages.filter((code) => code.includes(mark));
    assert.equal(found.length, 1, `pages with ${mark}`);
    const [code = ""] = found;
    tried.add(code);
    for (const place of ["/login", "/welcome"]) site.files.set(place, `<!doctype html><title>${place}</title>`);
    site.files.set("/page", `<!doctype html><html lang="en"><meta charset="utf-8"><title>x</title><body>${code}</html>`);
    const { page: opened, faults } = await open(context, `${site.origin}/page`);
    await use(opened);
    assert.deepEqual(faults, []);
  });
}

const at = (page: Page, id: string) => page.locator(`#${id}`);
const shows = (page: Page, id: string, text: string) => until(`#${id} shows ${text}`, async () => (await at(page, id).innerText()).includes(text));
const asks = (line: string) => until(line, () => site.asked.includes(line));
const arrives = (page: Page, path: string) => until(path, () => new URL(page.url()).pathname === path);
async function warned(page: Page): Promise<void> {
  await asks("GET /status");
  await page.waitForFunction(() => !document.querySelector("sojourn-timeout") || document.querySelector("sojourn-timeout")?.expiry?.state.idleMs);
  await page.clock.runFor(UNTIL_WARNING);
}

page(guide, '<sojourn-timeout login="/login">', async (page) => {
  await warned(page);
  await page.getByRole("button", { name: "End session now" }).click();
  await page.getByRole("link", { name: "Start again" }).click();
  await arrives(page, "/login");
});

page(guide, 'leave-to="/login"', async (page) => {
  await until("the time", async () => /^1[45]:\d\d$/.test(await page.locator("output").innerText()));
  await page.getByRole("button", { name: "Stay" }).click();
  await asks("POST /extend");
  await warned(page);
  await until("the dialog", () => page.getByRole("alertdialog").isVisible());
  await page.getByRole("button", { name: "Continue session" }).click();
  await until("no dialog", async () => !(await page.getByRole("alertdialog").isVisible()));
  assert.equal(await page.locator("sojourn-session").getAttribute("state"), "active");
  await page.evaluate(() => addEventListener("sojourn-error", (event) => (document.title = (event as CustomEvent<{ code: string }>).detail.code)));
  site.session.before = () => problem(503, "store_unavailable");
  await page.getByRole("button", { name: "Stay" }).click();
  await until("the failure is told", async () => (await page.title()) === "store_unavailable");
  site.session.before = () => {};
  await page.getByRole("button", { name: "Log out everywhere" }).click();
  await arrives(page, "/login");
  assert.equal(site.asked.filter((line) => line === "GET /status").length, 1, "one session for both elements");
});

page(guide, 'id="note"', async (page) => {
  await asks("GET /data/draft");
  await at(page, "note").fill("milk");
  await page.keyboard.press("Enter");
  await shows(page, "said", "Saved.");
  assert.equal(site.session.data.get("draft"), "milk");
  site.session.write("draft", "bread"); // another tab
  await at(page, "note").fill("tea");
  await page.keyboard.press("Enter");
  await shows(page, "said", "Another tab has changed it.");
  await at(page, "leave").click();
  await asks("DELETE /");
});

page(guide, 'addLanguage("sv"', async (page) => {
  await warned(page);
  await until("Swedish", async () => (await page.getByRole("alertdialog").innerText()).includes("Din session går snart ut"));
  assert.equal(await page.getByRole("button", { name: "Lås kassan" }).count(), 1);
  assert.match(await page.getByRole("alertdialog").innerText(), /om (2 minuter|1 minut och \d\d? sekunder)\./);
});

page(guide, 'id="limit"', (page) => shows(page, "limit", "after 15 minutes"));

page(guide, "sojourn.global.js", (page) => until("the state", async () => (await page.title()) === "active"));

page(recipes, '<form id="login">\n  <label>Name', async (page) => {
  site.session.state = "none";
  let right = false;
  await page.route("**/login", (route) => {
    if (!right) return route.fulfill({ status: 401 });
    site.session.state = "active";
    return route.fulfill({ status: 204 });
  });
  await page.locator("[name=user]").fill("ada");
  await page.locator("[name=password]").fill("x");
  await page.keyboard.press("Enter");
  await shows(page, "said", "Name and password do not fit.");
  right = true;
  site.files.set("/", "<!doctype html><title>home</title>");
  await page.keyboard.press("Enter");
  await until("home", async () => (await page.title()) === "home");
});

page(recipes, 'id="tea"', async (page) => {
  site.session.data.set("cart", { tea: 2 });
  await page.reload();
  await shows(page, "tea", "2");
  await at(page, "add").click();
  await shows(page, "tea", "3");
  site.session.before = () => problem(503, "store_unavailable");
  await at(page, "add").click();
  await shows(page, "said", "cannot be reached");
  site.session.before = () => {};
  await at(page, "clear").click();
  await shows(page, "tea", "0");
  assert.equal(site.session.data.has("cart"), false);
});

page(recipes, '<dialog id="ask"', async (page) => {
  await warned(page);
  await until("it asks", () => at(page, "ask").isVisible());
  assert.match(await at(page, "left").innerText(), /^1[12]\d$/);
  site.session.before = ({ path }) => (path === "/extend" ? problem(500, "internal") : undefined);
  await page.getByRole("button", { name: "I am here" }).click();
  await shows(page, "failed", "did not work");
  assert.equal(await at(page, "ask").isVisible(), true);
  site.session.before = () => {};
  await page.getByRole("button", { name: "I am here" }).click();
  await until("it closes", async () => !(await at(page, "ask").isVisible()));
});

page(recipes, 'id="devices"', async (page) => {
  await shows(page, "devices", "Firefox on Linux, here");
  await shows(page, "devices", "Safari on iPhone, 5 min ago");
  await page.getByRole("button", { name: "Log out", exact: true }).click();
  await shows(page, "said", "Logged out there.");
  assert.equal(await page.getByRole("listitem").count(), 1);
  site.session.before = ({ method }) => (method === "DELETE" ? problem(503, "store_unavailable") : undefined);
  await at(page, "others").click();
  await shows(page, "said", "Not done");
  site.session.before = () => {};
  await at(page, "all").click();
  await arrives(page, "/login");
});

page(recipes, '<form id="report">', async (page) => {
  const text = page.locator("textarea");
  await asks("GET /data/draft");
  await text.fill("half a word");
  await page.clock.runFor(2_000);
  await shows(page, "said", "Draft kept.");
  assert.equal(site.session.data.get("draft"), "half a word");

  // The tab is closed in the middle of a word.
  const other = await context.newPage();
  await other.goto(`${site.origin}/page`);
  await until("the draft is back", async () => (await other.locator("textarea").inputValue()) === "half a word");
  await other.locator("textarea").fill("half a word and more");
  await other.close({ runBeforeUnload: false });
  await until("it was sent in the last moment", () => site.session.data.get("draft") === "half a word and more");

  // The session is over when the report is sent.
  const reports: string[] = [];
  await page.route("**/report", (route) => {
    if (site.session.state !== "active") return route.fulfill({ status: 401 });
    reports.push(route.request().postData() ?? "");
    return route.fulfill({ status: 204 });
  });
  await page.route("**/login", (route) => {
    site.session.state = "active";
    site.session.h = "handle-2";
    return route.fulfill({ status: 204 });
  });
  await text.fill("the whole report");
  site.session.state = "ended";
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await until("it asks for the password", () => at(page, "again").isVisible());
  assert.equal(await text.inputValue(), "the whole report");
  await page.getByRole("button", { name: "Log in and send" }).click();
  await shows(page, "said", "Sent.");
  assert.match(reports.join(), /the whole report/);
});

page(recipes, '<form id="order"', async (page) => {
  await page.waitForFunction(() => document.querySelector("sojourn-timeout")?.expiry?.state.idleMs);
  await page.locator("[name=name]").fill("Ada");
  const kept = () => page.evaluate(() => JSON.stringify(sessionStorage));
  await until("it is kept", async () => (await kept()).includes("Ada"));
  await page.clock.runFor(UNTIL_WARNING);
  site.session.state = "ended";
  await page.getByRole("button", { name: "Continue session" }).click();
  await arrives(page, "/welcome");
  assert.doesNotMatch(await kept(), /Ada/);
});

page(readme, 'id="left"', async (page) => {
  await until("the time", async () => Number(await at(page, "left").innerText()) > 800);
  await at(page, "stay").click();
  await asks("POST /extend");
  await at(page, "leave").click();
  await arrives(page, "/login");
});

test("no page of the documents was left out", () => {
  const all = [...guide, ...recipes, ...readme];
  assert.deepEqual(all.filter((code) => !tried.has(code)), []);
  assert(all.length >= 12);
});
