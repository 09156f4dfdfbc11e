// What a user agent claims to be. Only the common ones are told apart; nothing
// is guessed, and versions are left out because browsers freeze them.

// Order matters: Edge and Opera also say Chrome, and Chrome also says Safari.
const browsers = [
  ["Edg/", "Edge"],
  ["OPR/", "Opera"],
  ["Firefox/", "Firefox"],
  ["Chrome/", "Chrome"],
  ["Safari/", "Safari"],
  ["curl/", "curl"],
];

const systems = [
  ["Android", "Android", "phone"],
  ["iPhone", "iPhone", "phone"],
  ["iPad", "iPad", "phone"],
  ["Windows", "Windows", "laptop"],
  ["Mac OS X", "macOS", "laptop"],
  ["CrOS", "ChromeOS", "laptop"],
  ["Linux", "Linux", "laptop"],
];

/** Gives { name, icon } for a User-Agent header. */
export function deviceOf(userAgent) {
  const find = (table) => table.find(([mark]) => userAgent.includes(mark)) ?? [];
  const [, browser] = find(browsers);
  const [, system, kind] = find(systems);
  const name = browser && system ? `${browser} on ${system}` : (browser ?? system ?? "An unknown program");
  return { name, icon: kind ?? "terminal" };
}
