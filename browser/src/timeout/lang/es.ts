import type { Messages } from "../messages.ts";

/** Spanish. */
export const es: Messages = {
  title: "Su sesión está a punto de finalizar",
  warning: "Lleva un tiempo sin actividad. Para proteger sus datos, la sesión finalizará en {time}.",
  final: "La sesión finalizará en {time} y no se puede prolongar. Guarde su trabajo ahora.",
  remaining: "Tiempo restante: {time}.",
  extend: "Continuar la sesión",
  end: "Finalizar la sesión ahora",
  close: "Cerrar",
  checking: "Comprobando si su sesión sigue abierta…",
  failed: "El servidor no ha respondido como se esperaba y todavía no ha cambiado nada. Inténtelo de nuevo.",
  endedTitle: "Su sesión ha finalizado",
  ended: "Para proteger sus datos, esta página está oculta.",
  again: "Volver a empezar",
  minute: { one: "# minuto", other: "# minutos" },
  second: { one: "# segundo", other: "# segundos" },
  and: "{0} y {1}",
};
