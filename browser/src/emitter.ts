/** Stops what the call that returned it began. Calling it again does nothing. */
export type Stop = () => void;

/** Calls listeners by event name. `Events` maps a name to what is passed along. */
export interface Emitter<Events extends object> {
  on<Name extends keyof Events>(name: Name, fn: (detail: Events[Name]) => void): Stop;
  emit<Name extends keyof Events>(name: Name, detail: Events[Name]): void;
}

/**
 * Makes an emitter. Listeners run in the order they came, at once. One that
 * throws does not keep the others from running: `report` gets its error.
 */
export function createEmitter<Events extends object>(report: (error: unknown) => void): Emitter<Events> {
  const listeners: { [Name in keyof Events]?: Set<(detail: Events[Name]) => void> } = {};
  return {
    on(name, fn) {
      // A wrapper, so that the same function can be added twice and removed once.
      const listener: typeof fn = (detail) => fn(detail);
      const set = (listeners[name] ??= new Set());
      set.add(listener);
      return () => void set.delete(listener);
    },
    emit(name, detail) {
      for (const listener of [...(listeners[name] ?? [])]) {
        try {
          listener(detail);
        } catch (error) {
          report(error);
        }
      }
    },
  };
}
