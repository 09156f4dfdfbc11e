import type { Messages } from "../messages.ts";

/** German. */
export const de: Messages = {
  title: "Ihre Sitzung endet bald",
  warning: "Sie waren eine Weile nicht aktiv. Zum Schutz Ihrer Daten endet Ihre Sitzung in {time}.",
  final: "Ihre Sitzung endet in {time} und kann nicht verlängert werden. Bitte speichern Sie jetzt Ihre Arbeit.",
  remaining: "Noch {time}.",
  extend: "Sitzung fortsetzen",
  end: "Sitzung jetzt beenden",
  close: "Schließen",
  checking: "Es wird geprüft, ob Ihre Sitzung noch besteht …",
  failed: "Der Server hat nicht wie erwartet geantwortet; noch hat sich nichts geändert. Bitte versuchen Sie es erneut.",
  endedTitle: "Ihre Sitzung ist beendet",
  ended: "Zum Schutz Ihrer Daten wird diese Seite nicht mehr angezeigt.",
  again: "Neu beginnen",
  minute: { one: "# Minute", other: "# Minuten" },
  second: { one: "# Sekunde", other: "# Sekunden" },
  and: "{0} und {1}",
};
