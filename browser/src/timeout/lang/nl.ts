import type { Messages } from "../messages.ts";

/** Dutch. */
export const nl: Messages = {
  title: "Uw sessie verloopt bijna",
  warning: "U bent een tijdje niet actief geweest. Om uw gegevens te beschermen eindigt uw sessie over {time}.",
  final: "Uw sessie eindigt over {time} en kan niet worden verlengd. Sla uw werk nu op.",
  remaining: "Nog {time}.",
  extend: "Sessie voortzetten",
  end: "Sessie nu beëindigen",
  close: "Sluiten",
  checking: "Er wordt gecontroleerd of uw sessie nog actief is…",
  failed: "De server heeft niet zoals verwacht geantwoord en er is nog niets veranderd. Probeer het opnieuw.",
  endedTitle: "Uw sessie is beëindigd",
  ended: "Om uw gegevens te beschermen is deze pagina verborgen.",
  again: "Opnieuw beginnen",
  minute: { one: "# minuut", other: "# minuten" },
  second: { one: "# seconde", other: "# seconden" },
  and: "{0} en {1}",
};
