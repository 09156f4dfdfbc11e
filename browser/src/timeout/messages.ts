/** A word with its number as `#`, by plural category (Intl.PluralRules); `other` is for the rest. */
export type Plural = { readonly [Category in Intl.LDMLPluralRule]?: string } & { readonly other: string };

/**
 * All that the dialog says in one language. `{time}` stands for a duration, made
 * of the units at the end: give them the case that it has in the sentences.
 */
export interface Messages {
  /** The writing direction, where it is not from left to right. */
  readonly dir?: "rtl";
  readonly title: string;
  /** With {time}. */
  readonly warning: string;
  /** With {time}: nothing can extend the session. */
  readonly final: string;
  /** With {time}: said now and then. */
  readonly remaining: string;
  readonly extend: string;
  readonly end: string;
  readonly close: string;
  /** Only the server can tell now. */
  readonly checking: string;
  /** The server did not do it. */
  readonly failed: string;
  readonly endedTitle: string;
  readonly ended: string;
  readonly again: string;
  readonly minute: Plural;
  readonly second: Plural;
  /** Joins two units, `{0}` and `{1}`. */
  readonly and: string;
}

export const english: Messages = {
  title: "Your session is about to end",
  warning: "You have not been active for a while. To protect your data, your session ends in {time}.",
  final: "Your session ends in {time} and cannot be extended. Please save your work now.",
  remaining: "{time} remaining.",
  extend: "Continue session",
  end: "End session now",
  close: "Close",
  checking: "Checking whether your session is still open…",
  failed: "The server did not answer as expected, and nothing has changed yet. Please try again.",
  endedTitle: "Your session has ended",
  ended: "To protect your data, this page is hidden.",
  again: "Start again",
  minute: { one: "# minute", other: "# minutes" },
  second: { one: "# second", other: "# seconds" },
  and: "{0} and {1}",
};

/** Gives a duration in words: "1 minute and 40 seconds". */
export function duration(seconds: number, messages: Messages, language: string): string {
  const rules = new Intl.PluralRules(language);
  const figures = new Intl.NumberFormat(language);
  const word = (n: number, unit: Plural) => (unit[rules.select(n)] ?? unit.other).replace("#", figures.format(n));
  const whole = Math.max(0, Math.ceil(seconds));
  const minutes = Math.floor(whole / 60);
  if (!minutes) return word(whole, messages.second);
  const large = word(minutes, messages.minute);
  return whole % 60 ? messages.and.replace("{0}", large).replace("{1}", word(whole % 60, messages.second)) : large;
}
