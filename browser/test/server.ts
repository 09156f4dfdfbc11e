import { json, problem, type FakeRequest } from "./fake.ts";

/** A server that keeps to the wire, for one cookie, in memory. */
export class FakeServer {
  state: "active" | "ended" | "none" = "active";
  reason = "expired";
  h = "handle-1";
  rev = 17;
  data = new Map<string, unknown>();
  /** Members that pages may write and not read. */
  writeOnly = new Set<string>();
  expiresInMs = 600_000;
  /** Runs before a request is handled: another writer, an outage, a delay. */
  before: (request: FakeRequest) => Promise<Response | void> | Response | void = () => {};

  /** Writes as another tab or the application does. */
  write(key: string, value: unknown): void {
    if (value === undefined) this.data.delete(key);
    else this.data.set(key, value);
    this.rev++;
  }

  readonly serve = async (request: FakeRequest): Promise<Response> => {
    const early = await this.before(request);
    if (early) return early;
    const { method, path, headers } = request;
    if (method !== "GET" && !headers["X-Session-CSRF"]) return problem(403, "csrf_header_missing");
    if (path === "/status") return this.status();
    const body: unknown = request.body === undefined ? undefined : JSON.parse(request.body);
    if (path === "/" && this.state !== "active" && (body as { scope: string }).scope === "this") {
      return new Response(null, { status: 204 });
    }
    if (this.state === "none") return problem(401, "session_none");
    if (this.state === "ended") return problem(401, "session_ended", { reason: this.reason });
    const want = headers["X-Session-Handle"];
    if (want && want !== this.h) return problem(409, "session_changed");
    if (path === "/extend") {
      this.expiresInMs = 900_000;
      return this.status();
    }
    if (path === "/") {
      if ((body as { scope: string }).scope !== "others") [this.state, this.reason] = ["ended", "logout"];
      return new Response(null, { status: 204 });
    }
    if (path === "/data" && method === "GET") return this.answer({ h: this.h, rev: this.rev, data: this.visible() });
    const key = decodeURIComponent(path.replace("/data/", ""));
    if (method === "GET") {
      if (this.writeOnly.has(key)) return problem(403, "not_readable");
      if (!this.data.has(key)) return problem(404, "no_member", {}, { ETag: `"${this.rev}"` });
      return this.answer(this.data.get(key));
    }
    const match = headers["If-Match"];
    if (!match) return problem(428, "precondition_required");
    if (match !== "*" && match !== `"${this.rev}"`) {
      return problem(412, "rev_conflict", { rev: this.rev, data: this.visible() }, { ETag: `"${this.rev}"` });
    }
    const changes = path === "/data" ? (body as Record<string, unknown>) : { [key]: body };
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined || (value === null && path === "/data")) this.data.delete(name);
      else this.data.set(name, value);
    }
    this.rev++;
    return this.answer({ h: this.h, rev: this.rev });
  };

  private visible(): object {
    return Object.fromEntries([...this.data].filter(([key]) => !this.writeOnly.has(key)));
  }

  private answer(body: unknown): Response {
    return json(body, { headers: { ETag: `"${this.rev}"`, "X-Session-Handle": this.h } });
  }

  private status(): Response {
    if (this.state === "none") return json({ state: "none" });
    if (this.state === "ended") return json({ state: "ended", h: this.h, reason: this.reason });
    return json({
      state: "active",
      h: this.h,
      rev: this.rev,
      expires_in_ms: this.expiresInMs,
      idle_ms: 900_000,
      absolute_in_ms: 27_912_000,
      warn_ms: 120_000,
      extendable: true,
    });
  }
}
