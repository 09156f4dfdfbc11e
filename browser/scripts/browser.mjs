// Runs the tests in a real browser, test/browser/*.test.mjs, on the test server,
// which it builds first. Arguments pick: a part of a file's name, a part of a test's.
import { execFileSync, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { inTempFolder, root } from "./build.mjs";

const [pick = "", name] = process.argv.slice(2);
const folder = join(root, "test/browser");
const long = ["share", "time", "live"]; // begin first, so that none is waited for alone
const order = (name) => long.findIndex((word) => name.startsWith(word)) >>> 0;
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".test.mjs") && name.includes(pick))
  .sort((a, b) => order(a) - order(b));

await inTempFolder(async (temp) => {
  const program = join(temp, "peer");
  execFileSync("go", ["build", "-o", program, "./test/peer"], { cwd: root, stdio: "inherit" });
  const peer = spawn(program, [join(folder, "pages")], { stdio: ["pipe", "pipe", "inherit"] });
  const address = await new Promise((resolve, reject) => {
    peer.stdout.once("data", (text) => resolve(String(text).trim()));
    peer.once("exit", (code) => reject(new Error(`the test server ended with ${code}`)));
  });
  const tests = spawn(process.execPath, ["--test", ...(name ? ["--test-name-pattern", name] : []), "--test-concurrency=3", "--test-timeout=240000", "--test-reporter=spec", ...files.map((name) => join(folder, name))], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, PEER: address },
  });
  process.exitCode = await new Promise((resolve) => tests.once("exit", (code) => resolve(code ?? 1)));
  peer.stdin.end();
});
