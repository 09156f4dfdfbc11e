import type { Messages } from "../messages.ts";

/** Italian. */
export const it: Messages = {
  title: "La sessione sta per terminare",
  warning: "Non rileviamo attività da un po’. Per proteggere i tuoi dati, la sessione terminerà tra {time}.",
  final: "La sessione terminerà tra {time} e non può essere prolungata. Salva subito il tuo lavoro.",
  remaining: "Tempo rimanente: {time}.",
  extend: "Continua la sessione",
  end: "Termina ora la sessione",
  close: "Chiudi",
  checking: "Verifica della sessione in corso…",
  failed: "Il server non ha risposto come previsto e nulla è ancora cambiato. Riprova.",
  endedTitle: "La sessione è terminata",
  ended: "Per proteggere i tuoi dati, questa pagina è nascosta.",
  again: "Ricomincia",
  minute: { one: "# minuto", other: "# minuti" },
  second: { one: "# secondo", other: "# secondi" },
  and: "{0} e {1}",
};
