// Row 8 of what the SDK must do: nothing depends on one tab.
import assert from "node:assert/strict";
import { test } from "node:test";
import { newSite, rawBrowser, until } from "./harness.mjs";

const HOUR = 3_600_000;

for (const warned of [true, false]) {
  test(`row 8: tabs share a connection, and one takes over from a leader that is frozen ${warned ? "" : "without a word"}`, async () => {
  const raw = await rawBrowser();
  try {
    const site = await newSite({ idle: HOUR });
    const first = await raw.tab(site.page());
    await first.evaluate(() => fetch("/login?user=ada", { method: "POST" }).then(() => {}));
    // The earliest listener hears first, and can keep the SDK from hearing.
    if (!warned) await first.evaluate(() => addEventListener("freeze", (event) => event.stopImmediatePropagation(), true));
    const boot = (tab) => tab.evaluate(() => void (globalThis.s = globalThis.boot({ share: true })));
    await boot(first);
    await first.isTold("live", { state: "open", transport: "ws" });
    const second = await raw.tab(site.page());
    await boot(second);
    await second.isTold("live", { state: "open", transport: "shared" });
    assert.equal(await site.count("GET /_session/v1/ws"), 1);
    await site.do("publish", { owner: "ada", type: "app.note", data: 1 });
    await first.isTold("message", { type: "app.note", data: 1 });
    await second.isTold("message", { type: "app.note", data: 1 });
    await first.send("Page.setWebLifecycleState", { state: "frozen" });
    await site.do("publish", { owner: "ada", type: "app.note", data: 2 });
    await second.isTold("live", { state: "open", transport: "ws" }, 45_000);
    await second.isTold("message", { type: "app.note", data: 2 });
    // The old leader wakes, and follows.
    await first.send("Page.setWebLifecycleState", { state: "active" });
    await until("it follows", () => first.evaluate(() => s.live.state.transport === "shared" && s.live.state.state === "open"));
    await site.do("publish", { owner: "ada", type: "app.note", data: 3 });
    for (const tab of [first, second]) await tab.isTold("message", { type: "app.note", data: 3 });
    const messages = await first.evaluate(() => told.filter(({ name }) => name === "message").map(({ detail }) => detail.data));
    assert.deepEqual(messages, [1, 2, 3], "each once, in order");
  } finally {
    await raw.close();
  }
});
}
