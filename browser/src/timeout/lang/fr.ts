import type { Messages } from "../messages.ts";

/** French. */
export const fr: Messages = {
  title: "Votre session va bientôt expirer",
  warning: "Vous êtes inactif depuis un moment. Pour protéger vos données, votre session prendra fin dans {time}.",
  final: "Votre session prendra fin dans {time} et ne peut plus être prolongée. Veuillez enregistrer votre travail maintenant.",
  remaining: "Il reste {time}.",
  extend: "Poursuivre la session",
  end: "Terminer la session",
  close: "Fermer",
  checking: "Vérification de votre session en cours…",
  failed: "Le serveur n’a pas répondu comme prévu et rien n’a encore changé. Veuillez réessayer.",
  endedTitle: "Votre session a pris fin",
  ended: "Pour protéger vos données, cette page est masquée.",
  again: "Recommencer",
  minute: { one: "# minute", other: "# minutes" },
  second: { one: "# seconde", other: "# secondes" },
  and: "{0} et {1}",
};
