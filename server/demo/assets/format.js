// Writing numbers and times for people.

const two = (n) => String(n).padStart(2, "0");

/** 4:07, 1:02:03 or "13 d 4 h". Rounds up, so that 0:00 means it is over. */
export function clock(ms) {
  const s = Math.max(0, Math.ceil(ms / 1000));
  if (s >= 48 * 3600) return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
  const [h, m] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60)];
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

const units = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
  [1000, "second"],
];

/** "30 minutes", "12 hours": the largest unit that fits. */
export function span(ms) {
  for (const [size, name] of units) {
    if (ms >= (name === "day" ? 2 * size : size) || name === "second") {
      const n = Math.round(ms / size);
      return `${n} ${name}${n === 1 ? "" : "s"}`;
    }
  }
}

/** "just now", "5 minutes ago". */
export const ago = (ms) => (ms < 5000 ? "just now" : `${span(ms)} ago`);

export const money = (cents) => (cents / 100).toFixed(2);
