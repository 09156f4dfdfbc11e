// What the tests drive: the SDK as `sdk`, what was told as `told`, and, with
// ?boot=…, a session that is there from the first moment.
import * as sdk from "/_session/v1/all.js";
import { createMirror } from "/_session/v1/mirror.js";
import { shareConnection } from "/_session/v1/share.js";

const told = [];

function boot({ share, ...options } = {}) {
  const session = sdk.connect({ ...options, live: share ? { ...options.live, share: shareConnection } : options.live });
  for (const name of ["status", "warning", "ended", "purge", "error", "message", "data", "reset", "live"]) {
    session.on(name, (detail) => {
      const kept = detail instanceof Error ? { code: detail.code } : detail;
      told.push({ name, at: performance.now(), detail: structuredClone(kept) });
    });
  }
  return session;
}

Object.assign(globalThis, { sdk, createMirror, told, boot });
const asked = new URLSearchParams(location.search).get("boot");
if (asked) globalThis.s = boot(JSON.parse(asked));
