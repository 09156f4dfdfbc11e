// <sojourn-timeout> as its users meet it: by keyboard, by ear and by eye.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, beforeEach, test } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { json, problem, type FakeRequest } from "../fake.ts";
import { FakeServer } from "../server.ts";
import { launch, open, startSite, until, type Site } from "./site.ts";

const AXE = readFileSync("node_modules/axe-core/axe.min.js", "utf8");
/** The fake's extension gives 900 s, and warns 120 s before. */
const UNTIL_WARNING = 780_000;

let site: Site;
let browser: Browser;
let context: BrowserContext;

before(async () => {
  site = await startSite();
  browser = await launch();
  site.files.set("/page.css", "body { background: rgb(255, 0, 0) }");
});
after(async () => {
  await browser?.close();
  await site?.close();
});
beforeEach(async () => {
  await context?.close();
  context = await browser.newContext({ viewport: { width: 800, height: 600 }, locale: "en-US" });
  site.session = new FakeServer();
  site.session.expiresInMs = 900_000;
  site.asked.length = 0;
  site.files.set("/", html());
});

/** The two lines of the documentation, in a page. */
function html(element = "<sojourn-timeout></sojourn-timeout>", more = "", lang = "en"): string {
  return `<!doctype html><html lang="${lang}"><meta charset="utf-8"><title>A form</title><link rel="stylesheet" href="/page.css">
    <script type="module" src="/_session/v1/timeout.js"></script>${more}
    <main><h1>A form</h1><p><label>Name <input id="name"></label> <button id="save">Save</button></p></main>${element}</html>`;
}

const extensions = () => site.asked.filter((line) => line === "POST /extend").length;
const dialog = (page: Page) => page.getByRole("alertdialog");
const isOpen = (page: Page) => dialog(page).isVisible();
/** Lets time pass, in steps that leave room for answers. */
async function pass(page: Page, ms: number): Promise<void> {
  await page.clock.runFor(ms);
}
async function start(ms = UNTIL_WARNING, path = "/"): Promise<{ page: Page; faults: string[] }> {
  const opened = await open(context, site.origin + path);
  await until("the status is known", () => site.asked.includes("GET /status"));
  await opened.page.waitForFunction(() => document.querySelector("sojourn-timeout")?.expiry?.state.idleMs);
  await pass(opened.page, ms);
  return opened;
}
async function warned(path = "/"): Promise<{ page: Page; faults: string[] }> {
  const opened = await start(UNTIL_WARNING, path);
  await until("the warning", () => isOpen(opened.page));
  return opened;
}
async function accessible(page: Page, when: string): Promise<void> {
  // Serious only about what is shown; the page behind is the test's own.
  const found = await page.evaluate(`${AXE}; axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }).then(r => r.violations.map(v => v.id + ": " + v.nodes.map(n => n.target.flat().join(" ") + " " + n.failureSummary).join("; ")))`);
  assert.deepEqual(found, [], when);
}
const focusOf = (page: Page) =>
  page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return element?.textContent && element.localName !== "body" && element.localName !== "dialog" ? element.textContent : (element?.localName ?? "");
  });

test("two lines: it warns 120 s before the end, under a strict policy, and stays quiet until then", async () => {
  const { page, faults } = await start(UNTIL_WARNING - 5_000);
  assert.equal(await isOpen(page), false);
  await pass(page, 5_000);
  await until("the warning", () => isOpen(page));
  assert.match(await dialog(page).innerText(), /Your session is about to end[^]*ends in (2 minutes|1 minute and 5\d seconds)\.[^]*Continue session[^]*End session now/);
  assert.deepEqual(site.asked.filter((line) => line !== "GET /status"), []);
  assert.deepEqual(faults, []);
});

test("keyboard only: ten extensions, the focus comes in and goes back to where it was", { timeout: 60_000 }, async () => {
  const { page, faults } = await start(0);
  await page.keyboard.press("Tab");
  await page.keyboard.type("Ada");
  assert.equal(await focusOf(page), "input");
  for (let i = 1; i <= 10; i++) {
    await pass(page, UNTIL_WARNING);
    await until("the warning", () => isOpen(page));
    assert.equal(await focusOf(page), "dialog", "the focus is on no button: a key on its way to the page answers nothing");
    const before = extensions();
    await page.keyboard.type("x ");
    assert.equal(extensions(), before);
    await page.keyboard.press("Tab");
    assert.equal(await focusOf(page), "Continue session");
    await page.keyboard.press(i % 2 ? "Enter" : "Space");
    await until("the dialog closes", async () => !(await isOpen(page)));
    assert.equal(extensions(), before + 1);
    assert.equal(await focusOf(page), "input");
  }
  await page.keyboard.type(" Lovelace");
  assert.equal(await page.locator("#name").inputValue(), "Ada Lovelace");
  assert.deepEqual(faults, []);
});

test("the page behind cannot be reached by Tab, and Escape answers nothing", async () => {
  const { page } = await warned();
  const extended = extensions();
  const seen = new Set<string>();
  for (let i = 0; i < 8; i++) {
    await page.keyboard.press(i < 4 ? "Tab" : "Shift+Tab");
    seen.add(await focusOf(page));
  }
  assert(seen.has("Continue session") && seen.has("End session now"));
  assert(!seen.has("input") && !seen.has("Save"), [...seen].join());
  for (let i = 0; i < 4; i++) {
    await page.keyboard.press("Escape");
    await page.mouse.click(5, 5);
    assert.equal(await isOpen(page), true, `after Escape ${i + 1}`);
  }
  assert.equal(extensions(), extended);
  assert.equal(await page.locator("#name").evaluate((element) => element.matches(":focus")), false);
});

const refusals: [string, (site: Site, page: Page) => unknown][] = [
  ["500", () => (site.session.before = ({ path }) => (path === "/extend" ? problem(500, "internal") : undefined))],
  ["a proxy's 401", () => (site.session.before = ({ path }) => (path === "/extend" ? new Response("<html>", { status: 401, headers: { "Content-Type": "text/html" } }) : undefined))],
  ["a request that is cut", (_, page) => page.route("**/extend", (route) => route.abort())],
  ["offline", () => context.setOffline(true)],
];
for (const [what, refuse] of refusals) {
  test(`${what}: the dialog stays, says so, and can be tried again`, async () => {
    const { page } = await warned();
    site.session.expiresInMs = 110_000;
    await refuse(site, page);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await until("the error", async () => /nothing has changed yet/.test(await dialog(page).innerText()));
    assert.equal(await focusOf(page), "Continue session", "the focus stays on the button");
    await accessible(page, `after ${what}`);
    site.session.before = () => {};
    await page.unroute("**/extend");
    await context.setOffline(false);
    await page.keyboard.press("Enter");
    await until("the dialog closes", async () => !(await isOpen(page)));
  });
}

test("a 401 of the server's own is the end, and is shown as such", async () => {
  const { page } = await warned();
  site.session.state = "ended";
  site.session.reason = "revoked";
  await page.getByRole("button", { name: "Continue session" }).click();
  await until("the end", async () => /Your session has ended/.test(await dialog(page).innerText()));
});

test("it is announced: assertively once, then politely no more than every 20 s", { timeout: 60_000 }, async () => {
  const { page } = await start(UNTIL_WARNING - 1_000);
  await page.evaluate(() => {
    const said: [string, string, number][] = [];
    Object.assign(window, { said });
    const root = document.querySelector("sojourn-timeout")?.shadowRoot as ShadowRoot;
    const live = (node: Node) => (node instanceof Element ? node : node.parentElement)?.closest("[aria-live],[role=alert]");
    new MutationObserver((records) => {
      for (const element of new Set(records.map((r) => live(r.target)))) {
        const text = element?.textContent;
        if (element && text) said.push([element.getAttribute("role") ?? element.getAttribute("aria-live") ?? "", text, performance.now()]);
      }
    }).observe(root, { subtree: true, childList: true, characterData: true });
  });
  for (let i = 0; i < 30; i++) await pass(page, 4_000);
  await until("zero", async () => !(await isOpen(page))); // the server says that there is more
  const said = await page.evaluate(() => (window as unknown as { said: [string, string, number][] }).said);
  const alerts = said.filter(([kind]) => kind === "alert");
  assert.equal(alerts.length, 1, JSON.stringify(alerts));
  assert.match(alerts[0]?.[1] ?? "", /^Your session is about to end\. .* ends in (2 minutes|1 minute and 59 seconds)\.$/);
  const polite = said.filter(([kind]) => kind === "polite");
  assert(polite.length >= 6 && polite.length <= 8, JSON.stringify(polite));
  assert(polite.some(([, text]) => text === "1 minute and 40 seconds remaining.") && polite.some(([, text]) => text === "20 seconds remaining."));
  for (const [i, [, text, at]] of polite.entries()) {
    const gap = at - (polite[i - 1]?.[2] ?? -Infinity);
    assert(gap >= 19_000, `"${text}" came after ${gap} ms`);
  }
});

test("at zero nothing is ended: the page is hidden, nothing is negative, and the server decides", async () => {
  const { page } = await warned();
  /** How many pixels of the page, and of the dialog's button, can be seen. */
  const seen = async () => {
    const picture = await page.screenshot();
    return page.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d") as OffscreenCanvasRenderingContext2D;
      canvas.drawImage(bitmap, 0, 0);
      const { data } = canvas.getImageData(0, 0, bitmap.width, bitmap.height);
      const found = { page: 0, button: 0 };
      for (let i = 0; i < data.length; i += 4) {
        const [r = 0, g = 0, b = 0] = data.subarray(i, i + 3);
        if (r > 80 && g < 20) found.page++;
        if (r === 0x0b && g === 0x57 && b === 0xd0) found.button++;
      }
      return found;
    }, picture.toString("base64"));
  };
  assert((await seen()).page > 10_000, "before, the page shines through");
  await page.route("**/status", (route) => route.abort());
  for (let i = 0; i < 13; i++) await pass(page, 10_000);
  await until("checking", async () => /Checking whether/.test(await dialog(page).innerText()));
  const { page: shining, button } = await seen();
  assert.equal(shining, 0, "the page can be seen");
  assert(button > 1_000, "the dialog cannot be seen");
  assert.doesNotMatch(await dialog(page).innerText(), /-\d|ended/);
  await accessible(page, "while only the server can tell");
  await page.unroute("**/status");
  for (let i = 0; i < 20 && (await isOpen(page)); i++) await pass(page, 2_000);
  await until("it closes", async () => !(await isOpen(page)));
});

test("the end: hidden, said, with one way on", async () => {
  site.files.set("/", html('<sojourn-timeout login="/login?again"></sojourn-timeout>'));
  const { page } = await warned();
  await page.getByRole("button", { name: "End session now" }).click();
  await until("the end", async () => /Your session has ended/.test(await dialog(page).innerText()));
  await accessible(page, "after the end");
  assert.equal(await dialog(page).getByRole("button").count(), 0);
  assert.equal(await dialog(page).getByRole("link", { name: "Start again" }).getAttribute("href"), "/login?again");
  site.session.state = "active";
  await page.evaluate(() => document.querySelector("sojourn-timeout")?.expiry?.extend());
  assert.equal(await isOpen(page), true, "what is behind is of the session that has ended");
});

test("a page that shows the end itself cancels it; without login it loads anew", async () => {
  site.files.set("/page.js", 'addEventListener("sojourn-ended", (event) => { document.title = "ended " + event.detail.reason; event.preventDefault(); });');
  site.files.set("/", html(undefined, '<script type="module" src="/page.js"></script>'));
  const one = await warned();
  await one.page.getByRole("button", { name: "End session now" }).click();
  await until("the event", async () => (await one.page.title()) === "ended logout");
  assert.equal(await isOpen(one.page), false);

  site.session.state = "active";
  site.files.set("/", html());
  const two = await warned();
  await two.page.getByRole("button", { name: "End session now" }).click();
  await dialog(two.page).getByRole("link", { name: "Start again" }).click();
  await until("it was loaded anew", async () => !(await isOpen(two.page)));
});

test("what cannot be extended says so, and lets the user save", async () => {
  const { serve } = site.session;
  Object.assign(site.session, {
    serve: async (request: FakeRequest) => {
      const answer = await serve(request);
      if (!/status|extend/.test(request.path)) return answer;
      return json({ ...((await answer.json()) as object), extendable: false });
    },
  });
  const { page } = await warned();
  assert.match(await dialog(page).innerText(), /cannot be extended\. Please save your work now\./);
  assert.equal(await page.getByRole("button", { name: "Continue session" }).count(), 0);
  await accessible(page, "without a way to extend");
  await page.keyboard.press("Escape");
  await until("it closes", async () => !(await isOpen(page)));
  assert.equal(extensions(), 0);
});

test("axe finds nothing, in light and dark, wide and narrow", { timeout: 60_000 }, async () => {
  const { page } = await warned();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [800, 320]) {
      await page.setViewportSize({ width, height: 600 });
      await accessible(page, `${colorScheme}, ${width} px`);
      const fits = await dialog(page).evaluate((element) => element.scrollWidth <= element.clientWidth && element.getBoundingClientRect().right <= innerWidth);
      assert(fits, `${width} px: it can be read without scrolling sideways (WCAG 1.4.10)`);
    }
  }
});

test("the accessibility tree is this", async () => {
  const { page } = await warned();
  await pass(page, 200); // it announces itself a moment later
  const tree = (await dialog(page).ariaSnapshot()).replace(/(2 minutes|1 minute and 5\d seconds)/g, "{time}");
  assert.equal(
    tree,
    [
      '- alertdialog "Your session is about to end":',
      '  - heading "Your session is about to end" [level=2]',
      "  - paragraph: You have not been active for a while. To protect your data, your session ends in {time}.",
      '  - alert: Your session is about to end. You have not been active for a while. To protect your data, your session ends in {time}.',
      "  - alert",
      '  - button "Continue session"',
      '  - button "End session now"',
    ].join("\n"),
  );
  const client = await context.newCDPSession(page);
  await client.send("Accessibility.enable");
  const { nodes } = await client.send("Accessibility.getFullAXTree");
  const found = nodes.find((node) => node.role?.value === "alertdialog");
  assert.match(String(found?.description?.value), /To protect your data/);
  const is = (name: string) => found?.properties?.find((property) => property.name === name)?.value.value;
  assert.deepEqual([is("modal"), is("focused")], [true, true]);
  assert(!nodes.some((node) => !node.ignored && node.role?.value === "textbox"), "the page behind is inert");
});

for (const [tag, title, button] of [
  ["de", "Ihre Sitzung endet bald", "Sitzung fortsetzen"],
  ["fr-CA", "Votre session va bientôt expirer", "Poursuivre la session"],
  ["ja", "まもなくセッションが終了します", "セッションを続ける"],
  ["fi", "Your session is about to end", "Continue session"],
] as const) {
  test(`it speaks the language of the page: ${tag}`, async () => {
    site.files.set("/", html(undefined, "", tag));
    const { page } = await warned();
    await until("the title", async () => (await dialog(page).innerText()).includes(title));
    assert.equal(await page.getByRole("button", { name: button }).count(), 1);
    assert.equal(await dialog(page).getAttribute("lang"), tag === "fi" ? "en" : tag.slice(0, 2));
    await accessible(page, tag);
  });
}

test("languages and words of your own; looks by parts and properties", async () => {
  site.files.set("/page.css", "body { background: rgb(255, 0, 0) } sojourn-timeout { --sojourn-background: rgb(0, 64, 0); --sojourn-color: #fff } sojourn-timeout::part(extend) { text-transform: uppercase; background: rgb(0, 0, 99) }");
  site.files.set(
    "/page.js",
    `import { addLanguage } from "/_session/v1/timeout.js";
     const element = document.querySelector("sojourn-timeout");
     addLanguage("ar", { dir: "rtl", title: "جلستك على وشك الانتهاء", warning: "تنتهي جلستك خلال {time}.", final: "f {time}", remaining: "r {time}", extend: "متابعة", end: "إنهاء",
       close: "c", checking: "…", failed: "x", endedTitle: "e", ended: "e2", again: "a", policy: "p {time}", hour: { other: "# h" }, minute: { two: "دقيقتين", other: "# دقيقة" }, second: { other: "# ثانية" }, and: "{0} و{1}" });
     element.lang = "ar";
     element.messages = { end: "Bye" };`,
  );
  site.files.set("/", html(undefined, '<script type="module" src="/page.js"></script>'));
  const { page, faults } = await warned();
  await until("the words", async () => (await dialog(page).innerText()).includes("جلستك على وشك الانتهاء"));
  assert.equal(await dialog(page).getAttribute("dir"), "rtl");
  assert.equal(await page.getByRole("button", { name: "Bye" }).count(), 1);
  const style = await dialog(page).evaluate((element) => getComputedStyle(element).backgroundColor);
  assert.equal(style, "rgb(0, 64, 0)");
  assert.equal(await page.getByRole("button", { name: "متابعة" }).evaluate((e) => getComputedStyle(e).backgroundColor), "rgb(0, 0, 99)");
  assert.deepEqual(faults, []);
  site.files.set("/page.css", "body { background: rgb(255, 0, 0) }");
});

test("a session that is given is used, whether before or after the element is known", async () => {
  site.files.set(
    "/page.js",
    `import { createSession } from "/_session/v1/sojourn.js";
     const session = createSession();
     const element = document.createElement("sojourn-timeout");
     element.session = session;
     document.body.append(element);
     await import("/_session/v1/timeout.js");
     if (element.session !== session || Object.hasOwn(element, "session")) throw new Error("the session was not taken");
     document.title = "ready";`,
  );
  site.files.set("/", `<!doctype html><html lang="en"><title>x</title><body><script type="module" src="/page.js"></script>`);
  const { page, faults } = await start(UNTIL_WARNING);
  await until("the warning", () => isOpen(page));
  assert.deepEqual([await page.title(), faults], ["ready", []]);
  await page.evaluate(() => document.querySelector("sojourn-timeout")?.remove());
  assert.equal(await isOpen(page), false);
});
