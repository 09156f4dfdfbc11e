import type { Messages } from "../messages.ts";

/** Polish. */
export const pl: Messages = {
  title: "Twoja sesja wkrótce się zakończy",
  warning: "Od pewnego czasu nie wykryto żadnej aktywności. Aby chronić Twoje dane, sesja zakończy się za {time}.",
  final: "Sesja zakończy się za {time} i nie można jej przedłużyć. Zapisz teraz swoją pracę.",
  remaining: "Sesja zakończy się za {time}.",
  extend: "Kontynuuj sesję",
  end: "Zakończ sesję teraz",
  close: "Zamknij",
  checking: "Sprawdzanie, czy Twoja sesja jest nadal otwarta…",
  failed: "Serwer nie odpowiedział zgodnie z oczekiwaniami i nic się jeszcze nie zmieniło. Spróbuj ponownie.",
  endedTitle: "Twoja sesja się zakończyła",
  ended: "Aby chronić Twoje dane, ta strona jest ukryta.",
  again: "Zacznij od nowa",
  minute: { one: "# minutę", few: "# minuty", many: "# minut", other: "# minuty" },
  second: { one: "# sekundę", few: "# sekundy", many: "# sekund", other: "# sekundy" },
  and: "{0} i {1}",
};
