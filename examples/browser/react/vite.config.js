import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The session server; in production it serves the page too, or a proxy joins both.
const target = process.env.SOJOURN_URL ?? "http://127.0.0.1:8080";
const proxy = { "/_session": { target, ws: true }, "/demo": { target } };

export default defineConfig({
  plugins: [react()],
  server: { proxy },
  preview: {
    proxy,
    // Nothing inline, no eval: the page needs neither.
    headers: { "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'" },
  },
});
