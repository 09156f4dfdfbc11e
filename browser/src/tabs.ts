import type { Channel, Environment } from "./environment.ts";

/** The page among the tabs of its session. */
export interface Tabs {
  join(): void;
  part(): void;
  /** Says that the session's status has changed: to be asked for at once, or when it matters. */
  tell(urgent: boolean): void;
}

/** Says "look" (1) or "look when it matters" (0): the server alone knows the truth. */
export function createTabs(env: Environment, name: string, hint: (urgent: boolean) => void): Tabs {
  let channel: Channel | undefined;
  return {
    join: () => (channel ??= env.channel(name, (text) => hint(text === "1"))),
    part() {
      channel?.close();
      channel = undefined;
    },
    tell(urgent) {
      const to = channel ?? env.channel(name, () => {});
      to.post(urgent ? "1" : "0");
      if (to !== channel) to.close();
    },
  };
}
