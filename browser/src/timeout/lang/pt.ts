import type { Messages } from "../messages.ts";

/** Portuguese. */
export const pt: Messages = {
  title: "A sua sessão está prestes a terminar",
  warning: "Não há atividade há algum tempo. Para proteger os seus dados, a sessão terminará em {time}.",
  final: "A sessão terminará em {time} e não pode ser prolongada. Guarde agora o seu trabalho.",
  remaining: "Tempo restante: {time}.",
  extend: "Continuar a sessão",
  end: "Terminar a sessão agora",
  close: "Fechar",
  checking: "Verificação da sua sessão em curso…",
  failed: "O servidor não respondeu como esperado e nada mudou ainda. Tente novamente.",
  endedTitle: "A sua sessão terminou",
  ended: "Para proteger os seus dados, esta página está oculta.",
  again: "Recomeçar",
  minute: { one: "# minuto", other: "# minutos" },
  second: { one: "# segundo", other: "# segundos" },
  and: "{0} e {1}",
};
